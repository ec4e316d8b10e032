package render

import (
	"math"
	"strconv"
	"strings"
)

// Text returns the value as JavaScript's String() does: numbers in JavaScript's notation, the items of an array
// joined by commas, an object as "[object Object]". Undefined and null are "".
func (v Value) Text() string {
	switch v.kind {
	case KindString:
		return v.str
	case KindBool:
		if v.num != 0 {
			return "true"
		}
		return "false"
	case KindObject:
		return objectText
	case KindNumber, KindArray:
		return string(v.appendText(nil))
	}
	return ""
}

const objectText = "[object Object]"

// appendText appends Text.
func (v Value) appendText(dst []byte) []byte {
	switch v.kind {
	case KindNumber:
		return appendNumber(dst, v.num)
	case KindArray:
		for i, x := range v.items() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = x.appendText(dst)
		}
		return dst
	}
	return append(dst, v.Text()...)
}

// scriptText is String() in full: "undefined" and "null" where Text has nothing.
func (v Value) scriptText() string {
	switch v.kind {
	case KindUndefined:
		return "undefined"
	case KindNull:
		return "null"
	}
	return v.Text()
}

// appendNumber writes f as ECMAScript's Number::toString does (ECMA-262, section 6.1.6.1.20).
func appendNumber(dst []byte, f float64) []byte {
	switch {
	case f == 0: // also -0
		return append(dst, '0')
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	if abs := math.Abs(f); abs >= 1e21 || abs < 1e-6 {
		dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
		// Go writes at least two digits of exponent, JavaScript as many as it takes.
		if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
			dst[n-2] = dst[n-1]
			dst = dst[:n-1]
		}
		return dst
	}
	if i := int64(f); float64(i) == f && i > -1<<53 && i < 1<<53 {
		return strconv.AppendInt(dst, i, 10)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// toNumber converts as JavaScript's Number() does.
func (v Value) toNumber() float64 {
	switch v.kind {
	case KindBool, KindNumber:
		return v.num
	case KindNull:
		return 0
	case KindString, KindArray:
		return parseNumber(v.Text())
	}
	return math.NaN()
}

func parseNumber(s string) float64 {
	s = strings.TrimFunc(s, isSpace)
	if s == "" {
		return 0
	}
	switch s {
	case "Infinity", "+Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	}
	if len(s) > 2 && s[0] == '0' && strings.ContainsRune("xXoObB", rune(s[1])) && !strings.Contains(s, "_") {
		if n, err := strconv.ParseUint(s, 0, 64); err == nil {
			return float64(n)
		}
		return math.NaN()
	}
	// Go reads more than JavaScript does: "inf", "0x1p-2", "1_000".
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return math.NaN()
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return math.NaN()
	}
	return f
}

// truthy is JavaScript's notion of true: {} and [] are, "" and 0 and NaN are not.
func (v Value) truthy() bool {
	switch v.kind {
	case KindBool:
		return v.num != 0
	case KindNumber:
		return v.num != 0 && !math.IsNaN(v.num)
	case KindString:
		return v.str != ""
	case KindArray, KindObject:
		return true
	}
	return false
}

// empty is what Handlebars takes for empty: what is not true, but for 0, and the array without items.
func (v Value) empty() bool {
	if v.kind == KindNumber {
		return math.IsNaN(v.num)
	}
	return !v.truthy() || (v.kind == KindArray && len(v.items()) == 0)
}

func (v Value) nullish() bool { return v.kind == KindUndefined || v.kind == KindNull }

// looseEqual is JavaScript's == (ECMA-262, section 7.2.14). Handlebars.js tells by it whether a block has a context
// of its own, and so how far ../ reaches.
func looseEqual(a, b Value) bool {
	switch {
	case a.nullish() || b.nullish():
		return a.nullish() && b.nullish()
	case a.ref != nil && b.ref != nil:
		return a.ref == b.ref
	case a.ref != nil:
		return looseEqual(String(a.Text()), b)
	case b.ref != nil:
		return looseEqual(a, String(b.Text()))
	case a.kind == KindString && b.kind == KindString:
		return a.str == b.str
	}
	return a.toNumber() == b.toNumber()
}

// isSpace tells what \s matches in JavaScript's regular expressions.
func isSpace(r rune) bool {
	switch {
	case r == ' ' || (r >= '\t' && r <= '\r'):
		return true
	case r < 0x80:
		return false
	case r >= 0x2000 && r <= 0x200a:
		return true
	}
	switch r {
	case 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff:
		return true
	}
	return false
}
