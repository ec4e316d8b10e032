package hooks_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
)

// deaf is a queue that takes nothing, as if the process ended.
type deaf struct{ hooks.Queue }

func (deaf) Accept(context.Context, []hooks.Accepted) ([]hooks.Receipt, error) {
	return nil, errors.New("the process has ended")
}

// A change that was stored when the process ended before its event was is
// recorded at the next start, once.
func TestChangesAreRecordedAfterACrash(t *testing.T) {
	first := newBench(t, "", func(o *hooks.Options) { o.Queue = deaf{o.Queue} })
	s := first.subscribe("https://example.com", nil)
	if err := first.db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		again := newBench(t, first.dir, nil)
		page, err := again.Events(t.Context(), hooks.EventQuery{Limit: 10})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%d events are recorded, want 1: %v", len(page.Items), err)
		}
		doc := page.Items[0].Doc()
		if a := doc.Get("accesses").At(0); a.Get("action").AsString() != "createIntegration" || doc.Path("target", "_id").AsString() != s.ID {
			t.Errorf("recorded: %s", doc.AppendJSON(nil))
		}
		again.close()
	}
}

// The event about a change may be gone before the change is a day old; that it
// was recorded is known all the same.
func TestChangesAreNotRecordedAgain(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		for range 2 {
			b := newBenchWith(t, dir, bolt.Options{Retention: time.Hour}, func(o *hooks.Options) {
				o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			})
			if len(b.Subscriptions("")) == 0 {
				b.subscribe("https://example.com", nil)
			}
			time.Sleep(3 * time.Hour)
			if page, err := b.Events(t.Context(), hooks.EventQuery{Limit: 10}); err != nil || len(page.Items) != 0 {
				t.Errorf("%d events are left, %v", len(page.Items), err)
			}
			b.close()
		}
		if log.Len() > 0 {
			t.Errorf("the second start says: %s", log.String())
		}
	})
}
