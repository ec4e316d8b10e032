package hooks

import (
	"fmt"
	"math/rand"
	"testing"
	"time"
)

// TestPace: never more begin than the time since the first allows, beside those
// that may at once, and whoever waits until ready may go on.
func TestPace(t *testing.T) {
	for seed := range 100 {
		r := rand.New(rand.NewSource(int64(seed)))
		p := pace{every: time.Duration(1 + r.Intn(1000)*int(time.Microsecond))}
		start := time.Unix(0, 0)
		now, begun := start, 0
		for range 1000 {
			switch n := p.room(now); {
			case n < 0 || n > saved:
				t.Fatalf("seed %d: room for %d", seed, n)
			case n == 0:
				now = p.ready()
				if p.room(now) < saved/2 {
					t.Fatalf("seed %d: room for %d when ready", seed, p.room(now))
				}
			case r.Intn(4) == 0:
				now = now.Add(time.Duration(r.Intn(20 * int(p.every))))
			default:
				p.begin(now)
				begun++
				if r.Intn(8) == 0 {
					p.take()
					begun--
				}
			}
			if most := saved + int(now.Sub(start)/p.every); begun > most {
				t.Fatalf("seed %d: %d have begun after %s, of at most %d", seed, begun, now.Sub(start), most)
			}
		}
	}
}

// TestWhoComesAfterMany: a thousand subscriptions, of which nothing is known, wait
// for places. One that comes after them gets one at once, and all get one soon, on
// hosts of their own; at one host, as many as it may have.
func TestWhoComesAfterMany(t *testing.T) {
	for name, c := range map[string]struct {
		host  func(i int) string
		begin int
	}{
		"hosts of their own": {func(i int) string { return fmt.Sprint("h", i) }, 1000},
		"one host":           {func(int) string { return "h" }, 192},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Concurrency: 4096, HostConcurrency: 256, SubscriptionConcurrency: 32}
			l := newLimits(&o)
			start := time.Unix(0, 0)
			now, host := start, map[string]string{}
			began := map[string]time.Duration{}
			round := func(ids ...string) { // as Run has them: first all are claimed
				var claims []string
				for _, id := range ids {
					if l.free(id, now) > 0 {
						claims = append(claims, id)
					}
				}
				for _, id := range claims {
					p := l.begin(id, now)
					if ok, _ := l.at(p, host[id]); ok {
						began[id] = now.Sub(start)
					} else {
						l.end(p, noVerdict, now)
					}
				}
			}
			var ids []string
			for i := range 1000 {
				id := fmt.Sprint("s", i)
				host[id] = c.host(i)
				ids = append(ids, id)
			}
			round(ids...)
			host["last"] = "elsewhere"
			round("last")
			rounds := 0
			for next := l.again(now); !next.IsZero() && next.Before(start.Add(slowAfter)); next = l.again(now) {
				now = next
				round(l.round(now)...)
				rounds++
			}
			if at, ok := began["last"]; !ok || at > 20*time.Millisecond {
				t.Errorf("the last one began after %s", at)
			}
			delete(began, "last")
			if rounds > 1000 {
				t.Errorf("%d rounds were made", rounds)
			}
			if len(began) != c.begin {
				t.Errorf("%d began, want %d", len(began), c.begin)
			}
			for id, at := range began {
				if most := time.Duration(c.begin+saved) * l.pace.every; at > most {
					t.Errorf("%s began after %s, want at most %s", id, at, most)
				}
			}
		})
	}
}
