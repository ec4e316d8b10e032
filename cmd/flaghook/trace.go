package main

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// A request is traced by rendering it with markers, random letters, in place of
// the values that a shell will know. Where a marker comes out whole, the shell
// can put the value. Whether a value comes out as it went in, or escaped, or as
// something else, shows when it is replaced by one that holds all that any
// helper changes, and by a very long one: all the rest of the request must stay
// as it was.

// A piece of a text is literal, or the value of a variable.
type piece struct {
	text     string
	variable int // index into traced.variables, -1 for a literal piece
	escape   int // index into escapings, which is how the value is written
}

type pieces []piece

// traced is a request in pieces.
type traced struct {
	variables []string // names in the shell, without $
	method    string
	url       pieces
	names     []string // of headers
	values    []pieces // of headers
	body      pieces
	id        pieces // of the delivery
	hmac      signing
	standard  signing
	skipped   string   // why nothing is sent
	decided   []string // variables on whose emptiness the request depends
}

// signing is a way of signing with its secret.
type signing struct {
	by     *manifest.Signature // nil where nothing is signed
	secret pieces
}

// signsWith takes over what a request says about a way of signing.
func signsWith(r *manifest.Request, standard bool, secret pieces) signing {
	for n := range r.Signatures {
		if s := &r.Signatures[n]; s.Standard == standard {
			return signing{s, secret}
		}
	}
	return signing{}
}

// escapings are the ways in which templates write a value.
var escapings = []struct {
	name  string
	apply func(string) string
	sed   string // the same for sed, for values of one line; "" for none
}{
	{"plain", func(s string) string { return s }, ""},
	{"json", jsonText, `s/[\\"]/\\&/g`},
	{"html", htmlText, sedHTML},
	{"json_html", func(s string) string { return htmlText(jsonText(s)) }, `s/[\\"]/\\&/g; ` + sedHTML},
}

// jsonText is a text as it stands inside a JSON string.
func jsonText(s string) string {
	quoted := render.String(s).AppendJSON(nil)
	return string(quoted[1 : len(quoted)-1])
}

// htmlText escapes as Handlebars.js does.
func htmlText(s string) string { return htmlReplacer.Replace(s) }

var htmlReplacer = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;", "`", "&#x60;", "=", "&#x3D;")

const sedHTML = "s/&/\\&amp;/g; s/</\\&lt;/g; s/>/\\&gt;/g; s/\"/\\&quot;/g; s/'/\\&#x27;/g; s/`/\\&#x60;/g; s/=/\\&#x3D;/g"

// changed holds what helpers and escapes change, in letters that no marker has
// in that order.
const changed = "aZ \t%&<>\"'`=\\/?#[]{}+;:@$,()*!~^|é\U0001F525."

// Limits of the long probe in bytes: one is longer than any to which a template
// would shorten a value, and all of them fit into a body.
const (
	longProbe = 40_000
	maxProbes = 500_000
)

// trace finds out where the unset variables go. The error says which --set is
// needed when one goes where the shell cannot put it.
func trace(s *subject, at *occasion) (*traced, error) {
	markers := make([]string, len(s.unset))
	for n := range markers {
		markers[n] = marker()
	}
	base, skipped, err := renderWith(s, at, markers)
	if err != nil {
		return nil, err
	}
	if base == nil {
		return &traced{skipped: skipped}, nil
	}
	t := &traced{variables: shellNames(s.unset), method: base.Method}
	parts := split(base, markers)
	var needed []string
	for n, v := range s.unset {
		if !followed(s, at, markers, parts, n) {
			needed = append(needed, "--set "+v.setting()+"=...")
		} else if v != deliveryID && decides(s, at, markers, parts, n) {
			t.decided = append(t.decided, v.setting())
		}
	}
	if len(needed) > 0 {
		return nil, &exitError{code: exitFailed, err: fmt.Errorf("the command needs %s: a shell cannot do what a helper of the templates does with it", strings.Join(needed, " "))}
	}
	t.url, t.body, t.id = parts[0], parts[1], parts[2]
	t.hmac, t.standard = signsWith(base.Request, false, parts[3]), signsWith(base.Request, true, parts[4])
	for n, h := range base.Headers {
		t.names = append(t.names, h.Name)
		t.values = append(t.values, parts[5+n])
	}
	return t, nil
}

