//go:build linux

package bolt_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
)

const million = 1_000_000

// BenchmarkMillion has a million deliveries waiting, and says what that costs:
// in the file, in memory, when the file is opened and when deliveries are
// claimed. Run it with -benchtime 1x.
func BenchmarkMillion(b *testing.B) {
	b.Run("subscriptions=1", func(b *testing.B) { benchMillion(b, 1) })
	b.Run("subscriptions=100000", func(b *testing.B) { benchMillion(b, 100_000) })
}

func benchMillion(b *testing.B, subscriptions int) {
	path := filepath.Join(b.TempDir(), "flaghook.db")
	db := openWith(b, path, bolt.Options{})
	subs := subscribeMany(b, db, subscriptions)
	fillMillion(b, db, subs)
	used, err := db.Used(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(used)/million, "bytes/delivery")
	b.ReportMetric(rssAnon(b), "RssAnon-MiB")
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	db = openWith(b, path, bolt.Options{})
	b.ReportMetric(float64(time.Since(start).Milliseconds()), "open-ms")
	b.ReportMetric(rssAnon(b), "RssAnon-opened-MiB")
	const claims = 20_000
	cpu := cpuTime()
	for n := 0; n < claims; {
		list, _, err := db.Claim(context.Background(), hooks.ClaimOptions{Max: 32, Lease: time.Hour, Capacity: func(string) int { return 32 }})
		if err != nil || len(list) == 0 {
			b.Fatal(n, err)
		}
		n += len(list)
		for _, c := range list {
			db.Resume(c.SubscriptionID)
		}
		if subscriptions == 1 { // one that has 20,000 leases is not what this is about
			var ids []string
			for _, c := range list {
				ids = append(ids, c.DeliveryID)
			}
			if err := db.Release(context.Background(), ids...); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/1000/claims, "cpu-µs/claim")
}

// BenchmarkHeld delivers in a subscription that asks for order while 100,000
// deliveries are held behind one that is not finished: an operation is one
// delivery of another resource.
func BenchmarkHeld(b *testing.B) {
	for _, held := range []int{0, 100_000} {
		b.Run(fmt.Sprintf("held=%d", held), func(b *testing.B) {
			db := openWith(b, filepath.Join(b.TempDir(), "flaghook.db"), bolt.Options{})
			subscribe(b, db, "a")
			ordered := func(resource string, n int) {
				list := make([]hooks.Accepted, n)
				for i := range list {
					list[i] = hooks.Accepted{Event: eventOn(b, resource), SubscriptionIDs: []string{"a"}, Ordered: []string{"a"}}
				}
				if _, err := db.Accept(context.Background(), list); err != nil {
					b.Fatal(err)
				}
			}
			for n := 0; n < held+1; n += 1000 {
				ordered("proj/web:env/production:flag/stuck", 1000)
			}
			if claims, _, err := db.Claim(context.Background(), hooks.ClaimOptions{Max: 10, Lease: time.Hour}); len(claims) != 1 {
				b.Fatal(len(claims), err)
			}
			b.ReportAllocs()
			start, n := cpuTime(), 0
			for b.Loop() {
				ordered("proj/web:env/production:flag/other", 1)
				claims, _, err := db.Claim(context.Background(), hooks.ClaimOptions{Max: 10, Lease: time.Hour})
				if err != nil || len(claims) != 1 {
					b.Fatal(len(claims), err)
				}
				if err := db.Settle(context.Background(), hooks.Settlement{Claim: claims[0], State: hooks.StateDelivered}); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/1000/float64(n), "cpu-µs/delivery")
		})
	}
}

// BenchmarkPrune removes a million events, and the deliveries of a deleted
// subscription, while other events are accepted, and says how long those take:
// the slowest and the slowest but one in a hundred, beside the same before.
func BenchmarkPrune(b *testing.B) {
	path := filepath.Join(b.TempDir(), "flaghook.db")
	db := openWith(b, path, bolt.Options{Retention: -1})
	subs := subscribeMany(b, db, 1)
	fillMillion(b, db, subs)
	subscribe(b, db, "other")
	begin := time.Now()
	timeAccepts(b, db, "before", func(n int) bool { return n < 1000 })
	if err := db.DeleteSubscription(context.Background(), subs[0]); err != nil {
		b.Fatal(err)
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	db = openWith(b, path, bolt.Options{Retention: time.Nanosecond})
	start, cpu := time.Now(), cpuTime()
	timeAccepts(b, db, "pruning", func(n int) bool {
		if n%100 != 99 {
			return true
		}
		page, err := db.Events(context.Background(), hooks.EventQuery{Ascending: true, Limit: 1})
		if err != nil {
			b.Fatal(err)
		}
		return len(page.Items) > 0 && page.Items[0].AcceptedAt.Before(begin)
	})
	b.ReportMetric(time.Since(start).Seconds(), "seconds")
	b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/1000/million, "cpu-µs/event")
}

// timeAccepts accepts one event after another as long as it is told to.
func timeAccepts(b *testing.B, db *bolt.DB, what string, more func(n int) bool) {
	var took []time.Duration
	for n := 0; more(n); n++ {
		start := time.Now()
		if err := accept(b, db, hooks.NewID(), "other"); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(took[len(took)*99/100]), what+"-p99-ms")
	b.ReportMetric(ms(took[len(took)-1]), what+"-max-ms")
}

// subscribeMany makes subscriptions by many callers, which share commits.
func subscribeMany(b *testing.B, db *bolt.DB, n int) []string {
	ids := make([]string, n)
	eachN(b, n, 256, func(i int) error {
		ids[i] = fmt.Sprintf("s%06d", i)
		return db.PutSubscription(context.Background(), &hooks.Subscription{ID: ids[i], Version: 1, On: true})
	})
	return ids
}

// fillMillion accepts a million events, each for one of the subscriptions.
func fillMillion(b *testing.B, db *bolt.DB, subs []string) {
	const batch = 500
	var n atomic.Int64
	eachN(b, million/batch, 4, func(int) error {
		list := make([]hooks.Accepted, batch)
		for i := range list {
			s := subs[int(n.Add(1))%len(subs)]
			list[i] = hooks.Accepted{Event: testEvent(b, hooks.NewID()), SubscriptionIDs: []string{s}}
		}
		_, err := db.Accept(context.Background(), list)
		return err
	})
}

// rssAnon is the anonymous memory of the process after what is garbage is gone.
func rssAnon(b *testing.B) float64 {
	runtime.GC()
	debug.FreeOSMemory()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "RssAnon:"); ok {
			var kib float64
			fmt.Sscan(rest, &kib)
			return kib / 1024
		}
	}
	b.Fatal("/proc/self/status says nothing about RssAnon")
	return 0
}
