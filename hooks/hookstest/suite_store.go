package hookstest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

var settleTests = map[string]func(*fixture){
	"every state shows, over a restart": func(f *fixture) {
		f.subscribe("a")
		f.publishMany("e", 5, "a")
		claims := f.claim(5)
		ends := []hooks.Settlement{
			{State: hooks.StateDelivered, Attempt: success()},
			{State: hooks.StateDead, Attempt: failure(404), Reason: "it answered 404"},
			{State: hooks.StateSkipped, Reason: "no template for members"},
			{State: hooks.StateCancelled, Reason: "nobody wants it"},
			{State: hooks.StatePending, Attempt: failure(503), RetryAt: time.Now().Add(time.Hour).UTC()},
		}
		for i := range ends {
			ends[i].Claim = claims[i]
			f.must(f.Settle(f.ctx(), ends[i]))
		}
		f.restart()
		f.nothingToClaim()
		for i, end := range ends {
			d := f.delivery(claims[i])
			if d.State != end.State || d.Reason != end.Reason || d.FinishedAt.IsZero() == end.State.Final() || !d.NextAttemptAt.Equal(end.RetryAt) {
				f.Errorf("delivery %+v, want %+v", d, end)
			}
			var want []hooks.Attempt
			if end.Attempt != nil {
				want = append(want, *end.Attempt)
			}
			f.sameAttempts(d.Attempts, want)
		}
	},
	"attempts are kept in their order, with all they say": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		var want []hooks.Attempt
		for i := range 5 {
			var a hooks.Attempt
			fill(reflect.ValueOf(&a).Elem(), i+1)
			want = append(want, a)
			f.must(f.Settle(f.ctx(), hooks.Settlement{Claim: f.claimOne(), Attempt: &a, State: hooks.StatePending, RetryAt: time.Now()}))
			if i == 2 {
				f.restart()
			}
		}
		c := f.claimOne()
		f.sameAttempts(f.delivery(c).Attempts, want)
		page, err := f.Deliveries(f.ctx(), hooks.DeliveryQuery{SubscriptionID: "a", Limit: 1})
		f.must(err)
		f.sameAttempts(page.Items[0].Attempts, want)
	},
	"status": func(f *fixture) {
		f.subscribe("a", "b")
		var want hooks.Status
		f.hasStatus("a", want)
		f.hasStatus("unknown", want)
		for i := range hooks.MaxStatusErrors + 3 {
			f.publish(eventID("e", i), "a")
			a := failure(500 + i)
			if i == 4 {
				a = success()
			}
			want.Record(*a)
			f.must(f.Settle(f.ctx(), hooks.Settlement{Claim: f.claimOne(), Attempt: a, State: hooks.StateDead}))
			f.hasStatus("a", want)
		}
		f.publish("skipped", "a")
		f.must(f.Settle(f.ctx(), hooks.Settlement{Claim: f.claimOne(), State: hooks.StateSkipped}))
		f.restart()
		f.hasStatus("a", want)
		f.hasStatus("b", hooks.Status{})
	},
	"a second outcome changes nothing": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		c := f.claimOne()
		f.deliver(c)
		f.retry(c, time.Now())
		f.nothingToClaim()
		if d := f.delivery(c); d.State != hooks.StateDelivered || len(d.Attempts) != 1 {
			f.Errorf("delivery %+v", d)
		}
	},
	"outcomes together": func(f *fixture) {
		f.subscribe("a", "b")
		f.publishMany("e", 3, "a", "b")
		claims := f.claim(6)
		none := hooks.Claim{DeliveryID: hooks.DeliveryID("none", "a", ""), EventKey: "none", SubscriptionID: "a"}
		err := f.Settle(f.ctx(),
			hooks.Settlement{Claim: claims[0], State: hooks.StateDelivered, Attempt: success()},
			hooks.Settlement{Claim: none, State: hooks.StateDelivered},
			hooks.Settlement{Claim: claims[1], State: hooks.StatePending, Attempt: failure(500), RetryAt: time.Now().Add(time.Hour)},
			hooks.Settlement{Claim: claims[0], State: hooks.StateDead, Reason: "a second outcome"},
			hooks.Settlement{Claim: claims[2], State: hooks.StateDead, Reason: "no", Attempt: failure(404)})
		if !errors.Is(err, hooks.ErrNotFound) {
			f.Errorf("Settle: %v, want ErrNotFound", err)
		}
		for i, want := range []hooks.State{hooks.StateDelivered, hooks.StatePending, hooks.StateDead, hooks.StatePending} {
			if got := f.delivery(claims[i]); got.State != want {
				f.Errorf("outcome %d: %s, want %s", i, got.State, want)
			}
		}
		f.must(f.Settle(f.ctx()))
	},
	"what does not exist": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		c := hooks.Claim{DeliveryID: hooks.DeliveryID("none", "a", ""), EventKey: "none", SubscriptionID: "a"}
		if err := f.Settle(f.ctx(), hooks.Settlement{Claim: c, State: hooks.StateDelivered}); !errors.Is(err, hooks.ErrNotFound) {
			f.Errorf("Settle: %v, want ErrNotFound", err)
		}
		for _, id := range []string{c.DeliveryID, "", "x", "../../etc/passwd"} {
			if _, err := f.Delivery(f.ctx(), id); !errors.Is(err, hooks.ErrNotFound) {
				f.Errorf("Delivery(%q): %v, want ErrNotFound", id, err)
			}
		}
		if err := f.Settle(f.ctx(), hooks.Settlement{Claim: f.claimOne(), State: "odd"}); err == nil {
			f.Error("a state that is none was settled")
		}
	},
}

