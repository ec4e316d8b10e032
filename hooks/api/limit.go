package api

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// limitWindow is the time that a rate limit counts in.
const limitWindow = time.Second

// A limiter counts the requests of each token in windows that begin for all of
// them at once, so that what it remembers is bounded by the tokens that there
// are.
type limiter struct {
	limit int // in one window

	mu    sync.Mutex
	start time.Time
	used  map[string]int // by token id
}

// newLimiter is nil for no limit.
func newLimiter(limit int) *limiter {
	if limit == 0 {
		return nil
	}
	return &limiter{limit: limit, used: make(map[string]int)}
}

// take counts a request. It returns how many are left and when the window ends;
// left is negative when there was none.
func (l *limiter) take(tokenID string, now time.Time) (left int, reset time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if since := now.Sub(l.start); since >= limitWindow || since < 0 {
		l.start = now
		clear(l.used)
	}
	left = l.limit - l.used[tokenID] - 1
	if left >= 0 {
		l.used[tokenID]++
	}
	return left, l.start.Add(limitWindow)
}

// admit applies the limit, and tells of it in LaunchDarkly's headers.
func (l *limiter) admit(h http.Header, tokenID string) error {
	if l == nil {
		return nil
	}
	left, reset := l.take(tokenID, time.Now())
	remaining := strconv.Itoa(max(left, 0))
	h.Set("X-Ratelimit-Global-Remaining", remaining)
	h.Set("X-Ratelimit-Route-Remaining", remaining)
	h.Set("X-Ratelimit-Reset", strconv.FormatInt(reset.UnixMilli()+1, 10)) // by then it has ended
	if left < 0 {
		return fail(kindRateLimited, "this token makes more than %d requests a second; wait, and try again", l.limit)
	}
	return nil
}
