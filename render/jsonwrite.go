package render

import (
	"math"
	"unicode/utf8"
)

// MarshalJSON writes the value as AppendJSON does.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends the value as JSON.stringify writes it: no white space, nothing escaped that JSON does not
// demand. Numbers that were parsed keep their literal, objects the order of their members. Undefined is null.
func (v Value) AppendJSON(dst []byte) []byte {
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
		for i, x := range v.ref.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = x.AppendJSON(dst)
		}
		return append(dst, ']')
	case KindObject:
		dst = append(dst, '{')
		for i, m := range v.ref.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendQuoted(dst, m.Key), ':')
			dst = m.Value.AppendJSON(dst)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s, &jsonEscapes)
	return append(dst, '"')
}

// validText returns s with each run of bytes that is not UTF-8 replaced by U+FFFD, as a JavaScript string would be.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
