package policy

import (
	"slices"
	"strings"
)

// A pattern is a text with '*' wildcards: what stands before the first of them and
// what must follow. Without a wildcard the prefix is the whole text, and the glob
// is nil. Laid out so that literal keys and prefixes can be looked up without
// matching, and small, since there are many.
type pattern struct {
	prefix string
	*glob
}

// A glob is a pattern from its first wildcard on: the literals that must follow in
// order, wildcards between them, and the literal at the end.
type glob struct {
	middle []string
	suffix string
	needs  letters // what a text must have for these
}

// anything is the glob that is a wildcard and nothing else.
var anything = &glob{}

// newPattern reads the text of a key, tag or property value; decode undoes
// percent-encoding between the wildcards.
func newPattern(text string, decode bool) pattern {
	parts := strings.Split(text, "*")
	if decode {
		for i := range parts {
			parts[i] = unescape(parts[i])
		}
	}
	if len(parts) == 1 {
		return pattern{prefix: parts[0]}
	}
	last := len(parts) - 1
	g := glob{suffix: parts[last]}
	for _, part := range parts[1:last] {
		if part != "" { // a run of wildcards is one wildcard
			g.middle = append(g.middle, part)
		}
	}
	g.needs = lettersOf(strings.Join(g.middle, "") + g.suffix)
	if g.middle == nil && g.suffix == "" {
		return pattern{parts[0], anything}
	}
	return pattern{parts[0], &g}
}

// match reports whether the whole text matches. Each literal is taken at its
// first occurrence and never reconsidered: what a wildcard leaves over, the next
// one can take. So the time is linear in the text, whatever the pattern.
func (p *pattern) match(text string) bool {
	switch p.glob {
	case nil:
		return text == p.prefix
	case anything:
		return strings.HasPrefix(text, p.prefix)
	}
	if len(text) < len(p.prefix)+len(p.suffix) ||
		!strings.HasPrefix(text, p.prefix) || !strings.HasSuffix(text, p.suffix) {
		return false
	}
	text = text[len(p.prefix) : len(text)-len(p.suffix)]
	for _, literal := range p.middle {
		at := strings.Index(text, literal)
		if at < 0 {
			return false
		}
		text = text[at+len(literal):]
	}
	return true
}

// letters are those that a text must have beside the prefix's.
func (p *pattern) letters() letters {
	if p.isLiteral() {
		return 0
	}
	return p.needs
}

// isLiteral reports whether the pattern matches its prefix alone.
func (p *pattern) isLiteral() bool { return p.glob == nil }

// wildcards is 1 for a pattern with wildcards and literals, which has to be tried,
// and 0 for a literal and for a wildcard alone.
func (p *pattern) wildcards() int {
	if p.isLiteral() || p.glob == anything && p.prefix == "" {
		return 0
	}
	return 1
}

func (p pattern) equal(q pattern) bool {
	if p.isLiteral() || q.isLiteral() {
		return p == q
	}
	return p.prefix == q.prefix && p.suffix == q.suffix && slices.Equal(p.middle, q.middle)
}

// text prints the pattern; encode redoes percent-encoding.
func (p *pattern) text(encode bool) string {
	part := func(s string) string { return s }
	if encode {
		part = escapePart
	}
	if p.isLiteral() {
		if encode {
			return escapeEnds(part(p.prefix))
		}
		return p.prefix
	}
	var b strings.Builder
	b.WriteString(part(p.prefix))
	b.WriteByte('*')
	for _, literal := range p.middle {
		b.WriteString(part(literal))
		b.WriteByte('*')
	}
	b.WriteString(part(p.suffix))
	if encode {
		return escapeEnds(b.String())
	}
	return b.String()
}
