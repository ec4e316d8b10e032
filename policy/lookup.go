package policy

import (
	"cmp"
	"slices"
	"strings"
)

// fewSelectors is up to how many tags, or properties, of a segment are looked
// through one by one, which for so few is fastest.
const fewSelectors = 8

// A selection is what an access has in one segment, ready to be looked up. Its
// lists are indices into the segment's tags and properties: in the order of their
// texts, each text once; nil for the few that are looked through one by one.
type selection struct {
	tags, properties []uint16
}

// selections prepares a resource that ParseResource gave, and so bounded by
// maxSelectors; nil where all segments have few.
func selections(r *Resource) []selection {
	var all []selection
	for i := range r.Segments {
		s := &r.Segments[i]
		if len(s.Tags) <= fewSelectors && len(s.Properties) <= fewSelectors {
			continue
		}
		if all == nil {
			all = make([]selection, len(r.Segments))
		}
		all[i] = selection{
			sorted(s.Tags, strings.Compare),
			sorted(s.Properties, func(a, b Property) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) }),
		}
	}
	return all
}

// sorted gives the indices of many items in their order, equal ones once.
func sorted[T any](items []T, compare func(a, b T) int) []uint16 {
	if len(items) <= fewSelectors {
		return nil
	}
	order := make([]uint16, len(items))
	for i := range order {
		order[i] = uint16(i)
	}
	byItem := func(i, j uint16) int { return compare(items[i], items[j]) }
	slices.SortFunc(order, byItem)
	return slices.Clip(slices.CompactFunc(order, func(i, j uint16) bool { return byItem(i, j) == 0 }))
}

// A segmentView is a segment of an access with its selection.
type segmentView struct {
	*Segment
	selection
}

// segment gives a segment to look things up in.
func (a *ParsedAccess) segment(i int) segmentView {
	v := segmentView{Segment: &a.Resource.Segments[i]}
	if a.selections != nil {
		v.selection = a.selections[i]
	}
	return v
}

// hasTag reports whether a tag matches. Of many only those are tried that begin
// with what stands before the pattern's first wildcard: for a literal, one.
func (v *segmentView) hasTag(p *pattern) bool {
	if v.selection.tags == nil {
		return slices.ContainsFunc(v.Tags, p.match)
	}
	order := v.selection.tags
	from, _ := slices.BinarySearchFunc(order, p.prefix, func(i uint16, prefix string) int { return cmp.Compare(v.Tags[i], prefix) })
	for _, i := range order[from:] {
		switch tag := v.Tags[i]; {
		case p.match(tag):
			return true
		case p.isLiteral() || !strings.HasPrefix(tag, p.prefix):
			return false
		}
	}
	return false
}

// hasProperty is hasTag for a property.
func (v *segmentView) hasProperty(p *propertyPattern) bool {
	if v.selection.properties == nil {
		return slices.ContainsFunc(v.Properties, p.match)
	}
	order := v.selection.properties
	from, _ := slices.BinarySearchFunc(order, p, func(i uint16, p *propertyPattern) int {
		return cmp.Or(cmp.Compare(v.Properties[i].Name, p.name), cmp.Compare(v.Properties[i].Value, p.value.prefix))
	})
	for _, i := range order[from:] {
		switch has := v.Properties[i]; {
		case p.match(has):
			return true
		case has.Name != p.name || p.value.isLiteral() || !strings.HasPrefix(has.Value, p.value.prefix):
			return false
		}
	}
	return false
}
