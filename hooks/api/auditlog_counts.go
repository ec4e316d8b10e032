package api

import (
	"context"
	"strconv"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// The bounds of counts.
const (
	defaultBuckets = 50
	maxBuckets     = 500
	maxCounted     = 100_000 // how many events they look at
)

// countBuckets are how many events there were, by time.
type countBuckets struct {
	Buckets          []countBucket `json:"buckets"`
	TotalCount       int           `json:"totalCount"`
	BucketIntervalMs int64         `json:"bucketIntervalMs"`
}

type countBucket struct {
	Timestamp int64 `json:"timestamp"` // where the bucket begins, in Unix milliseconds
	Count     int   `json:"count"`
}

// POST /api/v2/auditlog/counts?after&before&buckets
func (a *API) countEntries(r *request) (answer, error) {
	statements, _, err := readStatements(r)
	if err != nil {
		return answer{}, err
	}
	q := queryOf(r)
	since, until, buckets := q.after(), q.millis("before"), q.number("buckets", defaultBuckets, maxBuckets)
	if until.IsZero() {
		until = time.Now()
	}
	switch {
	case since.IsZero():
		q.fail("after", "it is required, in milliseconds since 1970")
	case !since.Before(until):
		q.fail("after", "it is not before the end")
	}
	if err := q.err(); err != nil {
		return answer{}, err
	}
	counts := newCounts(since, until, buckets)
	if err := a.count(r.Context(), &counts, since, until, filter{policy: statements}); err != nil {
		return answer{}, err
	}
	return answer{body: counts}, nil
}

func newCounts(since, until time.Time, buckets int) countBuckets {
	span := until.UnixMilli() - since.UnixMilli()
	c := countBuckets{BucketIntervalMs: max((span+int64(buckets)-1)/int64(buckets), 1)}
	for at := since.UnixMilli(); at < until.UnixMilli(); at += c.BucketIntervalMs {
		c.Buckets = append(c.Buckets, countBucket{Timestamp: at})
	}
	return c
}

// count fills in the counts.
func (a *API) count(ctx context.Context, c *countBuckets, since, until time.Time, f filter) error {
	found := hooks.EventQuery{Since: since, Until: until, Limit: maxPage}
	for looked, work := 0, 0; ; {
		page, err := a.engine.Events(ctx, found)
		if err != nil {
			return err
		}
		for _, e := range page.Items {
			wanted, err := f.wants(ctx, e.Event)
			if err != nil {
				return err
			}
			if work += f.work(e.Event); work >= maxSearchWork {
				return invalid(detail{Attribute: "after", Reason: "to try the statements on all events since then takes too long; ask for less time at once, or with fewer statements"})
			}
			if i := (e.AcceptedAt.UnixMilli() - since.UnixMilli()) / c.BucketIntervalMs; wanted && i >= 0 && i < int64(len(c.Buckets)) {
				c.Buckets[i].Count++
				c.TotalCount++
			}
		}
		looked += len(page.Items)
		if found.Before = page.Cursor; found.Before == "" {
			return nil
		}
		if looked >= maxCounted {
			return invalid(detail{Attribute: "after", Reason: "there are more than " + strconv.Itoa(maxCounted) + " events since then; ask for less time at once"})
		}
	}
}
