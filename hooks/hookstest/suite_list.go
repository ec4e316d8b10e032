package hookstest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// listTests run in bubbles, so that deliveries are of known times: a minute
// apart.
var listTests = map[string]func(*fixture){
	"deliveries by all that can be asked": func(f *fixture) {
		times := f.prepareList()
		want := func(choose func(d *hooks.Delivery) bool) (ids []string) {
			// All there are, in the order of a list of all.
			for _, s := range []string{"a", "b", "c"} {
				list := f.list(hooks.DeliveryQuery{SubscriptionID: s, Limit: 1000})
				for i := 1; i < len(list); i++ {
					if list[i].CreatedAt.After(list[i-1].CreatedAt) {
						f.Errorf("of %s, number %d is newer than the one before", s, i)
					}
				}
				for _, d := range list {
					if choose(d) {
						ids = append(ids, d.ID)
					}
				}
			}
			return ids
		}
		since, until := times[3], times[9]
		for name, c := range map[string]struct {
			q      hooks.DeliveryQuery
			choose func(d *hooks.Delivery) bool
		}{
			"all":     {hooks.DeliveryQuery{}, func(*hooks.Delivery) bool { return true }},
			"one":     {hooks.DeliveryQuery{SubscriptionID: "b"}, func(d *hooks.Delivery) bool { return d.SubscriptionID == "b" }},
			"event":   {hooks.DeliveryQuery{EventKey: "e-0002"}, func(d *hooks.Delivery) bool { return d.EventKey == "e-0002" }},
			"no such": {hooks.DeliveryQuery{EventKey: "none"}, func(*hooks.Delivery) bool { return false }},
			"both": {
				hooks.DeliveryQuery{EventKey: "e-0002", SubscriptionID: "b"},
				func(d *hooks.Delivery) bool { return d.EventKey == "e-0002" && d.SubscriptionID == "b" },
			},
			"dead": {
				hooks.DeliveryQuery{States: []hooks.State{hooks.StateDead}},
				func(d *hooks.Delivery) bool { return d.State == hooks.StateDead },
			},
			"dead or skipped of one": {
				hooks.DeliveryQuery{SubscriptionID: "a", States: []hooks.State{hooks.StateSkipped, hooks.StateDead}},
				func(d *hooks.Delivery) bool {
					return d.SubscriptionID == "a" && (d.State == hooks.StateSkipped || d.State == hooks.StateDead)
				},
			},
			"pending of an event": {
				hooks.DeliveryQuery{EventKey: "e-0002", States: []hooks.State{hooks.StatePending}},
				func(d *hooks.Delivery) bool { return d.EventKey == "e-0002" && d.State == hooks.StatePending },
			},
			"no states": {hooks.DeliveryQuery{States: []hooks.State{}}, func(*hooks.Delivery) bool { return false }},
			"time": {
				hooks.DeliveryQuery{Since: since, Until: until},
				func(d *hooks.Delivery) bool { return !d.CreatedAt.Before(since) && d.CreatedAt.Before(until) },
			},
			"time of one": {
				hooks.DeliveryQuery{SubscriptionID: "a", Since: since.Add(1), Until: until.Add(1)},
				func(d *hooks.Delivery) bool {
					return d.SubscriptionID == "a" && d.CreatedAt.After(since) && !d.CreatedAt.After(until)
				},
			},
			"time of an event": {
				hooks.DeliveryQuery{EventKey: "e-0002", Since: times[5]},
				func(d *hooks.Delivery) bool { return d.EventKey == "e-0002" && !d.CreatedAt.Before(times[5]) },
			},
			"the future": {hooks.DeliveryQuery{Since: time.Now().Add(time.Hour)}, func(*hooks.Delivery) bool { return false }},
			"the past":   {hooks.DeliveryQuery{Until: times[0]}, func(*hooks.Delivery) bool { return false }},
		} {
			wanted := want(c.choose)
			for _, c.q.Limit = range []int{1, 3, 1000} {
				var got []string
				for _, d := range f.list(c.q) {
					got = append(got, d.ID)
				}
				if !slices.Equal(got, wanted) {
					f.Errorf("%s by %d: %d deliveries\n%v\nwant %d\n%v", name, c.q.Limit, len(got), got, len(wanted), wanted)
				}
			}
		}
	},
	"events by time": func(f *fixture) {
		times := f.prepareList()
		for name, c := range map[string]struct {
			q    hooks.EventQuery
			want []int
		}{
			"all":              {hooks.EventQuery{}, []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}},
			"since":            {hooks.EventQuery{Since: times[7]}, []int{9, 8, 7}},
			"since just after": {hooks.EventQuery{Since: times[7].Add(1)}, []int{9, 8}},
			"until":            {hooks.EventQuery{Until: times[2]}, []int{1, 0}},
			"within":           {hooks.EventQuery{Since: times[2], Until: times[4]}, []int{3, 2}},
			"nothing":          {hooks.EventQuery{Since: times[4], Until: times[4]}, nil},
			"later":            {hooks.EventQuery{Since: times[9].Add(time.Hour)}, nil},
			"earlier":          {hooks.EventQuery{Until: times[0]}, nil},
			"wide":             {hooks.EventQuery{Since: times[0].Add(-time.Hour), Until: times[9].Add(time.Hour)}, []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}},
		} {
			for _, c.q.Limit = range []int{1, 3, 1000} {
				var want []string
				for _, i := range c.want {
					want = append(want, eventID("e", i))
				}
				for _, c.q.Ascending = range []bool{false, true} {
					if got := f.eventsOf(c.q); !slices.Equal(got, want) {
						f.Errorf("%s by %d: %v, want %v", name, c.q.Limit, got, want)
					}
					slices.Reverse(want)
				}
			}
		}
	},
}

