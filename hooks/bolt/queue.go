package bolt

import (
	"container/heap"
	"container/list"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/flaghook/flaghook/hooks"
)

// A queue is what is kept in memory about claims: which subscriptions may have
// something due, which fall due later, and which deliveries are leased.
//
// It follows the file: the writer changes it after each commit, and Claim holds
// mu while it reads, so that what Claim reads is never older than the leases it
// goes by. Claiming a settled delivery again is thereby ruled out.
type queue struct {
	mu     sync.Mutex
	subs   map[uint64]*subscription // those with something due, waiting or leased
	ring   *list.List               // of *subscription: those that may have something due, next first
	parked map[string]*subscription // by id: those that have no capacity until they are resumed
	alarms alarms                   // ends of leases, and when subscriptions fall due
	leases map[string]*lease        // by delivery id
	claims uint64                   // how many times Claim was called

	claimed int // how many deliveries the last call of Claim gave out

	windowed    int // deliveries in windows
	windowBytes int // of their events

	changed bool // there may be more to claim, or to claim earlier, than Claim said
}

// A subscription is one that has work.
type subscription struct {
	ref    uint64
	id     string
	turn   *list.Element     // its place in the ring, nil when it is not there
	parked bool              // it is among the parked, and so not in the ring
	alarm  alarm             // when its next retry is due
	leased map[uint64]string // delivery ids by seq; nil while there is none
	window window

	// What Claim remembers during one call.
	claim uint64 // which call
	room  int    // how many more it may give out
}

// A lease is a claimed delivery.
type lease struct {
	id    string
	sub   *subscription
	seq   uint64
	alarm alarm
}

func (q *queue) init() {
	q.subs = make(map[uint64]*subscription)
	q.ring = list.New()
	q.parked = make(map[string]*subscription)
	q.leases = make(map[string]*lease)
}

// load finds the subscriptions with something to claim, one seek for each.
func (q *queue) load(tx *bbolt.Tx) error {
	refs := tx.Bucket(bucketRefs)
	for _, name := range [][]byte{bucketFresh, bucketRetry} {
		c := tx.Bucket(name).Cursor()
		for k, _ := c.First(); k != nil; {
			p, ok := placeOf(k)
			if !ok {
				return fmt.Errorf("key %x: %w", k, errRecord)
			}
			if id := refs.Get(number(p.ref)); id != nil {
				q.activate(q.subscription(p.ref, string(id)))
			}
			k, _ = c.Seek(number(p.ref + 1))
		}
	}
	return nil
}

func (q *queue) due() bool { return q.ring.Len() > 0 }

// subscription is the one of that ref, made when there is none.
func (q *queue) subscription(ref uint64, id string) *subscription {
	s := q.subs[ref]
	if s == nil {
		s = &subscription{ref: ref, id: id}
		s.alarm = alarm{position: unset, ring: func() {
			q.spoil(s)
			q.activate(s)
		}}
		q.subs[ref] = s
	}
	return s
}

// woken brings in what a transaction made claimable.
func (q *queue) woken(list []wake, tx int) {
	for _, w := range list {
		if q.subs[w.ref] == nil { // it has nothing else
			q.subscription(w.ref, w.id).window.whole = true
		}
		s := q.subs[w.ref]
		if w.pending.id != "" {
			q.admit(s, w.pending, tx)
		} else {
			q.spoil(s)
		}
		q.activate(s)
	}
}

// activate puts a subscription at the end of the ring, unless it is parked.
func (q *queue) activate(s *subscription) {
	if s.turn == nil && !s.parked {
		s.turn = q.ring.PushBack(s)
	}
}

func (q *queue) deactivate(s *subscription) {
	if s.turn != nil {
		q.ring.Remove(s.turn)
		s.turn = nil
	}
}

