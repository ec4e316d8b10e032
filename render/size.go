package render

import "math"

// What the parts of arrays and objects take in memory, in bytes, where pointers have 64 bits.
const (
	compoundBytes = 72
	valueBytes    = 40
	memberBytes   = valueBytes + 16
	shortcutBytes = 48 // of a member in an index
)

// add counts an item or a member. It stops long before it would overflow: a Value may hold another many times.
func (c *compound) add(weight, memory int) {
	c.weight = clamp(int64(c.weight) + int64(weight) + 2)
	c.memory = clamp(int64(c.memory) + int64(memory))
}

func clamp(n int64) int32 { return int32(min(n, math.MaxInt32)) }

// weight is about how many bytes the value takes as text.
func (v Value) weight() int {
	if v.ref != nil {
		return int(v.ref.weight)
	}
	return len(v.str) + 2
}

// memory is about how many bytes the value takes in memory beside its own and those of its text.
func (v Value) memory() int {
	switch {
	case v.ref == nil:
		return 0
	case v.ref.memory == 0:
		return int(writtenMemory(v.str))
	}
	return int(v.ref.memory)
}

// Memory is about how many bytes the value takes in memory with all that it holds, known without a look at its parts;
// at most about 2 GiB. What it holds more than once counts as often.
func (v Value) Memory() int {
	return int(min(valueBytes+int64(v.memory())+int64(v.Size()), math.MaxInt32))
}

// Size is about how many bytes the value takes as JSON, known without a look at its parts: nearly right for texts, half
// to three times for many tiny parts; at most about 2 GiB.
func (v Value) Size() int {
	n := v.weight()
	return min(n, math.MaxInt32-n/8) + n/8
}
