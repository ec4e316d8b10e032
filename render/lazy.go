package render

import (
	"iter"
	"strings"
)

// Written returns the value of a text that AppendJSON wrote, without reading it: an array or an object in it is read
// when it is first asked for, one level at a time, and until then is written as it stands. What AppendJSON did not write
// gives undefined, or arrays and objects that are empty: see to it that the text is what it was.
func Written(text string) Value {
	v := lazy(text, new(compound))
	if v.kind != KindUndefined {
		v.ref.memory = 0 // counted when it is asked for
	}
	return v
}

// lazyFrom is the length from which on it is worth waiting until a text is asked for.
const lazyFrom = 48

// lazy is the array or object of a text; undefined when it is that of neither.
func lazy(text string, c *compound) Value {
	kind := KindUndefined
	switch {
	case len(text) < 2:
	case text[0] == '{':
		kind = KindObject
	case text[0] == '[':
		kind = KindArray
	}
	if kind == KindUndefined {
		return Value{}
	}
	c.weight, c.memory = clamp(int64(len(text))), clamp(usualMemory*int64(len(text)))
	return Value{kind: kind, str: text, ref: c}
}

// usualMemory is how much more than its text a value that was read usually takes.
const usualMemory = 5

// writtenMemory is what a text takes at most when all of it was read.
func writtenMemory(text string) int32 {
	parts := int64(1 + strings.Count(text, "{") + strings.Count(text, "["))
	return clamp(parts*compoundBytes + (parts+int64(strings.Count(text, ",")))*memberBytes)
}

// whole is what an array or object is made of, read if it has not been yet.
func (v Value) whole() *compound {
	if v.str == "" {
		return v.ref
	}
	if c := v.ref.read.Load(); c != nil {
		return c
	}
	v.ref.read.CompareAndSwap(nil, readLevel(v.str, v.kind))
	return v.ref.read.Load() // of several readers the first one's, so that its parts keep their identity
}

// glanceUpTo is the length of a text up to which a member is found by a look at the text, as long as nobody needs more.
const glanceUpTo = 512

// glance looks for a member in the text of an object that was not read yet. It gives up on what is not simple: members
// that are arrays or objects, escapes, and long texts.
func (v Value) glance(key string) (x Value, found, ok bool) {
	if v.str == "" || len(v.str) > glanceUpTo || v.ref.read.Load() != nil {
		return x, false, false
	}
	if v.str == "{}" {
		return x, false, true
	}
	for rest := v.str[1:]; ; {
		name, value, after, ok := cutMember(rest)
		if !ok || strings.IndexByte(name, '\\') >= 0 {
			return x, false, false
		}
		if name[1:len(name)-1] == key {
			x, ok = simple(value)
			return x, ok, ok
		}
		if rest = after; rest == "" {
			return x, false, true
		}
	}
}

// cutMember takes a member off what stands in an object behind its brace or a comma: its name, with the quotes, its
// value, and what comes behind the next comma, nothing behind the last member. It is not ok where there is none.
func cutMember(text string) (name, value, after string, ok bool) {
	if text == "" || text[0] != '"' {
		return "", "", "", false
	}
	name = text[:stringExtent(text)]
	text = text[len(name):]
	if len(name) < 2 || text == "" {
		return "", "", "", false
	}
	text = text[1:] // the colon
	value = text[:extent(text)]
	text = text[len(value):]
	if value == "" || text == "" || text != "}" && text[0] != ',' {
		return "", "", "", false
	}
	return name, value, text[1:], true
}

// MemberTexts yields the members of an object with the texts of their values, without reading these. The object is a
// text that AppendJSON wrote; for any other there are none, or the first few.
func MemberTexts(object string) iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		if object == "" || object[0] != '{' {
			return
		}
		for rest := object[1:]; rest != ""; {
			name, value, after, ok := cutMember(rest)
			if !ok || !yield(unquoted(name), value) {
				return
			}
			rest = after
		}
	}
}

// unquoted is the string of a text.
func unquoted(text string) string {
	if inside := text[1 : len(text)-1]; strings.IndexByte(inside, '\\') < 0 {
		return inside
	}
	v, _ := ParseJSON([]byte(text)) // what cannot be read is like what is empty
	return v.AsString()
}

// simple reads a value that is neither an array or object nor has escapes.
func simple(text string) (v Value, ok bool) {
	switch c := text[0]; {
	case c == '"':
		s := text[1 : len(text)-1]
		return Value{kind: KindString, str: s}, strings.IndexByte(s, '\\') < 0
	case c == '{' || c == '[':
		return v, false
	}
	p := jsonParser{text: text}
	err := p.value(&v)
	return v, err == nil && p.pos == len(text)
}

func (v Value) items() []Value    { return v.whole().items }
func (v Value) members() []Member { return v.whole().members }

// readLevel reads the outermost array or object of a text.
func readLevel(text string, kind Kind) *compound {
	p := jsonParsers.Get().(*jsonParser)
	defer p.release()
	p.text, p.valid, p.lazy = text, true, true
	p.maker.want = lazyBatch
	v, err := p.document()
	if err != nil || v.kind != kind {
		return new(compound)
	}
	return v.ref
}

// lazyBatch is how many parts of a level are made at a time.
const lazyBatch = 12

// later passes over an array or object that is worth waiting for.
func (p *jsonParser) later(into *Value) bool {
	if !p.lazy || p.depth == 0 {
		return false
	}
	n := extent(p.text[p.pos:])
	if n < lazyFrom {
		return false
	}
	*into = lazy(p.text[p.pos:p.pos+n], p.maker.compound())
	p.pos += n
	return true
}

// extent is the length of the value that a text begins with, 0 when it has no end.
func extent(text string) int {
	switch {
	case text == "":
		return 0
	case text[0] == '"':
		return stringExtent(text)
	case text[0] != '{' && text[0] != '[':
		return max(strings.IndexAny(text, ",]}"), 0)
	}
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			n := stringExtent(text[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// stringExtent is the length of the string that a text begins with, with its quotes; 0 when it has no end.
func stringExtent(text string) int {
	for i := 1; i < len(text); i++ {
		n := strings.IndexByte(text[i:], '"')
		if n < 0 {
			return 0
		}
		i += n
		escapes := 0
		for text[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
	return 0
}
