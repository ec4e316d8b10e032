package bolt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"go.etcd.io/bbolt"

	"github.com/flaghook/flaghook/hooks"
)

// maxTurn is how many deliveries of one subscription are claimed before it is
// the next one's turn. Fewer are when many subscriptions have something due.
const maxTurn = 16

// Claim implements hooks.Queue. Subscriptions with something due take turns,
// and a turn that was not reached comes first in the next call. Within a
// subscription the oldest goes first, be it new or a retry that is due. A nil
// Capacity sets no limit.
func (db *DB) Claim(ctx context.Context, o hooks.ClaimOptions) ([]hooks.Claim, time.Time, error) {
	if o.Max < 1 || o.Lease <= 0 {
		return nil, time.Time{}, errors.New("claim: Max must be 1 or more and Lease more than 0")
	}
	if err := db.usable(ctx); err != nil {
		return nil, time.Time{}, err
	}
	q := &db.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.alarms.fire(now)
	q.claims++
	var claims []hooks.Claim
	if q.claimable(o) {
		err := guard(func() (err error) {
			in := &scan{bolt: db.bolt, now: now, nanos: now.UnixNano()}
			defer in.end()
			claims, err = q.claim(in, o)
			return err
		})
		if err = db.judge(err); err != nil {
			return nil, time.Time{}, err
		}
	}
	return claims, q.alarms.next(), nil
}

// claimable reports whether a subscription in the ring may give something out,
// after it has parked those before it that may not. Where none may, the file is
// left alone.
func (q *queue) claimable(o hooks.ClaimOptions) bool {
	for q.ring.Len() > 0 {
		s := q.ring.Front().Value.(*subscription)
		if q.roomOf(s, o) > 0 {
			return true
		}
		q.park(s)
	}
	return false
}

// roomOf asks for the capacity of a subscription once per call of Claim.
func (q *queue) roomOf(s *subscription, o hooks.ClaimOptions) int {
	if s.claim != q.claims {
		s.claim, s.room = q.claims, math.MaxInt
		if o.Capacity != nil {
			s.room = o.Capacity(s.id)
		}
	}
	return s.room
}

// claim goes once around the ring, and then gives those that have more their
// next turns.
func (q *queue) claim(in *scan, o hooks.ClaimOptions) ([]hooks.Claim, error) {
	claims := make([]hooks.Claim, 0, min(o.Max, q.claimed+8)) // about as many as the last time
	defer func() { q.claimed = len(claims) }()
	var again []*subscription
	turn := min(max(o.Max/q.ring.Len(), 1), maxTurn)
	for around := q.ring.Len(); len(claims) < o.Max && around+len(again) > 0; {
		var s *subscription
		if around > 0 {
			s = q.ring.Front().Value.(*subscription)
			around--
		} else {
			s, again = again[0], again[1:]
		}
		if q.roomOf(s, o) <= 0 {
			q.park(s)
			continue
		}
		q.ring.MoveToBack(s.turn)
		var more bool
		var err error
		n := min(turn, o.Max-len(claims), s.room)
		if len(s.window.queue) > 0 {
			claims, more = q.takeWindow(claims, s, n, in.now.Add(o.Lease))
		} else if claims, more, err = q.takeTurn(claims, in, s, n, in.now.Add(o.Lease)); err != nil {
			return nil, err
		}
		switch {
		case !more:
			q.deactivate(s)
			q.rest(s)
		case s.room > 0:
			again = append(again, s)
		default:
			q.park(s)
		}
	}
	return claims, nil
}

// takeWindow claims up to n deliveries of one subscription that are in its
// window, and says whether it has more.
func (q *queue) takeWindow(claims []hooks.Claim, s *subscription, n int, until time.Time) ([]hooks.Claim, bool) {
	for range min(n, len(s.window.queue)) {
		p := q.take(s)
		claims = append(claims, p.claim(s.id))
		q.grant(s, p.seq, p.id, until)
		s.room--
	}
	return claims, len(s.window.queue) > 0 || !s.window.whole
}

// takeTurn claims up to n deliveries of one subscription from the file, and says
// whether it has more. If not, its window is whole from now on, and an alarm is
// set for its next retry.
func (q *queue) takeTurn(claims []hooks.Claim, in *scan, s *subscription, n int, until time.Time) (_ []hooks.Claim, more bool, err error) {
	if s.window.whole {
		return claims, false, nil
	}
	if err := in.start(s); err != nil {
		return nil, false, err
	}
	for range n {
		p, data, err := in.next()
		if err != nil {
			return nil, false, err
		}
		if data == nil {
			break
		}
		r, err := decodeRecord(data)
		if err != nil {
			return nil, false, fmt.Errorf("delivery %x: %w", p.key(), err)
		}
		c := claimOf(s, &r)
		c.Stored, c.Matched = in.eventOf(p, &r)
		q.grant(s, p.seq, c.DeliveryID, until)
		claims = append(claims, c)
		s.room--
	}
	if in.more() {
		return claims, true, q.readAhead(in, s)
	}
	s.window.whole, s.window.seen = true, in.tx.ID()
	q.alarms.clear(&s.alarm)
	if in.dueKey != nil { // the next one that is not leased
		_, at, _ := dueOf(in.dueKey)
		q.alarms.set(&s.alarm, timeOf(at))
	}
	return claims, false, nil
}

