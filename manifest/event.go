package manifest

import (
	"sync"

	"github.com/flaghook/flaghook/render"
)

// An Event is what templates are rendered with, made once for all subscriptions
// that it reaches: what is the same for all of them is rendered once. It is
// safe for concurrent use.
type Event struct {
	context  render.Value
	webhook  shape
	standard shape

	mu     sync.Mutex
	bodies *sharedBody // the first of a list: an event has few
}

// A shape is the event as JSON, written when it is first sent.
type shape struct {
	of   func(context render.Value) []byte // nil: there is none
	once sync.Once
	text []byte
}

// A sharedBody is a body that no subscription can change.
type sharedBody struct {
	next *sharedBody
	body *body

	once sync.Once
	text []byte
	err  error
}

// NewEvent makes an event of the context, whose members templates see and whose
// kind (flag, project, ...) chooses the template, and of what gives the
// context's shape, JSON text, for hooks with useStandardWebhookPayload and for
// hooks without templates. Each shape is asked for at most once, and only if
// something sends it; it may be nil, as may its text where there is none.
func NewEvent(context render.Value, webhook, standard func(context render.Value) []byte) *Event {
	return &Event{context: context, webhook: shape{of: webhook}, standard: shape{of: standard}}
}

// in gives the shape of a context.
func (s *shape) in(context render.Value) []byte {
	s.once.Do(func() {
		if s.of != nil {
			s.text = s.of(context)
		}
	})
	return s.text
}

// Kind is the event's kind, "" where the context has none.
func (e *Event) Kind() string { return e.context.Get("kind").AsString() }

// Context is what templates see at their root, without form variables.
func (e *Event) Context() render.Value { return e.context }

// shared renders a body that no subscription can change, once.
func (e *Event) shared(b *body) ([]byte, error) {
	s := e.sharedBody(b)
	s.once.Do(func() { s.text, s.err = b.template.RenderBytes(e.context) })
	return s.text, s.err
}

// sharedBody finds the event's one of a body, or adds it.
func (e *Event) sharedBody(b *body) *sharedBody {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := e.bodies; s != nil; s = s.next {
		if s.body == b {
			return s
		}
	}
	e.bodies = &sharedBody{next: e.bodies, body: b}
	return e.bodies
}
