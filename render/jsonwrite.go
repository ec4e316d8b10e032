package render

import (
	"math"
	"slices"
	"unicode/utf8"
)

// MarshalJSON writes the value as AppendJSON does.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends the value as JSON.stringify writes it: no white space, nothing escaped that JSON does not
// demand. Numbers that were parsed keep their literal, objects the order of their members. Undefined is null.
func (v Value) AppendJSON(dst []byte) []byte {
	if v.ref != nil {
		dst = slices.Grow(dst, min(v.Size(), maxGrow))
	}
	return v.appendJSON(dst)
}

// JSON is what AppendJSON appends.
func (v Value) JSON() string {
	if v.ref != nil && v.str != "" { // see Written
		return v.str
	}
	return string(v.AppendJSON(nil))
}

// maxGrow bounds what is reserved for a text before it is written: a value may hold another many times.
const maxGrow = 64 << 10

func (v Value) appendJSON(dst []byte) []byte {
	if v.ref != nil && v.str != "" { // see Written
		return append(dst, v.str...)
	}
	switch v.kind {
	case KindBool:
		return append(dst, v.Text()...)
	case KindNumber:
		switch {
		case v.str != "":
			return append(dst, v.str...)
		case math.IsNaN(v.num) || math.IsInf(v.num, 0):
			return append(dst, "null"...)
		}
		return appendNumber(dst, v.num)
	case KindString:
		return appendQuoted(dst, v.str)
	case KindArray:
		dst = append(dst, '[')
		for i, x := range v.items() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = x.appendJSON(dst)
		}
		return append(dst, ']')
	case KindObject:
		dst = append(dst, '{')
		members := v.members()
		for i := range members {
			if i > 0 {
				dst = append(dst, ',')
			}
			m := &members[i]
			dst = append(appendQuoted(dst, m.Key), ':')
			dst = m.Value.appendJSON(dst)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	plain := plainJSON(s)
	dst = append(dst, s[:plain]...)
	if plain < len(s) {
		dst = appendEscaped(dst, s[plain:], &jsonEscapes)
	}
	return append(dst, '"')
}

// plainJSON returns a length up to which s has nothing to escape in JSON. It looks at eight bytes at a time (Bit
// Twiddling Hacks, "Determine if a word has a byte less than n"), so that it may miss the last seven.
func plainJSON(s string) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, slash := x^ones*'"', x^ones*'\\'
		if ((x-ones*0x20)&^x|(quote-ones)&^quote|(slash-ones)&^slash)&tops != 0 {
			break
		}
	}
	return i
}

// validText returns s with each run of bytes that is not UTF-8 replaced by U+FFFD, as a JavaScript string would be.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
