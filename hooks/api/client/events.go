package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"
)

// MaxEvents is how many events the server takes in one call; their JSON must
// also fit into its limit of a body, 1 MiB unless it was told otherwise.
const MaxEvents = 1000

// A NewEvent says what happened: who did what to which resource. Accesses, or
// Action and Resource, are required; the server derives what is left out.
type NewEvent struct {
	ID        string    `json:"id,omitempty"` // 1 to 128 of A-Z a-z 0-9 . _ : -
	Timestamp time.Time `json:"timestamp,omitzero"`
	Action    string    `json:"action,omitempty"`   // such as updateOn
	Resource  string    `json:"resource,omitempty"` // such as proj/web:env/production:flag/checkout
	Accesses  []Access  `json:"accesses,omitempty"`
	Name      string    `json:"name,omitempty"`    // of what changed; default: its key
	Comment   string    `json:"comment,omitempty"` // what the actor says about it
	Member    *Member   `json:"member,omitempty"`  // the person who did it, else
	Token     *Named    `json:"token,omitempty"`   // the token, else
	App       *Named    `json:"app,omitempty"`     // the program
	Before    any       `json:"before,omitempty"`  // the state before and after, as JSON objects
	After     any       `json:"after,omitempty"`
	// CustomProperties are free, for templates.
	CustomProperties map[string]any `json:"customProperties,omitempty"`
}

// An Access is one action on one resource.
type Access struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
}