// readAhead fills the window of a subscription whose turn has ended with what
// comes next in the file, so that its next turns need not look for their place.
// A retry that is due comes first, or spoils the window when it falls due.
func (q *queue) readAhead(in *scan, s *subscription) error {
	if _, _, isDue := in.retryDue(); isDue {
		return nil
	}
	if in.dueKey != nil {
		_, at, _ := dueOf(in.dueKey)
		q.wakeAt(s, timeOf(at))
	}
	for range min(maxAhead, maxWindows-q.windowed) {
		if in.freshKey == nil {
			break
		}
		p, data, err := in.next()
		if err != nil {
			return err
		}
		r, err := decodeRecord(data)
		if err != nil {
			return fmt.Errorf("delivery %x: %w", p.key(), err)
		}
		if r.attempts > 0 { // a window knows of none
			break
		}
		ahead := pending{seq: p.seq, id: r.id(s.id), key: r.eventKey, replay: r.replay, created: r.created}
		if q.windowBytes < maxWindowBytes {
			ahead.stored, ahead.matched = in.eventOf(p, &r)
			ahead.size = len(ahead.stored)
		}
		q.push(s, ahead)
	}
	return nil
}

// A scan walks over what a subscription has due and not leased, oldest first.
type scan struct {
	bolt  *bbolt.DB
	now   time.Time
	nanos int64     // now
	tx    *bbolt.Tx // begun when it is needed
	retry *bbolt.Bucket
	event *bbolt.Cursor
	fresh *bbolt.Cursor
	due   *bbolt.Cursor
	sub   *subscription

	freshKey, freshData []byte // the oldest new one, nil when there is none
	dueKey              []byte // the next retry, due or not, nil when there is none
}

func (in *scan) start(s *subscription) (err error) {
	if in.tx == nil {
		if in.tx, err = in.bolt.Begin(false); err != nil {
			return err
		}
		in.retry = in.tx.Bucket(bucketRetry)
		in.event = in.tx.Bucket(bucketEvents).Cursor()
		in.fresh = in.tx.Bucket(bucketFresh).Cursor()
		in.due = in.tx.Bucket(bucketDue).Cursor()
	}
	in.sub = s
	in.freshKey, in.freshData = in.fresh.Seek(number(s.ref))
	in.skipFresh()
	in.dueKey, _ = in.due.Seek(number(s.ref))
	in.skipDue()
	return nil
}

// eventOf is a copy of the stored event of a delivery, its only one, and to how
// many subscriptions it went. An event of many is the claimer's to share, and not
// copied for each of them; that of a replay is elsewhere, and "", too.
func (in *scan) eventOf(p place, r *record) (stored string, matched int) {
	if r.replay != "" {
		return "", 0
	}
	k, v := in.event.Seek(number(p.seq))
	if found, ok := numberOf(k); !ok || found != p.seq {
		return "", 0
	}
	owner, matched, data, err := peekEvent(v)
	if err != nil || string(owner) != r.eventKey {
		return "", 0 // whoever asks for it will hear what is wrong
	}
	if matched > 1 {
		return "", matched
	}
	return string(data), matched
}

// end ends the reading, if there was any.
func (in *scan) end() {
	if in.tx != nil {
		_ = in.tx.Rollback() // of a transaction that only reads: never fails
	}
}

// skipFresh passes over what is leased: at most as many as there are leases.
func (in *scan) skipFresh() {
	for in.freshKey != nil {
		p, ok := placeOf(in.freshKey)
		if !ok || p.ref != in.sub.ref {
			in.freshKey = nil
			return
		}
		if _, leased := in.sub.leased[p.seq]; !leased {
			return
		}
		in.freshKey, in.freshData = in.fresh.Next()
	}
}

func (in *scan) skipDue() {
	for in.dueKey != nil {
		p, _, ok := dueOf(in.dueKey)
		if !ok || p.ref != in.sub.ref {
			in.dueKey = nil
			return
		}
		if _, leased := in.sub.leased[p.seq]; !leased {
			return
		}
		in.dueKey, _ = in.due.Next()
	}
}

// retryDue is when the next retry is due; false when it is not due yet.
func (in *scan) retryDue() (p place, at int64, ok bool) {
	if in.dueKey == nil {
		return place{}, 0, false
	}
	p, at, _ = dueOf(in.dueKey)
	return p, at, at <= in.nanos
}

// next gives a record and moves on; data is nil when nothing is left.
func (in *scan) next() (p place, data []byte, err error) {
	retry, at, isDue := in.retryDue()
	switch {
	case in.freshKey != nil && !(isDue && at < createdOf(in.freshData)):
		p, _ = placeOf(in.freshKey)
		data = in.freshData
		in.freshKey, in.freshData = in.fresh.Next()
		in.skipFresh()
	case isDue:
		p = retry
		if data = in.retry.Get(p.key()); data == nil {
			return p, nil, fmt.Errorf("retry %x has no delivery: %w", p.key(), errRecord)
		}
		in.dueKey, _ = in.due.Next()
		in.skipDue()
	}
	return p, data, nil
}

func (in *scan) more() bool {
	_, _, isDue := in.retryDue()
	return isDue || in.freshKey != nil
}
