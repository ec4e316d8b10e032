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

var (
	mdBullet = regexp.MustCompile(`^\s*(?:[*+-]|\d+\.|#{1,6}|>)\s+`)
	// A link, a code span, or the marks of emphasis and strike-through.
	mdInline = regexp.MustCompile("\\[([^\\]]*)\\]\\([^)]*\\)|`([^`]*)`|\\*\\*|~~|\\\\([\\\\`*_\\[\\]<>#~|])|\\*")
)

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

// plainLine takes the marks out of a line of Markdown.
func plainLine(line string) string {
	return mdInline.ReplaceAllStringFunc(line, func(mark string) string {
		parts := mdInline.FindStringSubmatch(mark)
		return parts[1] + parts[2] + parts[3]
	})
}
