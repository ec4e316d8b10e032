package hooks

import (
	"slices"
	"sync"

	"github.com/flaghook/flaghook/render"
)

// builder writes an object member by member, in order.
type builder struct{ members []render.Member }

var builders = sync.Pool{New: func() any { return new(builder) }}

// newBuilder gives an empty builder, with the memory of one that was done.
func newBuilder() *builder { return builders.Get().(*builder) }

// done keeps the builder's memory for the next one.
func (b *builder) done() {
	if cap(b.members) <= 256 {
		clear(b.members)
		b.members = b.members[:0]
		builders.Put(b)
	}
}

// object is an object of what was written; the builder is done.
func (b *builder) object(m *render.Maker) render.Value {
	v := m.Object(b.members...)
	b.done()
	return v
}

// has reports whether a member of that name was written.
func (b *builder) has(key string) bool {
	for i := range b.members {
		if b.members[i].Key == key {
			return true
		}
	}
	return false
}

func (b *builder) add(key string, v render.Value) {
	if v.IsDefined() && v.Kind() != render.KindNull {
		b.members = append(b.members, render.Member{Key: key, Value: v})
	}
}

// set gives a member a value, as render.Value.With does: an undefined one
// removes it, null stays.
func (b *builder) set(key string, v render.Value) {
	b.members = slices.DeleteFunc(b.members, func(m render.Member) bool { return m.Key == key && !v.IsDefined() })
	for i := range b.members {
		if b.members[i].Key == key {
			b.members[i].Value = v
			return
		}
	}
	if v.IsDefined() {
		b.members = append(b.members, render.Member{Key: key, Value: v})
	}
}

// json is object as JSON, with the builder done. All names are of this package, and need no escapes.
func (b *builder) json() []byte {
	size := 2
	for i := range b.members {
		size += len(b.members[i].Key) + 4 + b.members[i].Value.Size()
	}
	text := append(make([]byte, 0, min(size, maxReserved)), '{')
	for i := range b.members {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, '"'), b.members[i].Key...), `":`...)
		text = b.members[i].Value.AppendJSON(text)
	}
	b.done()
	return append(text, '}')
}
