package bolt

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/flaghook/flaghook/hooks"
)

// maxLooks is how many deliveries one call of Deliveries looks at.
const maxLooks = 4000

// Deliveries implements hooks.Store. What a subscription that does not exist
// (any more) had is not listed. Since and Until are found by search, which
// trusts that the clock was not set back.
func (db *DB) Deliveries(ctx context.Context, q hooks.DeliveryQuery) (hooks.DeliveryPage, error) {
	l := &deliveryList{db: db, q: q, since: nanos(q.Since), until: nanos(q.Until), looks: maxLooks}
	err := l.prepare()
	if err == nil {
		err = db.view(ctx, l.run)
	}
	if err != nil {
		return hooks.DeliveryPage{}, fmt.Errorf("list deliveries: %w", err)
	}
	return l.page, nil
}

// A deliveryList is one page of deliveries in the making.
type deliveryList struct {
	db           *DB
	q            hooks.DeliveryQuery
	since, until int64
	states       [len(states)]bool
	on           []shelf // where deliveries of these states are
	after        place   // where the last page ended; within a ref, seqs go down
	looks        int     // how many more deliveries may be looked at

	tx        *bbolt.Tx
	refs      *bbolt.Bucket
	from, end uint64 // bounds of the seqs
	page      hooks.DeliveryPage
}

func (l *deliveryList) prepare() error {
	if l.q.Limit < 1 || l.q.Limit > maxLimit {
		return errLimit
	}
	wanted := l.q.States
	if wanted == nil {
		wanted = states[:]
	}
	for _, s := range wanted {
		n, ok := stateNumber(s)
		if !ok {
			return errNoState
		}
		l.states[n] = true
	}
	if l.states[statePending] {
		l.on = append(l.on, fresh, retry, held)
	}
	if l.states[stateDead] {
		l.on = append(l.on, dead)
	}
	if l.states[stateDelivered] || l.states[stateSkipped] || l.states[stateCancelled] {
		l.on = append(l.on, logged)
	}
	if l.q.Before == "" {
		return nil
	}
	ref, seq, _ := strings.Cut(l.q.Before, ".")
	var errs [2]error
	l.after.ref, errs[0] = strconv.ParseUint(ref, 36, 64)
	l.after.seq, errs[1] = strconv.ParseUint(seq, 36, 64)
	if cmp.Or(errs[0], errs[1]) != nil {
		return errCursor(l.q.Before)
	}
	return nil
}

func (l *deliveryList) run(tx *bbolt.Tx) error {
	l.tx, l.refs = tx, tx.Bucket(bucketRefs)
	l.from, l.end = seqsWithin(tx.Bucket(bucketEvents), l.since, l.until)
	only := uint64(0)
	if l.q.SubscriptionID != "" {
		var ok bool
		if only, ok = refIn(tx.Bucket(bucketSubscriptions), l.q.SubscriptionID); !ok {
			return nil
		}
	}
	switch {
	case l.q.EventKey != "":
		return l.ofEvent(only)
	case only != 0:
		_, err := l.ofSubscription(only, l.q.SubscriptionID)
		return err
	}
	return l.all()
}

// all goes from subscription to subscription, over those that have nothing.
func (l *deliveryList) all() error {
	cursors := make([]*bbolt.Cursor, len(l.on))
	for i, s := range l.on {
		cursors[i] = l.tx.Bucket(shelfBuckets[s]).Cursor()
	}
	for ref := l.after.ref; ; ref++ {
		next := uint64(math.MaxUint64)
		for _, c := range cursors {
			k, _ := c.Seek(number(ref))
			if found, ok := leadingNumber(k); ok {
				next = min(next, found)
			}
		}
		if ref = next; ref == math.MaxUint64 {
			return nil
		}
		id := l.refs.Get(number(ref))
		if l.full(place{ref, math.MaxUint64}) {
			return nil
		}
		if id == nil {
			continue // deleted
		}
		if done, err := l.ofSubscription(ref, string(id)); done || err != nil {
			return err
		}
	}
}

// full ends the page before a delivery when it has enough, or cost enough.
func (l *deliveryList) full(p place) bool {
	if len(l.page.Items) < l.q.Limit && l.looks > 0 {
		l.looks--
		return false
	}
	// The next page begins after what comes before p.
	l.page.Cursor = strconv.FormatUint(p.ref, 36) + "." + strconv.FormatUint(cmp.Or(p.seq+1, p.seq), 36)
	return true
}

