package policy

import (
	"math/bits"
	"slices"
	"sync"
)

const (
	// someKeys is how many keys of places a finder collects before it looks which
	// of them are of any use.
	someKeys = 4 << 10

	// maxSieve bounds the words of a sieve.
	maxSieve = 16 << 10

	// maxPooled bounds the elements of each list that a finder keeps for the next
	// event: what a few large events needed is not held for ever.
	maxPooled = 64 << 10
)

// Match gives the ids whose policy lets an event with these accesses through, each
// once and in no particular order. The result is all that it allocates, events
// with very much in them aside.
func (x *Index) Match(accesses []ParsedAccess) []string {
	f := finders.Get().(*finder)
	f.ids = f.match(x.current.Load(), f.ids[:0], accesses)
	var ids []string
	if len(f.ids) > 0 {
		ids = slices.Clone(f.ids)
	}
	f.release()
	return ids
}

// AppendMatch appends to dst what Match gives.
func (x *Index) AppendMatch(dst []string, accesses []ParsedAccess) []string {
	f := finders.Get().(*finder)
	dst = f.match(x.current.Load(), dst, accesses)
	f.release()
	return dst
}

// A finder is the memory that a Match works in. Its keys are at most someKeys, or
// twice the places that there are for the event if these are more.
type finder struct {
	now   *snapshot
	keys  []uint64 // of the places where policies that are about the event may be
	limit int      // at how many keys they are compacted
	tried int      // how many have been added at the last compaction
	sieve sieve    // empty until many have been
	rules []*rule
	ids   []string

	seen map[Access]struct{} // the accesses that were looked for
	// Hashes of the tags and properties of the present access: those of segment i
	// end at ends[i].
	selectors []uint64
	ends      [maxSegments]int
	hashed    bool // whether these are known
}

var finders = sync.Pool{New: func() any { return &finder{seen: map[Access]struct{}{}} }}

// release gives the memory back, without what it points at.
func (f *finder) release() {
	f.now = nil
	clear(f.ids)
	if max(cap(f.keys), cap(f.rules), cap(f.ids)) <= maxPooled {
		finders.Put(f)
	}
}

func (f *finder) match(now *snapshot, dst []string, accesses []ParsedAccess) []string {
	if now == nil {
		return dst
	}
	f.now, f.keys, f.limit, f.tried, f.sieve = now, f.keys[:0], someKeys, 0, f.sieve[:0]
	for i := range accesses {
		if len(accesses) == 1 || f.first(&accesses[i]) {
			f.lookFor(&accesses[i])
		}
	}
	clear(f.seen)
	slices.Sort(f.keys)
	f.keys = slices.Compact(f.keys)
	for _, key := range f.keys {
		f.rules = now.places.group(f.rules[:0], key)
		for _, r := range f.rules {
			if !r.foundBefore(key, f.keys) && r.policy.Allows(accesses) {
				dst = now.members.group(dst, r.number)
			}
		}
		clear(f.rules)
	}
	return dst
}

// first reports whether none of the accesses before was the same.
func (f *finder) first(a *ParsedAccess) bool {
	if a.text == "" {
		return true // not parsed, so not known by its text
	}
	n := len(f.seen)
	f.seen[Access{a.Action, a.text}] = struct{}{}
	return len(f.seen) > n
}

// lookFor adds the keys of all places where policies that are about an access may be.
func (f *finder) lookFor(a *ParsedAccess) {
	f.hashed = false
	f.look(f.now.shapes[chain{}], a, nil)
	segments := a.Resource.Segments
	if len(segments) == 0 || len(segments) > maxSegments {
		return // nothing else is about these
	}
	var c chain
	for i := range segments {
		c = c.below(segments[i].Kind)
	}
	used := f.now.shapes[c]
	if len(used) == 0 {
		return
	}
	var keys [maxSegments]uint64
	for i := range segments {
		keys[i] = hashText(segments[i].Key)
	}
	f.look(used, a, keys[:len(segments)])
}

// look adds the keys of one chain's places; hashed are the keys of the segments.
func (f *finder) look(used []usedShape, a *ParsedAccess, hashed []uint64) {
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
			f.add(h)
			continue
		}
		for _, selector := range f.selectorsOf(a, int(s.selectorAt)-1) {
			f.add(fold(h, selector))
		}
	}
}

// selectorsOf gives the hashes of a segment's tags and properties, of many each
// once. They are computed once for an access, whatever the shapes.
func (f *finder) selectorsOf(a *ParsedAccess, segment int) []uint64 {
	if !f.hashed {
		f.hashed, f.selectors = true, f.selectors[:0]
		for i := range a.Resource.Segments {
			f.selectors = a.segment(i).appendHashes(f.selectors)
			f.ends[i] = len(f.selectors)
		}
	}
	if segment == 0 {
		return f.selectors[:f.ends[0]]
	}
	return f.selectors[f.ends[segment-1]:f.ends[segment]]
}

// add adds the key of a place.
func (f *finder) add(key uint64) {
	if !f.sieve.holds(key) {
		return
	}
	if f.keys = append(f.keys, key); len(f.keys) >= f.limit {
		f.compact()
	}
}

// compact leaves of the keys those of places that there are, each once.
func (f *finder) compact() {
	f.tried += len(f.keys)
	if len(f.sieve) == 0 && f.tried > f.now.filed {
		f.sieve = f.sieve.of(f.now)
	}
	slices.Sort(f.keys)
	f.keys = slices.Compact(f.keys)
	f.keys = slices.DeleteFunc(f.keys, func(key uint64) bool { return !f.now.places.has(key) })
	f.limit = max(someKeys, 2*len(f.keys))
}

// A sieve tells most keys of no place from the others: it has a bit for each key,
// found by its last bits. An empty one holds all.
type sieve []uint64

// of makes the sieve of all places; it takes about as long as to try as many keys.
func (s sieve) of(now *snapshot) sieve {
	words := 1
	for words < maxSieve && words*64 < 16*now.filed {
		words *= 2
	}
	s = slices.Grow(s[:0], words)[:words]
	clear(s)
	now.places.each(func(p slot) { s[int(p.group>>6)&(words-1)] |= 1 << (p.group & 63) })
	return s
}

func (s sieve) holds(key uint64) bool {
	return len(s) == 0 || s[int(key>>6)&(len(s)-1)]&(1<<(key&63)) != 0
}

// foundBefore reports whether a rule that is found at one of the sorted keys was
// found at a lesser one already.
func (r *rule) foundBefore(key uint64, keys []uint64) bool {
	if len(r.places) == 1 {
		return false
	}
	for i := range r.places {
		if r.places[i].key >= key {
			return false
		}
		if _, ok := slices.BinarySearch(keys, r.places[i].key); ok {
			return true
		}
	}
	return false
}
