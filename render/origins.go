package render

import (
	"sort"
	"strings"
)

// Origins tells which place in a template each byte of an output comes from. Give one to RenderWith in RenderOptions;
// it keeps the last rendering's.
type Origins struct {
	source string
	marks  []origin
}

// origin is where the output of a statement begins.
type origin struct {
	out, source int
	verbatim    bool // what follows stands like that in the template
}

func (o *Origins) reset(source string) { o.source, o.marks = source, o.marks[:0] }

func (o *Origins) add(out int, n node) {
	m := origin{out: out, source: n.place()}
	if t, ok := n.(*text); ok {
		m.verbatim = true
		m.source += max(strings.Index(t.original, t.value), 0) // behind the white space that was taken away
	}
	o.marks = append(o.marks, m)
}

// At returns the line and the column, in characters, both counted from 1, of what wrote the byte at that offset of
// the output: a place in the template's own text, or the name in a tag. Without an output it is the beginning.
func (o *Origins) At(offset int) (line, column int) {
	n := sort.Search(len(o.marks), func(n int) bool { return o.marks[n].out > offset }) - 1
	if n < 0 {
		return 1, 1
	}
	m := o.marks[n]
	if m.verbatim {
		m.source += offset - m.out
	}
	return position(o.source, m.source)
}
