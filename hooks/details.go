package hooks

import (
	"html"
	"regexp"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// details says what exactly changed: in the forms that were given, with the
// rest written from them, else in sentences about the two states. Where only
// the new one is known, it tells whether a flag is on now.
func (n *normalizer) details(b *builder, action string) {
	n.threeForms(b, "details", n.derivedDetails(action))
}

func (n *normalizer) derivedDetails(action string) threeForms {
	if given, ok := n.given("details"); ok {
		if md := given.Get("markdown"); md.Kind() == render.KindString && !given.Has("plainText") {
			return detailsOfMarkdown(md.AsString())
		}
		return threeForms{}
	}
	before, hasBefore := n.given("before")
	after, hasAfter := n.given("after")
	switch {
	case hasBefore && hasAfter:
		return listForms(Changes(before, after))
	case hasAfter && action == "updateOn":
		if on, known := isOn(after); known {
			phrase, _ := switched("on", on)
			return listForms([]string{capital(phrase)})
		}
	}
	return threeForms{}
}

// isOn reads from a flag's state whether it is on, and whether that is known.
func isOn(state render.Value) (on, known bool) {
	for _, key := range []string{"on", "enabled"} {
		if v := state.Get(key); v.Kind() == render.KindBool {
			return v.AsBool(), true
		}
	}
	return false, false
}

var mdBullet = regexp.MustCompile(`^\s*(?:[*+-]|\d+\.|#{1,6}|>)\s+`)

// detailsOfMarkdown gives the plain text and the HTML of details that came as
// Markdown alone: one sentence a line, without the marks.
func detailsOfMarkdown(md string) threeForms {
	var lines []string
	for _, line := range strings.Split(md, "\n") {
		if line = strings.TrimSpace(mdBullet.ReplaceAllString(line, "")); line != "" {
			lines = append(lines, plainLine(line))
		}
	}
	forms := listForms(lines)
	if len(lines) == 1 && !mdBullet.MatchString(md) {
		forms.html = html.EscapeString(lines[0])
	}
	forms.markdown = md
	return forms
}

// plainLine takes the marks out of a line of Markdown: those of links, code spans,
// emphasis, strike-through and escapes.
func plainLine(line string) string {
	text := forward{text: line}
	b := make([]byte, 0, len(line))
	for i := 0; i < len(line); {
		rest := line[i:]
		switch {
		case rest[0] == '[':
			if label, end := text.link(i); end > 0 {
				b, i = append(b, label...), end
				continue
			}
		case rest[0] == '`':
			if end := text.next('`', i+1); end >= 0 {
				b, i = append(b, line[i+1:end]...), end+1
				continue
			}
		case strings.HasPrefix(rest, "~~"):
			i += 2
			continue
		case rest[0] == '*':
			i++
			continue
		case rest[0] == '\\' && len(rest) > 1 && strings.IndexByte("\\`*_[]<>#~|", rest[1]) >= 0:
			b, i = append(b, rest[1]), i+2
			continue
		}
		b, i = append(b, rest[0]), i+1
	}
	return string(b)
}

// forward looks for bytes further and further on in a text, at each byte of it
// no more than a few times.
type forward struct {
	text  string
	found [128]int // where an ASCII byte stands next, plus one; 0 is not known
}

// next is the place of c at from or behind, -1 if there is none. The places that
// it is asked for one byte must not go back.
func (f *forward) next(c byte, from int) int {
	at := f.found[c] - 1
	if at < from {
		if at = strings.IndexByte(f.text[from:], c) + from; at < from {
			at = len(f.text) // nowhere
		}
		f.found[c] = at + 1
	}
	if at == len(f.text) {
		return -1
	}
	return at
}

// link is the label of a link that begins at a place, and where it ends; 0 where
// there is none.
func (f *forward) link(at int) (label string, end int) {
	closing := f.next(']', at+1)
	if closing < 0 || !strings.HasPrefix(f.text[closing+1:], "(") {
		return "", 0
	}
	last := f.next(')', closing+2)
	if last < 0 {
		return "", 0
	}
	return f.text[at+1 : closing], last + 1
}
