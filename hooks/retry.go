package hooks

import (
	"math"
	"time"
)

// A RetryPolicy says when a failed attempt is tried again: exponential
// back-off with full jitter ("Exponential Backoff And Jitter", AWS
// Architecture Blog, 2015), so that the subscribers of a tool that comes back
// do not all knock at once.
type RetryPolicy struct {
	MaxAttempts int           // in all, the first included
	Base        time.Duration // the longest wait before the second attempt
	Factor      float64       // how much longer the longest wait gets each time
	Cap         time.Duration // no wait is longer than this
	MaxElapsed  time.Duration // no attempt begins later than this after the first was due; 0 for no bound
}

// DefaultRetryPolicy makes 12 attempts over about a day: the longest waits are
// 1 s, 4 s, 16 s, ... up to 12 h, and the mean wait is half of each.
var DefaultRetryPolicy = RetryPolicy{MaxAttempts: 1 + DefaultMaxRetries, Base: time.Second, Factor: 4, Cap: 12 * time.Hour}

// maxRetryAfter bounds what an endpoint may ask for with Retry-After.
const maxRetryAfter = 24 * time.Hour

// with gives the policy with a subscription's own settings.
func (p RetryPolicy) with(d DeliverySettings) RetryPolicy {
	if d.MaxRetries != nil {
		p.MaxAttempts = 1 + *d.MaxRetries
	}
	if d.MaxElapsed > 0 {
		p.MaxElapsed = time.Duration(d.MaxElapsed)
	}
	return p
}

// Next is the wait after the given number of attempts, and whether there is
// another attempt at all. elapsed is the time since the delivery was accepted;
// random is in [0, 1); retryAfter is what the endpoint asked for, 0 if nothing,
// and is never undercut.
func (p RetryPolicy) Next(attempts int, elapsed, retryAfter time.Duration, random float64) (time.Duration, bool) {
	if attempts >= p.MaxAttempts {
		return 0, false
	}
	longest := math.Min(float64(p.Base)*math.Pow(p.Factor, float64(attempts-1)), float64(p.Cap))
	wait := max(time.Duration(random*longest), min(retryAfter, maxRetryAfter))
	if p.MaxElapsed > 0 && elapsed+wait > p.MaxElapsed {
		return 0, false
	}
	return wait, true
}

// retryable reports whether trying again may help: no answer at all, or one
// that says "not now" (RFC 9110, RFC 8470, RFC 6585), or any that is not 2xx
// where the subscription says so.
func retryable(r Response, on RetryOn) bool {
	if r.Permanent {
		return false
	}
	switch r.StatusCode {
	case 0, 408, 425, 429:
		return true
	case statusGone:
		return false // the endpoint says that it is gone for good
	}
	return r.StatusCode >= 500 || on == RetryNon2xx
}

// statusGone switches a subscription off (RFC 9110, section 15.5.11).
const statusGone = 410
