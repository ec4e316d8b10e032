package source

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// Bounds of what is kept of a source's requests.
const (
	maxRefusals  = 10
	maxReason    = 500
	saveInterval = 30 * time.Second
)

// A Status sums up what came from a source.
type Status struct {
	Accepted   int64 `json:"accepted"`   // requests that gave events
	Events     int64 `json:"events"`     // the events that they gave
	Duplicates int64 `json:"duplicates"` // requests that had come before
	Suppressed int64 `json:"suppressed"` // requests that tell of no change
	Refused    int64 `json:"refused"`    // requests with an error

	LastEventAt   time.Time `json:"lastEventAt,omitzero"`
	LastRequestAt time.Time `json:"lastRequestAt,omitzero"`
	// LastSuppressed is why the last suppressed request told of no change.
	LastSuppressed string `json:"lastSuppressed,omitempty"`
	// Refusals are the last ten, newest first.
	Refusals []Refusal `json:"refusals"`
}

// A Refusal is one request that was not taken, and why.
type Refusal struct {
	At     time.Time `json:"at"`
	Status int       `json:"status"` // of the HTTP answer
	Reason string    `json:"reason"`
}

// statuses are those of all sources that sent something since the start.
type statuses struct {
	mu   sync.Mutex
	byID map[string]*heldStatus
}

// heldStatus is a Status in memory, with when it was last written.
type heldStatus struct {
	Status
	saved time.Time
}

func newStatuses() statuses { return statuses{byID: map[string]*heldStatus{}} }

func (t *statuses) drop(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, id)
}

// Status returns a source's; the zero Status when nothing has come.
func (g *Registry) Status(ctx context.Context, id string) (Status, error) {
	held, err := g.hold(ctx, id)
	if err != nil {
		return Status{}, err
	}
	g.statuses.mu.Lock()
	defer g.statuses.mu.Unlock()
	s := held.Status
	s.Refusals = slices.Clone(s.Refusals)
	return s, nil
}

// hold gets a status into memory.
func (g *Registry) hold(ctx context.Context, id string) (*heldStatus, error) {
	g.statuses.mu.Lock()
	held := g.statuses.byID[id]
	g.statuses.mu.Unlock()
	if held != nil {
		return held, nil
	}
	held = &heldStatus{}
	r, err := g.records.Record(ctx, statusKind, id)
	if err == nil {
		err = json.Unmarshal(r.Data, &held.Status)
	}
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	g.statuses.mu.Lock()
	defer g.statuses.mu.Unlock()
	if other := g.statuses.byID[id]; other != nil {
		return other, nil
	}
	g.statuses.byID[id] = held
	return held, nil
}

// note counts a request, and writes the counts when the last time is long ago:
// a crash loses the counts of half a minute, never an event.
func (g *Registry) note(ctx context.Context, id string, count func(*Status)) {
	held, err := g.hold(ctx, id)
	if err != nil {
		g.log.Warn("cannot count a source's request", "source", id, "error", err)
		return
	}
	now := g.now()
	g.statuses.mu.Lock()
	held.LastRequestAt = now.UTC()
	count(&held.Status)
	due := now.Sub(held.saved) >= saveInterval
	if due {
		held.saved = now
	}
	var data []byte
	if due {
		data, err = json.Marshal(held.Status)
	}
	g.statuses.mu.Unlock()
	if err == nil && due {
		err = g.records.PutRecord(ctx, statusKind, hooks.Record{ID: id, Data: data})
	}
	if err != nil {
		g.log.Warn("cannot keep a source's counts", "source", id, "error", err)
	}
}

// Flush writes the counts that are only in memory; call it at the end.
func (g *Registry) Flush(ctx context.Context) error {
	g.statuses.mu.Lock()
	pending := map[string][]byte{}
	for id, held := range g.statuses.byID {
		if data, err := json.Marshal(held.Status); err == nil {
			pending[id] = data
		}
	}
	g.statuses.mu.Unlock()
	for id, data := range pending {
		if err := g.records.PutRecord(ctx, statusKind, hooks.Record{ID: id, Data: data}); err != nil {
			return err
		}
	}
	return nil
}

// Refused notes that a request to a source's address was refused. It says nothing
// of addresses that are no source's.
func (g *Registry) Refused(ctx context.Context, kind Kind, address string, status int, reason string) {
	s, err := g.At(ctx, kind, address)
	if err != nil {
		return
	}
	if len(reason) > maxReason {
		reason = reason[:maxReason]
	}
	g.note(ctx, s.ID, func(t *Status) {
		t.Refused++
		t.Refusals = append([]Refusal{{At: g.now().UTC(), Status: status, Reason: reason}}, t.Refusals...)
		t.Refusals = t.Refusals[:min(len(t.Refusals), maxRefusals)]
	})
}
