package policy

import (
	"strings"
	"unicode/utf8"
)

// reserved are the characters with a meaning in specifiers and resources.
const reserved = ":;,{}*"

const upperHex = "0123456789ABCDEF"

// Escape percent-encodes text so that it can stand as a key, a tag or a
// property's value in a resource or, matching itself only, in a specifier:
// the characters : ; , { } *, control characters, bytes that are not UTF-8, a
// blank at either end, and a % that would otherwise read as an escape. Other text
// is returned as it is.
func Escape(text string) string {
	return escapeEnds(escapePart(text))
}

// escapePart escapes all but blanks, which only matter at the ends of a whole
// text and not at the ends of the parts between its wildcards.
func escapePart(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 8)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		c := text[i]
		switch {
		case r == utf8.RuneError && size == 1,
			isControl(c),
			strings.IndexByte(reserved, c) >= 0,
			c == '%' && isEscape(text[i:]):
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
			i++
		default:
			b.WriteString(text[i : i+size])
			i += size
		}
	}
	return b.String()
}

// escapeEnds escapes a blank at either end of an otherwise escaped text.
func escapeEnds(text string) string {
	if strings.HasPrefix(text, " ") {
		text = "%20" + text[1:]
	}
	if strings.HasSuffix(text, " ") {
		text = text[:len(text)-1] + "%20"
	}
	return text
}

// isPlain reports whether text holds nothing to escape or unescape.
func isPlain(text string) bool {
	for i := range len(text) {
		c := text[i]
		if isControl(c) || c >= utf8.RuneSelf || c == '%' || strings.IndexByte(reserved, c) >= 0 {
			return false
		}
	}
	return true
}

func isControl(c byte) bool { return c < 0x20 || c == 0x7f }

// isEscape reports whether text begins with a % and two hexadecimal digits.
func isEscape(text string) bool {
	return len(text) >= 3 && text[0] == '%' && unhex(text[1]) >= 0 && unhex(text[2]) >= 0
}

// unescape decodes every %XX; a % without two hexadecimal digits is itself.
func unescape(text string) string {
	at := strings.IndexByte(text, '%')
	if at < 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	b.WriteString(text[:at])
	for i := at; i < len(text); {
		if isEscape(text[i:]) {
			b.WriteByte(byte(unhex(text[i+1])<<4 | unhex(text[i+2])))
			i += 3
			continue
		}
		b.WriteByte(text[i])
		i++
	}
	return b.String()
}

// unhex gives the value of a hexadecimal digit, -1 for any other byte.
func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
