package manifest

import (
	"sync"

	"github.com/flaghook/flaghook/render"
)

// An Event is what templates are rendered with, made once for all subscriptions
// that it reaches: what is the same for all of them is rendered once. It is
// safe for concurrent use.
type Event struct {
	kind     string
	context  render.Value
	webhook  func() []byte
	standard func() []byte

	mu     sync.Mutex
	bodies map[*body]func() ([]byte, error)
}

// NewEvent makes an event of a kind (flag, project, ...), which chooses the
// template; of the context, whose members templates see; and of its shape for
// hooks with useStandardWebhookPayload and for hooks without templates. Each
// shape is asked for at most once, and only if something sends it.
func NewEvent(kind string, context render.Value, webhook, standard func() render.Value) *Event {
	return &Event{
		kind:     kind,
		context:  context,
		webhook:  sync.OnceValue(func() []byte { return shape(webhook) }),
		standard: sync.OnceValue(func() []byte { return shape(standard) }),
		bodies:   map[*body]func() ([]byte, error){},
	}
}

// shape is JSON text; an undefined value has none.
func shape(of func() render.Value) []byte {
	if of == nil {
		return nil
	}
	v := of()
	if !v.IsDefined() {
		return nil
	}
	return v.AppendJSON(nil)
}

// Kind is the event's kind.
func (e *Event) Kind() string { return e.kind }

// Context is what templates see at their root, without form variables.
func (e *Event) Context() render.Value { return e.context }

// shared renders a body that no subscription can change, once.
func (e *Event) shared(b *body) ([]byte, error) {
	e.mu.Lock()
	rendered, known := e.bodies[b]
	if !known {
		rendered = sync.OnceValues(func() ([]byte, error) {
			text, err := b.template.Render(e.context)
			return []byte(text), err
		})
		e.bodies[b] = rendered
	}
	e.mu.Unlock()
	return rendered()
}
