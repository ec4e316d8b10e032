package api

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/render"
)

// MaxEvents bounds the events of one request.
const MaxEvents = 1000

// acceptedEvent is what a client learns about an event that it posted.
type acceptedEvent struct {
	ID        string `json:"id"`
	Matched   int    `json:"matched"`             // how many subscriptions it goes to
	Duplicate bool   `json:"duplicate,omitempty"` // it was sent before; nothing new was queued
}

// POST /api/v1/events takes one event or an array of them. All are accepted or
// none is; 202 means that they are on disk.
func (a *API) postEvents(r *http.Request) (answer, error) {
	body, err := readJSON(r)
	if err != nil {
		return answer{}, err
	}
	events, err := readEvents(body)
	if err != nil {
		return answer{}, err
	}
	receipts, err := a.engine.Publish(r.Context(), events...)
	if err != nil {
		return answer{}, err
	}
	items := make([]acceptedEvent, len(receipts))
	for i, receipt := range receipts {
		items[i] = acceptedEvent{ID: receipt.EventID, Matched: receipt.Matched, Duplicate: receipt.Duplicate}
	}
	return answer{status: http.StatusAccepted, body: map[string]any{"items": items}}, nil
}

// readEvents normalises what was posted, or says all that is wrong with all of
// it; places in an array begin with the index.
func readEvents(body render.Value) ([]*hooks.Event, error) {
	posted := []render.Value{body}
	isArray := body.Kind() == render.KindArray
	if isArray {
		switch n := body.Len(); {
		case n == 0:
			return nil, fail(kindInvalid, "the array is empty; post at least one event")
		case n > MaxEvents:
			return nil, fail(kindInvalid, "the array has %d events; at most %d are taken at once", n, MaxEvents)
		}
		posted = posted[:0]
		for v := range body.Items() {
			posted = append(posted, v)
		}
	}
	var details []detail
	now := time.Now()
	events := make([]*hooks.Event, 0, len(posted))
	for i, v := range posted {
		event, err := hooks.NewEvent(v, hooks.EventOptions{Now: now})
		if err == nil {
			events = append(events, event)
			continue
		}
		at := ""
		if isArray {
			at = fmt.Sprintf("/%d", i)
		}
		var all hooks.EventErrors
		if !errors.As(err, &all) {
			details = append(details, detail{Attribute: at, Reason: err.Error()})
		}
		for _, e := range all {
			details = append(details, detail{Attribute: at + e.Pointer, Reason: e.Message})
		}
	}
	if len(details) > 0 {
		return nil, invalid(details...)
	}
	return events, nil
}

// GET /api/v1/events/{id} gives an event in the shape that templates see.
func (a *API) getEvent(r *http.Request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	event, err := a.engine.Event(r.Context(), id)
	if err != nil {
		return answer{}, err
	}
	return answer{body: event.Doc()}, nil
}