// prepareList accepts ten events, one a minute, and lets them come to different
// ends; two are replayed in the middle and at the end. It gives the events' times.
func (f *fixture) prepareList() (times []time.Time) {
	f.Helper()
	f.subscribe("a", "b", "c")
	for i := range 10 {
		times = append(times, time.Now().UTC())
		e := hooks.Accepted{Event: f.event(eventID("e", i), ""), SubscriptionIDs: []string{"a", "b"}}
		if i > 6 { // the last of a are held
			e.Ordered = []string{"a"}
		}
		f.accept(e)
		if i == 5 {
			time.Sleep(time.Second)
			f.replayTo("r1", "e-0002", "a", "b")
		}
		if i == 5 {
			ends := []hooks.State{hooks.StateDelivered, hooks.StateDead, hooks.StateSkipped, hooks.StateCancelled, hooks.StatePending}
			for j, c := range f.claim(11) {
				f.must(f.Settle(f.ctx(), hooks.Settlement{Claim: c, State: ends[j%5], RetryAt: time.Now().Add(time.Hour)}))
			}
		}
		time.Sleep(time.Minute)
	}
	f.replayTo("r2", "e-0002", "b", "c")
	f.restart()
	return times
}

// eventsOf gives the ids of all events that a query chooses, page by page.
func (f *fixture) eventsOf(q hooks.EventQuery) (ids []string) {
	f.Helper()
	for {
		page, err := f.Events(f.ctx(), q)
		f.must(err)
		if len(page.Items) > q.Limit {
			f.Fatalf("a page has %d items, more than %d", len(page.Items), q.Limit)
		}
		for _, e := range page.Items {
			ids = append(ids, e.ID())
		}
		if q.Before = page.Cursor; q.Before == "" {
			return ids
		}
	}
}

