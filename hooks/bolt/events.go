package bolt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"strconv"

	"go.etcd.io/bbolt"

	"github.com/flaghook/flaghook/hooks"
)

// maxPageBytes is how much of events is read for one page: a page that has more
// ends early, with a cursor.
const maxPageBytes = 8 << 20

// Events implements hooks.Store. The bounds of time are found by search, which
// trusts that the clock was not set back.
func (db *DB) Events(ctx context.Context, q hooks.EventQuery) (hooks.EventPage, error) {
	var page hooks.EventPage
	if q.Limit < 1 || q.Limit > maxLimit {
		return page, fmt.Errorf("list events: %w", errLimit)
	}
	var at uint64 // where the page begins; 0: at the beginning
	if q.Before != "" {
		var err error
		if at, err = strconv.ParseUint(q.Before, 36, 64); err != nil {
			return page, fmt.Errorf("list events: %w", errCursor(q.Before))
		}
	}
	var found []storedEvent
	err := db.view(ctx, func(tx *bbolt.Tx) (err error) {
		found, page.Cursor, err = eventsOf(tx.Bucket(bucketEvents), q, at)
		return err
	})
	if err != nil {
		return hooks.EventPage{}, fmt.Errorf("list events: %w", err)
	}
	for _, s := range found {
		switch e, err := s.event(); {
		case err == nil:
			page.Items = append(page.Items, e)
		case errors.Is(err, hooks.ErrDamagedEvent):
			page.Damaged = append(page.Damaged, s.tail.key)
		default:
			return hooks.EventPage{}, err
		}
	}
	return page, nil
}

// eventsOf reads a page from the event at on, and says where the next begins.
func eventsOf(events *bbolt.Bucket, q hooks.EventQuery, at uint64) (found []storedEvent, cursor string, err error) {
	from, until := seqsWithin(events, nanos(q.Since), nanos(q.Until))
	c := events.Cursor()
	var k, v []byte
	step := c.Next
	if q.Ascending {
		k, v = c.Seek(number(max(from, at)))
	} else {
		if at != 0 {
			until = min(until, at+1)
		}
		k, v = before(c, number(until))
		step = c.Prev
	}
	for bytes := 0; k != nil; k, v = step() {
		seq, _ := numberOf(k)
		if seq < from || seq >= until {
			break
		}
		if len(found) == q.Limit || bytes > maxPageBytes {
			return found, strconv.FormatUint(seq, 36), nil
		}
		e, err := readEvent(v)
		if err != nil {
			return nil, "", fmt.Errorf("event %x: %w", k, err)
		}
		found = append(found, e)
		bytes += len(v)
	}
	return found, "", nil
}

// before goes to the last key before one.
func before(c *bbolt.Cursor, key []byte) (k, v []byte) {
	if k, _ := c.Seek(key); k == nil {
		return c.Last()
	}
	return c.Prev()
}

// seqsWithin gives the seqs, from one until before another, of what was
// accepted within two times in nanoseconds; 0 is no bound. A replay has a seq
// between those of events, so that its time has to be looked at besides.
func seqsWithin(events *bbolt.Bucket, since, until int64) (from, end uint64) {
	end = math.MaxUint64
	c := events.Cursor()
	k, _ := c.First()
	if k == nil {
		return 0, end
	}
	first, _ := numberOf(k)
	k, _ = c.Last()
	last, _ := numberOf(k)
	notBefore := func(at int64) uint64 {
		n := sort.Search(int(last-first)+1, func(i int) bool {
			_, v := c.Seek(number(first + uint64(i)))
			return acceptedOf(v) >= at
		})
		return first + uint64(n)
	}
	if since != 0 {
		if from = notBefore(since); from == first {
			from = 0
		}
	}
	if until != 0 {
		if k, _ := c.Seek(number(notBefore(until))); k != nil {
			end, _ = numberOf(k)
		}
	}
	return from, end
}
