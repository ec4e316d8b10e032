package bolt_test

import (
	"cmp"
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

const (
	modelSeeds      = 25  // sequences of operations that are tried
	modelOperations = 120 // in one of them
)

// TestClaimsFollowAModel: whatever happens between claims, nothing is claimed
// that is not due, nothing twice, and all that is due in the end.
func TestClaimsFollowAModel(t *testing.T) {
	for seed := range modelSeeds {
		synctest.Test(t, func(t *testing.T) {
			m := newModel(t, int64(seed))
			defer func() { m.db.Close() }()
			for range modelOperations {
				m.step()
			}
			m.finish()
		})
		if t.Failed() {
			t.Fatal("seed", seed)
		}
	}
}

// A model of what is in a queue; the subscription c is ordered.
type model struct {
	t          *testing.T
	rand       *rand.Rand
	path       string
	db         *bolt.DB
	there      map[string]bool           // subscriptions
	deliveries map[string]*modelDelivery // by id
	events     []*hooks.Event
	seq        int
}

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

func (d *modelDelivery) pending() bool  { return d.state == hooks.StatePending }
func (d *modelDelivery) isLeased() bool { return time.Now().Before(d.leased) }

var modelSubscriptions = []string{"a", "b", "c"}

func newModel(t *testing.T, seed int64) *model {
	m := &model{
		t: t, rand: rand.New(rand.NewSource(seed)), path: filepath.Join(t.TempDir(), "m.db"),
		there: make(map[string]bool), deliveries: make(map[string]*modelDelivery),
	}
	m.db = openAt(t, m.path)
	for _, id := range modelSubscriptions {
		m.subscribe(id)
	}
	return m
}

// step does something; what is done more often stands there more often.
func (m *model) step() {
	do := []func(){
		m.acceptFew, m.acceptFew, m.acceptFew, m.acceptFew, m.acceptMany, m.claimSome, m.claimSome, m.claimSome, m.claimSome, m.claimSome,
		m.settle, m.settle, m.settle, m.settleLate, m.release, m.cancel, m.revive, m.deleteOrCreate, m.replay, m.sleep, m.resume, m.reopen,
	}
	do[m.rand.Intn(len(do))]()
}

// finish claims until nothing is left.
func (m *model) finish() {
	time.Sleep(time.Hour) // all leases have ended, all retries are due
	for {
		m.resume()
		if m.claim(40, time.Hour, func(string) int { return 1 + m.rand.Intn(20) }) == 0 {
			break
		}
		m.record(m.those((*modelDelivery).isLeased), func(*hooks.Settlement) {})
	}
	if left := m.those((*modelDelivery).pending); len(left) > 0 {
		m.t.Errorf("%d deliveries are never claimed, such as %+v", len(left), left[0])
	}
}

// those are the deliveries of which something holds, in an order that is the same
// for a seed.
func (m *model) those(hold func(*modelDelivery) bool) (list []*modelDelivery) {
	for _, d := range m.deliveries {
		if hold(d) {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b *modelDelivery) int { return cmp.Or(a.seq-b.seq, cmp.Compare(a.sub, b.sub)) })
	return list
}

// some are up to n of those.
func (m *model) some(n int, hold func(*modelDelivery) bool) (list []*modelDelivery, ids []string) {
	list = m.those(hold)
	m.rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	list = list[:min(n, len(list))]
	for _, d := range list {
		ids = append(ids, d.id)
	}
	return list, ids
}

func (m *model) subscribe(id string) {
	if err := m.db.PutSubscription(m.t.Context(), &hooks.Subscription{ID: id, Version: 1, Name: id}); err != nil {
		m.t.Fatal(err)
	}
	m.there[id] = true
}

func (m *model) acceptFew()  { m.accept(1 + m.rand.Intn(6)) }
func (m *model) acceptMany() { m.accept(100) }

func (m *model) accept(n int) {
	batch := make([]hooks.Accepted, n)
	for i := range batch {
		m.seq++
		e := m.event()
		batch[i].Event = e
		m.events = append(m.events, e)
		for _, s := range modelSubscriptions {
			if m.rand.Intn(2) == 0 {
				continue
			}
			batch[i].SubscriptionIDs = append(batch[i].SubscriptionIDs, s)
			lane := ""
			if s == "c" {
				batch[i].Ordered, lane = []string{s}, e.Resource()
			}
			m.expect(hooks.DeliveryID(e.Key(), s, ""), s, lane, e)
		}
	}
	if _, err := m.db.Accept(m.t.Context(), batch); err != nil {
		m.t.Fatal(err)
	}
}

// event is a new one about one of three flags, of any size.
func (m *model) event() *hooks.Event {
	posted, err := render.ParseJSON(fmt.Appendf(nil, `{"_id":"e%d","action":"updateOn","resource":"proj/p:env/e:flag/f%d","comment":"%*d"}`,
		m.seq, m.rand.Intn(3), m.rand.Intn(2000), 1))
	if err != nil {
		m.t.Fatal(err)
	}
	e, err := hooks.NewEvent(posted, hooks.EventOptions{})
	if err != nil {
		m.t.Fatal(err)
	}
	return e
}

// expect has a delivery wait, if its subscription exists.
func (m *model) expect(id, sub, lane string, e *hooks.Event) {
	if m.there[sub] {
		m.deliveries[id] = &modelDelivery{id: id, sub: sub, lane: lane, seq: m.seq, state: hooks.StatePending, event: e}
	}
}

func (m *model) replay() {
	if len(m.events) == 0 {
		return
	}
	e, s, replay := m.events[m.rand.Intn(len(m.events))], modelSubscriptions[m.rand.Intn(3)], fmt.Sprintf("r%d", m.rand.Int63())
	switch _, err := m.db.Accept(m.t.Context(), []hooks.Accepted{{Event: e, SubscriptionIDs: []string{s}, Replay: replay}}); {
	case err == nil:
		m.seq++
		m.expect(hooks.DeliveryID(e.Key(), s, replay), s, "", e)
	case !errors.Is(err, hooks.ErrNotFound):
		m.t.Fatal(err)
	}
}

func (m *model) claimSome() {
	room := make(map[string]int)
	for _, s := range modelSubscriptions {
		room[s] = m.rand.Intn(12)
	}
	m.claim(1+m.rand.Intn(60), time.Duration(1+m.rand.Intn(20))*time.Second, func(s string) int { return room[s] })
}

func (m *model) claim(most int, lease time.Duration, capacity func(string) int) int {
	claims, _, err := m.db.Claim(m.t.Context(), hooks.ClaimOptions{Max: most, Lease: lease, Capacity: capacity})
	if err != nil {
		m.t.Fatal(err)
	}
	for _, c := range claims {
		d := m.deliveries[c.DeliveryID]
		if wrong := m.wrong(d, &c); wrong != "" {
			m.t.Fatalf("claimed %s for %s, which is %s", c.EventKey, c.SubscriptionID, wrong)
		}
		d.leased, d.claim = time.Now().Add(lease), c
	}
	return len(claims)
}

// wrong says why something must not have been claimed, "" if it may.
func (m *model) wrong(d *modelDelivery, c *hooks.Claim) string {
	switch {
	case d == nil:
		return "not there"
	case !d.pending():
		return string(d.state)
	case d.isLeased():
		return "leased already"
	case d.due.After(time.Now()):
		return "not due"
	case m.held(d):
		return "held by an earlier one"
	case c.SubscriptionID != d.sub || c.EventKey != d.event.Key() || c.Event != nil && c.Event != d.event:
		return "not what it says"
	}
	if want, err := d.event.MarshalBinary(); err != nil || c.Stored != "" && c.Stored != string(want) {
		return "of another text"
	}
	return ""
}

func (m *model) held(d *modelDelivery) bool {
	return d.lane != "" && len(m.those(func(o *modelDelivery) bool {
		return o.sub == d.sub && o.lane == d.lane && o.pending() && o.seq < d.seq
	})) > 0
}

func (m *model) settle() {
	list, _ := m.some(1+m.rand.Intn(30), (*modelDelivery).isLeased)
	m.record(list, m.anyOutcome)
}

// settleLate settles deliveries whose leases may have ended.
func (m *model) settleLate() {
	list, _ := m.some(3, func(d *modelDelivery) bool { return d.claim.DeliveryID != "" && d.pending() })
	m.record(list, m.anyOutcome)
}

func (m *model) anyOutcome(s *hooks.Settlement) {
	switch m.rand.Intn(5) {
	case 0:
		s.State = hooks.StateDead
	case 1, 2:
		s.State, s.RetryAt = hooks.StatePending, time.Now().Add(time.Duration(m.rand.Intn(20)-3)*time.Second)
	}
}

// record settles deliveries together, as delivered unless change says otherwise.
func (m *model) record(list []*modelDelivery, change func(*hooks.Settlement)) {
	outcomes := make([]hooks.Settlement, len(list))
	for i, d := range list {
		outcomes[i] = hooks.Settlement{Claim: d.claim, State: hooks.StateDelivered, Attempt: &hooks.Attempt{At: time.Now()}}
		change(&outcomes[i])
		d.state, d.due, d.leased = outcomes[i].State, outcomes[i].RetryAt, time.Time{}
	}
	if err := m.db.Settle(m.t.Context(), outcomes...); err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) release() {
	list, ids := m.some(5, (*modelDelivery).isLeased)
	if err := m.db.Release(m.t.Context(), ids...); err != nil {
		m.t.Fatal(err)
	}
	for _, d := range list {
		d.leased = time.Time{}
	}
}

func (m *model) cancel() {
	list, ids := m.some(1+m.rand.Intn(5), (*modelDelivery).pending)
	if n, err := m.db.Cancel(m.t.Context(), "x", ids...); err != nil || n != len(list) {
		m.t.Fatalf("%d of %d cancelled: %v", n, len(list), err)
	}
	for _, d := range list {
		d.state, d.leased = hooks.StateCancelled, time.Time{}
	}
}

func (m *model) revive() {
	list, ids := m.some(1+m.rand.Intn(5), func(d *modelDelivery) bool { return d.state == hooks.StateDead || d.state == hooks.StateCancelled })
	if n, err := m.db.Revive(m.t.Context(), ids...); err != nil || n != len(list) {
		m.t.Fatalf("%d of %d revived: %v", n, len(list), err)
	}
	for _, d := range list {
		d.state, d.due, d.lane = hooks.StatePending, time.Now(), ""
	}
}

func (m *model) deleteOrCreate() {
	s := modelSubscriptions[m.rand.Intn(3)]
	if !m.there[s] {
		m.subscribe(s)
		return
	}
	if err := m.db.DeleteSubscription(m.t.Context(), s); err != nil {
		m.t.Fatal(err)
	}
	m.there[s] = false
	maps.DeleteFunc(m.deliveries, func(_ string, d *modelDelivery) bool { return d.sub == s })
}

func (m *model) sleep()  { time.Sleep(time.Duration(m.rand.Intn(8000)) * time.Millisecond) }
func (m *model) resume() { m.db.Resume(modelSubscriptions...) }

// reopen closes the file, now and then.
func (m *model) reopen() {
	if m.rand.Intn(4) > 0 {
		return
	}
	if err := m.db.Close(); err != nil {
		m.t.Fatal(err)
	}
	var err error
	if m.db, err = bolt.Open(m.path, bolt.Options{}); err != nil {
		m.t.Fatal(err)
	}
	for _, d := range m.deliveries {
		d.leased = time.Time{}
	}
}