// fill gives every field a value of its own, so that a field that a backend
// forgets to keep is noticed.
func fill(v reflect.Value, n int) {
	for i := range v.NumField() {
		field := v.Field(i)
		switch x := field.Addr().Interface().(type) {
		case *[]hooks.ResponseHeader:
			*x = []hooks.ResponseHeader{{Name: "X-One", Value: fmt.Sprint(n)}, {Name: "X-Empty"}, {Name: "X-One", Value: "\x00é"}}[:n%4]
			if n%4 == 0 {
				*x = nil
			}
		case *time.Time:
			*x = time.Unix(1_700_000_000+int64(n*100+i), 123_456_789).UTC()
		default:
			switch field.Kind() {
			case reflect.Int, reflect.Int64:
				field.SetInt(int64(n*100 + i))
			case reflect.String:
				field.SetString(fmt.Sprintf("%s %d: é \"\x00\n", v.Type().Field(i).Name, n))
			default:
				panic("hookstest: teach fill about " + field.Type().String())
			}
		}
	}
}

func (f *fixture) sameAttempts(got, want []hooks.Attempt) {
	f.Helper()
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if !reflect.DeepEqual(got, want) {
		f.Errorf("attempts\n%+v\nwant\n%+v", got, want)
	}
}

func (f *fixture) hasStatus(subscription string, want hooks.Status) {
	f.Helper()
	got, err := f.Status(f.ctx(), subscription)
	f.must(err)
	if !reflect.DeepEqual(got, want) {
		f.Errorf("status of %s\n%+v\nwant\n%+v", subscription, got, want)
	}
}

