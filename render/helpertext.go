package render

import (
	"errors"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The helpers here make texts and lists shorter or others.

var errTooLong = errors.New("the result is too long")

// join(array, separator) is the texts of the items with the separator (", " unless given) between them.
// What is no array is its text.
func join(args []Value) (Value, error) {
	v, sep := arg(args, 0), ", "
	if len(args) > 1 {
		sep = args[1].Text()
	}
	if v.kind != KindArray {
		return String(v.Text()), nil
	}
	var b strings.Builder
	for i := range v.Len() {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(v.At(i).Text())
		if b.Len() > maxOutput {
			return Value{}, errTooLong
		}
	}
	return String(b.String()), nil
}

// firstItems(array, n) is the first n items, for a tool that takes so many: {{#each (firstItems tags 20)}}. What is no
// array stays.
func firstItems(args []Value) (Value, error) {
	v, n := arg(args, 0), arg(args, 1).toNumber()
	if math.IsNaN(n) || n < 0 {
		return Value{}, errors.New("the second value must be the number of items to keep")
	}
	if v.kind != KindArray || float64(v.Len()) <= n {
		return v, nil
	}
	items := make([]Value, int(n))
	for i := range items {
		items[i] = v.At(i)
	}
	return Array(items...), nil
}

// nonBlankItems(array) is the items that are not missing, null or blank. What is no array stays.
func nonBlankItems(args []Value) (Value, error) {
	v := arg(args, 0)
	if v.kind != KindArray {
		return v, nil
	}
	var items []Value
	for i := range v.Len() {
		if item := v.At(i); strings.TrimSpace(item.Text()) != "" {
			items = append(items, item)
		}
	}
	return Array(items...), nil
}

// lower(value) is the text in lower case, letter by letter.
func lower(args []Value) (Value, error) { return String(strings.ToLower(arg(args, 0).Text())), nil }

// upper(value) is the text in upper case, letter by letter: ß stays ß.
func upper(args []Value) (Value, error) { return String(strings.ToUpper(arg(args, 0).Text())), nil }

// startsWith(value, prefix) is whether the text begins with the other, for {{#if (startsWith titleVerb "turned on")}}.
func startsWith(args []Value) (Value, error) {
	return Bool(strings.HasPrefix(arg(args, 0).Text(), arg(args, 1).Text())), nil
}

// trimSuffix(value, suffix) is the text without the suffix, if it ends with it: {{trimSuffix url "/"}}/api/events is right
// whether or not an admin's URL ends with a slash.
func trimSuffix(args []Value) (Value, error) {
	return String(strings.TrimSuffix(arg(args, 0).Text(), arg(args, 1).Text())), nil
}

// within(value, n) is the text if it has at most n characters, else "": for what is of no use when it is cut, as a link.
func within(args []Value) (Value, error) {
	s, n := arg(args, 0).Text(), arg(args, 1).toNumber()
	if math.IsNaN(n) {
		return Value{}, errors.New("the second value must be a number of characters")
	}
	if float64(utf8.RuneCountInString(s)) > n {
		return String(""), nil
	}
	return String(s), nil
}

// replace(value, old, new) is the text with every old replaced by new. Without an old the text is as it was.
func replace(args []Value) (Value, error) {
	s, old, other := arg(args, 0).Text(), arg(args, 1).Text(), arg(args, 2).Text()
	if old == "" {
		return String(s), nil
	}
	if len(s)+strings.Count(s, old)*(len(other)-len(old)) > maxOutput {
		return Value{}, errTooLong
	}
	return String(strings.ReplaceAll(s, old, other)), nil
}

// truncate(value, n, suffix) is the text if it has at most n characters, else its beginning and the suffix ("…"
// unless given), together at most n. It does not cut between a letter and its accent, nor inside a joined emoji.
func truncate(args []Value) (Value, error) {
	s, suffix := []rune(arg(args, 0).Text()), []rune("…")
	if len(args) > 2 {
		suffix = []rune(args[2].Text())
	}
	f := arg(args, 1).toNumber()
	if math.IsNaN(f) || f < 0 {
		return Value{}, errors.New("the second value must be the number of characters to keep")
	}
	if f >= float64(len(s)) {
		return String(string(s)), nil
	}
	n := int(f)
	if len(suffix) > n {
		suffix = nil
	}
	cut := n - len(suffix)
	for cut > 0 && joins(s[cut-1], s[cut]) {
		cut--
	}
	return String(string(s[:cut]) + string(suffix)), nil
}

// joins reports whether the second of two characters belongs to the first: accents, variation selectors, skin tones,
// and what zero-width joiners join.
func joins(a, b rune) bool {
	const joiner = '\u200d'
	return a == joiner || b == joiner || unicode.Is(unicode.M, b) || (b >= 0x1f3fb && b <= 0x1f3ff) ||
		(a == '\r' && b == '\n')
}
