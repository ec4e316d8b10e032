package policy

import (
	"fmt"
	"strings"
)

// maxSegments bounds the depth of specifiers and resources; the deepest kind of
// the table has 3.
const maxSegments = 16

// maxKind bounds the bytes of a kind's name.
const maxKind = 64

// A scanned segment is the texts of a segment as they stand, undecoded, with
// their 0-based byte offsets.
type scanned struct {
	kind, key     string
	kindAt, keyAt int
	keyless       bool // acct
	items         []scannedItem
}

// A scannedItem is a tag or, where it stood in braces, a property.
type scannedItem struct {
	text     string // the tag or the property's value
	at       int
	name     string // the property's name
	property bool
}

// A scanner cuts specifiers and resources, which share one grammar, in one pass.
type scanner struct {
	text string
	pos  int
	// specifier makes it read over a '/' before a kind, as LaunchDarkly's API
	// samples write it, and refuse blanks around texts, where they are mistakes.
	specifier bool
}

// scan cuts a whole text into segments, which it appends to an empty slice.
func (s *scanner) scan(segments []scanned) ([]scanned, *fault) {
	if s.text == "" {
		return nil, s.fault(0, "the text is empty", "write kind/key segments, like proj/web:env/production:flag/checkout")
	}
	for i := range len(s.text) {
		if isControl(s.text[i]) {
			return nil, s.fault(i, fmt.Sprintf("control character %q", s.text[i]), fmt.Sprintf("write it as %%%02X", s.text[i]))
		}
	}
	if at := strings.Index(s.text, "${"); at >= 0 {
		return nil, s.fault(at, "role attributes have no value here", "write the value itself, or *")
	}
	for {
		if len(segments) == maxSegments {
			return nil, s.fault(s.pos, fmt.Sprintf("more than %d segments", maxSegments), "remove some")
		}
		segment, f := s.segment(segments)
		if f != nil {
			return nil, f
		}
		segments = append(segments, segment)
		if s.pos == len(s.text) {
			return segments, nil
		}
		s.pos++ // the ':'
	}
}

// segment reads one segment up to the ':' behind it or the end.
func (s *scanner) segment(before []scanned) (scanned, *fault) {
	var seg scanned
	if s.specifier && s.peek() == '/' {
		s.pos++
	}
	seg.kindAt = s.pos
	seg.kind = s.until("/:;,{}*")
	if s.peek() != '/' {
		return s.keyless(seg, before)
	}
	if f := s.checkKind(seg); f != nil {
		return seg, f
	}
	s.pos++
	seg.keyAt = s.pos
	seg.key = s.until(":;,{}")
	if c := s.peek(); c != 0 && c != ':' && c != ';' {
		return seg, s.fault(s.pos, fmt.Sprintf("%q in the key of a %s", c, seg.kind),
			fmt.Sprintf("tags and {property:value} come after ';'; in a key write it as %%%02X", c))
	}
	if seg.key == "" {
		return seg, s.fault(seg.keyAt, fmt.Sprintf("the key of the %s is missing", seg.kind), s.orWildcard(seg.kind))
	}
	if f := s.checkBlanks(seg.key, seg.keyAt, "key"); f != nil {
		return seg, f
	}
	if s.peek() == ';' {
		return seg, s.items(&seg)
	}
	return seg, nil
}

// keyless accepts a keyless kind that is the whole text, and explains any other
// segment without a '/'.
func (s *scanner) keyless(seg scanned, before []scanned) (scanned, *fault) {
	if len(before) == 0 && s.pos == len(s.text) && isKeyless(seg.kind) {
		seg.keyless = true
		return seg, nil
	}
	if len(before) > 0 && seg.kind != "" {
		if items := before[len(before)-1].items; len(items) > 0 && !items[len(items)-1].property {
			last := items[len(items)-1]
			return seg, s.fault(last.at, fmt.Sprintf("%s is neither a tag nor a segment", quote(last.text+":"+seg.kind)),
				fmt.Sprintf("write a property in braces, {%s:%s}, and a segment as kind/key", last.text, seg.kind))
		}
	}
	switch {
	case isKeyless(seg.kind):
		return seg, s.fault(seg.kindAt, seg.kind+" stands alone", "write "+seg.kind)
	case s.peek() == '*':
		hint := "name the kind, like flag/checkout"
		if s.specifier {
			hint = "name the kind, like flag/*; a lone * is any resource"
		}
		return seg, s.fault(s.pos, "'*' in the place of a kind", hint)
	case seg.kind == "" && s.pos == len(s.text):
		return seg, s.fault(s.pos, "a segment is missing after ':'", "write kind/key, or remove the ':'")
	case seg.kind == "":
		return seg, s.fault(s.pos, fmt.Sprintf("%q where a kind should be", s.peek()), "write kind/key")
	}
	hint := "write kind/key, like flag/" + seg.kind
	if f := s.checkKind(seg); f != nil {
		hint = "write kind/key segments joined by ':'"
	}
	return seg, s.fault(seg.kindAt, fmt.Sprintf("%s is not kind/key", quote(seg.kind)), hint)
}

