package hooks

import (
	"cmp"
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
func actor(member string, doc render.Value) string {
	return cmp.Or(member, doc.Path("token", "name").AsString(), doc.Path("app", "name").AsString(), "Someone")
}

// sentence is a title before it is written in its three forms.
type sentence struct{ who, email, verb, name, href, environment string }

// threeForms is a text as plain text, Markdown and HTML.
type threeForms struct{ plainText, markdown, html string }

func (s sentence) forms() threeForms {
	var space [256]byte // enough for most
	var forms threeForms
	email := mailto(s.email)

	plain := appendAll(space[:0], s.who, " ", s.verb, " ", s.name)
	if s.environment != "" {
		plain = appendAll(plain, " in '", s.environment, "'")
	}
	forms.plainText = string(plain)

	md := appendMDLink(space[:0], s.who, email)
	md = appendAll(md, " ", mdEscape(s.verb), " ")
	md = appendMDLink(md, s.name, s.href)
	if s.environment != "" {
		md = appendMDCode(append(md, " in "...), s.environment)
	}
	forms.markdown = string(md)

	htm := appendHTMLLink(space[:0], s.who, email)
	htm = appendAll(htm, " ", html.EscapeString(s.verb), " ")
	htm = appendHTMLLink(htm, s.name, s.href)
	if s.environment != "" {
		htm = appendAll(htm, " in <code>", html.EscapeString(s.environment), "</code>")
	}
	forms.html = string(htm)
	return forms
}

func appendAll(dst []byte, texts ...string) []byte {
	for _, text := range texts {
		dst = append(dst, text...)
	}
	return dst
}

func mailto(email string) string {
	if email == "" {
		return ""
	}
	return "mailto:" + email
}

// threeForms adds a text member in its three forms: those given are kept, the
// rest is written from a given plain text, else taken from derived.
func (n *normalizer) threeForms(b *builder, key string, derived threeForms) {
	v := n.in.Get(key)
	plain := v.Get("plainText")
	if v.Kind() == render.KindString {
		plain = v
	}
	if plain.Kind() == render.KindString {
		text := plain.AsString()
		derived = threeForms{text, mdEscape(text), strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n")}
	}
	b.object(key)
	b.put("plainText", orElse(v.Get("plainText"), render.String(derived.plainText)))
	b.put("markdown", orElse(v.Get("markdown"), render.String(derived.markdown)))
	b.put("html", orElse(v.Get("html"), render.String(derived.html)))
	b.end()
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
		if len(href) >= len(scheme) && strings.EqualFold(href[:len(scheme)], scheme) {
			return true
		}
	}
	return false
}

func appendMDLink(dst []byte, text, href string) []byte {
	if !linkable(href) {
		return append(dst, mdEscape(text)...)
	}
	return appendAll(dst, "[", mdEscape(text), "](", mdDestination.Replace(href), ")")
}

// mdDestination makes an address a link's destination. In the form without angle
// brackets it may not hold spaces, controls or unbalanced parentheses
// (CommonMark 0.31, section 6.3).
var mdDestination = strings.NewReplacer(
	" ", "%20", "(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "\n", "%0A", "\r", "%0D", "\t", "%09")

// appendMDCode writes a code span, in a fence longer than any run of backticks in
// the text (CommonMark 0.31, section 6.1).
func appendMDCode(dst []byte, s string) []byte {
	if !strings.Contains(s, "`") {
		return appendAll(dst, "`", s, "`")
	}
	longest, run := 0, 0
	for i := range len(s) {
		if run++; s[i] != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", max(longest+1, 2))
	return appendAll(dst, fence, " ", s, " ", fence)
}

func appendHTMLLink(dst []byte, text, href string) []byte {
	if !linkable(href) {
		return append(dst, html.EscapeString(text)...)
	}
	return appendAll(dst, `<a href="`, html.EscapeString(href), `">`, html.EscapeString(text), "</a>")
}
