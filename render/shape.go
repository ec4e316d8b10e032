package render

import "slices"

// Shape says what a value may be, as far as that is known before there is one. The nil Shape is a value that is never
// there. What may be null or missing at times is not told apart from what is always there.
type Shape struct {
	Kinds   Kinds
	Chars   Chars             // in its texts
	Members map[string]*Shape // of objects
	Rest    *Shape            // any other member of objects; nil: there are no others
	Items   *Shape            // of arrays
}

// Kinds is a set of kinds of values.
type Kinds uint8

// KindsOf makes the set of some kinds.
func KindsOf(kinds ...Kind) Kinds {
	var set Kinds
	for _, k := range kinds {
		set |= 1 << k
	}
	return set
}

// Has reports whether the set has that kind.
func (k Kinds) Has(kind Kind) bool { return k&(1<<kind) != 0 }

// Chars tells which characters with a meaning elsewhere a text may hold.
type Chars uint8

// The classes of characters.
const (
	CharsMarkup Chars = 1 << iota // those that HTML escaping replaces, quotes aside: & < > ' ` =
	CharsQuote                    // those that end or break a JSON string: " \ and control characters
)

// CharsOf returns the classes of the characters in a text.
func CharsOf(text string) (c Chars) {
	for i := range len(text) {
		switch {
		case jsonEscapes[text[i]] != "":
			c |= CharsQuote
		case htmlEscapes[text[i]] != "":
			c |= CharsMarkup
		}
	}
	return c
}

// The shapes that others are made of.
var (
	AnyShape    = anyShape() // anything, with anything below it
	TextShape   = &Shape{Kinds: KindsOf(KindString), Chars: CharsMarkup | CharsQuote}
	PlainShape  = &Shape{Kinds: KindsOf(KindString)} // a text that needs no escaping anywhere
	NumberShape = &Shape{Kinds: KindsOf(KindNumber)}
	BoolShape   = &Shape{Kinds: KindsOf(KindBool)}
)

func anyShape() *Shape {
	s := &Shape{
		Kinds: KindsOf(KindNull, KindBool, KindNumber, KindString, KindArray, KindObject),
		Chars: CharsMarkup | CharsQuote,
	}
	s.Rest, s.Items = s, s
	return s
}

// ObjectShape is an object with those members and no others.
func ObjectShape(members map[string]*Shape) *Shape {
	return &Shape{Kinds: KindsOf(KindObject), Members: members}
}

// ArrayShape is an array of such items.
func ArrayShape(items *Shape) *Shape { return &Shape{Kinds: KindsOf(KindArray), Items: items} }

// ShapeOf is the shape of a value: what it is, and what has its members and items.
func ShapeOf(v Value) *Shape {
	switch v.kind {
	case KindString:
		return &Shape{Kinds: KindsOf(KindString), Chars: CharsOf(v.str)}
	case KindArray:
		var items *Shape
		for x := range v.Items() {
			items = unite(items, ShapeOf(x))
		}
		return ArrayShape(items)
	case KindObject:
		members := make(map[string]*Shape, v.Len())
		for key, x := range v.Members() {
			members[key] = ShapeOf(x)
		}
		return ObjectShape(members)
	}
	return &Shape{Kinds: KindsOf(v.kind)}
}

// unite is the shape of what has one or the other.
func unite(a, b *Shape) *Shape {
	switch {
	case a == nil || b == AnyShape:
		return b
	case b == nil || a == AnyShape || a == b:
		return a
	}
	out := &Shape{
		Kinds: a.Kinds | b.Kinds, Chars: a.Chars | b.Chars,
		Members: a.Members, Rest: unite(a.Rest, b.Rest), Items: unite(a.Items, b.Items),
	}
	if len(b.Members) > 0 {
		out.Members = make(map[string]*Shape, len(a.Members)+len(b.Members))
		for _, from := range []map[string]*Shape{a.Members, b.Members} {
			for key, s := range from {
				out.Members[key] = unite(out.Members[key], s)
			}
		}
	}
	return out
}

// chars are those of the value's text.
func (s *Shape) chars() Chars {
	if s == nil {
		return 0
	}
	c := s.Chars
	if s.Kinds.Has(KindArray) && s.Items != nil && s.Items != s {
		c |= s.Items.chars()
	}
	return c
}

// property is the shape of what property finds.
func (s *Shape) property(name string) *Shape {
	if s == nil {
		return nil
	}
	var out *Shape
	if s.Kinds.Has(KindObject) {
		if m, known := s.Members[name]; known {
			out = m
		} else {
			out = s.Rest
		}
	}
	listed := s.Kinds.Has(KindArray) || s.Kinds.Has(KindString)
	if name == "length" && listed {
		out = unite(out, NumberShape)
	}
	if _, ok := arrayIndex(name); ok && listed {
		if s.Kinds.Has(KindArray) {
			out = unite(out, s.Items)
		}
		if s.Kinds.Has(KindString) {
			out = unite(out, &Shape{Kinds: KindsOf(KindString), Chars: s.Chars})
		}
	}
	return out
}

// each is the shape of what {{#each}} goes through.
func (s *Shape) each() *Shape {
	if s == nil {
		return AnyShape
	}
	out := s.Items
	if s.Kinds.Has(KindObject) {
		out = unite(out, s.member())
	}
	return out
}

// member is the shape of a member whose name is not known.
func (s *Shape) member() *Shape {
	out := s.Rest
	for _, m := range s.Members {
		out = unite(out, m)
	}
	return out
}

// names lists the members that are known.
func (s *Shape) names() []string {
	if s == nil {
		return nil
	}
	names := make([]string, 0, len(s.Members))
	for name := range s.Members {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
