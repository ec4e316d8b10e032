package bolt

import (
	"context"
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
	end := uint64(math.MaxUint64)
	if q.Before != "" {
		var err error
		if end, err = strconv.ParseUint(q.Before, 36, 64); err != nil {
			return page, fmt.Errorf("list events: %w", errCursor(q.Before))
		}
	}
	var found []storedEvent
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		events := tx.Bucket(bucketEvents)
		from, until := seqsWithin(events, nanos(q.Since), nanos(q.Until))
		c := events.Cursor()
		k, v := before(c, number(min(end, until)))
		for bytes := 0; k != nil; k, v = c.Prev() {
			seq, _ := numberOf(k)
			if seq < from {
				return nil
			}
			if len(found) == q.Limit || bytes > maxPageBytes {
				page.Cursor = strconv.FormatUint(seq+1, 36)
				return nil
			}
			e, err := readEvent(v)
			if err != nil {
				return fmt.Errorf("event %x: %w", k, err)
			}
			found = append(found, e)
			bytes += len(v)
		}
		return nil
	})
	if err != nil {
		return hooks.EventPage{}, err
	}
	for _, s := range found {
		e, err := s.event()
		if err != nil {
			return hooks.EventPage{}, err
		}
		page.Items = append(page.Items, e)
	}
	return page, nil
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
