package hooks

import (
	"bytes"
	"slices"
	"sync"

	"github.com/flaghook/flaghook/render"
)

// builder writes JSON: an object member by member, in order. What it writes is
// what render.Value.AppendJSON would, so that it can be read as render.Written.
type builder struct {
	text []byte
	open []level // what is not ended yet, the outermost first
	keys []string
}

// A level is an object or array that has been begun.
type level struct {
	end  byte
	keys int // where in builder.keys its own begin
}

var builders = sync.Pool{New: func() any { return new(builder) }}

// newBuilder gives an empty builder, with the memory of one that was done.
func newBuilder() *builder { return builders.Get().(*builder) }

// maxKept bounds the memory that waits for the next text.
const maxKept = 64 << 10

// done gives the builder's memory to the next one.
func (b *builder) done() {
	if cap(b.text) <= maxKept && cap(b.keys) <= 256 {
		clear(b.keys[:cap(b.keys)])
		*b = builder{b.text[:0], b.open[:0], b.keys[:0]}
		builders.Put(b)
	}
}

// take gives a copy of the text; the builder is done.
func (b *builder) take() []byte {
	text := bytes.Clone(b.text)
	b.done()
	return text
}

// comma is written between two.
func (b *builder) comma() {
	if n := len(b.text); n > 0 && b.text[n-1] != '{' && b.text[n-1] != '[' {
		b.text = append(b.text, ',')
	}
}

// name begins a member. The name is of this package, and needs no escapes.
func (b *builder) name(key string) {
	b.comma()
	b.text = append(append(append(b.text, '"'), key...), '"', ':')
	b.keys = append(b.keys, key)
}

// names are those of the object's members so far; to be read before more are added.
func (b *builder) names() []string { return b.keys[b.open[len(b.open)-1].keys:] }

// has reports whether the object has a member of that name.
func (b *builder) has(key string) bool { return slices.Contains(b.names(), key) }

// object begins an object: as a member or, without a name, as an item.
func (b *builder) object(key string) { b.begin(key, '{', '}') }

// array begins an array, likewise.
func (b *builder) array(key string) { b.begin(key, '[', ']') }

func (b *builder) begin(key string, begin, end byte) {
	if key != "" {
		b.name(key)
	} else if len(b.open) > 0 {
		b.comma()
	}
	b.text = append(b.text, begin)
	b.open = append(b.open, level{end, len(b.keys)})
}

// end ends what was begun last.
func (b *builder) end() {
	last := b.open[len(b.open)-1]
	b.open = b.open[:len(b.open)-1]
	b.keys = b.keys[:last.keys]
	b.text = append(b.text, last.end)
}

// item adds an item to an array.
func (b *builder) item(v render.Value) {
	b.comma()
	b.text = v.AppendJSON(b.text)
}

// put adds a member, unless it is undefined.
func (b *builder) put(key string, v render.Value) {
	if v.IsDefined() {
		b.name(key)
		b.text = v.AppendJSON(b.text)
	}
}

// add adds a member, unless it is undefined or null.
func (b *builder) add(key string, v render.Value) {
	if v.Kind() != render.KindNull {
		b.put(key, v)
	}
}

// putText adds a member as JSON, unless that is empty.
func (b *builder) putText(key, text string) {
	if text != "" {
		b.name(key)
		b.text = append(b.text, text...)
	}
}

// addText adds a member as JSON, unless that is empty or null.
func (b *builder) addText(key, text string) {
	if text != nullText {
		b.putText(key, text)
	}
}

// string adds a member that is a string.
func (b *builder) string(key, s string) { b.put(key, render.String(s)) }

// copyOthers adds the members of another object that are not null, but for those
// that the object has already and those of some names. Both should be few.
func (b *builder) copyOthers(from render.Value, besides ...string) {
	names := slices.Concat(b.names(), besides)
	for key, v := range from.Members() {
		if v.Kind() != render.KindNull && !slices.Contains(names, key) {
			b.copy(key, v)
		}
	}
}

// copy adds a member of another object.
func (b *builder) copy(key string, v render.Value) {
	b.comma()
	b.text = append(render.String(key).AppendJSON(b.text), ':')
	b.text = v.AppendJSON(b.text)
	b.keys = append(b.keys, key)
}
