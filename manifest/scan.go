package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// A scanner walks over a JSON text and fills an index.
type scanner struct {
	*index
	data []byte
	pos  int
}

func (s *scanner) fail(at int, message, remedy string) *syntaxError {
	return &syntaxError{at, message, remedy}
}

// peek returns the next byte, 0 at the end of the text.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) blanks() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

// unexpected describes what stands at the scanner's place.
func (s *scanner) unexpected(wanted string) *syntaxError {
	if s.pos >= len(s.data) {
		return s.fail(s.pos, "the file ends in the middle of the JSON object", "it needs "+wanted)
	}
	r := []rune(string(s.data[s.pos:min(s.pos+4, len(s.data))]))[0]
	message := fmt.Sprintf("%q is not JSON here", string(r))
	if r == '\'' {
		return s.fail(s.pos, message, `strings stand in double quotes`)
	}
	if r == '/' {
		return s.fail(s.pos, message, `JSON has no comments`)
	}
	return s.fail(s.pos, message, "it needs "+wanted)
}

func (s *scanner) value(n *node, depth int) *syntaxError {
	if depth > maxDepth {
		return s.fail(s.pos, fmt.Sprintf("values are nested more than %d deep", maxDepth), "flatten them")
	}
	n.value = s.pos
	switch c := s.peek(); {
	case c == '{':
		return s.object(n, depth)
	case c == '[':
		return s.array(n, depth)
	case c == '"':
		_, err := s.str()
		return err
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		if end := s.pos + len(word); end <= len(s.data) && string(s.data[s.pos:end]) == word {
			s.pos = end
			return nil
		}
	}
	return s.unexpected("a value")
}

func (s *scanner) object(n *node, depth int) *syntaxError {
	s.pos++ // {
	if s.blanks(); s.peek() == '}' {
		s.pos++
		return nil
	}
	seen := map[string]int{}
	for {
		at := s.pos
		name, err := s.name()
		if err != nil {
			return err
		}
		if first, repeated := seen[name]; repeated {
			s.duplicates = append(s.duplicates, duplicate{name, at, first})
		} else {
			seen[name] = at
		}
		n.children = append(n.children, node{name: name, key: at})
		if err := s.value(&n.children[len(n.children)-1], depth+1); err != nil {
			return err
		}
		if done, err := s.next('}', "a comma or a closing brace"); done || err != nil {
			return err
		}
	}
}

// name reads a member's name and the colon behind it.
func (s *scanner) name() (string, *syntaxError) {
	if s.peek() != '"' {
		return "", s.unexpected("a name in double quotes")
	}
	name, err := s.str()
	if err != nil {
		return "", err
	}
	if s.blanks(); s.peek() != ':' {
		return "", s.unexpected("a colon")
	}
	s.pos++
	s.blanks()
	return name, nil
}

func (s *scanner) array(n *node, depth int) *syntaxError {
	s.pos++ // [
	if s.blanks(); s.peek() == ']' {
		s.pos++
		return nil
	}
	for {
		n.children = append(n.children, node{key: -1})
		if err := s.value(&n.children[len(n.children)-1], depth+1); err != nil {
			return err
		}
		if done, err := s.next(']', "a comma or a closing bracket"); done || err != nil {
			return err
		}
	}
}

// next reads what stands behind a member or an item: a comma, or the end.
func (s *scanner) next(closing byte, wanted string) (done bool, err *syntaxError) {
	s.blanks()
	switch s.peek() {
	case closing:
		s.pos++
		return true, nil
	case ',':
		comma := s.pos
		s.pos++
		if s.blanks(); s.peek() == closing {
			return false, s.fail(comma, fmt.Sprintf("there is a comma before the closing %q", string(closing)), "take the comma out")
		}
		return false, nil
	}
	return false, s.unexpected(wanted)
}

// str reads a string and returns it decoded.
func (s *scanner) str() (string, *syntaxError) {
	start := s.pos
	s.pos++ // "
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return s.decode(start)
		case c == '\\':
			s.pos += 2
		case c < ' ':
			return "", s.fail(s.pos, "there is a line break or another control character in a string", `write it as an escape, for instance \n`)
		default:
			s.pos++
		}
	}
	s.pos = len(s.data)
	return "", s.fail(start, "this string has no end", "close it with a double quote")
}

// decode leaves the escapes to encoding/json, which knows them all.
func (s *scanner) decode(start int) (string, *syntaxError) {
	var text string
	if err := json.Unmarshal(s.data[start:s.pos], &text); err != nil {
		return "", s.fail(start, "this string has an escape that JSON does not know", `a backslash itself is written \\`)
	}
	return text, nil
}

// number reads a number. No member of a manifest is one, so that a narrow bound
// does no harm; without it, the validator would compute 1e999999 to its last
// digit.
func (s *scanner) number() *syntaxError {
	start := s.pos
	for s.pos < len(s.data) && strings.IndexByte("0123456789+-.eE", s.data[s.pos]) >= 0 {
		s.pos++
	}
	literal := s.data[start:s.pos]
	if !json.Valid(literal) {
		return s.fail(start, fmt.Sprintf("%.40q is not a number of JSON", literal), "")
	}
	exponent := literal[bytes.IndexAny(literal, "eE")+1:] // all of it where there is none
	if len(literal) > 40 || len(exponent) < len(literal) && len(exponent) > 4 {
		return s.fail(start, "this number is too long", "write it with at most 40 characters and three digits of exponent")
	}
	return nil
}