// setting is what --set calls the value.
func (p placeholder) setting() string {
	if p.of != "" {
		return p.of + "." + p.key
	}
	return p.key
}

// marker is a word that stands nowhere else: 26 random letters and digits.
// Small letters amid large ones show what changes case.
func marker() string { return "mK" + rand.Text()[:22] + "Zq" }

// split cuts the texts of a request at the markers.
func split(r *candidate, markers []string) []pieces {
	var all []pieces
	for _, text := range r.texts() {
		all = append(all, splitText(text, markers))
	}
	return all
}

func splitText(text string, markers []string) pieces {
	var cut pieces
	for text != "" {
		at, which := len(text), -1
		for n, m := range markers {
			if i := strings.Index(text, m); i >= 0 && i < at {
				at, which = i, n
			}
		}
		if at > 0 {
			cut = append(cut, piece{text: text[:at], variable: -1})
		}
		if which < 0 {
			break
		}
		cut = append(cut, piece{variable: which})
		text = text[at+len(markers[which]):]
	}
	return cut
}

// followed replaces the marker of one variable by its probes, and reports
// whether the pieces say what comes of that. It enters how values are escaped.
func followed(s *subject, at *occasion, markers []string, parts []pieces, n int) bool {
	times := 1
	for _, ps := range parts {
		for _, p := range ps {
			if p.variable == n {
				times++
			}
		}
	}
	word := rand.Text()
	probes := []string{
		"x" + word + changed + word + "9",
		"y" + strings.Repeat(word, min(longProbe, maxProbes/times)/len(word)),
	}
	if s.unset[n] == deliveryID {
		probes = []string{"x" + word} // an id holds nothing that helpers change
	}
	for _, probe := range probes {
		values := slices.Clone(markers)
		values[n] = probe
		r, _, err := renderWith(s, at, values)
		if err != nil || r == nil {
			return false
		}
		got := r.texts()
		if len(got) != len(parts) {
			return false
		}
		for i, p := range parts {
			if !p.match(got[i], values, n) {
				return false
			}
		}
	}
	return true
}

// decides reports whether the request would be another if the variable were
// empty, but for the places where its value stands.
func decides(s *subject, at *occasion, markers []string, parts []pieces, n int) bool {
	values := slices.Clone(markers)
	values[n] = ""
	r, _, err := renderWith(s, at, values)
	if err != nil || r == nil {
		return true
	}
	got := r.texts()
	if len(got) != len(parts) {
		return true
	}
	for i, p := range parts {
		if !p.match(got[i], values, -1) {
			return true
		}
	}
	return false
}

// match reports whether the pieces with these values are the text. Those of
// variable n take the escape that fits.
func (ps pieces) match(text string, values []string, n int) bool {
	for i := range ps {
		p := &ps[i]
		want := p.text
		if p.variable >= 0 {
			if p.variable == n && !p.fit(text, values[n]) {
				return false
			}
			want = escapings[p.escape].apply(values[p.variable])
		}
		rest, found := strings.CutPrefix(text, want)
		if !found {
			return false
		}
		text = rest
	}
	return text == ""
}

// fit chooses the escape with which a text begins with the value.
func (p *piece) fit(text, value string) bool {
	if strings.HasPrefix(text, escapings[p.escape].apply(value)) {
		return true
	}
	for e := range escapings {
		if strings.HasPrefix(text, escapings[e].apply(value)) {
			p.escape = e
			return true
		}
	}
	return false
}

// literal reports whether no piece is a variable.
func (ps pieces) literal() bool {
	return !slices.ContainsFunc(ps, func(p piece) bool { return p.variable >= 0 })
}
