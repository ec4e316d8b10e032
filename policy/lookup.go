package policy

import (
	"cmp"
	"slices"
	"strings"
)

// fewSelectors is up to how many tags, or properties, of a segment are looked
// through one by one, which for so few is fastest.
const fewSelectors = 8

// A selection is what an access has in one segment, ready to be looked up.
type selection struct{ tags, properties lookup }

// A lookup finds texts of a list: the indices of its items in their order, equal
// ones once, and beside each the letters of its text. It is empty for the few items
// that are looked through one by one.
type lookup struct {
	order   []uint16
	letters []letters
}

// letters is which bytes a text has, each as one of 64 bits: a pattern whose
// letters a text lacks cannot match it.
type letters uint64

func lettersOf(text string) (l letters) {
	for i := range len(text) {
		l |= 1 << (text[i] & 63)
	}
	return l
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
		all[i].tags = newLookup(s.Tags, strings.Compare, lettersOf)
		all[i].properties = newLookup(s.Properties,
			func(a, b Property) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) },
			func(p Property) letters { return lettersOf(p.Value) })
	}
	return all
}

func newLookup[T any](items []T, compare func(a, b T) int, lettersOf func(T) letters) (l lookup) {
	if len(items) <= fewSelectors {
		return l
	}
	order := make([]uint16, len(items))
	for i := range order {
		order[i] = uint16(i)
	}
	byItem := func(i, j uint16) int { return compare(items[i], items[j]) }
	slices.SortFunc(order, byItem)
	order = slices.CompactFunc(order, func(i, j uint16) bool { return byItem(i, j) == 0 })
	l.order, l.letters = slices.Clone(order), make([]letters, len(order)) // without what was compacted
	for i, at := range l.order {
		l.letters[i] = lettersOf(items[at])
	}
	return l
}

// A segmentView is a segment of an access with its selection.
type segmentView struct {
	*Segment
	selection *selection // nil where it has few of all
}

// segment gives a segment to look things up in.
func (a *ParsedAccess) segment(i int) segmentView {
	v := segmentView{Segment: &a.Resource.Segments[i], selection: &noSelection}
	if a.selections != nil {
		v.selection = &a.selections[i]
	}
	return v
}

var noSelection selection

// hasTag reports whether a tag matches. Of many only those are tried that begin
// with what stands before the pattern's first wildcard, for a literal one, and that
// have the letters of what follows.
func (v segmentView) hasTag(p *pattern) bool {
	l := &v.selection.tags
	if l.order == nil {
		return slices.ContainsFunc(v.Tags, p.match)
	}
	from, _ := slices.BinarySearchFunc(l.order, p.prefix, func(i uint16, prefix string) int { return cmp.Compare(v.Tags[i], prefix) })
	for i := from; i < len(l.order); i++ {
		tag := v.Tags[l.order[i]]
		if !strings.HasPrefix(tag, p.prefix) {
			return false
		}
		if l.letters[i]&p.letters() == p.letters() && p.match(tag) {
			return true
		}
		if p.isLiteral() {
			return false
		}
	}
	return false
}

// hasProperty is hasTag for a property: for the values of those with its name.
func (v segmentView) hasProperty(p *propertyPattern) bool {
	l := &v.selection.properties
	if l.order == nil {
		return slices.ContainsFunc(v.Properties, p.match)
	}
	from, _ := slices.BinarySearchFunc(l.order, p, func(i uint16, p *propertyPattern) int {
		return cmp.Or(cmp.Compare(v.Properties[i].Name, p.name), cmp.Compare(v.Properties[i].Value, p.value.prefix))
	})
	for i := from; i < len(l.order); i++ {
		has := v.Properties[l.order[i]]
		if has.Name != p.name || !strings.HasPrefix(has.Value, p.value.prefix) {
			return false
		}
		if l.letters[i]&p.value.letters() == p.value.letters() && p.value.match(has.Value) {
			return true
		}
		if p.value.isLiteral() {
			return false
		}
	}
	return false
}

// appendHashes appends hashes of the tags and of the properties, of many each once.
func (v segmentView) appendHashes(hashes []uint64) []uint64 {
	if order := v.selection.tags.order; order != nil {
		for _, i := range order {
			hashes = append(hashes, hashText(v.Tags[i]))
		}
	} else {
		for _, tag := range v.Tags {
			hashes = append(hashes, hashText(tag))
		}
	}
	if order := v.selection.properties.order; order != nil {
		for _, i := range order {
			hashes = append(hashes, hashProperty(v.Properties[i].Name, v.Properties[i].Value))
		}
	} else {
		for _, p := range v.Properties {
			hashes = append(hashes, hashProperty(p.Name, p.Value))
		}
	}
	return hashes
}
