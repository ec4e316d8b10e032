package hooks

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"
	"time"
)

// TestPlacesAreGivenBack: whatever becomes of attempts, and wherever they turn out to go, there are as many places as
// attempts, at hosts no more than may be, and none is left when all have ended.
func TestPlacesAreGivenBack(t *testing.T) {
	for seed := range 300 {
		r := rand.New(rand.NewSource(int64(seed)))
		o := Options{Concurrency: 4 + r.Intn(30), HostConcurrency: 1 + r.Intn(6), SubscriptionConcurrency: 1 + r.Intn(8), AttemptTimeout: time.Second}
		l := newLimits(&o)
		now := time.Unix(0, 0)
		var under []*attemptPlace
		for range 400 {
			now = now.Add(time.Duration(r.Intn(300)) * time.Millisecond)
			switch id := fmt.Sprintf("s%d", r.Intn(8)); r.Intn(8) {
			case 0, 1, 2:
				l.round(now)
				for range l.free(id, now) {
					under = append(under, l.begin(id, now))
				}
			case 3, 4:
				if len(under) > 0 {
					l.at(under[r.Intn(len(under))], fmt.Sprintf("h%d", r.Intn(3)), now)
				}
			case 5, 6:
				if len(under) > 0 {
					i := r.Intn(len(under))
					l.end(under[i], verdict(r.Intn(4)), now)
					under = slices.Delete(under, i, i+1)
				}
			case 7:
				if r.Intn(10) == 0 {
					l.forget(id)
				}
			}
			at, doubtful := map[string]int{}, map[string]int{}
			for _, p := range under {
				if p.host != "" {
					at[p.host]++
					if p.kind != quick {
						doubtful[p.host]++
					}
				}
			}
			for name, h := range l.hosts {
				if h.underWay != at[name] || h.doubtful != doubtful[name] || h.underWay > o.HostConcurrency {
					t.Fatalf("seed %d: %d places at %s, %d doubtful, are taken by %d attempts, %d doubtful, of %d", seed, h.underWay, name, h.doubtful, at[name], doubtful[name], o.HostConcurrency)
				}
			}
			q, f, s := l.pools[quick].underWay, l.pools[fresh].underWay, l.pools[slow].underWay
			if q+f+s != len(under) || len(under) > l.total || q > l.pools[quick].places || f > l.pools[fresh].places {
				t.Fatalf("seed %d: places, %d quick, %d fresh and %d slow, are taken by %d attempts, of %d", seed, q, f, s, len(under), l.total)
			}
		}
		for _, p := range under {
			l.end(p, answered, now)
		}
		if q, f, s := l.pools[quick].underWay, l.pools[fresh].underWay, l.pools[slow].underWay; q != 0 || f != 0 || s != 0 || l.young.first != nil {
			t.Errorf("seed %d: places are left: quick %d, fresh %d, slow %d", seed, q, f, s)
		}
		for name, h := range l.hosts {
			if h.underWay != 0 {
				t.Errorf("seed %d: %d places are left at %s", seed, h.underWay, name)
			}
		}
	}
}
