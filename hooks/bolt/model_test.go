package bolt_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/render"
)

type modelDelivery struct {
	id, sub string
	lane    string // "" outside of any order
	seq     int
	state   hooks.State
	due     time.Time
	leased  time.Time // until; zero: not
	claim   hooks.Claim
	event   *hooks.Event
}

func laneEvent(t *testing.T, id, flag string, big int) *hooks.Event {
	text := fmt.Sprintf(`{"_id":%q,"action":"updateOn","resource":"proj/p:env/e:flag/%s","comment":"%*d"}`, id, flag, big, 1)
	v, err := render.ParseJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	e, err := hooks.NewEvent(v, hooks.EventOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestClaimsFollowAModel: whatever happens between claims, nothing is claimed that is not due, nothing twice,
// and all that is due in the end.
func TestClaimsFollowAModel(t *testing.T) {
	for seed := range modelSeeds {
		synctest.Test(t, func(t *testing.T) { claimsFollowAModel(t, int64(seed)) })
		if t.Failed() {
			t.Fatal("seed", seed)
		}
	}
}

// modelSeeds is how many sequences of operations are tried.
const modelSeeds = 25

func claimsFollowAModel(t *testing.T, seed int64) {
	r := rand.New(rand.NewSource(seed))
	path := filepath.Join(t.TempDir(), "m.db")
	db := openAt(t, path)
	defer func() { db.Close() }()
	subs := []string{"a", "b", "c"}
	ordered := map[string]bool{"c": true}
	version := map[string]uint64{}
	put := func(id string) {
		if err := db.PutSubscription(t.Context(), &hooks.Subscription{ID: id, Version: 1, Name: id}); err != nil {
			t.Fatal(err)
		}
		version[id] = 1
	}
	for _, s := range subs {
		put(s)
	}
	model := map[string]*modelDelivery{}
	var events []*hooks.Event
	seq := 0
	sorted := func(keep func(*modelDelivery) bool) (list []*modelDelivery) {
		for _, d := range model {
			if keep(d) {
				list = append(list, d)
			}
		}
		slices.SortFunc(list, func(a, b *modelDelivery) int { return a.seq*10 + int(a.sub[0]) - b.seq*10 - int(b.sub[0]) })
		return list
	}
	pick := func(n int, keep func(*modelDelivery) bool) []*modelDelivery {
		list := sorted(keep)
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list[:min(n, len(list))]
	}
	ids := func(list []*modelDelivery) (ids []string) {
		for _, d := range list {
			ids = append(ids, d.id)
		}
		return ids
	}
	held := func(d *modelDelivery) bool {
		if d.lane == "" {
			return false
		}
		for _, o := range model {
			if o.sub == d.sub && o.lane == d.lane && o.state == hooks.StatePending && o.seq < d.seq {
				return true
			}
		}
		return false
	}
	leased := func(d *modelDelivery) bool { return time.Now().Before(d.leased) }
	claim := func(o hooks.ClaimOptions) int {
		claims, _, err := db.Claim(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range claims {
			d := model[c.DeliveryID]
			switch {
			case d == nil:
				t.Fatalf("claimed %s of %s, which is not there", c.EventKey, c.SubscriptionID)
			case d.state != hooks.StatePending:
				t.Fatalf("claimed %s, which is %s", c.EventKey, d.state)
			case leased(d):
				t.Fatalf("claimed %s twice", c.EventKey)
			case d.due.After(time.Now()):
				t.Fatalf("claimed %s %v early", c.EventKey, time.Until(d.due))
			case held(d):
				t.Fatalf("claimed %s out of order", c.EventKey)
			case c.SubscriptionID != d.sub || c.EventKey != d.event.Key():
				t.Fatalf("claim of another: %+v", c)
			}
			if c.Event != nil && c.Event != d.event {
				t.Fatal("another event")
			}
			if c.Stored != "" {
				want, _ := d.event.MarshalBinary()
				if c.Stored != string(want) {
					t.Fatal("another text")
				}
			}
			d.leased, d.claim = time.Now().Add(o.Lease), c
		}
		return len(claims)
	}
	accept := func(n int) {
		var batch []hooks.Accepted
		for range n {
			seq++
			e := laneEvent(t, fmt.Sprintf("e%d", seq), fmt.Sprintf("f%d", r.Intn(3)), r.Intn(2000))
			a := hooks.Accepted{Event: e}
			for _, s := range subs {
				if r.Intn(2) == 0 {
					a.SubscriptionIDs = append(a.SubscriptionIDs, s)
					if ordered[s] {
						a.Ordered = append(a.Ordered, s)
					}
				}
			}
			batch = append(batch, a)
			events = append(events, e)
			for _, s := range a.SubscriptionIDs {
				if version[s] == 0 {
					continue
				}
				d := &modelDelivery{id: hooks.DeliveryID(e.Key(), s, ""), sub: s, seq: seq, state: hooks.StatePending, event: e}
				if ordered[s] {
					d.lane = e.Resource()
				}
				model[d.id] = d
			}
		}
		if _, err := db.Accept(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	for range 120 {
		switch op := r.Intn(22); {
		case op < 4:
			accept(1 + r.Intn(6))
		case op < 5:
			accept(100)
		case op < 10:
			room := map[string]int{}
			for _, s := range subs {
				room[s] = r.Intn(12)
			}
			claim(hooks.ClaimOptions{Max: 1 + r.Intn(60), Lease: time.Duration(1+r.Intn(20)) * time.Second, Capacity: func(s string) int { return room[s] }})
		case op < 14:
			list := pick(1+r.Intn(30), leased)
			if r.Intn(6) == 0 { // whose leases have ended
				list = pick(3, func(d *modelDelivery) bool { return d.claim.DeliveryID != "" && d.state == hooks.StatePending })
			}
			var s []hooks.Settlement
			for _, d := range list {
				x := hooks.Settlement{Claim: d.claim, State: hooks.StateDelivered, Attempt: &hooks.Attempt{At: time.Now()}}
				switch r.Intn(5) {
				case 0:
					x.State = hooks.StateDead
				case 1, 2:
					x.State, x.RetryAt = hooks.StatePending, time.Now().Add(time.Duration(r.Intn(20)-3)*time.Second)
				}
				s = append(s, x)
			}
			if err := db.Settle(t.Context(), s...); err != nil {
				t.Fatal(err)
			}
			for i, d := range list {
				if d.state == hooks.StatePending {
					d.state, d.due = s[i].State, s[i].RetryAt
				}
				d.leased = time.Time{}
			}
		case op < 15:
			list := pick(5, leased)
			_ = db.Release(t.Context(), ids(list)...)
			for _, d := range list {
				d.leased = time.Time{}
			}
		case op < 16:
			list := pick(1+r.Intn(5), func(d *modelDelivery) bool { return d.state == hooks.StatePending })
			if n, err := db.Cancel(t.Context(), "x", ids(list)...); err != nil || n != len(list) {
				t.Fatal(n, len(list), err)
			}
			for _, d := range list {
				d.state, d.leased = hooks.StateCancelled, time.Time{}
			}
		case op < 17:
			list := pick(1+r.Intn(5), func(d *modelDelivery) bool { return d.state == hooks.StateDead || d.state == hooks.StateCancelled })
			if n, err := db.Revive(t.Context(), ids(list)...); err != nil || n != len(list) {
				t.Fatal(n, len(list), err)
			}
			for _, d := range list {
				d.state, d.due, d.lane = hooks.StatePending, time.Now(), ""
			}
		case op < 18:
			s := subs[r.Intn(len(subs))]
			if version[s] != 0 {
				if err := db.DeleteSubscription(t.Context(), s); err != nil {
					t.Fatal(err)
				}
				version[s] = 0
				maps.DeleteFunc(model, func(_ string, d *modelDelivery) bool { return d.sub == s })
			} else {
				put(s)
			}
		case op < 19:
			if len(events) > 0 {
				e := events[r.Intn(len(events))]
				s := subs[r.Intn(len(subs))]
				replay := fmt.Sprintf("r%d", r.Intn(1<<30))
				_, err := db.Accept(t.Context(), []hooks.Accepted{{Event: e, SubscriptionIDs: []string{s}, Replay: replay}})
				if err != nil && !errors.Is(err, hooks.ErrNotFound) {
					t.Fatal(err)
				}
				if err == nil && version[s] != 0 {
					seq++
					id := hooks.DeliveryID(e.Key(), s, replay)
					model[id] = &modelDelivery{id: id, sub: s, seq: seq, state: hooks.StatePending, event: e}
				}
			}
		case op < 20:
			time.Sleep(time.Duration(r.Intn(8000)) * time.Millisecond)
		case op < 21:
			db.Resume(subs...)
		default:
			if r.Intn(4) == 0 {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				var err error
				if db, err = bolt.Open(path, bolt.Options{}); err != nil {
					t.Fatal(err)
				}
				for _, d := range model {
					d.leased = time.Time{}
				}
			}
		}
	}
	time.Sleep(time.Hour) // all leases have ended, all retries are due
	for {
		db.Resume(subs...)
		n := claim(hooks.ClaimOptions{Max: 40, Lease: time.Hour, Capacity: func(string) int { return 1 + r.Intn(20) }})
		if n == 0 {
			break
		}
		list := sorted(leased)
		var s []hooks.Settlement
		for _, d := range list {
			s = append(s, hooks.Settlement{Claim: d.claim, State: hooks.StateDelivered, Attempt: &hooks.Attempt{At: time.Now()}})
			d.state, d.leased = hooks.StateDelivered, time.Time{}
		}
		if err := db.Settle(t.Context(), s...); err != nil {
			t.Fatal(err)
		}
	}
	if left := sorted(func(d *modelDelivery) bool { return d.state == hooks.StatePending }); len(left) > 0 {
		t.Errorf("%d deliveries are never claimed, such as %+v", len(left), left[0])
	}
}
