//go:build unix

package bolt_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
)

// BenchmarkAccept is one event for one subscription an operation, durable, by
// callers that each wait for their own.
func BenchmarkAccept(b *testing.B) {
	for _, callers := range []int{1, 32, 128} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			db, events := benchDB(b, b.N, "a")
			each(b, callers, func(i int) error {
				_, err := db.Accept(context.Background(), []hooks.Accepted{{Event: events[i], SubscriptionIDs: []string{"a"}}})
				return err
			})
		})
	}
}

// BenchmarkDeliver accepts, claims and settles: an operation is one delivery,
// with n events a request, or one event for n subscriptions.
func BenchmarkDeliver(b *testing.B) {
	b.Run("events=1", func(b *testing.B) { benchDeliver(b, 1, 1) })
	b.Run("events=100", func(b *testing.B) { benchDeliver(b, 100, 1) })
	b.Run("subscriptions=100", func(b *testing.B) { benchDeliver(b, 1, 100) })
}

func benchDeliver(b *testing.B, events, subscriptions int) {
	const publishers, workers = 32, 512
	var subs []string
	for i := range subscriptions {
		subs = append(subs, fmt.Sprintf("s%03d", i))
	}
	batches := (b.N + events*subscriptions - 1) / (events * subscriptions)
	db, all := benchDB(b, batches*events, subs...)
	want := int64(batches * events * subscriptions)
	var delivered atomic.Int64
	done := make(chan struct{})
	claimed := make(chan hooks.Claim, workers)
	var working sync.WaitGroup
	working.Go(func() { claimUntil(b, db, claimed, done) })
	for range workers {
		working.Go(func() {
			for c := range claimed {
				a := &hooks.Attempt{At: time.Now(), Duration: time.Millisecond, StatusCode: 200}
				if err := db.Settle(context.Background(), hooks.Settlement{Claim: c, Attempt: a, State: hooks.StateDelivered}); err != nil {
					b.Error(err)
				}
				if delivered.Add(1) == want {
					close(done)
				}
			}
		})
	}
	b.ReportAllocs()
	b.ResetTimer()
	start, before := cpuTime(), commits.Load()
	eachN(b, batches, publishers, func(i int) error {
		var batch []hooks.Accepted
		for _, e := range all[i*events : (i+1)*events] {
			batch = append(batch, hooks.Accepted{Event: e, SubscriptionIDs: subs})
		}
		_, err := db.Accept(context.Background(), batch)
		return err
	})
	working.Wait()
	b.StopTimer()
	b.ReportMetric(float64(want)/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64(want)/float64(commits.Load()-before), "deliveries/commit")
	b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/1000/float64(want), "cpu-µs/delivery")
}

// claimUntil hands out what can be claimed, and closes claimed when done.
func claimUntil(b *testing.B, db *bolt.DB, claimed chan<- hooks.Claim, done <-chan struct{}) {
	defer close(claimed)
	for {
		claims, _, err := db.Claim(context.Background(), hooks.ClaimOptions{Max: 256, Lease: time.Minute})
		if err != nil {
			b.Error(err)
			return
		}
		for _, c := range claims {
			claimed <- c
		}
		if len(claims) > 0 {
			continue
		}
		select {
		case <-db.Ready():
		case <-done:
			return
		}
	}
}

func benchDB(b *testing.B, events int, subscriptions ...string) (*bolt.DB, []*hooks.Event) {
	db := openWith(b, filepath.Join(b.TempDir(), "flaghook.db"), bolt.Options{
		Committed: func(int) { commits.Add(1) },
	})
	subscribe(b, db, subscriptions...)
	list := make([]*hooks.Event, events)
	comment := strings.Repeat("about a kilobyte ", 40)
	for i := range list {
		list[i] = bigEvent(b, hooks.NewID(), comment)
	}
	return db, list
}

func each(b *testing.B, callers int, do func(i int) error) {
	b.ReportAllocs()
	b.ResetTimer()
	eachN(b, b.N, callers, do)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepts/s")
}

func eachN(b *testing.B, n, callers int, do func(i int) error) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// commits counts those of all benchmarks.
var commits atomic.Int64

// cpuTime is what the process has used of its processors, in user and system
// time: of benchmarks on machines that are shared, it says more than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
