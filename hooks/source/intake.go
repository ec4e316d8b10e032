package source

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/render"
)

// ErrOff says that a source is switched off: what it sends is not taken.
var ErrOff = errors.New("this source is switched off")

// What became of a request that was taken.
const (
	Accepted   = "accepted"
	Duplicate  = "duplicate"
	Suppressed = "suppressed"
)

// A Receipt is what is answered to a request that was taken.
type Receipt struct {
	Status string   // Accepted, Duplicate or Suppressed
	Events []string // ids of the events; of a duplicate those of the first time
	Reason string   // why nothing new was published, or part of it
}

// Receive takes a request in: when it returns a receipt, the events are durable.
// kind and address are from the request's path. The error is hooks.ErrNotFound
// for an address that is no source's, ErrOff, ErrUnauthorized, ErrMalformed or
// ErrMediaType, or the publisher's (hooks.ErrUnavailable, hooks.ErrBacklog).
func (g *Registry) Receive(ctx context.Context, kind Kind, address string, r *Request) (*Receipt, error) {
	s, err := g.At(ctx, kind, address)
	if err != nil {
		return nil, err
	}
	if !s.On {
		return nil, ErrOff
	}
	if r.At.IsZero() {
		r.At = g.now()
	}
	if err := Verify(s.Settings, r); err != nil {
		return nil, err
	}
	memory := &records{ctx: ctx, g: g, sourceID: s.ID}
	result, err := Parse(s.Settings, r, memory)
	if err == nil {
		err = memory.err
	}
	if err != nil {
		return nil, err
	}
	receipt, err := g.publish(ctx, s, result)
	if err != nil {
		return nil, err
	}
	if receipt.Status == Accepted {
		memory.keep(result.States)
	}
	g.note(ctx, s.ID, func(t *Status) {
		switch receipt.Status {
		case Accepted:
			t.Accepted, t.Events, t.LastEventAt = t.Accepted+1, t.Events+int64(len(receipt.Events)), g.now().UTC()
		case Duplicate:
			t.Duplicates++
		case Suppressed:
			t.Suppressed, t.LastSuppressed = t.Suppressed+1, receipt.Reason
		}
	})
	return receipt, nil
}

// publish stores the events that are new.
func (g *Registry) publish(ctx context.Context, s *Source, result *Result) (*Receipt, error) {
	receipt := &Receipt{Status: Accepted, Events: []string{}}
	if len(result.Suppressed) > 0 {
		receipt.Reason = result.Suppressed[0]
	}
	if len(result.Events) == 0 {
		if len(result.Suppressed) > 0 {
			receipt.Status = Suppressed
		}
		return receipt, nil
	}
	// Another request may store the same event between the look and the
	// commit; then the commit fails as a whole, and the next look finds it.
	const looks = 3
	for look := 1; ; look++ {
		ids, fresh, err := g.split(ctx, s, result.Events)
		if err != nil {
			return nil, err
		}
		receipt.Events = ids
		if len(fresh) == 0 {
			receipt.Status, receipt.Reason = Duplicate, "the same delivery was accepted before"
			return receipt, nil
		}
		_, err = g.publisher.Publish(ctx, string(s.Kind), fresh...)
		var taken *hooks.EventConflictError
		if errors.As(err, &taken) && look < looks {
			continue
		}
		if err != nil {
			return nil, err
		}
		return receipt, nil
	}
}

// split gives the ids of all events, and those events that are not stored yet.
func (g *Registry) split(ctx context.Context, s *Source, events []Event) (ids []string, fresh []*hooks.Event, err error) {
	now := g.now()
	inBatch := map[string]bool{}
	for i, e := range events {
		id, stored, err := g.find(ctx, s.ID, e, now)
		if err != nil {
			return nil, nil, err
		}
		if id == "" {
			id = hooks.NewID()
		}
		ids = append(ids, id)
		if stored || inBatch[id] {
			continue
		}
		inBatch[id] = true
		event, err := hooks.NewEvent(e.Posted.With("_id", render.String(id)), hooks.EventOptions{Now: now, Scope: s.ID})
		if err != nil {
			return nil, nil, malformed("event %d: %v", i, err)
		}
		fresh = append(fresh, event)
	}
	return ids, fresh, nil
}

