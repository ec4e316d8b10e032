package api

import (
	"fmt"
	"net/http"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/render"
)

// The busiest routes come first.
func (a *API) eventRoutes() []route {
	return []route{
		{path: "/api/v1/events", methods: map[string]method{"POST": {senders, a.postEvents}, "GET": {readers, a.listEvents}}},
		{path: "/api/v1/events/{id}", methods: map[string]method{"GET": {readers, a.getEvent}}},
		{path: "/api/v1/events/{id}/explain", methods: map[string]method{"GET": {readers, a.explainEvent}}},
		{path: "/api/v1/events/{id}/replay", methods: map[string]method{"POST": {writers, a.replayEvent}}},
	}
}

// acceptedEvent is what a client learns about an event that it posted.
type acceptedEvent struct {
	ID        string `json:"id"`
	Matched   int    `json:"matched"`             // how many subscriptions it goes to
	Duplicate bool   `json:"duplicate,omitempty"` // it was sent before; nothing new was queued
}

// POST /api/v1/events takes one event, an array of them, or one a line. All are
// accepted or none is; 202 means that they are on disk.
func (a *API) postEvents(r *request) (answer, error) {
	events, err := readEvents(r)
	if err != nil {
		return answer{}, err
	}
	if err := permit(r.grant, events); err != nil {
		return answer{}, err
	}
	receipts, err := a.engine.Publish(r.Context(), "api", events...)
	if err != nil {
		return answer{}, err
	}
	items := make([]acceptedEvent, len(receipts))
	for i, receipt := range receipts {
		items[i] = acceptedEvent{ID: receipt.EventID, Matched: receipt.Matched, Duplicate: receipt.Duplicate}
	}
	return answer{status: http.StatusAccepted, body: list[acceptedEvent]{Items: items}}, nil
}

// permit refuses all events where the token may not send one of them.
func permit(g *hooks.Grant, events []*hooks.Event) error {
	var details []detail
	for i, e := range events {
		if resource := g.Refuses(e); resource != "" {
			details = append(details, detail{Attribute: fmt.Sprintf("/%d", i), Reason: fmt.Sprintf("event %s: the token may not send what is done to %s", e.ID(), resource)})
		}
	}
	if len(details) == 0 {
		return nil
	}
	refused := invalid(details...)
	refused.kind = kindForbidden
	return refused
}

// eventJSON is an event of a list.
type eventJSON struct {
	Event      render.Value `json:"event"`
	AcceptedAt time.Time    `json:"acceptedAt"`
	Matched    int          `json:"matched"`
}

// GET /api/v1/events?since&until, the last accepted first
func (a *API) listEvents(r *request) (answer, error) {
	q := queryOf(r)
	name := q.filters("events", "since", "until")
	found := hooks.EventQuery{Since: q.time("since"), Until: q.time("until"), Before: q.cursor(a, name...), Limit: q.limit()}
	if err := q.err(); err != nil {
		return answer{}, err
	}
	page, err := a.engine.Events(r.Context(), found)
	if err != nil {
		return answer{}, err
	}
	items := make([]eventJSON, len(page.Items))
	for i, e := range page.Items {
		items[i] = eventJSON{Event: e.Doc(), AcceptedAt: e.AcceptedAt, Matched: e.Matched}
	}
	return answer{body: list[eventJSON]{Items: items, Next: a.next(page.Cursor, name...)}}, nil
}

// GET /api/v1/events/{id} gives an event in the shape that templates see.
func (a *API) getEvent(r *request) (answer, error) {
	key, err := eventVar(r)
	if err != nil {
		return answer{}, err
	}
	event, err := a.engine.Event(r.Context(), key)
	if err != nil {
		return answer{}, err
	}
	return answer{body: event.Doc()}, nil
}

// eventVar is the route's {id} as a key of events. Several tokens may have sent
// events of one id; token in the query says whose is meant.
func eventVar(r *request) (string, error) {
	id, err := idVar(r)
	if err != nil {
		return "", err
	}
	q := queryOf(r)
	key := q.eventKey(id)
	return key, q.err()
}

// eventKey makes a key of an event's id and the id of the token, or source, that
// sent it. Without token the id is the key: the store takes the event that the
// server's own admin token sent, else the newest of any.
func (q *query) eventKey(id string) string {
	sender := q.text("token")
	switch {
	case sender == "":
		return id
	case !idForm.MatchString(sender):
		q.fail("token", "it must be the id of the token, or source, that sent the event")
	}
	return sender + "/" + id
}

// replayedEvent is what a client learns about a replay.
type replayedEvent struct {
	Replay     string `json:"replay"` // marks its deliveries
	Deliveries int    `json:"deliveries"`
}

// maxReplayed bounds the subscriptions that a replay names.
const maxReplayed = 1000

// POST /api/v1/events/{id}/replay delivers it again: to the subscriptions that
// the body names, or to all whose policy lets it through now.
func (a *API) replayEvent(r *request) (answer, error) {
	key, err := eventVar(r)
	if err != nil {
		return answer{}, err
	}
	d, err := readObject(r, "subscriptions")
	if err != nil {
		return answer{}, err
	}
	subscriptions, named := d.texts("subscriptions", "the id of a subscription")
	switch {
	case named && len(subscriptions) == 0:
		d.fail("subscriptions", "it is empty; leave it out to reach all that want the event")
	case len(subscriptions) > maxReplayed:
		d.fail("subscriptions", "there are %d; at most %d are taken at once", len(subscriptions), maxReplayed)
	}
	if err := d.err(); err != nil {
		return answer{}, err
	}
	replay, n, err := a.engine.Replay(r.Context(), key, unique(subscriptions)...)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusAccepted, body: replayedEvent{Replay: replay, Deliveries: n}}, nil
}

// unique drops what comes a second time.
func unique[T comparable](all []T) []T {
	seen := make(map[T]bool, len(all))
	var kept []T
	for _, t := range all {
		if !seen[t] {
			kept = append(kept, t)
		}
		seen[t] = true
	}
	return kept
}
