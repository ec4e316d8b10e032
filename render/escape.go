package render

import (
	"fmt"
	"strings"
)

// Escape says how values are written, by where the text lands. The text of the template itself is never escaped.
type Escape uint8

// The ways of escaping.
const (
	// EscapeHTML is what Handlebars.js does: {{x}} is escaped (& < > " ' ` =), {{{x}}} is not.
	EscapeHTML Escape = iota
	// EscapeJSON is for values that land inside JSON strings: both are escaped as JSON.stringify does, without its
	// quotes; {{x}} is HTML-escaped after that.
	EscapeJSON
	// EscapeNone escapes neither. It is for URLs and header values.
	EscapeNone
)

// EscapeFor tells how the values of a body template are escaped from its file's name: *.json and *.json.hbs are
// JSON, all others HTML.
func EscapeFor(filename string) Escape {
	if strings.HasSuffix(filename, ".json") || strings.HasSuffix(filename, ".json.hbs") {
		return EscapeJSON
	}
	return EscapeHTML
}

// escapes tells by which text each byte is replaced; an empty text leaves it as it is. All that is ever escaped is
// ASCII, so that UTF-8 passes untouched.
type escapes [256]string

var (
	noEscapes       escapes
	htmlEscapes     = makeHTMLEscapes()
	jsonEscapes     = makeJSONEscapes()
	jsonHTMLEscapes = makeJSONHTMLEscapes()
)

// forPrint returns the table for {{x}}, or with raw that for {{{x}}}.
func (e Escape) forPrint(raw bool) *escapes {
	switch {
	case e == EscapeHTML && !raw:
		return &htmlEscapes
	case e == EscapeJSON && !raw:
		return &jsonHTMLEscapes
	case e == EscapeJSON:
		return &jsonEscapes
	}
	return &noEscapes
}

func makeHTMLEscapes() (t escapes) {
	t['&'], t['<'], t['>'], t['"'] = "&amp;", "&lt;", "&gt;", "&quot;"
	t['\''], t['`'], t['='] = "&#x27;", "&#x60;", "&#x3D;"
	return t
}

func makeJSONEscapes() (t escapes) {
	for c := range 0x20 {
		t[c] = fmt.Sprintf(`\u%04x`, c)
	}
	t['\b'], t['\f'], t['\n'], t['\r'], t['\t'] = `\b`, `\f`, `\n`, `\r`, `\t`
	t['"'], t['\\'] = `\"`, `\\`
	return t
}

func makeJSONHTMLEscapes() (t escapes) {
	for c := range t {
		t[c] = htmlEscapes[c]
		if j := jsonEscapes[c]; j != "" {
			t[c] = string(appendEscaped(nil, j, &htmlEscapes))
		}
	}
	return t
}

func appendEscaped(dst []byte, s string, t *escapes) []byte {
	if t == &noEscapes {
		return append(dst, s...)
	}
	from := 0
	for i := range len(s) {
		if e := t[s[i]]; e != "" {
			dst = append(append(dst, s[from:i]...), e...)
			from = i + 1
		}
	}
	return append(dst, s[from:]...)
}
