package manifest

import (
	"fmt"
	"slices"

	"github.com/flaghook/flaghook/render"
)

// prints checks that what a template writes is right where it lands.
func (l *linter) prints(v *view) {
	isJSON := v.body != nil && v.body.escape == render.EscapeJSON
	for _, p := range v.found.Prints {
		if p.Value == nil || p.Safe {
			continue
		}
		say := func(rule, message, remedy string) { l.report(v, rule, p.Line, p.Column, message, remedy) }
		raw := p.Source
		if !p.Raw {
			raw = "{" + p.Source + "}"
		}
		quotes := p.Chars&render.CharsQuote != 0
		switch {
		case p.Value.Kinds == render.KindsOf(render.KindObject):
			say("object-text", fmt.Sprintf("%s is a whole object, which is written as [object Object]", p.Source), objectRemedy(p))
		case !isJSON:
		case p.Bare && quotes:
			say("json-quote", fmt.Sprintf("%s stands without quotes around it and can be any text, which is no JSON", p.Source),
				fmt.Sprintf(`write "%s", or {{{json …}}} for a value that brings its own quotes`, raw))
		case p.Quoted && !p.Raw && quotes:
			say("json-quote", fmt.Sprintf(`%s escapes as HTML, and a quote in its value breaks the JSON string (it becomes \&quot;)`, p.Source), "write "+raw)
		case p.Quoted && !p.Raw && p.Chars != 0:
			say("html-escape", fmt.Sprintf("%s escapes as HTML: & arrives as &amp;", p.Source), "write "+raw)
		}
	}
}

func objectRemedy(p render.Print) string {
	if _, text := p.Value.Members["plainText"]; text {
		return "choose one of its forms: plainText, markdown or html"
	}
	return "choose one of its members, or write {{{json …}}} for the whole"
}

// secrets checks that secret form variables leave by headers alone.
func (l *linter) secrets(v *view) {
	if v.body == nil && !v.url {
		return
	}
	for _, n := range v.found.Names {
		if n.Use != render.UsePrinted || n.Path == nil {
			continue
		}
		for _, key := range l.uses(v, n) {
			if !l.variables[key].IsSecret {
				continue
			}
			if v.url {
				l.report(v, "secret-in-url", n.Line, n.Column, fmt.Sprintf("the secret %s is written into the URL, which proxies and logs keep", shown(key)),
					"send it in a header where the receiver takes one")
			} else {
				l.report(v, "secret-in-body", n.Line, n.Column, fmt.Sprintf("the secret %s is written into the body", shown(key)),
					"send it in a header, or sign with hmacSignature, where the receiver takes that")
			}
		}
	}
}

// uses lists the form variables that a name stands for, in order: all of them
// where it is what holds them.
func (l *linter) uses(v *view, n render.Name) []string {
	path := n.Path
	if v.body != nil && len(path) > 0 {
		if path[0] != "formVariables" {
			return nil
		}
		path = path[1:]
	}
	if n.Path == nil || len(path) == 0 || path[0] == "*" {
		return l.variableKeys()
	}
	if l.variables[path[0]] != nil {
		return path[:1]
	}
	return nil
}

func (l *linter) variableKeys() []string {
	keys := make([]string, 0, len(l.variables))
	for key := range l.variables {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
