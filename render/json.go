package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxJSONDepth is how deep arrays and objects may be nested in what ParseJSON reads.
const maxJSONDepth = 200

// JSONError says why a text is not JSON. Line and Column count from 1, the column in characters.
type JSONError struct {
	Line, Column int
	Message      string
}

// Error returns the message behind its place.
func (e *JSONError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// ParseJSON reads one JSON text (RFC 8259) and keeps the order of members and the literals of numbers. Of a repeated
// key the last value counts, at the first one's place, as in JSON.parse. Nesting is limited to 200.
// Bytes that are not UTF-8 and lone surrogates become U+FFFD. Errors are *JSONError.
func ParseJSON(data []byte) (Value, error) {
	p := jsonParsers.Get().(*jsonParser)
	defer p.release()
	p.text = string(data)
	p.valid = utf8.ValidString(p.text)
	p.maker.want = strings.Count(p.text, "{") + strings.Count(p.text, "[") // too many, where strings have them
	v, err := p.document()
	if err != nil {
		return Value{}, err
	}
	return v, nil
}

// UnmarshalJSON reads the value as ParseJSON does.
func (v *Value) UnmarshalJSON(data []byte) error {
	x, err := ParseJSON(data)
	if err != nil {
		return err
	}
	*v = x
	return nil
}

// jsonParser reads one text. Its stacks hold what has been read of the arrays and objects that are not at their end
// yet, the innermost last; what is at its end moves to a slice of its own, of the right size.
type jsonParser struct {
	text    string
	valid   bool // the text is UTF-8 throughout
	lazy    bool // below the outermost level, what is long is read later
	pos     int
	depth   int
	items   []Value
	members []Member
	escaped []byte // a string that has escapes, without them
	maker   maker
}

var jsonParsers = sync.Pool{New: func() any { return new(jsonParser) }}

// keptStack bounds the stacks that are kept for the next text.
const keptStack = 1024

// release keeps the stacks for the next text. Only where the text had an error is something left on them.
func (p *jsonParser) release() {
	if cap(p.items) > keptStack || cap(p.members) > keptStack || cap(p.escaped) > keptStack*8 {
		return
	}
	clear(p.items)
	clear(p.members)
	*p = jsonParser{items: p.items[:0], members: p.members[:0], escaped: p.escaped[:0]}
	jsonParsers.Put(p)
}

// pop moves what stands on a stack from a place on to a slice of its own.
func pop[T any](stack *[]T, from int) []T {
	top := (*stack)[from:]
	own := make([]T, len(top))
	copy(own, top)
	clear(top)
	*stack = (*stack)[:from]
	return own
}

func (p *jsonParser) document() (v Value, err error) {
	if err := p.value(&v); err != nil {
		return v, err
	}
	if p.skip(); p.pos < len(p.text) {
		return v, p.unexpected("the end of the text")
	}
	return v, nil
}

func (p *jsonParser) skip() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// value reads a value of any kind.
func (p *jsonParser) value(into *Value) error {
	p.skip()
	if p.pos == len(p.text) {
		return p.unexpected("a value")
	}
	switch c := p.text[p.pos]; {
	case c == '"':
		s, err := p.string()
		*into = Value{kind: KindString, str: s}
		return err
	case (c == '{' || c == '[') && p.later(into):
		return nil
	case c == '{' || c == '[':
		if p.depth++; p.depth > maxJSONDepth {
			return p.errorf(p.pos, "nested more than %d deep", maxJSONDepth)
		}
		defer func() { p.depth-- }()
		if p.pos++; c == '{' {
			return p.object(into)
		}
		return p.array(into)
	case c == '-' || isDigit(c):
		return p.number(into)
	}
	for _, w := range jsonWords {
		if strings.HasPrefix(p.text[p.pos:], w.text) {
			p.pos += len(w.text)
			*into = w.value
			return nil
		}
	}
	return p.unexpected("a value")
}

var jsonWords = []struct {
	text  string
	value Value
}{{"null", Null}, {"true", Bool(true)}, {"false", Bool(false)}}

// next skips white space and the byte c, and reports whether c was there.
func (p *jsonParser) next(c byte) bool {
	p.skip()
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *jsonParser) array(into *Value) error {
	from := len(p.items)
	var item Value
	for done := p.next(']'); !done; {
		if err := p.value(&item); err != nil {
			return err
		}
		p.items = append(p.items, item)
		if done = p.next(']'); !done && !p.next(',') {
			return p.unexpected("',' or ']'")
		}
	}
	*into = p.maker.compound().array(pop(&p.items, from))
	return nil
}

func (p *jsonParser) object(into *Value) error {
	from := len(p.members)
	var m Member
	for done := p.next('}'); !done; {
		if p.skip(); p.pos == len(p.text) || p.text[p.pos] != '"' {
			return p.unexpected("a member's name in double quotes")
		}
		var err error
		if m.Key, err = p.string(); err != nil {
			return err
		}
		if !p.next(':') {
			return p.unexpected("':'")
		}
		if err := p.value(&m.Value); err != nil {
			return err
		}
		p.members = append(p.members, m)
		if done = p.next('}'); !done && !p.next(',') {
			return p.unexpected("',' or '}'")
		}
	}
	*into = p.maker.compound().object(pop(&p.members, from))
	return nil
}

func (p *jsonParser) number(into *Value) error {
	start := p.pos
	p.accept("-")
	if !p.accept("0") && !p.digits() {
		return p.unexpected("a digit")
	}
	if p.accept(".") && !p.digits() {
		return p.unexpected("a digit")
	}
	if p.accept("eE") {
		p.accept("+-")
		if !p.digits() {
			return p.unexpected("a digit")
		}
	}
	literal := p.text[start:p.pos]
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil && !math.IsInf(f, 0) {
		return p.errorf(start, "bad number %s", literal)
	}
	*into = Value{kind: KindNumber, num: f, str: literal}
	return nil
}

// digits reads digits, and reports whether there were any.
func (p *jsonParser) digits() bool {
	from := p.pos
	for p.pos < len(p.text) && isDigit(p.text[p.pos]) {
		p.pos++
	}
	return p.pos > from
}

// accept reads a byte of a set, and reports whether it was there.
func (p *jsonParser) accept(set string) bool {
	if p.pos < len(p.text) && strings.IndexByte(set, p.text[p.pos]) >= 0 {
		p.pos++
		return true
	}
	return false
}

func (p *jsonParser) unexpected(want string) error {
	if p.pos >= len(p.text) {
		return p.errorf(p.pos, "the text ends where %s is expected", want)
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return p.errorf(p.pos, "found %q where %s is expected", r, want)
}

func (p *jsonParser) errorf(pos int, format string, args ...any) error {
	line, column := position(p.text, pos)
	return &JSONError{Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
}
