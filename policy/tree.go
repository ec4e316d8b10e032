package policy

import "slices"

// maxFanout bounds the values or children of a node; a change copies one node of
// each level.
const maxFanout = 32

// A tree keeps values in the order of their slots, one each. It is a B+ tree
// whose changes copy the nodes on their way, so that a copy of the struct is a
// snapshot: readers of it see none of the changes made later. The zero value is
// empty.
type tree[V any] struct{ root *node[V] }

// A slot is where a value stands: all values of one group are found together,
// in the order of their numbers.
type slot struct{ group, number uint64 }

func (p slot) less(q slot) bool {
	return p.group < q.group || p.group == q.group && p.number < q.number
}

// A node is a leaf, with values, or has children. Empty nodes are removed; others
// are never joined, since each is made with room for what it holds only.
type node[V any] struct {
	edit     uint64 // the change that made it, and may change it further
	at       []slot // of the values; of a child, no slot in it is less
	values   []V
	children []*node[V]
}

// insert adds a value at a slot where there is none. Changes of one edit
// number share the nodes that they made, so none of these may be read until all
// of them are done.
func (t *tree[V]) insert(edit uint64, p slot, value V) {
	if t.root == nil {
		t.root = &node[V]{edit: edit}
	}
	left, right := t.root.insert(edit, p, value)
	t.root = left
	if right != nil {
		t.root = &node[V]{edit: edit, at: []slot{left.at[0], right.at[0]}, children: []*node[V]{left, right}}
	}
}

// insert gives the changed node and, where it had no more room, its right half.
func (n *node[V]) insert(edit uint64, p slot, value V) (left, right *node[V]) {
	n = n.own(edit)
	var i int
	if n.children == nil {
		i = n.search(p)
		n.at = slices.Insert(n.at, i, p)
		n.values = slices.Insert(n.values, i, value)
	} else {
		i = n.child(p)
		if p.less(n.at[i]) {
			n.at[i] = p
		}
		child, half := n.children[i].insert(edit, p, value)
		n.children[i] = child
		if half == nil {
			return n, nil
		}
		i++
		n.at = slices.Insert(n.at, i, half.at[0])
		n.children = slices.Insert(n.children, i, half)
	}
	if len(n.at) <= maxFanout {
		return n, nil
	}
	return n.split(edit, i)
}

// split halves a node that grew at i. One that grew at its end is cut there: more
// will follow, and what is left behind stays full.
func (n *node[V]) split(edit uint64, i int) (left, right *node[V]) {
	cut := len(n.at) / 2
	if i == len(n.at)-1 {
		cut = i
	}
	right = &node[V]{edit: edit, at: slices.Clone(n.at[cut:])}
	left = &node[V]{edit: edit, at: slices.Clone(n.at[:cut])}
	if n.children == nil {
		left.values, right.values = slices.Clone(n.values[:cut]), slices.Clone(n.values[cut:])
	} else {
		left.children, right.children = slices.Clone(n.children[:cut]), slices.Clone(n.children[cut:])
	}
	return left, right
}

// remove takes out the value at a slot, where there is one.
func (t *tree[V]) remove(edit uint64, p slot) {
	if t.root == nil {
		return
	}
	t.root = t.root.remove(edit, p)
	for t.root != nil && len(t.root.children) == 1 {
		t.root = t.root.children[0]
	}
}

// remove gives the changed node, nil when nothing is left of it.
func (n *node[V]) remove(edit uint64, p slot) *node[V] {
	if n.children == nil {
		i := n.search(p)
		if i == len(n.at) || n.at[i] != p {
			return n
		}
		if len(n.at) == 1 {
			return nil
		}
		n = n.own(edit)
		n.at = slices.Delete(n.at, i, i+1)
		n.values = slices.Delete(n.values, i, i+1)
		return n
	}
	i := n.child(p)
	child := n.children[i].remove(edit, p)
	switch {
	case child == n.children[i]:
		return n
	case child == nil && len(n.children) == 1:
		return nil
	}
	n = n.own(edit)
	if child != nil {
		n.children[i] = child
		return n
	}
	n.at = slices.Delete(n.at, i, i+1)
	n.children = slices.Delete(n.children, i, i+1)
	return n
}

// own gives a node that this edit may change: a copy, unless it made this one.
func (n *node[V]) own(edit uint64) *node[V] {
	if n.edit == edit {
		return n
	}
	c := &node[V]{edit: edit, at: withRoom(n.at)}
	if n.children == nil {
		c.values = withRoom(n.values)
	} else {
		c.children = withRoom(n.children)
	}
	return c
}

// withRoom copies a list for one more element.
func withRoom[T any](list []T) []T {
	return append(make([]T, 0, len(list)+1), list...)
}

// search gives the index of the first slot that is not less than p.
func (n *node[V]) search(p slot) int {
	low, high := 0, len(n.at)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if n.at[middle].less(p) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// child gives the index of the child that has p or would.
func (n *node[V]) child(p slot) int {
	i := n.search(p)
	if i == len(n.at) || i > 0 && p.less(n.at[i]) {
		i--
	}
	return i
}

// group appends the values of one group in order.
func (t *tree[V]) group(dst []V, group uint64) []V {
	if t.root == nil {
		return dst
	}
	return t.root.group(dst, group)
}

func (n *node[V]) group(dst []V, group uint64) []V {
	p := slot{group: group}
	if n.children != nil {
		for i := n.child(p); i < len(n.at) && n.at[i].group <= group; i++ {
			dst = n.children[i].group(dst, group)
		}
		return dst
	}
	from := n.search(p)
	to := from
	for to < len(n.at) && n.at[to].group == group {
		to++
	}
	return append(dst, n.values[from:to]...)
}

// has reports whether a group has values.
func (t *tree[V]) has(group uint64) bool { return t.root != nil && t.root.has(group) }

func (n *node[V]) has(group uint64) bool {
	p := slot{group: group}
	if n.children != nil {
		for i := n.child(p); i < len(n.at) && n.at[i].group <= group; i++ {
			if n.children[i].has(group) {
				return true
			}
		}
		return false
	}
	i := n.search(p)
	return i < len(n.at) && n.at[i].group == group
}

// each visits all slots in order.
func (t *tree[V]) each(visit func(slot)) {
	if t.root != nil {
		t.root.each(visit)
	}
}

func (n *node[V]) each(visit func(slot)) {
	if n.children == nil {
		for _, p := range n.at {
			visit(p)
		}
	}
	for _, child := range n.children {
		child.each(visit)
	}
}
