package hooks

import (
	"html"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// approvalVerbs are the actions whose sentence does not follow from their name.
var approvalVerbs = map[string]string{
	"createApprovalRequest": "requested approval for changes to the flag",
	"reviewApprovalRequest": "reviewed an approval request for the flag",
	"applyApprovalRequest":  "applied an approval request to the flag",
}

// titleVerb puts an action into words: "turned on the flag". after is the
// state after the change, where it is known.
func titleVerb(action, kind string, after render.Value) string {
	if verb, ok := approvalVerbs[action]; ok {
		return verb
	}
	thing := " the " + strings.ReplaceAll(kind, "-", " ")
	on, known := isOn(after)
	switch {
	case action == "updateOn" && known && on:
		return "turned on" + thing
	case action == "updateOn" && known:
		return "turned off" + thing
	case action == "deleteApprovalRequest" && kind == "flag":
		return "deleted an approval request for the flag"
	case action == "updateGlobalArchived" && after.Get("archived").Kind() == render.KindBool && !after.Get("archived").AsBool():
		return "restored" + thing
	case action == "updateGlobalArchived":
		return "archived" + thing
	case strings.HasPrefix(action, "create"):
		return "created" + thing
	case strings.HasPrefix(action, "delete"):
		return "deleted" + thing
	}
	return "updated" + thing
}

// actor names who did it: a member, a token, an application, else somebody.
func actor(member, doc render.Value) string {
	for _, name := range []string{
		member.Get("displayName").AsString(), member.Get("email").AsString(),
		doc.Path("token", "name").AsString(), doc.Path("app", "name").AsString(),
	} {
		if name != "" {
			return name
		}
	}
	return "Someone"
}

// environmentPhrase is the environment that a title mentions: none where all
// are meant, or where the thing changed is a project or an environment itself.
func environmentPhrase(kind string, project render.Value) string {
	if kind == "project" || kind == "environment" || project.Path("environment", "key").AsString() == "~" {
		return ""
	}
	return project.Path("environment", "name").AsString()
}

// sentence is a title before it is written in its three forms.
type sentence struct{ who, email, verb, name, href, environment string }

// threeForms is a text as plain text, Markdown and HTML.
type threeForms struct{ plainText, markdown, html string }

func (s sentence) forms() threeForms {
	plain := s.who + " " + s.verb + " " + s.name
	md := mdLink(s.who, mailto(s.email)) + " " + mdEscape(s.verb) + " " + mdLink(s.name, s.href)
	htm := htmlLink(s.who, mailto(s.email)) + " " + html.EscapeString(s.verb) + " " + htmlLink(s.name, s.href)
	if s.environment != "" {
		plain += " in '" + s.environment + "'"
		md += " in " + mdCode(s.environment)
		htm += " in <code>" + html.EscapeString(s.environment) + "</code>"
	}
	return threeForms{plain, md, htm}
}

func mailto(email string) string {
	if email == "" {
		return ""
	}
	return "mailto:" + email
}

// threeForms gives a text member in its three forms: those given are kept, the
// rest is written from a given plain text, else taken from derived.
func (n *normalizer) threeForms(key string, derived threeForms) render.Value {
	v := n.in.Get(key)
	plain := v.Get("plainText")
	if v.Kind() == render.KindString {
		plain = v
	}
	if plain.Kind() == render.KindString {
		text := plain.AsString()
		derived = threeForms{text, mdEscape(text), strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n")}
	}
	var b builder
	b.add("plainText", orElse(v.Get("plainText"), render.String(derived.plainText)))
	b.add("markdown", orElse(v.Get("markdown"), render.String(derived.markdown)))
	b.add("html", orElse(v.Get("html"), render.String(derived.html)))
	return render.Object(b.members...)
}

var mdEscaper = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
	"<", `\<`, ">", `\>`, "#", `\#`, "~", `\~`, "|", `\|`)

// mdEscape makes a text plain in Markdown (CommonMark 0.31, section 2.4).
func mdEscape(s string) string { return mdEscaper.Replace(s) }

// linkable lets through what may become a link: the address of an event comes
// from outside, and javascript: is an address too.
func linkable(href string) bool {
	for _, scheme := range []string{"https://", "http://", "mailto:"} {
		if strings.HasPrefix(strings.ToLower(href), scheme) {
			return true
		}
	}
	return false
}

func mdLink(text, href string) string {
	if !linkable(href) {
		return mdEscape(text)
	}
	return "[" + mdEscape(text) + "](" + mdDestination.Replace(href) + ")"
}

// mdDestination makes an address a link's destination. In the form without angle
// brackets it may not hold spaces, controls or unbalanced parentheses
// (CommonMark 0.31, section 6.3).
var mdDestination = strings.NewReplacer(
	" ", "%20", "(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "\n", "%0A", "\r", "%0D", "\t", "%09")

// mdCode writes a code span, in a fence longer than any run of backticks in
// the text (CommonMark 0.31, section 6.1).
func mdCode(s string) string {
	if !strings.Contains(s, "`") {
		return "`" + s + "`"
	}
	fence := "``"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + " " + s + " " + fence
}

func htmlLink(text, href string) string {
	if !linkable(href) {
		return html.EscapeString(text)
	}
	return `<a href="` + html.EscapeString(href) + `">` + html.EscapeString(text) + `</a>`
}
