package render

import (
	"iter"
	"slices"
	"strconv"
)

// Kind says what a Value is.
type Kind uint8

// The kinds of a Value. The zero Kind is that of the zero Value: not there at all, which JSON's null is not.
const (
	KindUndefined Kind = iota
	KindNull
	KindBool
	KindNumber
	KindString
	KindArray
	KindObject
)

var kindNames = [...]string{"undefined", "null", "bool", "number", "string", "array", "object"}

// String names the kind as JSON does: "null", "bool", "number", "string", "array", "object", or "undefined".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// Value is an immutable JSON value whose objects keep the order of their members.
// The zero Value is undefined. Values are small, meant to be passed by value, and safe for concurrent use.
type Value struct {
	kind Kind
	safe bool    // a string that is written as it stands, whatever the escaping
	num  float64 // KindNumber; KindBool: 1 is true
	str  string  // KindString; KindNumber: the literal as it was parsed, or empty; of an array or object: see Written
	ref  *compound
}

// Member is one member of an object.
type Member struct {
	Key   string
	Value Value
}

// Null is JSON's null.
var Null = Value{kind: KindNull}

// Bool returns b as a Value.
func Bool(b bool) Value {
	if b {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// Number returns f as a Value. As in JavaScript it may be infinite or not a number; as JSON it is null then.
func Number(f float64) Value { return Value{kind: KindNumber, num: f} }

// String returns s as a Value. Bytes that are not UTF-8 become U+FFFD.
func String(s string) Value { return Value{kind: KindString, str: validText(s)} }

// Array returns an array of the items. The slice belongs to the Value from then on.
// An undefined item is null in JSON.
func Array(items ...Value) Value { return new(compound).array(items) }

// Object returns an object of the members. The slice belongs to the Value from then on.
// Where a key is repeated the last value stands at the first place; undefined members are left out.
func Object(members ...Member) Value {
	for i := range members {
		members[i].Key = validText(members[i].Key)
	}
	return new(compound).object(members)
}

// Kind returns what the value is.
func (v Value) Kind() Kind { return v.kind }

// IsDefined reports whether the value is there; null is.
func (v Value) IsDefined() bool { return v.kind != KindUndefined }

// AsBool returns the boolean, or false when the value is of another kind.
func (v Value) AsBool() bool { return v.kind == KindBool && v.num != 0 }

// AsNumber returns the number, or 0 when the value is of another kind.
func (v Value) AsNumber() float64 {
	if v.kind != KindNumber {
		return 0
	}
	return v.num
}

// AsString returns the string, or "" when the value is of another kind; Text converts.
func (v Value) AsString() string {
	if v.kind != KindString {
		return ""
	}
	return v.str
}

// Len returns the number of items of an array or members of an object, else 0.
func (v Value) Len() int {
	switch v.kind {
	case KindArray:
		return len(v.items())
	case KindObject:
		return len(v.members())
	}
	return 0
}

// At returns the i-th item of an array; undefined when there is none.
func (v Value) At(i int) Value {
	if v.kind != KindArray || i < 0 || i >= len(v.items()) {
		return Value{}
	}
	return v.items()[i]
}

// Get returns the object's member of that name; undefined when there is none.
func (v Value) Get(key string) Value {
	x, _ := v.member(key)
	return x
}

// Has reports whether the value is an object with a member of that name.
func (v Value) Has(key string) bool {
	_, ok := v.member(key)
	return ok
}

func (v Value) member(key string) (Value, bool) {
	if v.kind != KindObject {
		return Value{}, false
	}
	if x, found, ok := v.glance(key); ok {
		return x, found
	}
	c := v.whole()
	if i := c.find(c.members, key); i >= 0 {
		return c.members[i].Value, true
	}
	return Value{}, false
}

// Path returns what Get gives for each key in turn; undefined when one of them is missing.
func (v Value) Path(keys ...string) Value {
	for _, key := range keys {
		v = v.Get(key)
	}
	return v
}

// Members yields the members of an object in their own order; nothing for other kinds.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.kind != KindObject {
			return
		}
		for _, m := range v.members() {
			if !yield(m.Key, m.Value) {
				return
			}
		}
	}
}

// Items yields the items of an array; nothing for other kinds.
func (v Value) Items() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.kind != KindArray {
			return
		}
		for _, x := range v.items() {
			if !yield(x) {
				return
			}
		}
	}
}

// With returns a copy of the object in which that member has the value x: in its place if it was there, else last.
// An undefined x removes the member. A value that is no object counts as an empty one.
func (v Value) With(key string, x Value) Value { return v.WithAll(Member{key, x}) }

// WithAll is With for each of the members in turn, with one copy made.
func (v Value) WithAll(added ...Member) Value {
	members := make([]Member, 0, v.Len()+len(added))
	if v.kind == KindObject {
		members = append(members, v.members()...)
	}
	for _, m := range added {
		members = append(members, Member{validText(m.Key), m.Value})
	}
	return new(compound).object(members)
}

// Equal reports whether both are the same JSON: numbers by value, objects whatever the order of their members.
func (v Value) Equal(o Value) bool {
	if v.kind != o.kind {
		return false
	}
	switch v.kind {
	case KindBool, KindNumber:
		return v.num == o.num
	case KindString:
		return v.str == o.str
	case KindArray:
		return v.ref == o.ref || slices.EqualFunc(v.items(), o.items(), Value.Equal)
	case KindObject:
		return v.ref == o.ref || v.equalMembers(o)
	}
	return true
}

func (v Value) equalMembers(o Value) bool {
	if v.Len() != o.Len() {
		return false
	}
	for _, m := range v.members() {
		if x, ok := o.member(m.Key); !ok || !m.Value.Equal(x) {
			return false
		}
	}
	return true
}
