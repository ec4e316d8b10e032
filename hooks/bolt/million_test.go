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

// BenchmarkPrune removes a million events with their deliveries while others are
// accepted, and says how long the longest of those took.
func BenchmarkPrune(b *testing.B) {
	path := filepath.Join(b.TempDir(), "flaghook.db")
	db := openWith(b, path, bolt.Options{})
	subs := subscribeMany(b, db, 1)
	fillMillion(b, db, subs)
	if err := db.DeleteSubscription(context.Background(), subs[0]); err != nil {
		b.Fatal(err)
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	// Without its deliveries, all is finished.
	db = openWith(b, path, bolt.Options{Retention: time.Nanosecond})
	subscribe(b, db, "other")
	start, cpu := time.Now(), cpuTime()
	var longest time.Duration
	n := 0
	for {
		began := time.Now()
		if err := accept(b, db, hooks.NewID(), "other"); err != nil {
			b.Fatal(err)
		}
		longest = max(longest, time.Since(began))
		if n++; n%100 == 0 {
			page, err := db.Events(context.Background(), hooks.EventQuery{Ascending: true, Limit: 1})
			if err != nil {
				b.Fatal(err)
			}
			if len(page.Items) == 0 || page.Items[0].AcceptedAt.After(start) {
				break
			}
		}
	}
	b.ReportMetric(float64(longest.Microseconds())/1000, "longest-accept-ms")
	b.ReportMetric(time.Since(start).Seconds(), "seconds")
	b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/1000/million, "cpu-µs/event")
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
