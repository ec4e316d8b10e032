package hooks

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// An Event is one entry of a change history, normalised: who did what to which
// resource, when. It is immutable and safe for concurrent use.
type Event struct {
	id       string
	digest   string
	doc      render.Value
	accesses []policy.ParsedAccess
	size     int // of its JSON in bytes, for caches
	rendered *manifest.Event
}

// ID is the event's _id: 1 to 128 of [A-Za-z0-9._:-].
func (e *Event) ID() string { return e.id }

// Digest identifies the content as it was posted, before anything was derived:
// two events of one id and one digest are the same event sent twice.
func (e *Event) Digest() string { return e.digest }

// Kind is the kind of the resource that changed: flag, project, segment, ...
func (e *Event) Kind() string { return e.doc.Get("kind").AsString() }

// Time is when the change happened, in whole milliseconds.
func (e *Event) Time() time.Time {
	return time.UnixMilli(int64(e.doc.Path("timestamp", "milliseconds").AsNumber())).UTC()
}

// Doc is the whole event in the shape that templates see, with accesses.
func (e *Event) Doc() render.Value { return e.doc }

// Accesses are what the event did, parsed for policies; the caller must not
// change them.
func (e *Event) Accesses() []policy.ParsedAccess { return e.accesses }

// Rendered is the event as integrations render it. All subscriptions share the
// one value, and with it the bodies that do not depend on a subscription.
func (e *Event) Rendered() *manifest.Event { return e.rendered }

// storedEvent is how an event is kept by a Store; the digest is hex.
type storedEvent struct {
	Digest string       `json:"digest"`
	Doc    render.Value `json:"doc"`
}

// MarshalBinary gives the form in which a Store keeps the event.
func (e *Event) MarshalBinary() ([]byte, error) {
	// As json.Marshal of a storedEvent, which would read the document again.
	data := append(make([]byte, 0, e.size+e.size/4), `{"digest":"`...)
	data = append(append(data, e.digest...), `","doc":`...)
	return append(e.doc.AppendJSON(data), '}'), nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (e *Event) UnmarshalBinary(data []byte) error {
	var s storedEvent
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("stored event: %w", err)
	}
	read, err := newEvent(s.Doc, s.Digest, len(data))
	if err != nil {
		return fmt.Errorf("stored event: %w", err)
	}
	*e = *read
	return nil
}

// newEvent wraps a normalised document.
func newEvent(doc render.Value, digest string, size int) (*Event, error) {
	e := &Event{id: doc.Get("_id").AsString(), digest: digest, doc: doc, size: size}
	accesses := doc.Get("accesses")
	e.accesses = make([]policy.ParsedAccess, 0, accesses.Len())
	for i := range accesses.Len() {
		a := accesses.At(i)
		parsed, err := policy.ParseAccess(policy.Access{
			Action:   a.Get("action").AsString(),
			Resource: a.Get("resource").AsString(),
		})
		if err != nil {
			return nil, EventErrors{{Pointer: fmt.Sprintf("/accesses/%d", i), Message: err.Error()}}
		}
		e.accesses = append(e.accesses, parsed)
	}
	e.rendered = renderable(doc)
	return e, nil
}

// renderable gives a document as integrations render it.
func renderable(doc render.Value) *manifest.Event {
	return manifest.NewEvent(doc.Get("kind").AsString(), doc,
		func() render.Value { return webhookShape(doc) },
		func() render.Value { return standardShape(doc) })
}

// FromContext wraps a ready template context, used untouched: what an author
// previews with. It has no accesses, so no policy can be asked about it.
func FromContext(context render.Value) *manifest.Event { return renderable(context) }