// park takes a subscription without capacity out of the ring until it is
// resumed, whatever comes for it meanwhile.
func (q *queue) park(s *subscription) {
	q.deactivate(s)
	s.parked = true
	q.parked[s.id] = s
}

// unpark puts it back; if it has nothing to claim any more, Claim will see.
func (q *queue) unpark(s *subscription) {
	s.parked = false
	delete(q.parked, s.id)
	q.activate(s)
}

// wakeAt sees to it that a subscription is looked at then, or earlier.
func (q *queue) wakeAt(s *subscription, t time.Time) {
	if s.alarm.position == unset || t.Before(s.alarm.at) {
		q.alarms.set(&s.alarm, t)
	}
}

// rest forgets a subscription that has nothing to remember.
func (q *queue) rest(s *subscription) {
	if s.turn == nil && !s.parked && s.alarm.position == unset && len(s.leased) == 0 {
		delete(q.subs, s.ref)
	}
}

// drop forgets a deleted subscription; its leases end.
func (q *queue) drop(ref uint64) {
	s := q.subs[ref]
	if s == nil {
		return
	}
	for _, id := range s.leased {
		q.endLease(id)
	}
	q.spoil(s)
	if s.parked {
		q.unpark(s)
	}
	q.deactivate(s)
	q.alarms.clear(&s.alarm)
	q.rest(s)
}

// grant leases a delivery.
func (q *queue) grant(s *subscription, seq uint64, id string, until time.Time) {
	l := &lease{id: id, sub: s, seq: seq}
	l.alarm = alarm{position: unset, ring: func() {
		q.endLease(id)
		q.spoil(s)
		q.activate(s)
	}}
	q.leases[id] = l
	if s.leased == nil {
		s.leased = make(map[uint64]string)
	}
	s.leased[seq] = id
	q.alarms.set(&l.alarm, until)
}

// endLease returns the subscription of the lease, nil when there is none.
func (q *queue) endLease(id string) *subscription {
	l := q.leases[id]
	if l == nil {
		return nil
	}
	delete(q.leases, id)
	if delete(l.sub.leased, l.seq); len(l.sub.leased) == 0 {
		l.sub.leased = nil
	}
	q.alarms.clear(&l.alarm)
	return l.sub
}

// An alarm is something to do at a time.
type alarm struct {
	at       time.Time
	position int // in the heap, or unset
	ring     func()
}

const unset = -1

// alarms is a heap of those that are set, the earliest first.
type alarms []*alarm

func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a alarms) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].position, a[j].position = i, j
}

// Push and Pop are for package heap.
func (a *alarms) Push(x any) {
	x.(*alarm).position = len(*a)
	*a = append(*a, x.(*alarm))
}

func (a *alarms) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	x.position = unset
	return x
}

func (a *alarms) set(x *alarm, at time.Time) {
	x.at = at
	if x.position == unset {
		heap.Push(a, x)
	} else {
		heap.Fix(a, x.position)
	}
}

func (a *alarms) clear(x *alarm) {
	if x.position != unset {
		heap.Remove(a, x.position)
	}
}

// fire rings those whose time has come.
func (a *alarms) fire(now time.Time) {
	for len(*a) > 0 && !(*a)[0].at.After(now) {
		heap.Pop(a).(*alarm).ring()
	}
}

// next is when the earliest rings, zero when none is set.
func (a alarms) next() time.Time {
	if len(a) == 0 {
		return time.Time{}
	}
	return a[0].at
}

var _ heap.Interface = (*alarms)(nil)

// claimOf names a delivery for its claimer.
func claimOf(s *subscription, r *record) hooks.Claim {
	return hooks.Claim{
		DeliveryID:     r.id(s.id),
		EventKey:       r.eventKey,
		SubscriptionID: s.id,
		Replay:         r.replay,
		Attempts:       r.attempts,
		Tries:          r.attempts - r.base,
		CreatedAt:      timeOf(r.created),
		Since:          timeOf(r.since),
	}
}
