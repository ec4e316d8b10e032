package hooks_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/hooks"
)

func TestRetryWaitsGrowUntilTheCap(t *testing.T) {
	p := hooks.RetryPolicy{MaxAttempts: 6, Base: time.Second, Factor: 4, Cap: time.Minute}
	const most = 0.999999999
	for attempts, want := range []time.Duration{1: time.Second, 2: 4 * time.Second, 3: 16 * time.Second, 4: time.Minute, 5: time.Minute} {
		if attempts == 0 {
			continue
		}
		got, again := p.Next(attempts, 0, 0, most)
		if !again || got.Round(time.Millisecond) != want {
			t.Errorf("after %d attempts: %v, %v; want about %v", attempts, got, again, want)
		}
	}
	if _, again := p.Next(6, 0, 0, most); again {
		t.Error("a seventh attempt is made")
	}
}

func TestRetryProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := hooks.DefaultRetryPolicy
		attempts := rapid.IntRange(1, 100).Draw(t, "attempts")
		after := time.Duration(rapid.Int64Range(0, int64(100*time.Hour)).Draw(t, "retryAfter"))
		wait, again := p.Next(attempts, 0, after, rapid.Float64Range(0, 0.9999).Draw(t, "random"))
		if again != (attempts < p.MaxAttempts) {
			t.Fatalf("after %d attempts again is %v", attempts, again)
		}
		if again && (wait < min(after, 24*time.Hour) || wait > max(p.Cap, 24*time.Hour)) {
			t.Fatalf("wait %v with Retry-After %v", wait, after)
		}
	})
}

func TestDefaultRetriesTakeAboutADay(t *testing.T) {
	var mean time.Duration
	for n := 1; ; n++ {
		wait, again := hooks.DefaultRetryPolicy.Next(n, 0, 0, 0.5)
		if !again {
			break
		}
		mean += wait
	}
	if mean < 18*time.Hour || mean > 30*time.Hour {
		t.Errorf("twelve attempts take %v on average", mean)
	}
}