// A Member is a person.
type Member struct {
	Email       string `json:"email,omitempty"`
	FirstName   string `json:"firstName,omitempty"`
	LastName    string `json:"lastName,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
}

// Named is something with a name.
type Named struct {
	Name string `json:"name"`
}

// PublishOptions are how events are sent.
type PublishOptions struct {
	// IdempotencyKey makes a repeat of the same call a duplicate, for events
	// that have no id of their own: their ids are derived from it. With a key,
	// or where each event is a NewEvent with an ID, Publish tries again after a
	// broken exchange too.
	IdempotencyKey string
}

// Receipts say what became of the events of one Publish, in their order.
type Receipts struct {
	Document

	Items []Receipt `json:"items"`
}

// A Receipt says what became of an event that was sent.
type Receipt struct {
	ID        string `json:"id"`
	Matched   int    `json:"matched"`   // how many subscriptions it goes to
	Duplicate bool   `json:"duplicate"` // it was sent before: nothing new was queued
}

// Publish sends 1 to MaxEvents events, each a NewEvent or whatever encoding/json
// makes an event of, such as a json.RawMessage. When it returns nil, all of them
// and their deliveries are on the server's disk; after an *Error none is.
func (c *Client) Publish(ctx context.Context, o PublishOptions, events ...any) (*Receipts, error) {
	if len(events) == 0 || len(events) > MaxEvents {
		return nil, fmt.Errorf("publish: there are %d events; 1 to %d can be sent at once", len(events), MaxEvents)
	}
	k := post(events, "events")
	if len(events) == 1 {
		k.body = events[0] // places in errors then need no index
	}
	k.again = true
	for _, e := range events {
		k.again = k.again && hasID(e)
	}
	if o.IdempotencyKey != "" {
		k.header.Set("Idempotency-Key", o.IdempotencyKey)
		k.again = true
	}
	var r Receipts
	if err := c.do(ctx, k, &r); err != nil {
		return nil, err
	}
	if len(r.Items) != len(events) {
		return nil, fmt.Errorf("publish: %d events were sent and %d answered for", len(events), len(r.Items))
	}
	return &r, nil
}

func hasID(event any) bool {
	switch e := event.(type) {
	case NewEvent:
		return e.ID != ""
	case *NewEvent:
		return e != nil && e.ID != ""
	}
	return false
}

// An Event is a stored event in the shape that templates see, with what programs
// ask for most; JSON has all of it.
type Event struct {
	Document

	ID        string    `json:"_id"`
	Kind      string    `json:"kind"` // flag, project, environment, ...
	Key       string    `json:"key"`
	Name      string    `json:"name"`
	Accesses  []Access  `json:"accesses"`
	Comment   string    `json:"comment"`
	Member    *Member   `json:"member"`
	Token     *Named    `json:"token"`
	App       *Named    `json:"app"`
	TitleVerb string    `json:"titleVerb"`
	Timestamp Timestamp `json:"timestamp"`
	Title     Text      `json:"title"`
	Project   struct {
		Key         string `json:"key"`
		Environment struct {
			Key string `json:"key"` // ~ for all environments
		} `json:"environment"`
	} `json:"project"`
}

// A Timestamp is a time in the forms that templates use.
type Timestamp struct {
	Milliseconds int64  `json:"milliseconds"` // since 1970, UTC
	RFC3339      string `json:"rfc3339"`      // whole seconds
}

// Time is the timestamp as Go has it.
func (t Timestamp) Time() time.Time { return time.UnixMilli(t.Milliseconds).UTC() }

// A Text is a text in several forms.
type Text struct {
	PlainText string `json:"plainText"`
	Markdown  string `json:"markdown"`
}

// UnmarshalJSON keeps the text, also where an event stands inside something
// else.
func (e *Event) UnmarshalJSON(data []byte) error {
	type plain Event
	if err := json.Unmarshal(data, (*plain)(e)); err != nil {
		return err
	}
	e.keep(append([]byte(nil), data...))
	return nil
}

// A StoredEvent is an event of a list.
type StoredEvent struct {
	Document

	Event      *Event    `json:"event"`
	AcceptedAt time.Time `json:"acceptedAt"`
	Matched    int       `json:"matched"` // how many subscriptions it went to
}

// An EventQuery chooses events.
type EventQuery struct {
	Paging

	Since, Until time.Time // accepted at or after Since and before Until; zero for no bound
}

// Events returns a page of the stored events, newest first.
func (c *Client) Events(ctx context.Context, q EventQuery) (*Page[StoredEvent], error) {
	v := q.query()
	setTime(v, "since", q.Since)
	setTime(v, "until", q.Until)
	return list[StoredEvent](ctx, c, get("events").with(v))
}

// AllEvents goes through all pages.
func (c *Client) AllEvents(ctx context.Context, q EventQuery) iter.Seq2[*StoredEvent, error] {
	return all(ctx, q.Paging, func(ctx context.Context, p Paging) (*Page[StoredEvent], error) {
		q.Paging = p
		return c.Events(ctx, q)
	})
}

// Event returns one.
func (c *Client) Event(ctx context.Context, id string) (*Event, error) {
	return one[Event](ctx, c, get("events", id))
}

// An Explanation says what became of one event for one subscription, and why.
type Explanation struct {
	Document

	SubscriptionID string `json:"subscriptionId"`
	Integration    string `json:"integration"`
	Name           string `json:"name"`
	// Outcome is a State, or one of filtered, off, notServed, createdAfter,
	// missed: there is no delivery then.
	Outcome    string `json:"outcome"`
	Reason     string `json:"reason"`
	Note       string `json:"note"`       // what may have been different at the time
	DeliveryID string `json:"deliveryId"` // "" where there is none
	Attempts   int    `json:"attempts"`
}

// Explain returns a page of what became of an event, the oldest subscription
// first.
func (c *Client) Explain(ctx context.Context, id string, p Paging) (*Page[Explanation], error) {
	return list[Explanation](ctx, c, get("events", id, "explain").with(p.query()))
}

// AllExplanations goes through all pages.
func (c *Client) AllExplanations(ctx context.Context, id string, p Paging) iter.Seq2[*Explanation, error] {
	return all(ctx, p, func(ctx context.Context, p Paging) (*Page[Explanation], error) { return c.Explain(ctx, id, p) })
}

// A Replay says how often an event is delivered again.
type Replay struct {
	Document

	ID         string `json:"replay"`     // stands in the deliveries that it made
	Deliveries int    `json:"deliveries"` // how many those are
}

// ReplayEvent delivers a stored event again: to these subscriptions or, with
// none, to all whose policy lets it through now.
func (c *Client) ReplayEvent(ctx context.Context, id string, subscriptions ...string) (*Replay, error) {
	body := map[string]any{}
	if len(subscriptions) > 0 {
		body["subscriptions"] = subscriptions
	}
	return one[Replay](ctx, c, post(body, "events", id, "replay"))
}