// ofSubscription lists the newest first; done means that the page is.
func (l *deliveryList) ofSubscription(ref uint64, id string) (done bool, err error) {
	end := l.end
	if l.after.ref == ref && l.after.seq != 0 {
		end = min(end, l.after.seq)
	}
	in := newListing(l.tx, l.on, ref, end)
	for {
		p, on, data := in.next()
		if data == nil || p.seq < l.from {
			return false, nil
		}
		if l.full(p) {
			return true, nil
		}
		if err := l.look(p, on, id, data); err != nil {
			return true, err
		}
	}
}

// ofEvent lists the deliveries of an event and of its replays.
func (l *deliveryList) ofEvent(only uint64) error {
	known, err := findEvent(l.tx.Bucket(bucketEventIDs), l.q.EventKey)
	if errors.Is(err, hooks.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	all, err := placesOfEvent(l.tx.Bucket(bucketEvents), l.tx.Bucket(bucketReplays), known.seq)
	if err != nil {
		return err
	}
	order := func(a, b place) int { return cmp.Or(cmp.Compare(a.ref, b.ref), cmp.Compare(b.seq, a.seq)) }
	slices.SortFunc(all, order)
	for _, p := range all {
		if only != 0 && p.ref != only || l.after != (place{}) && p.ref == l.after.ref && p.seq >= l.after.seq || p.ref < l.after.ref {
			continue
		}
		if l.full(p) {
			return nil
		}
		id := l.refs.Get(number(p.ref))
		if id == nil {
			continue
		}
		for _, s := range l.on {
			if data := l.tx.Bucket(shelfBuckets[s]).Get(p.key()); data != nil {
				if err := l.look(p, s, string(id), data); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

// placesOfEvent lists where the deliveries of an event are or were, those of
// replays too.
func placesOfEvent(events, replays *bbolt.Bucket, seq uint64) (all []place, err error) {
	add := func(seq uint64, v []byte) error {
		tail, _, err := decodeEvent(v)
		if err != nil {
			return fmt.Errorf("event or replay %x: %w", seq, err)
		}
		for _, ref := range tail.refs {
			all = append(all, place{ref, seq})
		}
		return nil
	}
	v := events.Get(number(seq))
	if v == nil {
		return nil, nil
	}
	if err := add(seq, v); err != nil {
		return nil, err
	}
	c := replays.Cursor()
	for k, v := c.Seek(number(seq)); bytes.HasPrefix(k, number(seq)); k, v = c.Next() {
		p, _ := placeOf(k)
		if err := add(p.seq, v); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// look adds a delivery to the page if the query chooses it.
func (l *deliveryList) look(p place, on shelf, subscriptionID string, data []byte) error {
	r, err := decodeRecord(data)
	if err != nil {
		return fmt.Errorf("delivery %x: %w", p.key(), err)
	}
	if !l.states[r.state] || r.created < l.since || l.until != 0 && r.created >= l.until {
		return nil
	}
	d, err := r.delivery(subscriptionID, on)
	if err != nil {
		return fmt.Errorf("delivery %x: %w", p.key(), err)
	}
	l.page.Items = append(l.page.Items, d)
	if raw, ok := rawIDOf(d.ID); ok {
		l.db.listed.put(raw, p)
	}
	return nil
}

// A listing merges the stretches of a subscription on some shelves, newest
// first.
type listing struct {
	prefix []byte
	heads  []listingHead
}

type listingHead struct {
	on        shelf
	cursor    *bbolt.Cursor
	key, data []byte
}

// newListing begins before the delivery of seq end.
func newListing(tx *bbolt.Tx, on []shelf, ref, end uint64) *listing {
	l := &listing{prefix: number(ref), heads: make([]listingHead, len(on))}
	for i, s := range on {
		h := &l.heads[i]
		h.on, h.cursor = s, tx.Bucket(shelfBuckets[s]).Cursor()
		h.key, h.data = before(h.cursor, place{ref, end}.key())
	}
	return l
}

// next gives a record and moves on; data is nil at the end.
func (l *listing) next() (p place, on shelf, data []byte) {
	newest := -1
	for i, h := range l.heads {
		if bytes.HasPrefix(h.key, l.prefix) && (newest < 0 || bytes.Compare(h.key, l.heads[newest].key) > 0) {
			newest = i
		}
	}
	if newest < 0 {
		return place{}, 0, nil
	}
	h := &l.heads[newest]
	p, _ = placeOf(h.key)
	data = h.data
	h.key, h.data = h.cursor.Prev()
	return p, h.on, data
}
