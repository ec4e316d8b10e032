package hooks

import (
	"fmt"
	"math"
	"math/rand"
	"slices"
	"testing"
	"time"
)

// TestPace: never more begin than the time since the first allows, beside those
// that may at once, and whoever waits until ready may go on.
func TestPace(t *testing.T) {
	for seed := range 100 {
		r := rand.New(rand.NewSource(int64(seed)))
		p := pace{every: time.Duration(1 + r.Intn(1000)*int(time.Microsecond)), saved: 1 + r.Intn(20)}
		start := time.Unix(0, 0)
		now, begun := start, 0
		for range 1000 {
			switch n := p.room(now); {
			case n < 0 || n > p.saved:
				t.Fatalf("seed %d: room for %d", seed, n)
			case n == 0:
				now = p.ready()
				if p.room(now) < (p.saved+1)/2 {
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
			if most := p.saved + int(now.Sub(start)/p.every); begun > most {
				t.Fatalf("seed %d: %d have begun after %s, of at most %d", seed, begun, now.Sub(start), most)
			}
		}
	}
}

// TestWhoComesAfterMany: a thousand subscriptions, of which nothing is known, wait
// for places at hosts that hang. One that comes after them, be it at the same host,
// gets a place soon, and so do they, as many as the host may have.
func TestWhoComesAfterMany(t *testing.T) {
	o := Options{Concurrency: 4096, HostConcurrency: 256, SubscriptionConcurrency: 32, AttemptTimeout: 15 * time.Second}
	for _, c := range []struct {
		name        string
		hosts       int
		last        string
		begin       int           // of the thousand
		within, one time.Duration // when they have begun, and the last one
	}{
		{"hosts of their own", 1000, "elsewhere", 1000, 1000 * newLimits(&o).pace.every, 10 * time.Millisecond},
		{"one host", 1, "elsewhere", 192, 15 * time.Second, 10 * time.Millisecond},
		{"the same host", 1, "h0", 191, 15 * time.Second, 120 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLimits(&o)
			start := time.Unix(0, 0)
			now, host := start, map[string]string{"last": c.last}
			began := map[string]time.Duration{}
			var told []string
			round := func(ids ...string) { // as Run has them: first all are claimed
				var claims []string
				for _, id := range ids {
					if began[id] == 0 && l.free(id, now) > 0 {
						claims = append(claims, id)
					}
				}
				for _, id := range claims {
					p := l.begin(id, now)
					ok, ids := l.at(p, host[id], now)
					if ok {
						began[id] = now.Sub(start) + 1
					} else {
						ids = append(ids, l.end(p, noVerdict, now)...)
					}
					told = append(told, ids...)
				}
			}
			var ids []string
			for i := range 1000 {
				id := fmt.Sprint("s", i)
				host[id] = fmt.Sprint("h", i%c.hosts)
				ids = append(ids, id)
			}
			round(ids...)
			round("last")
			rounds := 0
			for next := now; !next.IsZero() && next.Before(start.Add(o.AttemptTimeout)); next = l.again(now) {
				if next.After(now) {
					now = next
				}
				for told = append(told, l.round(now)...); len(told) > 0; {
					ids := told
					told = nil
					round(ids...)
				}
				if rounds++; rounds > 10_000 {
					t.Fatalf("%d rounds were made in %s", rounds, now.Sub(start))
				}
			}
			if at := began["last"]; at == 0 || at > c.one {
				t.Errorf("the last one began after %s, want %s at most", at, c.one)
			}
			delete(began, "last")
			if len(began) != c.begin {
				t.Errorf("%d began, want %d", len(began), c.begin)
			}
			for id, at := range began {
				if at > c.within {
					t.Errorf("%s began after %s, want %s at most", id, at, c.within)
				}
			}
		})
	}
}

// TestAnEndWakes: an end of an attempt may bring nearer when those that wait are to be
// looked at; whoever sleeps until later is woken.
func TestAnEndWakes(t *testing.T) {
	o := Options{Concurrency: 100, HostConcurrency: 4, SubscriptionConcurrency: 32, AttemptTimeout: DefaultTimeout}
	l := newLimits(&o)
	now := time.Unix(0, 0)
	begin := func(id string) (*attemptPlace, bool) {
		p := l.begin(id, now)
		ok, _ := l.at(p, "h", now)
		return p, ok
	}
	known, _ := begin("quick")
	l.end(known, answered, now)
	var ending *attemptPlace
	for _, id := range []string{"quick", "quick", "new", "another"} { // all places, and the pace's turn
		p, ok := begin(id)
		if !ok {
			t.Fatalf("no place for %s", id)
		}
		if id == "quick" {
			ending = p
		}
	}
	late, ok := begin("late")
	if ok {
		t.Fatal("a place more than there are")
	}
	l.end(late, noVerdict, now)
	if at := l.again(now); !at.IsZero() {
		t.Fatalf("to be looked at again at %s, though only an end of an attempt makes room", at)
	}
	select {
	case <-l.wake:
	default:
	}
	l.end(ending, answered, now)
	select {
	case <-l.wake:
	default:
		t.Error("nobody is woken")
	}
	if at := l.again(now); !at.After(now) {
		t.Errorf("to be looked at again at %s", at)
	}
}

// TestLimitsOfAnySize: options that mean no limit, or no time, work.
func TestLimitsOfAnySize(t *testing.T) {
	now := time.Unix(0, 0)
	for _, o := range []Options{
		{Concurrency: 1, HostConcurrency: 1, SubscriptionConcurrency: 1, AttemptTimeout: 1},
		{Concurrency: 100, HostConcurrency: 8, SubscriptionConcurrency: 1, AttemptTimeout: 1},
		{Concurrency: math.MaxInt, HostConcurrency: math.MaxInt, SubscriptionConcurrency: math.MaxInt, AttemptTimeout: MaxTimeout},
	} {
		l := newLimits(&o)
		for i := range min(o.Concurrency, o.HostConcurrency, 6) {
			id := fmt.Sprint("s", i)
			if l.round(now); l.free(id, now.Add(-1)) != 1 {
				t.Errorf("%+v: no room for number %d", o, i)
			}
			if ok, _ := l.at(l.begin(id, now), "h", now.Add(-1)); !ok {
				t.Errorf("%+v: no place for number %d", o, i)
			}
			now = now.Add(time.Second)
		}
	}
}

// TestTurnsAreKept: who has waited for something else keeps its turn where it waits
// next, also when others, that came later, wait there already.
func TestTurnsAreKept(t *testing.T) {
	o := Options{Concurrency: 100, HostConcurrency: 4, SubscriptionConcurrency: 1, AttemptTimeout: DefaultTimeout}
	l := newLimits(&o)
	var elsewhere, here waiters
	shares := make([]*share, 5)
	for i := range shares {
		shares[i] = l.share(fmt.Sprint(i))
		l.wait(shares[i], &elsewhere)
	}
	for _, i := range []int{4, 0, 2, 3, 1} {
		l.wait(shares[i], &here)
	}
	if n := elsewhere.len(); n != 0 {
		t.Errorf("%d wait in two places", n)
	}
	if got, want := here.take(9, nil), []string{"4", "0", "3", "1", "2"}; !slices.Equal(got, want) {
		t.Errorf("the turns are %v, want %v", got, want)
	}
}
