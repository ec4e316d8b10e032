package render

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text8 is validText, which can be spared where the whole text is UTF-8: it is cut at ASCII, and escapes add UTF-8.
func (p *jsonParser) text8(s string) string {
	if p.valid {
		return s
	}
	return validText(s)
}

// string reads a string, whose opening quote is next.
func (p *jsonParser) string() (string, error) {
	p.pos++
	start := p.pos
	for i := start + plainJSON(p.text[start:]); i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			p.pos = i + 1
			return p.text8(p.text[start:i]), nil
		case c == '\\':
			return p.escapedString(start, i)
		case c < 0x20:
			return "", p.errorf(i, "a control character in a string must be escaped")
		}
	}
	return "", p.errorf(start-1, "the string has no closing quote")
}

// escapedString goes on with a string that began at start and has its first backslash at i.
func (p *jsonParser) escapedString(start, i int) (string, error) {
	out := p.escaped[:0]
	defer func() { p.escaped = out }()
	out = append(out, p.text[start:i]...)
	for i < len(p.text) {
		switch c := p.text[i]; {
		case c == '"':
			p.pos = i + 1
			return p.text8(string(out)), nil
		case c < 0x20:
			return "", p.errorf(i, "a control character in a string must be escaped")
		case c != '\\':
			n := max(plainJSON(p.text[i:]), 1)
			out = append(out, p.text[i:i+n]...)
			i += n
		default:
			r, n := unescapeJSON(p.text[i:])
			if n == 0 {
				return "", p.errorf(i, "bad escape in a string")
			}
			out = utf8.AppendRune(out, r)
			i += n
		}
	}
	return "", p.errorf(start-1, "the string has no closing quote")
}

// unescapeJSON reads the escape that s begins with and returns its character and length, 0 if it is none.
func unescapeJSON(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	r := hexEscape(s)
	if r < 0 {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if pair := utf16.DecodeRune(r, hexEscape(s[6:])); pair != utf8.RuneError {
		return pair, 12
	}
	return utf8.RuneError, 6
}

// hexEscape reads \uXXXX at the start of s, or returns -1.
func hexEscape(s string) rune {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}