var recordTests = map[string]func(*fixture){
	"come back as they were": func(f *fixture) {
		long := strings.Repeat("x", 512)
		for _, id := range []string{"a", "\x00", "a\x00b", "\xff\xfe", "é/../x", long} {
			r := hooks.Record{ID: id, Version: 1, Data: []byte("data of " + id)}
			f.must(f.PutRecord(f.ctx(), "token", r))
			f.must(f.PutRecord(f.ctx(), "job", hooks.Record{ID: id, Version: 1}))
		}
		f.restart()
		for _, id := range []string{"a", "\x00", "a\x00b", "\xff\xfe", "é/../x", long} {
			f.hasRecord("token", hooks.Record{ID: id, Version: 1, Data: []byte("data of " + id)})
			f.hasRecord("job", hooks.Record{ID: id, Version: 1})
		}
		r, err := f.Record(f.ctx(), "token", "a")
		f.must(err)
		r.Data[0] = 'X'
		f.hasRecord("token", hooks.Record{ID: "a", Version: 1, Data: []byte("data of a")})
	},
	"versions": func(f *fixture) {
		for _, c := range []struct {
			version uint64
			ok      bool
			stored  uint64
		}{{2, false, 0}, {1, true, 1}, {1, false, 1}, {3, false, 1}, {2, true, 2}, {0, true, 3}, {3, false, 3}, {4, true, 4}} {
			err := f.PutRecord(f.ctx(), "k", hooks.Record{ID: "a", Version: c.version, Data: fmt.Append(nil, c.version)})
			if c.ok && err != nil || !c.ok && !errors.Is(err, hooks.ErrConflict) {
				f.Errorf("version %d: %v", c.version, err)
			}
			if r, err := f.Record(f.ctx(), "k", "a"); c.stored != 0 && (err != nil || r.Version != c.stored) {
				f.Errorf("after version %d: %+v, %v, want version %d", c.version, r, err, c.stored)
			}
		}
		f.must(f.PutRecord(f.ctx(), "k", hooks.Record{ID: "new"}))
		f.hasRecord("k", hooks.Record{ID: "new", Version: 1})
		f.must(f.DeleteRecord(f.ctx(), "k", "a"))
		f.must(f.PutRecord(f.ctx(), "k", hooks.Record{ID: "a", Version: 1}))
	},
	"what is not there": func(f *fixture) {
		f.must(f.PutRecord(f.ctx(), "k", hooks.Record{ID: "a", Version: 1}))
		for _, c := range [][2]string{{"k", "b"}, {"other", "a"}, {"", "a"}, {"k", ""}, {"k", strings.Repeat("x", 513)}} {
			if _, err := f.Record(f.ctx(), c[0], c[1]); !errors.Is(err, hooks.ErrNotFound) {
				f.Errorf("Record(%q): %v, want ErrNotFound", c, err)
			}
			if err := f.DeleteRecord(f.ctx(), c[0], c[1]); !errors.Is(err, hooks.ErrNotFound) {
				f.Errorf("DeleteRecord(%q): %v, want ErrNotFound", c, err)
			}
		}
		for _, id := range []string{"", strings.Repeat("x", 513)} {
			if err := f.PutRecord(f.ctx(), "k", hooks.Record{ID: id, Version: 1}); err == nil {
				f.Errorf("an id of %d bytes was taken", len(id))
			}
		}
	},
	"lists of a kind, by id": func(f *fixture) {
		for _, kind := range []string{"j", "k", "kk"} {
			for i := range 7 {
				f.must(f.PutRecord(f.ctx(), kind, hooks.Record{ID: eventID(kind, 6-i), Version: 1}))
			}
		}
		f.must(f.DeleteRecord(f.ctx(), "k", eventID("k", 3)))
		f.restart()
		for _, limit := range []int{1, 2, 6, 1000} {
			var got []string
			for after := ""; ; {
				list, err := f.Records(f.ctx(), "k", after, limit)
				f.must(err)
				if len(list) == 0 {
					break
				}
				for _, r := range list {
					after = r.ID
					got = append(got, r.ID)
				}
			}
			if want := []string{"k-0000", "k-0001", "k-0002", "k-0004", "k-0005", "k-0006"}; !slices.Equal(got, want) {
				f.Errorf("by %d: %v, want %v", limit, got, want)
			}
		}
		for _, limit := range []int{0, -1, 1001} {
			if _, err := f.Records(f.ctx(), "k", "", limit); err == nil {
				f.Errorf("a limit of %d was taken", limit)
			}
		}
	},
}

func (f *fixture) hasRecord(kind string, want hooks.Record) {
	f.Helper()
	got, err := f.Record(f.ctx(), kind, want.ID)
	f.must(err)
	if got.ID != want.ID || got.Version != want.Version || !bytes.Equal(got.Data, want.Data) {
		f.Errorf("%s %q is %+v, want %+v", kind, want.ID, got, want)
	}
}
