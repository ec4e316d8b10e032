package policy

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"slices"
)

// An Index files a policy in places, by what its allow statements ask of an
// access, and looks for an event in the places where such a policy can be. Places
// are named by a hash; two that share one by chance cost time and nothing else,
// since all that is found is evaluated. The hash is seeded anew in every process,
// so that nobody can arrange for many to meet.
var placeSeed = maphash.MakeSeed()

const (
	// maxPlaces bounds the places of one policy. A policy with more is filed
	// without its actions or, where that does not help, by kinds alone.
	maxPlaces = 1024

	// maxShapes bounds the shapes of one chain of kinds, and with them how often
	// an access is looked for. Of later shapes, only the kinds are told apart.
	maxShapes = 256
)

// A chain stands for the kinds of a resource, like proj:env:flag. The zero chain
// is any: that of a lone * and of notResources.
type chain struct {
	hash  uint64
	depth int
}

// A shape is what a place tells accesses apart by. Accesses are looked for once
// per shape in use: for policies of one shape, however many they are.
type shape struct {
	chain    chain
	literals uint16 // bit i: the key of segment i
	// The first prefixLength bytes of the key of segment prefixAt, 0 for none.
	prefixAt, prefixLength uint8
	// A tag or property of segment selectorAt-1, 0 for none.
	selectorAt uint8
	// The first actionLength bytes of the action, 0 for none, wholeAction for all.
	actionLength uint8
}

const wholeAction = 255

// A place is one of a shape's: with all texts that the shape asks for.
type place struct {
	key   uint64
	shape shape
}

func byKey(a, b place) int { return cmp.Compare(a.key, b.key) }

// kindsOnly is the place of a chain alone.
func kindsOnly(c chain) place {
	s := shape{chain: c}
	return place{s.hash(), s}
}

func (s shape) hash() uint64 { return maphash.Comparable(placeSeed, s) }

func hashText(text string) uint64 { return maphash.String(placeSeed, text) }

func hashProperty(name, value string) uint64 { return fold(hashText(name), hashText(value)) }

// fold mixes two hashes into one; the order counts.
func fold(h, with uint64) uint64 {
	high, low := bits.Mul64(h^0x9e3779b97f4a7c15, with^0xd1b54a32d192ed03)
	return high ^ bits.RotateLeft64(low, 32) ^ h
}

func (c chain) below(kind string) chain {
	return chain{fold(c.hash, hashText(kind)), c.depth + 1}
}

// rung shortens the length of a prefix to one of few, so that shapes are few.
func rung(length int) uint8 {
	switch {
	case length <= 8:
		return uint8(length)
	case length <= 16:
		return uint8(length &^ 1)
	}
	return uint8(min(length&^7, 64))
}

// The detail in which a policy is filed.
type detail uint8

const (
	byKinds detail = iota
	byTexts
	byActions
)

// places lists where the policy is filed, in the order of the keys: in every one
// of them that an access may be looked for which an allow statement is about.
func (p *Policy) places() []place {
	for d := byActions; ; d-- {
		if places, ok := p.placesBy(d); ok {
			slices.SortFunc(places, byKey)
			return slices.Clone(slices.Compact(places)) // without the room to grow
		}
	}
}

// placesBy gives up on more than maxPlaces, except by kinds, of which there are
// as many as the table has.
func (p *Policy) placesBy(d detail) (places []place, ok bool) {
	for i := range p.statements {
		s := &p.statements[i]
		if s.deny {
			continue
		}
		for _, action := range s.actionPlaces(d) {
			resources := s.resources
			if s.notResources {
				resources = anyResource
			}
			for j := range resources {
				places = append(places, resources[j].place(d, action))
				if d > byKinds && len(places) > maxPlaces {
					return nil, false
				}
			}
		}
		if d == byKinds {
			slices.SortFunc(places, byKey)
			places = slices.Compact(places)
		}
	}
	return places, true
}

// anyResource stands for what notResources leaves, which could be anything.
var anyResource = []specifier{{any: true}}

// anyAction asks nothing of an action.
var anyAction = pattern{glob: anything}

// actionPlaces lists the actions to tell apart; only anyAction where one of them
// could be any.
func (s *statement) actionPlaces(d detail) []pattern {
	if d < byActions || s.notActions {
		return []pattern{anyAction}
	}
	for i := range s.actions {
		if !s.actions[i].isLiteral() && s.actions[i].prefix == "" {
			return []pattern{anyAction}
		}
	}
	return s.actions
}

// place finds the shape of a specifier with an action and hashes its texts, in
// the order of finder.look.
func (s *specifier) place(d detail, action pattern) place {
	var sh shape
	if s.any {
		if d == byKinds {
			return kindsOnly(chain{})
		}
	} else {
		for i := range s.segments {
			sh.chain = sh.chain.below(s.segments[i].kind)
		}
		if d == byKinds {
			return kindsOnly(sh.chain)
		}
	}
	var texts [maxSegments + 3]uint64
	hashes := texts[:0]
	for i := range s.segments {
		key := &s.segments[i].key
		if key.isLiteral() {
			sh.literals |= 1 << i
			hashes = append(hashes, hashText(key.prefix))
		} else if n := rung(len(key.prefix)); n > 0 && n >= sh.prefixLength {
			sh.prefixAt, sh.prefixLength = uint8(i), n
		}
	}
	if n := sh.prefixLength; n > 0 {
		hashes = append(hashes, hashText(s.segments[sh.prefixAt].key.prefix[:n]))
	}
	if action.isLiteral() {
		sh.actionLength = wholeAction
		hashes = append(hashes, hashText(action.prefix))
	} else if n := rung(len(action.prefix)); n > 0 {
		sh.actionLength = n
		hashes = append(hashes, hashText(action.prefix[:n]))
	}
	if at, h := s.selector(); at >= 0 {
		sh.selectorAt = uint8(at + 1)
		hashes = append(hashes, h)
	}
	key := sh.hash()
	for _, h := range hashes {
		key = fold(key, h)
	}
	return place{key, sh}
}

// selector picks one literal tag or, where there is none, property: the deepest,
// since what lies deepest differs most. It gives its segment, -1 for none.
func (s *specifier) selector() (at int, hash uint64) {
	for i := len(s.segments) - 1; i >= 0; i-- {
		for j := range s.segments[i].tags {
			if tag := &s.segments[i].tags[j]; tag.isLiteral() {
				return i, hashText(tag.prefix)
			}
		}
	}
	for i := len(s.segments) - 1; i >= 0; i-- {
		for j := range s.segments[i].properties {
			if p := &s.segments[i].properties[j]; p.value.isLiteral() {
				return i, hashProperty(p.name, p.value.prefix)
			}
		}
	}
	return -1, 0
}
