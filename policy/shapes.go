package policy

import (
	"math/bits"
	"slices"
)

// A usedShape is a shape with its hash.
type usedShape struct {
	shape
	hash uint64
}

// shapes are the shapes in use, by chain. It is never changed but copied.
type shapes map[chain][]usedShape

// keys appends the keys of all places where policies that are about an access
// may be.
func (s shapes) keys(keys []uint64, a *ParsedAccess) []uint64 {
	keys = appendKeys(keys, s[chain{}], a, nil)
	segments := a.Resource.Segments
	if len(segments) == 0 || len(segments) > maxSegments {
		return keys // nothing else is about these
	}
	var c chain
	for i := range segments {
		c = c.below(segments[i].Kind)
	}
	used := s[c]
	if len(used) == 0 {
		return keys
	}
	var hashed [maxSegments]uint64
	for i := range segments {
		hashed[i] = hashText(segments[i].Key)
	}
	return appendKeys(keys, used, a, hashed[:len(segments)])
}

// appendKeys appends the keys of one chain's places; hashed are the keys of the
// segments.
func appendKeys(keys []uint64, used []usedShape, a *ParsedAccess, hashed []uint64) []uint64 {
	for i := range used {
		s := &used[i]
		h := s.hash
		for rest := s.literals; rest != 0; rest &= rest - 1 {
			h = fold(h, hashed[bits.TrailingZeros16(rest)])
		}
		if n := int(s.prefixLength); n > 0 {
			key := a.Resource.Segments[s.prefixAt].Key
			if len(key) < n {
				continue
			}
			h = fold(h, hashText(key[:n]))
		}
		if n := int(s.actionLength); n == wholeAction {
			h = fold(h, hashText(a.Action))
		} else if n > 0 {
			if len(a.Action) < n {
				continue
			}
			h = fold(h, hashText(a.Action[:n]))
		}
		if s.selectorAt == 0 {
			keys = append(keys, h)
			continue
		}
		segment := &a.Resource.Segments[s.selectorAt-1]
		for _, tag := range segment.Tags {
			keys = append(keys, fold(h, hashText(tag)))
		}
		for _, p := range segment.Properties {
			keys = append(keys, fold(h, hashProperty(p.Name, p.Value)))
		}
	}
	return keys
}

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
