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

func (p *propertyPattern) text() string {
	return "{" + Escape(p.name) + ":" + p.value.text(true) + "}"
}

// match reports whether the specifier names the resource.
func (s *specifier) match(r *Resource) bool {
	if s.any {
		return true
	}
	if len(s.segments) != len(r.Segments) {
		return false
	}
	// From the end: what lies deepest differs most between resources.
	for i := len(s.segments) - 1; i >= 0; i-- {
		if s.segments[i].kind != r.Segments[i].Kind || !s.segments[i].key.match(r.Segments[i].Key) {
			return false
		}
	}
	for i := range s.segments {
		if asked := s.segments[i].selectors; asked != noSelectors && !asked.hold(&r.Segments[i]) {
			return false
		}
	}
	return true
}

// hold reports whether the segment has all tags and properties asked for.
func (p *selectors) hold(s *Segment) bool {
	for i := range p.tags {
		if !p.tags[i].matchAny(s.Tags) {
			return false
		}
	}
	for i := range p.properties {
		if !p.properties[i].match(s.Properties) {
			return false
		}
	}
	return true
}

func (p *pattern) matchAny(texts []string) bool {
	for _, text := range texts {
		if p.match(text) {
			return true
		}
	}
	return false
}

func (p *propertyPattern) match(properties []Property) bool {
	for i := range properties {
		if properties[i].Name == p.name && p.value.match(properties[i].Value) {
			return true
		}
	}
	return false
}
