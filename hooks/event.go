package hooks

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// An Event is one entry of a change history, normalised: who did what to which
// resource, when. It is immutable and safe for concurrent use.
type Event struct {
	id       string
	scope    string
	digest   string
	doc      render.Value
	accesses []policy.ParsedAccess
	own      bool // it tells of flaghook's own resources
	rendered *manifest.Event
}

// ID is the event's _id: 1 to 128 of [A-Za-z0-9._:-].
func (e *Event) ID() string { return e.id }

// Key is what tells the event from all others: its id or, where it was sent
// within a scope (EventOptions.Scope), scope/id. No id holds a slash.
func (e *Event) Key() string {
	if e.scope == "" {
		return e.id
	}
	return e.scope + "/" + e.id
}

// EventIDOf is the event's id in a key.
func EventIDOf(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }

// Resource is the resource of the first access without tags and properties:
// what order is kept by, where a subscription asks for order.
func (e *Event) Resource() string {
	if len(e.accesses) == 0 {
		return ""
	}
	var b strings.Builder
	for i, s := range e.accesses[0].Resource.Segments {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(s.Kind)
		b.WriteByte('/')
		b.WriteString(s.Key)
	}
	return b.String()
}

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

// MarshalBinary gives the form in which a Store keeps the event: JSON of its
// digest (hex), its scope where it has one, and its document.
func (e *Event) MarshalBinary() ([]byte, error) {
	return e.AppendBinary(make([]byte, 0, min(64+len(e.digest)+len(e.scope)+e.doc.Size(), maxReserved)))
}

// maxReserved bounds what is reserved for an event's text before it is written:
// an object may hold another many times.
const maxReserved = 1 << 20

// AppendBinary appends it to b.
func (e *Event) AppendBinary(b []byte) ([]byte, error) {
	b = append(append(b, `{"digest":"`...), e.digest...)
	if e.scope != "" {
		b = append(append(b, `","scope":"`...), e.scope...) // as an id, it needs no escape
	}
	b = append(b, `","doc":`...)
	return append(e.doc.AppendJSON(b), '}'), nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (e *Event) UnmarshalBinary(data []byte) error {
	stored, err := render.ParseJSON(data)
	if err != nil {
		return fmt.Errorf("stored event: %w", err)
	}
	doc := stored.Get("doc")
	if doc.Kind() != render.KindObject {
		return errors.New("stored event: it has no document")
	}
	accesses, err := parseAccesses(doc.Get("accesses"))
	if err != nil {
		return fmt.Errorf("stored event: %w", err)
	}
	*e = *newEvent(doc, stored.Get("scope").AsString(), stored.Get("digest").AsString(), accesses)
	return nil
}

// parseAccesses reads the accesses of a normalised document.
func parseAccesses(list render.Value) ([]policy.ParsedAccess, error) {
	accesses := make([]policy.ParsedAccess, 0, list.Len())
	for i := range list.Len() {
		parsed, err := policy.ParseAccess(accessOf(list.At(i)))
		if err != nil {
			return nil, EventErrors{{Pointer: accessPointer(i), Message: err.Error()}}
		}
		accesses = append(accesses, parsed)
	}
	return accesses, nil
}

// newEvent wraps a normalised document and its accesses.
func newEvent(doc render.Value, scope, digest string, accesses []policy.ParsedAccess) *Event {
	return &Event{
		id: strings.Clone(doc.Get("_id").AsString()), scope: scope, digest: digest, doc: doc, accesses: accesses,
		own:      doc.Path("source", "kind").AsString() == ownSource,
		rendered: renderable(doc),
	}
}

// renderable gives a document as integrations render it.
func renderable(doc render.Value) *manifest.Event {
	return manifest.NewEvent(doc.Get("kind").AsString(), doc, webhookShape, standardShape)
}

// FromContext wraps a ready template context, used untouched: what an author
// previews with. It has no accesses, so no policy can be asked about it.
func FromContext(context render.Value) *manifest.Event { return renderable(context) }
