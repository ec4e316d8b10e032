package render

import (
	"slices"
	"strings"
	"sync"
)

// AppendCanonical appends a text that is the same for the same JSON, whatever the order of members, and another for
// other JSON: digests are taken of it. It is JSON with the members in the order of their names, and with a comma
// behind each item and member. Numbers that were parsed keep their literal.
func (v Value) AppendCanonical(dst []byte) []byte {
	c := canonicals.Get().(*canonical)
	defer c.release()
	return c.append(dst, v)
}

// canonical holds the places of members in order, of the objects that are being written, the innermost last.
type canonical struct{ places []int }

var canonicals = sync.Pool{New: func() any { return new(canonical) }}

func (c *canonical) release() {
	if cap(c.places) <= 4096 {
		c.places = c.places[:0]
		canonicals.Put(c)
	}
}

func (c *canonical) append(dst []byte, v Value) []byte {
	switch v.kind {
	case KindArray:
		dst = append(dst, '[')
		for _, x := range v.items() {
			dst = append(c.append(dst, x), ',')
		}
		return append(dst, ']')
	case KindObject:
		return c.object(dst, v.members())
	}
	return v.appendJSON(dst)
}

func (c *canonical) object(dst []byte, members []Member) []byte {
	from := len(c.places)
	for i := range members {
		c.places = append(c.places, i)
	}
	slices.SortFunc(c.places[from:], func(a, b int) int { return strings.Compare(members[a].Key, members[b].Key) })
	dst = append(dst, '{')
	for i := range members {
		m := &members[c.places[from+i]]
		dst = append(appendQuoted(dst, m.Key), ':')
		dst = append(c.append(dst, m.Value), ',')
	}
	c.places = c.places[:from]
	return append(dst, '}')
}
