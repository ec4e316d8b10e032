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
}

// DefaultRetryPolicy makes 12 attempts over about a day: the longest waits are
// 1 s, 4 s, 16 s, ... up to 12 h, and the mean wait is half of each.
var DefaultRetryPolicy = RetryPolicy{MaxAttempts: 12, Base: time.Second, Factor: 4, Cap: 12 * time.Hour}

// maxRetryAfter bounds what an endpoint may ask for with Retry-After.
const maxRetryAfter = 24 * time.Hour

// Next is the wait after the given number of attempts, and whether there is
// another attempt at all. random is in [0, 1); retryAfter is what the endpoint
// asked for, 0 if nothing, and is never undercut.
func (p RetryPolicy) Next(attempts int, retryAfter time.Duration, random float64) (time.Duration, bool) {
	if attempts >= p.MaxAttempts {
		return 0, false
	}
	longest := math.Min(float64(p.Base)*math.Pow(p.Factor, float64(attempts-1)), float64(p.Cap))
	return max(time.Duration(random*longest), min(retryAfter, maxRetryAfter)), true
}

// retryable reports whether trying again may help: no answer at all, or one
// that says "not now" (RFC 9110, RFC 8470, RFC 6585).
func retryable(r Response) bool {
	if r.Permanent {
		return false
	}
	switch r.StatusCode {
	case 0, 408, 425, 429:
		return true
	}
	return r.StatusCode >= 500
}
