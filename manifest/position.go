package manifest

import (
	"bytes"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a manifest; the schema needs less than 16.
const maxDepth = 64

// An index knows where in a JSON text each value and each key is. Decoders of
// JSON tell neither, and let repeated keys and trailing data pass.
type index struct {
	data       []byte
	root       node
	duplicates []duplicate
}

// A node is a value, or an array's or object's item with what is below it.
// Offsets are in bytes; key is -1 for the root and for array items.
type node struct {
	name       string // as in the object, decoded
	key, value int
	children   []node
}

// A duplicate is a name that an object holds twice.
type duplicate struct {
	name      string
	at, first int
}

// A syntaxError is the first thing in a text that is not JSON.
type syntaxError struct {
	at      int
	message string
	remedy  string
}

func (e *syntaxError) Error() string { return e.message }

var byteOrderMark = []byte("\xef\xbb\xbf")

// newIndex reads a whole JSON text: strictly RFC 8259, UTF-8, one value. The
// index is useful up to the error.
func newIndex(data []byte) (*index, *syntaxError) {
	ix := &index{data: data, root: node{key: -1}}
	if bytes.HasPrefix(data, byteOrderMark) {
		return ix, &syntaxError{0, "the file begins with a byte order mark", "save it as UTF-8 without one"}
	}
	if at := invalidUTF8(data); at >= 0 {
		return ix, &syntaxError{at, fmt.Sprintf("byte 0x%02x is not UTF-8", data[at]), "save the file as UTF-8"}
	}
	s := &scanner{index: ix, data: data}
	s.blanks()
	if s.pos == len(data) {
		return ix, &syntaxError{0, "the file is empty", "it must hold one JSON object"}
	}
	if err := s.value(&ix.root, 0); err != nil {
		return ix, err
	}
	s.blanks()
	if s.pos < len(data) {
		return ix, &syntaxError{s.pos, "there is something behind the end of the JSON object", "take it out"}
	}
	return ix, nil
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// position turns a byte offset into line and column, both from 1, the column
// in characters.
func (ix *index) position(offset int) (line, column int) {
	offset = min(max(offset, 0), len(ix.data))
	before := ix.data[:offset]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// find returns the node of a JSON pointer, or of the nearest value around it.
func (ix *index) find(pointer string) *node {
	at := &ix.root
	for _, token := range split(pointer) {
		next := at.child(token)
		if next == nil {
			return at
		}
		at = next
	}
	return at
}

// pointer returns the JSON pointer of the member whose name stands at an offset.
func (ix *index) pointer(offset int) string {
	at, pointer := &ix.root, ""
	for at.key != offset {
		// children stand in the text's order: the last that begins in front
		n := sort.Search(len(at.children), func(n int) bool { return at.children[n].start() > offset }) - 1
		if n < 0 {
			break
		}
		isItem := at.children[n].key < 0
		at = &at.children[n]
		if isItem {
			pointer = join(pointer, n)
		} else {
			pointer = join(pointer, at.name)
		}
	}
	return pointer
}

// start is where the name or, without one, the value begins.
func (n *node) start() int {
	if n.key >= 0 {
		return n.key
	}
	return n.value
}

// child returns the member of that name (the last, where it is repeated) or
// the item of that number.
func (n *node) child(token string) *node {
	if len(n.children) > 0 && n.children[0].key < 0 {
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.children) {
			return &n.children[i]
		}
		return nil
	}
	for i := len(n.children) - 1; i >= 0; i-- {
		if c := &n.children[i]; c.name == token {
			return c
		}
	}
	return nil
}

// inString returns the offset in the file of byte n of the decoded string that
// begins at offset start.
func (ix *index) inString(start, n int) int {
	if start >= len(ix.data) || ix.data[start] != '"' {
		return start
	}
	at := start + 1
	for decoded := 0; decoded < n && at < len(ix.data) && ix.data[at] != '"'; {
		if ix.data[at] != '\\' {
			at++
			decoded++
			continue
		}
		source, bytes := escapeSize(ix.data[at:])
		if decoded+bytes > n {
			break
		}
		at += source
		decoded += bytes
	}
	return at
}

// escapeSize tells how many bytes an escape takes in the file and how many the
// character has that it stands for.
func escapeSize(data []byte) (source, decoded int) {
	if len(data) < 6 || data[1] != 'u' {
		return min(2, len(data)), 1
	}
	r := hex4(data[2:6])
	if r >= 0xd800 && r < 0xdc00 && len(data) >= 12 && data[6] == '\\' && data[7] == 'u' {
		if low := hex4(data[8:12]); low >= 0xdc00 && low < 0xe000 {
			return 12, 4
		}
	}
	return 6, max(utf8.RuneLen(r), len("\ufffd")*surrogate(r))
}

// surrogate is 1 for half of a surrogate pair, which decodes to U+FFFD.
func surrogate(r rune) int {
	if r >= 0xd800 && r < 0xe000 {
		return 1
	}
	return 0
}

func hex4(data []byte) rune {
	n, err := strconv.ParseUint(string(data), 16, 32)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// join appends a reference token to a JSON pointer (RFC 6901, section 3).
func join(pointer string, tokens ...any) string {
	for _, t := range tokens {
		token := fmt.Sprint(t)
		token = strings.ReplaceAll(token, "~", "~0")
		token = strings.ReplaceAll(token, "/", "~1")
		pointer += "/" + token
	}
	return pointer
}

// split is the opposite of join.
func split(pointer string) []string {
	if pointer == "" {
		return nil
	}
	tokens := strings.Split(pointer[1:], "/")
	for i, t := range tokens {
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens
}
