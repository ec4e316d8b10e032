package send

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
)

// mask stands for a secret in what an endpoint answered.
const mask = "•••"

// minSecret is the least length in bytes of a secret that is looked for: what is
// shorter stands in many a text by chance.
const minSecret = 4

// formsOf lists the ways in which an endpoint may write a secret of ours that it
// sends back, the longest first: as it is, percent-encoded, inside a JSON string
// or HTML, and in base64, also as a part of something longer (a user and
// password, say, or a whole request).
func formsOf(secrets []string) []string {
	var all []string
	seen := make(map[string]bool)
	add := func(forms ...string) {
		for _, f := range forms {
			if len(f) >= minSecret && !seen[f] {
				seen[f] = true
				all = append(all, f)
			}
		}
	}
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		add(s)
		if plain(s) {
			add(base64Forms(s)...)
			continue
		}
		asQuery := url.QueryEscape(s)
		asURI := (&url.URL{Path: "/" + s}).EscapedPath()[1:] // as a whole path is escaped
		for _, f := range []string{
			asQuery, url.PathEscape(s), asURI, strings.ReplaceAll(asURI, "+", "%2B"),
			strings.ReplaceAll(asQuery, "+", "%20"), // encodeURIComponent
			strings.ReplaceAll(s, `"`, "%22"), strings.ReplaceAll(s, " ", "%20"),
			strings.NewReplacer(`"`, "%22", " ", "%20").Replace(s), // as a template's text is made a URL
		} {
			add(f, lowerEscapes(f))
		}
		quoted := jsonText(s)
		add(quoted, jsonMarkup.Replace(quoted), strings.ReplaceAll(quoted, "/", `\/`), html.EscapeString(s))
		add(base64Forms(s)...)
	}
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return all
}

// plain reports whether no escaping changes s.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; !inPlainForm(c) || c == '+' || c == '/' {
			return false
		}
	}
	return true
}

// inPlainForm reports whether c may stand in a form of a plain text: in itself or
// in base64.
func inPlainForm(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '-' && c <= '9' || c == '_' || c == '+' // - . / and digits
}

// plainRun is the length of the longest part of a text in which a form of a plain
// secret can stand.
func plainRun[T string | []byte](text T) int {
	longest, begin := 0, 0
	for i := range len(text) {
		if !inPlainForm(text[i]) {
			longest, begin = max(longest, i-begin), i+1
		}
	}
	return max(longest, len(text)-begin)
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// jsonText is a text as it stands inside a JSON string, with markup escaped as
// Go and others do it; jsonMarkup takes that back.
func jsonText(s string) string {
	quoted, _ := json.Marshal(s) // a string always can be
	return string(quoted[1 : len(quoted)-1])
}

var jsonMarkup = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&")

// base64Forms lists what is sure to stand in the base64 of any text that holds
// s. Three bytes make four digits, so there is one form for each place at which s
// may begin, less the digits that its neighbours have a part in.
func base64Forms(s string) []string {
	var forms []string
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte("\x00\x00"[:before] + s))
		first := []int{0, 2, 3}[before]
		last := (before + len(s)) * 8 / 6
		form := encoded[first:last]
		forms = append(forms, form)
		if strings.ContainsAny(form, "+/") {
			forms = append(forms, strings.NewReplacer("+", "-", "/", "_").Replace(form)) // RFC 4648, section 5
		}
	}
	return forms
}

// A veil hides secrets in the parts of one answer. Forms are made as late as can
// be: each is at least as long as its secret, and so few answers need any.
type veil struct {
	secrets     []string
	length, run int      // of the longest text yet, and its plainRun
	forms       []string // of the secrets that such a text can hold
}

// over returns the forms that a text of that length and plainRun can hold.
func (v *veil) over(length, run int) []string {
	if length <= v.length && run <= v.run {
		return v.forms
	}
	v.length, v.run = max(length, v.length), max(run, v.run)
	var fit []string
	for _, s := range v.secrets {
		if len(s) >= minSecret && len(s) <= v.length && (len(s) <= v.run || !plain(s)) {
			fit = append(fit, s)
		}
	}
	if fit != nil {
		v.forms = formsOf(fit)
	}
	return v.forms
}

// text hides secrets in a text.
func (v *veil) text(s string) string {
	for _, form := range v.over(len(s), plainRun(s)) {
		s = strings.ReplaceAll(s, form, mask)
	}
	return s
}

// body hides secrets in a body. With cut the body goes on behind its end, and
// may end in the beginning of a secret, which is hidden too.
func (v *veil) body(b []byte, cut bool) []byte {
	if len(v.secrets) == 0 {
		return b
	}
	forms := v.over(len(b), plainRun(b))
	if cut {
		const whole = 1 << 30 // a secret may be longer than what is there of it
		forms = v.over(whole, whole)
	}
	b = hideIn(b, forms)
	if cut {
		b = hideEnd(b, forms)
	}
	return b[:min(len(b), maxBody)]
}

// manyForms is how many forms are looked for all at once, since one after the
// other each costs a look at the whole text.
const manyForms = 64

func hideIn(b []byte, forms []string) []byte {
	if len(forms) >= manyForms {
		pairs := make([]string, 0, 2*len(forms))
		for _, form := range forms { // the longest first, which then counts
			pairs = append(pairs, form, mask)
		}
		return []byte(strings.NewReplacer(pairs...).Replace(string(b)))
	}
	for _, form := range forms {
		if f := []byte(form); bytes.Contains(b, f) {
			b = bytes.ReplaceAll(b, f, []byte(mask))
		}
	}
	return b
}

// hideEnd hides the longest beginning of a form in which b ends.
func hideEnd(b []byte, forms []string) []byte {
	longest := 0
	for _, form := range forms {
		if n := endIn(b, form[:len(form)-1]); n >= minSecret {
			longest = max(longest, n)
		}
	}
	if longest == 0 {
		return b
	}
	return append(b[:len(b)-longest:len(b)-longest], mask...)
}

// endIn is the length of the longest beginning of a form in which b ends, by the
// prefix function of Knuth, Morris and Pratt.
func endIn(b []byte, form string) int {
	form = form[:min(len(form), len(b))]
	if form == "" {
		return 0
	}
	border := make([]int, len(form)) // of form[:i+1]: how long a beginning of it is also its end
	n := 0
	for i := 1; i < len(form); i++ {
		for n > 0 && form[i] != form[n] {
			n = border[n-1]
		}
		if form[i] == form[n] {
			n++
		}
		border[i] = n
	}
	n = 0
	for _, c := range b[len(b)-len(form):] {
		for n > 0 && (n == len(form) || c != form[n]) {
			n = border[n-1]
		}
		if c == form[n] {
			n++
		}
	}
	return n
}
