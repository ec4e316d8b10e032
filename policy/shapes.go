package policy

import "slices"

// A usedShape is a shape with its hash.
type usedShape struct {
	shape
	hash uint64
}

// shapes are the shapes in use, by chain. It is never changed but copied.
type shapes map[chain][]usedShape

// with gives the shapes and one more.
func (s shapes) with(added shape) shapes {
	return s.change(added.chain, append(slices.Clip(s[added.chain]), usedShape{added, added.hash()}))
}

// without gives the shapes without one.
func (s shapes) without(removed shape) shapes {
	return s.change(removed.chain, slices.DeleteFunc(slices.Clone(s[removed.chain]), func(u usedShape) bool { return u.shape == removed }))
}

func (s shapes) change(c chain, used []usedShape) shapes {
	changed := make(shapes, len(s)+1)
	for k, v := range s {
		changed[k] = v
	}
	if changed[c] = used; len(used) == 0 {
		delete(changed, c)
	}
	return changed
}
