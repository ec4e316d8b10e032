package render

import (
	"math"
	"slices"
	"strconv"
	"sync/atomic"
)

// compound holds what arrays and objects are made of. Its address is the identity of the array or object.
type compound struct {
	items     []Value    // KindArray
	members   []Member   // KindObject
	shortcuts *shortcuts // KindObject that has many members or integer-like keys
	weight    int32      // about how many bytes the whole takes as text
	memory    int32      // about how many it takes in memory, but for its text; 0: see writtenMemory

	read atomic.Pointer[compound] // of a value with a text that was read since: what is in it
}

// shortcuts are what few objects need: ways to their members other than one after the other.
type shortcuts struct {
	index map[string]int // of many members: their places
	order []int          // with integer-like keys: the order in which JavaScript iterates
}

// indexFrom is the number of members from which on an object is worth an index. Below it, comparing lengths finds most
// members in the time that a map takes, and nothing has to be built or kept.
const indexFrom = 33

// array is an array of the items.
func (c *compound) array(items []Value) Value {
	c.items, c.weight, c.memory = items, 2, compoundBytes
	for i := range items {
		c.add(items[i].weight(), items[i].memory()+valueBytes)
	}
	return Value{kind: KindArray, ref: c}
}

// object is an object of the members, as Object makes it; their keys are UTF-8.
func (c *compound) object(members []Member) Value {
	if len(members) >= indexFrom {
		c.shortcuts = &shortcuts{index: make(map[string]int, len(members))}
	}
	var seen uint64 // the marks of the keys so far: one whose mark is new is new itself
	n, numbered, undefined := 0, false, false
	for i := range members {
		m := &members[i]
		mark := keyMark(m.Key)
		if seen&mark != 0 {
			if at := c.find(members[:n], m.Key); at >= 0 {
				members[at].Value = m.Value
				undefined = undefined || m.Value.kind == KindUndefined
				continue
			}
		}
		seen |= mark
		if c.shortcuts != nil {
			c.shortcuts.index[m.Key] = n
		}
		if n < i {
			members[n] = *m
		}
		n++
		numbered = numbered || (m.Key != "" && isDigit(m.Key[0]))
		undefined = undefined || m.Value.kind == KindUndefined
	}
	members = members[:n]
	if undefined {
		c.shortcuts = nil
		return c.object(slices.DeleteFunc(members, func(m Member) bool { return m.Value.kind == KindUndefined }))
	}
	c.members = members
	if numbered {
		c.setOrder()
	}
	perMember := memberBytes
	if c.shortcuts != nil {
		perMember += shortcutBytes
	}
	c.weight, c.memory = 0, compoundBytes
	for i := range members {
		c.add(len(members[i].Key)+members[i].Value.weight(), members[i].Value.memory()+perMember)
	}
	return Value{kind: KindObject, ref: c}
}

// keyMark is one of 64 bits, the same for the same key, and for different ones mostly another.
func keyMark(key string) uint64 {
	if key == "" {
		return 1
	}
	n := len(key)
	return 1 << ((uint(n) + uint(key[0])*5 + uint(key[n/2])*11 + uint(key[n-1])*23) % 64)
}

func (c *compound) find(members []Member, key string) int {
	if c.shortcuts != nil && c.shortcuts.index != nil {
		if i, ok := c.shortcuts.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range members {
		if members[i].Key == key {
			return i
		}
	}
	return -1
}

// setOrder notes the order in which JavaScript lists the members, where it is another than theirs.
func (c *compound) setOrder() {
	order := iterationOrder(c.members)
	if order == nil {
		return
	}
	if c.shortcuts == nil {
		c.shortcuts = &shortcuts{}
	}
	c.shortcuts.order = order
}

// listed is the i-th member in the order in which JavaScript lists them.
func (c *compound) listed(i int) *Member {
	if c.shortcuts != nil && c.shortcuts.order != nil {
		i = c.shortcuts.order[i]
	}
	return &c.members[i]
}

// iterationOrder returns the order in which JavaScript lists the members (integer-like keys first, by number;
// then the others as inserted), or nil where that is the order they are in.
func iterationOrder(members []Member) []int {
	type numbered struct {
		n uint64
		i int
	}
	var numbers []numbered
	for i, m := range members {
		if n, ok := arrayIndex(m.Key); ok {
			numbers = append(numbers, numbered{n, i})
		}
	}
	if numbers == nil {
		return nil
	}
	slices.SortFunc(numbers, func(a, b numbered) int {
		if a.n < b.n {
			return -1
		}
		return 1
	})
	order := make([]int, 0, len(members))
	for _, n := range numbers {
		order = append(order, n.i)
	}
	for i, m := range members {
		if _, ok := arrayIndex(m.Key); !ok {
			order = append(order, i)
		}
	}
	return order
}

// arrayIndex reads a key that JavaScript takes for an index: decimal digits, no leading zero, below 2^32-1.
func arrayIndex(key string) (uint64, bool) {
	if key == "" || len(key) > 10 || !isDigit(key[0]) || (key[0] == '0' && len(key) > 1) {
		return 0, false
	}
	n, err := strconv.ParseUint(key, 10, 64)
	return n, err == nil && n < math.MaxUint32
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
