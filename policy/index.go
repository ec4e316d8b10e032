package policy

import (
	"hash/maphash"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
)

// An Index keeps policies by the ids of those who wrote them, and finds the ids
// whose policy lets an event through without asking all of them: the time follows
// the number that it finds. What it finds is exactly what Policy.Allows says of
// each. The zero value is empty and ready; an Index must not be copied.
//
// All methods are safe for concurrent use. Match never waits: a change makes a new
// state beside the one being read, so Match sees each change as a whole or not
// at all. Changes wait for each other.
//
// Policies are told apart by the kinds of the resources that they allow, by
// literal keys, the longest prefix before a wildcard, one literal tag or property,
// and the action. Policies of which none of these says much, such as those with
// notResources, are evaluated for every event. Equal policies are kept and
// evaluated once.
type Index struct {
	current atomic.Pointer[snapshot]

	mu     sync.Mutex // held by changes, for all below
	edit   uint64
	number uint64 // of the last rule or member
	rules  map[uint64]*rule
	ids    map[string]member
	uses   map[shape]int // by places of rules
}

// A snapshot is one state of an Index, for readers.
type snapshot struct {
	shapes  shapes
	places  tree[*rule]  // by the key of a place and the number of the rule
	members tree[string] // ids, by the number of the rule and of the member
	filed   int          // the places of all rules together
}

// A rule is one of the different policies.
type rule struct {
	policy *Policy
	hash   uint64
	number uint64
	places []place // in the order of their keys

	members int // for changes only
}

// A member is one id of a rule.
type member struct {
	rule   *rule
	number uint64
}

// Put sets the policy of an id, in the place of one that it may have.
func (x *Index) Put(id string, p *Policy) {
	x.change(func(next *snapshot) { x.put(next, id, p) })
}

// PutAll is Put for many ids in one change, which is faster than one by one.
func (x *Index) PutAll(policies iter.Seq2[string, *Policy]) {
	x.change(func(next *snapshot) {
		for id, p := range policies {
			x.put(next, id, p)
		}
	})
}

// Delete removes an id; one that the index does not have is no error.
func (x *Index) Delete(id string) {
	x.change(func(next *snapshot) { x.delete(next, id) })
}

// Len gives the number of ids.
func (x *Index) Len() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.ids)
}

// change makes a changed copy of the state and shows it to readers.
func (x *Index) change(do func(next *snapshot)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ids == nil {
		x.rules, x.ids, x.uses = map[uint64]*rule{}, map[string]member{}, map[shape]int{}
		x.current.Store(&snapshot{})
	}
	x.edit++
	next := *x.current.Load()
	defer func() { x.current.Store(&next) }() // what is done is done, should a caller's iterator panic
	do(&next)
}

func (x *Index) put(next *snapshot, id string, p *Policy) {
	hash := p.hash()
	r := x.rules[hash]
	if r != nil && !r.policy.Equal(p) {
		r = nil // two policies of one hash; the second is not shared
	}
	if old, ok := x.ids[id]; ok && old.rule == r {
		return
	}
	x.delete(next, id)
	if r == nil {
		r = x.addRule(next, p, hash)
	}
	r.members++
	x.number++
	x.ids[id] = member{r, x.number}
	next.members.insert(x.edit, slot{r.number, x.number}, id)
}

func (x *Index) delete(next *snapshot, id string) {
	m, ok := x.ids[id]
	if !ok {
		return
	}
	delete(x.ids, id)
	next.members.remove(x.edit, slot{m.rule.number, m.number})
	if m.rule.members--; m.rule.members == 0 {
		x.removeRule(next, m.rule)
	}
}

func (x *Index) addRule(next *snapshot, p *Policy, hash uint64) *rule {
	x.number++
	r := &rule{policy: p, hash: hash, number: x.number, places: p.places()}
	if x.rules[hash] == nil {
		x.rules[hash] = r
	}
	for i := range r.places {
		if s := r.places[i].shape; x.uses[s] == 0 && len(next.shapes[s.chain]) >= maxShapes {
			r.places[i] = kindsOnly(s.chain)
		}
		s := r.places[i].shape
		if x.uses[s]++; x.uses[s] == 1 {
			next.shapes = next.shapes.with(s)
		}
	}
	next.filed += len(r.places)
	slices.SortFunc(r.places, byKey)
	for i, p := range r.places {
		if i == 0 || p.key != r.places[i-1].key {
			next.places.insert(x.edit, slot{p.key, r.number}, r)
		}
	}
	return r
}

func (x *Index) removeRule(next *snapshot, r *rule) {
	if x.rules[r.hash] == r {
		delete(x.rules, r.hash)
	}
	next.filed -= len(r.places)
	for _, p := range r.places {
		next.places.remove(x.edit, slot{p.key, r.number})
		if x.uses[p.shape]--; x.uses[p.shape] == 0 {
			delete(x.uses, p.shape)
			next.shapes = next.shapes.without(p.shape)
		}
	}
}

// hash gives the same number for policies that are Equal.
func (p *Policy) hash() uint64 {
	var h maphash.Hash
	h.SetSeed(placeSeed)
	for i := range p.statements {
		s := &p.statements[i]
		h.WriteByte(flags(s.deny, s.notResources, s.notActions))
		for j := range s.resources {
			h.WriteString(s.resources[j].text)
			h.WriteByte(0)
		}
		for j := range s.actions {
			s.actions[j].hash(&h)
		}
	}
	return h.Sum64()
}

func (p *pattern) hash(h *maphash.Hash) {
	h.WriteString(p.prefix)
	h.WriteByte(flags(p.isLiteral()))
	if p.isLiteral() {
		return
	}
	for _, part := range p.middle {
		h.WriteString(part)
		h.WriteByte('*')
	}
	h.WriteString(p.suffix)
	h.WriteByte(0)
}

// flags packs truths into a byte.
func flags(set ...bool) (b byte) {
	for i, is := range set {
		if is {
			b |= 1 << i
		}
	}
	return b
}