// items reads ';' and the tags and properties behind it.
func (s *scanner) items(seg *scanned) *fault {
	for {
		s.pos++ // the ';' or ','
		if len(seg.items) == maxSelectors {
			return s.fault(s.pos, fmt.Sprintf("more than %d tags and properties in one segment", maxSelectors), "remove some")
		}
		item := scannedItem{at: s.pos}
		var f *fault
		if s.peek() == '{' {
			f = s.property(&item)
		} else {
			item.text = s.until(":;,{}")
			if item.text == "" {
				f = s.fault(s.pos, "a tag is missing", "write a tag or a {property:value}, or remove the separator before it")
			} else {
				f = s.checkBlanks(item.text, item.at, "tag")
			}
		}
		if f != nil {
			return f
		}
		seg.items = append(seg.items, item)
		switch c := s.peek(); c {
		case 0, ':':
			return nil
		case ',':
		case ';':
			return s.fault(s.pos, "a second ';' in one segment", "separate tags and properties by ','")
		default:
			return s.fault(s.pos, fmt.Sprintf("%q in or after a tag or property", c),
				fmt.Sprintf("separate tags and {property:value} by ','; in a text write it as %%%02X", c))
		}
	}
}

// property reads {name:value}.
func (s *scanner) property(item *scannedItem) *fault {
	open := s.pos
	s.pos++
	nameAt := s.pos
	item.property = true
	item.name = s.until(":;,{}*")
	if s.peek() != ':' || item.name == "" {
		return s.fault(s.pos, "a property is {name:value}", "write it like {critical:true}; the name takes no '*'")
	}
	if f := s.checkBlanks(item.name, nameAt, "property's name"); f != nil {
		return f
	}
	s.pos++
	item.at = s.pos
	item.text = s.until(";,{}") // a value may hold ':'
	switch c := s.peek(); {
	case c == 0:
		return s.fault(open, "'{' is never closed", "write {name:value}")
	case c != '}':
		return s.fault(s.pos, fmt.Sprintf("%q in a property's value", c), fmt.Sprintf("write it as %%%02X", c))
	case item.text == "":
		return s.fault(s.pos, "the property's value is missing", "write {"+item.name+":value}")
	}
	if f := s.checkBlanks(item.text, item.at, "property's value"); f != nil {
		return f
	}
	s.pos++
	return nil
}

// checkKind refuses what cannot be the name of a kind.
func (s *scanner) checkKind(seg scanned) *fault {
	if seg.kind == "" {
		return s.fault(seg.kindAt, "the kind before '/' is missing", "write kind/key")
	}
	if at := badKindByte(seg.kind); at >= 0 {
		return s.fault(seg.kindAt+at, fmt.Sprintf("%s cannot name a kind", quote(seg.kind)),
			fmt.Sprintf("a kind is 1 to %d letters, digits, '-', '_' and '.'", maxKind))
	}
	return nil
}

// badKindByte gives the offset of the first byte that a kind's name cannot have,
// -1 when it is fine.
func badKindByte(kind string) int {
	for i := range len(kind) {
		c := kind[i]
		ok := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || i > 0 && strings.IndexByte("-_.", c) >= 0
		if !ok || i == maxKind {
			return i
		}
	}
	if kind == "" {
		return 0
	}
	return -1
}

func (s *scanner) checkBlanks(text string, at int, what string) *fault {
	if !s.specifier || strings.Trim(text, " ") == text {
		return nil
	}
	if strings.HasSuffix(text, " ") {
		at += len(strings.TrimRight(text, " "))
	}
	return s.fault(at, "a blank around a "+what, "remove it, or write it as %20")
}

func (s *scanner) orWildcard(kind string) string {
	if s.specifier {
		return "write " + kind + "/* for any"
	}
	return "write " + kind + "/ and the key"
}

// until reads up to the first of the stop bytes or the end.
func (s *scanner) until(stops string) string {
	rest := s.text[s.pos:]
	if n := strings.IndexAny(rest, stops); n >= 0 {
		rest = rest[:n]
	}
	s.pos += len(rest)
	return rest
}

// peek gives the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos == len(s.text) {
		return 0
	}
	return s.text[s.pos]
}

func (s *scanner) fault(offset int, message, hint string) *fault {
	return &fault{column: offset + 1, message: message, hint: hint}
}