var storeTests = map[string]func(*fixture){
	"subscriptions, oldest first": func(f *fixture) {
		f.subscribe("b", "c", "a")
		f.restart()
		list, err := f.Subscriptions(f.ctx())
		f.must(err)
		var got []string
		for _, s := range list {
			got = append(got, s.ID)
		}
		if !slices.Equal(got, []string{"a", "b", "c"}) {
			f.Errorf("subscriptions %v", got)
		}
	},
	"a subscription comes back as it was": func(f *fixture) {
		for name, statements := range map[string]string{
			"default": ``,
			"none":    `"statements": [],`,
			"some":    `"statements": [{"effect": "deny", "notResources": ["proj/*"], "actions": ["*"]}],`,
		} {
			want := f.parse(`{` + statements + `"_id": "` + name + `", "kind": "slack", "name": "Né \"1\" <x>", "on": true,
				"config": {"z": "</ &\u2028", "a": 1.5, "n": null}, "tags": ["b", "a"], "version": 1,
				"createdAt": "2024-05-06T07:08:09.123Z", "updatedAt": "2025-05-06T07:08:09Z"}`)
			if (want.Statements == nil) != (statements == "") {
				f.Fatalf("statements %#v", want.Statements)
			}
			f.must(f.PutSubscription(f.ctx(), want))
			got := f.subscription(name)
			if !got.Config.Equal(want.Config) {
				f.Errorf("config %s", got.Config.AppendJSON(nil))
			}
			got.Config = want.Config
			if !reflect.DeepEqual(got, want) {
				f.Errorf("stored %+v, want %+v", got, want)
			}
			got.Tags[0] = "mine"
			if f.subscription(name).Tags[0] != "b" {
				f.Error("what was returned is shared")
			}
		}
	},
	"versions": func(f *fixture) {
		put := func(version uint64) error {
			return f.PutSubscription(f.ctx(), &hooks.Subscription{ID: "a", Version: version, Name: fmt.Sprint(version)})
		}
		for _, c := range []struct {
			version uint64
			ok      bool
		}{{0, false}, {2, false}, {1, true}, {1, false}, {3, false}, {2, true}, {2, false}} {
			if err := put(c.version); c.ok && err != nil || !c.ok && !errors.Is(err, hooks.ErrConflict) {
				f.Errorf("version %d: %v", c.version, err)
			}
		}
		if got := f.subscription("a"); got.Version != 2 || got.Name != "2" {
			f.Errorf("stored %+v", got)
		}
	},
	"pages, newest first": func(f *fixture) {
		f.subscribe("a", "b")
		var want []string
		for i := range 25 {
			f.publish(eventID("e", i), "a", "b")
			want = append([]string{eventID("e", i)}, want...)
		}
		// Finished ones, waiting ones and leased ones lie in one list.
		for i, c := range f.claim(50) {
			switch i % 4 {
			case 0:
				f.deliver(c)
			case 1:
				f.retry(c, time.Now().Add(-time.Duration(i)*time.Minute))
			case 2:
				f.must(f.Release(f.ctx(), c.DeliveryID))
			}
		}
		for _, limit := range []int{1, 7, 25, 1000} {
			for _, s := range []string{"a", "b"} {
				if got := f.listed(s, limit); !slices.Equal(got, want) {
					f.Errorf("deliveries of %s by %d: %v", s, limit, got)
				}
			}
		}
		page, err := f.Deliveries(f.ctx(), hooks.DeliveryQuery{SubscriptionID: "a", Limit: 5})
		f.must(err)
		f.publish("later", "a")
		next, err := f.Deliveries(f.ctx(), hooks.DeliveryQuery{SubscriptionID: "a", Before: page.Cursor, Limit: 5})
		f.must(err)
		if next.Items[0].EventID != want[5] {
			f.Errorf("the second page begins with %s, want %s", next.Items[0].EventID, want[5])
		}
		if page, err := f.Deliveries(f.ctx(), hooks.DeliveryQuery{SubscriptionID: "unknown", Limit: 5}); err != nil || len(page.Items) != 0 || page.Cursor != "" {
			f.Errorf("deliveries of an unknown subscription: %+v, %v", page, err)
		}
	},
	"pages that cannot be": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		for _, q := range []hooks.DeliveryQuery{
			{SubscriptionID: "a"}, {Limit: 1001}, {EventKey: "e1", Limit: -1},
			{SubscriptionID: "a", Before: "not a cursor!", Limit: 5}, {Before: "x", Limit: 5},
			{States: []hooks.State{"odd"}, Limit: 5},
		} {
			if _, err := f.Deliveries(f.ctx(), q); err == nil {
				f.Errorf("%+v gave a page", q)
			}
		}
		for _, q := range []hooks.EventQuery{{}, {Limit: 1001}, {Before: "not a cursor!", Limit: 5}} {
			if _, err := f.Events(f.ctx(), q); err == nil {
				f.Errorf("%+v gave a page", q)
			}
		}
	},
}

func (f *fixture) subscription(id string) *hooks.Subscription {
	f.Helper()
	list, err := f.Subscriptions(f.ctx())
	f.must(err)
	for _, s := range list {
		if s.ID == id {
			return s
		}
	}
	f.Fatalf("there is no subscription %s", id)
	return nil
}
