package hooks

import (
	"errors"
	"fmt"
	"strings"
	"sync"
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
	stored   string // what MarshalBinary gives
	doc      render.Value
	rendered *manifest.Event

	reading  sync.Once // of the rest, where doc alone is known
	known    bool      // the rest is
	own      bool      // it tells of flaghook's own resources
	accesses []policy.ParsedAccess
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
	accesses := e.Accesses()
	if len(accesses) == 0 {
		return ""
	}
	var b strings.Builder
	for i, s := range accesses[0].Resource.Segments {
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
func (e *Event) Accesses() []policy.ParsedAccess {
	e.read()
	return e.accesses
}

// isOwn reports whether the event tells of flaghook's own resources.
func (e *Event) isOwn() bool {
	e.read()
	return e.own
}

func (e *Event) read() {
	e.reading.Do(func() {
		if !e.known {
			e.accesses, _ = parseAccesses(e.doc.Get("accesses")) // they could be parsed when the event was new
			e.own = e.doc.Path("source", "kind").AsString() == ownSource
		}
	})
}

// Rendered is the event as integrations render it. All subscriptions share the
// one value, and with it the bodies that do not depend on a subscription.
func (e *Event) Rendered() *manifest.Event { return e.rendered }

// MarshalBinary gives the form in which a Store keeps the event: JSON of its
// digest (hex), its scope where it has one, its document, and the CRC-32C of all
// before (hex), as in
//
//	{"digest":"…","scope":"…","doc":{…},"crc32c":"00000000"}
func (e *Event) MarshalBinary() ([]byte, error) {
	return []byte(e.stored), nil
}

// AppendBinary appends it to b.
func (e *Event) AppendBinary(b []byte) ([]byte, error) { return append(b, e.stored...), nil }

// UnmarshalBinary reads what MarshalBinary wrote, also without the checksum, as
// earlier versions wrote it. With it the document is read only as far as it is
// asked for. The error wraps ErrDamagedEvent.
func (e *Event) UnmarshalBinary(data []byte) error { return e.unmarshal(string(data)) }

func (e *Event) unmarshal(stored string) error {
	f, err := openForm(stored)
	if errors.Is(err, errNoChecksum) {
		f, err = readForm(stored)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamagedEvent, err)
	}
	id := memberText(f.doc.JSON(), "_id")
	e.set(f, strings.Trim(id, `"`)) // it needs no escapes
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

// set makes an event of a form and its id.
func (e *Event) set(f form, id string) {
	e.id, e.stored, e.digest, e.scope, e.doc = id, f.text, f.digest, f.scope, f.doc
	e.rendered = FromContext(f.doc)
}

// FromContext wraps a ready template context, used untouched: what an author
// previews with. It has no accesses, so no policy can be asked about it.
func FromContext(context render.Value) *manifest.Event {
	return manifest.NewEvent(context, webhookShape, standardShape)
}
