package hooks_test

import (
	"context"
	"errors"
	"testing"

	"github.com/flaghook/flaghook/hooks"
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
