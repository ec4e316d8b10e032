package hooks

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"

	"github.com/flaghook/flaghook/render"
)

// digestOf tells one posted content from another; a sender's way of writing it
// does not matter, nor the order of members.
func digestOf(posted render.Value) string {
	w := sortedWriters.Get().(*sortedWriter)
	w.value(posted)
	sum := sha256.Sum256(w.text)
	w.release()
	return hex.EncodeToString(sum[:16])
}

// A sortedWriter writes a value like JSON, with the members of objects in the
// order of their names.
type sortedWriter struct {
	text    []byte
	members []render.Member // of the objects that are being written, the innermost last
}

var sortedWriters = sync.Pool{New: func() any { return new(sortedWriter) }}

// release keeps the memory of an ordinary event for the next one.
func (w *sortedWriter) release() {
	if cap(w.text) <= 64<<10 && cap(w.members) <= 1<<10 {
		w.text = w.text[:0]
		sortedWriters.Put(w)
	}
}

func (w *sortedWriter) value(v render.Value) {
	switch v.Kind() {
	case render.KindArray:
		w.text = append(w.text, '[')
		for item := range v.Items() {
			w.value(item)
			w.text = append(w.text, ',')
		}
		w.text = append(w.text, ']')
	case render.KindObject:
		w.object(v)
	default:
		w.text = v.AppendJSON(w.text)
	}
}

func (w *sortedWriter) object(v render.Value) {
	from := len(w.members)
	for key, value := range v.Members() {
		w.members = append(w.members, render.Member{Key: key, Value: value})
	}
	to := len(w.members)
	slices.SortFunc(w.members[from:], func(a, b render.Member) int { return cmp.Compare(a.Key, b.Key) })
	w.text = append(w.text, '{')
	for i := from; i < to; i++ {
		m := w.members[i] // value may move the slice
		w.text = append(render.String(m.Key).AppendJSON(w.text), ':')
		w.value(m.Value)
		w.text = append(w.text, ',')
	}
	w.text = append(w.text, '}')
	clear(w.members[from:])
	w.members = w.members[:from]
}
