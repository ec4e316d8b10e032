package client

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// firstWait is the wait before the second try where the server names none; each
// further one is twice as long.
const firstWait = 250 * time.Millisecond

// retryIn says whether a call that ended so is made again, and after what wait.
func (c *Client) retryIn(k call, tries int, err error) (time.Duration, bool) {
	if err == nil || tries >= c.o.Retries {
		return 0, false
	}
	var refused *Error
	var broken *brokenError
	var unreadable *unreadableError
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &refused):
		if refused.Status != http.StatusTooManyRequests && refused.Status != http.StatusServiceUnavailable {
			return 0, false
		}
		if wait := refused.RetryAfter; wait > 0 {
			return jitter(wait, wait/10), wait <= c.o.MaxWait
		}
	case !k.again, !errors.As(err, &broken), errors.As(err, &unreadable), errors.As(err, &untrusted):
		return 0, false
	}
	wait := min(firstWait<<min(tries, 20), c.o.MaxWait)
	return jitter(wait/2, wait/2), true
}

// jitter is a wait of at least least, and less than spread more.
func jitter(least, spread time.Duration) time.Duration {
	if spread <= 0 {
		return least
	}
	return least + rand.N(spread) //nolint:gosec // it spreads load and guards nothing
}

// sleep reports whether the wait came to its end.
func sleep(ctx context.Context, wait time.Duration) bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retryAfter reads the header Retry-After (RFC 9110, 10.2.3), seconds or a
// date; 0 when there is none.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(date.Sub(now), 0)
	}
	return 0
}