// find gives the id of an event, and says whether it is stored. Keys that are
// good for a while count from when the event was accepted: the window that now
// lies in, or the one before.
func (g *Registry) find(ctx context.Context, sourceID string, e Event, now time.Time) (id string, stored bool, err error) {
	if e.Key == "" {
		return "", false, nil
	}
	id = e.ID(sourceID, now)
	_, stored, err = g.acceptedAt(ctx, sourceID, id)
	if stored || err != nil || e.Window == 0 {
		return id, stored, err
	}
	earlier := e.ID(sourceID, now.Add(-e.Window))
	at, stored, err := g.acceptedAt(ctx, sourceID, earlier)
	if err == nil && stored && now.Sub(at) < e.Window {
		return earlier, true, nil
	}
	return id, false, err
}

func (g *Registry) acceptedAt(ctx context.Context, sourceID, id string) (time.Time, bool, error) {
	event, err := g.publisher.Event(ctx, sourceID+"/"+id)
	if isNotFound(err) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("look for an event: %w", err)
	}
	return event.AcceptedAt, true, nil
}

func isNotFound(err error) bool { return errors.Is(err, hooks.ErrNotFound) }

// records are the States of one request. Each key has its place among a bounded
// number of them; where two have the same, the later takes it. So what a source
// can make us remember is bounded without counting it.
type records struct {
	ctx      context.Context
	g        *Registry
	sourceID string
	err      error // the first failure to read
}

const (
	statePlaces = 1 << 18  // of one source
	maxState    = 16 << 10 // bytes of JSON; a greater state is forgotten
)

// heldState is what stands in a place.
type heldState struct {
	Key   string       `json:"key"`
	Value render.Value `json:"value"`
}

// Last reads a state.
func (m *records) Last(key string) render.Value {
	held, err := m.at(m.place(key))
	if err != nil && m.err == nil {
		m.err = fmt.Errorf("last state: %w", err)
	}
	if held.Key != key {
		return render.Value{}
	}
	return held.Value
}

// at reads what stands in a place; the zero heldState for nothing.
func (m *records) at(place string) (heldState, error) {
	var held heldState
	r, err := m.g.records.Record(m.ctx, stateKind, place)
	if isNotFound(err) {
		return held, nil
	}
	if err == nil {
		err = json.Unmarshal(r.Data, &held)
	}
	return held, err
}

// keep writes states. The events are stored by then, so that a failure costs the
// before of the next change and no more.
func (m *records) keep(states []State) {
	for _, s := range states {
		if err := m.keepOne(s); err != nil {
			m.g.log.Warn("cannot remember the state of a resource", "source", m.sourceID, "error", err)
		}
	}
}

func (m *records) keepOne(s State) error {
	place := m.place(s.Key)
	if s.Value.IsDefined() {
		data, err := json.Marshal(heldState(s))
		if err == nil && len(data) <= maxState {
			return m.g.records.PutRecord(m.ctx, stateKind, hooks.Record{ID: place, Data: data})
		}
		if err != nil {
			return err
		}
	}
	if held, err := m.at(place); err != nil || held.Key != s.Key {
		return err
	}
	err := m.g.records.DeleteRecord(m.ctx, stateKind, place)
	if isNotFound(err) {
		return nil
	}
	return err
}

// place is the id of a key's record.
func (m *records) place(key string) string {
	digest := sha256.Sum256([]byte(key))
	return fmt.Sprintf("%s/%05x", m.sourceID, binary.BigEndian.Uint64(digest[:8])%statePlaces)
}
