package send

import (
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/flaghook/flaghook/hooks"
)

// Limits of the header that is kept of an answer; hooks.Response has them.
const (
	maxFields     = 32
	maxFieldName  = 128 // bytes
	maxFieldValue = 512 // bytes
)

// unlogged are header fields with cookies and credentials, in canonical form.
var unlogged = []string{"Authorization", "Proxy-Authenticate", "Set-Cookie", "Set-Cookie2", "Www-Authenticate"}

// responseHeader is the part of an answer's header that is fit for a log.
func responseHeader(h http.Header, v *veil) []hooks.ResponseHeader {
	names := make([]string, 0, 16)
	for name := range h {
		if len(name) <= maxFieldName && !slices.Contains(unlogged, http.CanonicalHeaderKey(name)) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	fields := make([]hooks.ResponseHeader, 0, min(len(names), maxFields))
	for _, name := range names {
		for _, value := range h[name] {
			if len(fields) == maxFields {
				return fields
			}
			value = clean(value) // first, or what is taken out could split a secret
			fields = append(fields, hooks.ResponseHeader{Name: cutText(clean(name), maxFieldName), Value: cutText(v.text(value), maxFieldValue)})
		}
	}
	return fields
}

// clean makes UTF-8 without control characters of a text.
func clean(s string) string {
	printable := func(i int) bool { return s[i] >= ' ' && s[i] < 0x7f }
	for i := range len(s) {
		if !printable(i) {
			return strings.Map(func(r rune) rune {
				if unicode.IsControl(r) {
					return -1
				}
				return r
			}, strings.ToValidUTF8(s, "\ufffd"))
		}
	}
	return s
}

// cutText cuts a text to n bytes, between two characters.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
