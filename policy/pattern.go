package policy

import "strings"

// A pattern is a text with '*' wildcards, cut at them: the literal prefix, the
// literals that must follow in order, and the literal suffix. Without a wildcard
// the prefix is the whole text. Laid out so that literal keys and prefixes can be
// looked up without matching.
type pattern struct {
	prefix string
	middle []string
	suffix string
	star   bool
}

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
	p := pattern{prefix: parts[0], suffix: parts[last], star: true}
	for _, part := range parts[1:last] {
		if part != "" { // a run of wildcards is one wildcard
			p.middle = append(p.middle, part)
		}
	}
	return p
}

// match reports whether the whole text matches. Each literal is taken at its
// first occurrence and never reconsidered: what a wildcard leaves over, the next
// one can take. So the time is linear in the text, whatever the pattern.
func (p *pattern) match(text string) bool {
	if !p.star {
		return text == p.prefix
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

// text prints the pattern; encode redoes percent-encoding.
func (p *pattern) text(encode bool) string {
	part := func(s string) string { return s }
	if encode {
		part = escapePart
	}
	if !p.star {
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
