package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A specifier names resources. Its parts are in the order in which they tell
// resources apart most cheaply: the chain of kinds, the keys, then the selectors.
type specifier struct {
	any      bool // a lone *
	segments []segmentPattern
	text     string // the canonical form
}

// A segmentPattern is what a specifier asks of one segment.
type segmentPattern struct {
	kind string
	key  pattern
	*selectors
}

// selectors are what is asked beside the key.
type selectors struct {
	tags       []pattern
	properties []propertyPattern
}

// noSelectors stands in the many segments without any.
var noSelectors = &selectors{}

type propertyPattern struct {
	name  string
	value pattern
}

// parseSpecifier reads one item of resources or notResources.
func parseSpecifier(text string, kinds Kinds) (specifier, *fault) {
	if len(text) > MaxSpecifier {
		return specifier{}, &fault{message: fmt.Sprintf("the specifier has %d bytes", len(text)),
			hint: fmt.Sprintf("at most %d are allowed; cut it into several", MaxSpecifier)}
	}
	if text == "*" {
		return specifier{any: true, text: text}, nil
	}
	s := scanner{text: text, specifier: true}
	scanned, f := s.scan(make([]scanned, 0, 4))
	if f == nil {
		f = kinds.check(scanned)
	}
	if f != nil {
		return specifier{}, f
	}
	spec := specifier{segments: make([]segmentPattern, len(scanned))}
	for i := range scanned {
		spec.segments[i] = scanned[i].pattern()
		spec.segments[i].kind = kinds.name(scanned[i].kind)
	}
	if spec.text = spec.print(); spec.text == text {
		spec.text = text // which the segments hold already
	}
	return spec, nil
}

// pattern reads a segment of a specifier and brings its selectors into the
// canonical order, each once.
func (s *scanned) pattern() segmentPattern {
	seg := segmentPattern{s.kind, newPattern(s.key, true), noSelectors}
	if len(s.items) == 0 {
		return seg
	}
	seg.selectors = &selectors{}
	for _, item := range s.items {
		value := newPattern(item.text, true)
		if item.property {
			seg.properties = append(seg.properties, propertyPattern{unescape(item.name), value})
		} else {
			seg.tags = append(seg.tags, value)
		}
	}
	byText := func(a, b pattern) int { return cmp.Compare(a.text(true), b.text(true)) }
	byNameAndValue := func(a, b propertyPattern) int {
		return cmp.Or(cmp.Compare(a.name, b.name), byText(a.value, b.value))
	}
	slices.SortFunc(seg.tags, byText)
	seg.tags = slices.CompactFunc(seg.tags, func(a, b pattern) bool { return byText(a, b) == 0 })
	slices.SortFunc(seg.properties, byNameAndValue)
	seg.properties = slices.CompactFunc(seg.properties, func(a, b propertyPattern) bool { return byNameAndValue(a, b) == 0 })
	return seg
}

// print gives the canonical form: tags before properties, each sorted, wildcards
// and percent-encoding normalised.
func (s *specifier) print() string {
	var b strings.Builder
	for i := range s.segments {
		seg := &s.segments[i]
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(seg.kind)
		if !isKeyless(seg.kind) {
			b.WriteByte('/')
			b.WriteString(seg.key.text(true))
		}
		separator := byte(';')
		for j := range seg.tags {
			b.WriteByte(separator)
			b.WriteString(seg.tags[j].text(true))
			separator = ','
		}
		for j := range seg.properties {
			b.WriteByte(separator)
			b.WriteString(seg.properties[j].text())
			separator = ','
		}
	}
	return b.String()
}

// wildcards counts the patterns with wildcards; see MaxWildcards.
func (s *specifier) wildcards() int {
	n := 0
	for i := range s.segments {
		seg := &s.segments[i]
		n += seg.key.wildcards()
		for j := range seg.tags {
			n += seg.tags[j].wildcards()
		}
		for j := range seg.properties {
			n += seg.properties[j].value.wildcards()
		}
	}
	return n
}

func (p *propertyPattern) text() string {
	return "{" + Escape(p.name) + ":" + p.value.text(true) + "}"
}

// match reports whether the specifier names the resource of an access.
func (s *specifier) match(a *ParsedAccess) bool {
	if s.any {
		return true
	}
	segments := a.Resource.Segments
	if len(s.segments) != len(segments) {
		return false
	}
	// From the end: what lies deepest differs most between resources.
	for i := len(s.segments) - 1; i >= 0; i-- {
		if s.segments[i].kind != segments[i].Kind || !s.segments[i].key.match(segments[i].Key) {
			return false
		}
	}
	for i := range s.segments {
		if asked := s.segments[i].selectors; asked != noSelectors && !asked.hold(a.segment(i)) {
			return false
		}
	}
	return true
}

// hold reports whether the segment has all tags and properties asked for.
func (p *selectors) hold(s segmentView) bool {
	failed, _ := p.failing(s)
	return failed == ""
}

// failing gives the first selector that does not hold; "" where all do.
func (p *selectors) failing(s segmentView) (failed string, selector int) {
	for i := range p.tags {
		if !s.hasTag(&p.tags[i]) {
			return "tag", i
		}
	}
	for i := range p.properties {
		if !s.hasProperty(&p.properties[i]) {
			return "property", i
		}
	}
	return "", 0
}

func (p *propertyPattern) match(has Property) bool {
	return has.Name == p.name && p.value.match(has.Value)
}
