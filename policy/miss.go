package policy

import (
	"fmt"
	"strings"
)

// A miss is the nearest that one statement came to an access. It keeps what
// failed and not the words, since only the best of many is told.
type miss struct {
	score  int
	failed string

	statement *statement
	specifier *specifier // the nearest, for failed kind, key, tag and property
	segment   int        // where it failed
	selector  int        // which tag or property
	item      int        // the excluding item, for notResources and notActions
}

// The stages that a match goes through; a later one is nearer.
const (
	stageKind = iota
	stageKey
	stageSelector
	stageAction
)

func score(stage, segments int) int { return 2 * (stage*(maxSegments+1) + segments) }

// miss says how near a statement that does not apply came.
func (s *statement) miss(a *ParsedAccess) miss {
	action := s.matchesAction(a.Action)
	if s.matchesResource(a) {
		return miss{statement: s, score: score(stageAction, 0), failed: "action", item: s.actionItem(a.Action)}
	}
	var best miss
	if s.notResources {
		best = miss{score: score(stageSelector, maxSegments), failed: "resource", item: s.resourceItem(a)}
	} else {
		for i := range s.resources {
			if m := s.resources[i].miss(a); best.specifier == nil || m.score > best.score {
				best = m
			}
		}
	}
	best.statement = s
	if action {
		best.score++
	}
	return best
}

// miss says how near a specifier that does not match came.
func (s *specifier) miss(a *ParsedAccess) miss {
	m, r := miss{specifier: s}, &a.Resource
	n := min(len(s.segments), len(r.Segments))
	same := 0
	for same < n && s.segments[same].kind == r.Segments[same].Kind {
		same++
	}
	if same < max(len(s.segments), len(r.Segments)) {
		m.failed, m.score = "kind", score(stageKind, same)
		return m
	}
	for i := range s.segments {
		if s.segments[i].key.match(r.Segments[i].Key) {
			m.score++
		} else if m.failed == "" {
			m.failed, m.segment = "key", i
		}
	}
	if m.failed != "" {
		m.score = score(stageKey, m.score)
		return m
	}
	m.score = 0
	for i := range s.segments {
		failed, selector := s.segments[i].failing(a.segment(i))
		if failed == "" {
			m.score++
		} else if m.failed == "" {
			m.failed, m.segment, m.selector = failed, i, selector
		}
	}
	m.score = score(stageSelector, m.score)
	return m
}

// text tells the miss.
func (m *miss) text(a *ParsedAccess) string {
	switch m.failed {
	case "action":
		return m.actionText(a.Action)
	case "resource":
		return "its notResources leave out " + quote(m.statement.resources[m.item].text)
	}
	text := quote(m.specifier.text) + ": " + m.resourceText(&a.Resource)
	if !m.statement.matchesAction(a.Action) {
		text += "; nor is it for the action " + quote(a.Action)
	}
	return text
}

func (m *miss) actionText(action string) string {
	if m.statement.notActions {
		return fmt.Sprintf("its notActions leave out %s, and the action is %s", quote(m.statement.actions[m.item].text(false)), quote(action))
	}
	patterns := make([]string, len(m.statement.actions))
	for i := range m.statement.actions {
		patterns[i] = quote(m.statement.actions[i].text(false))
	}
	return fmt.Sprintf("it is for the actions %s, and this one is %s", list(patterns), quote(action))
}

func (m *miss) resourceText(r *Resource) string {
	if m.failed == "kind" {
		return m.kindText(r)
	}
	want, have := &m.specifier.segments[m.segment], &r.Segments[m.segment]
	switch m.failed {
	case "key":
		return fmt.Sprintf("the %s must be %s, and this one is %s", want.kind, quote(want.key.text(true)), quote(Escape(have.Key)))
	case "tag":
		tags := make([]string, len(have.Tags))
		for i, tag := range have.Tags {
			tags[i] = quote(Escape(tag))
		}
		return fmt.Sprintf("the %s must have the tag %s, and %s has %s", want.kind, quote(want.tags[m.selector].text(true)),
			quote(Escape(have.Key)), orNone(tags, "no tags"))
	}
	properties := make([]string, len(have.Properties))
	for i, p := range have.Properties {
		properties[i] = quote("{" + Escape(p.Name) + ":" + Escape(p.Value) + "}")
	}
	return fmt.Sprintf("the %s must have %s, and %s has %s", want.kind, quote(want.properties[m.selector].text()),
		quote(Escape(have.Key)), orNone(properties, "no properties"))
}

func (m *miss) kindText(r *Resource) string {
	want := make([]string, len(m.specifier.segments))
	for i := range m.specifier.segments {
		want[i] = m.specifier.segments[i].kind
	}
	have := make([]string, len(r.Segments))
	for i := range r.Segments {
		have[i] = r.Segments[i].Kind
	}
	text := fmt.Sprintf("it is for resources of the kind %s, and this one is %s", strings.Join(want, ":"), strings.Join(have, ":"))
	if strings.HasPrefix(strings.Join(have, ":"), strings.Join(want, ":")+":") {
		text += " (a specifier names exactly its own depth)"
	}
	return text
}

func orNone(items []string, none string) string {
	if len(items) == 0 {
		return none
	}
	return list(items)
}

// list joins the first few items.
func list(items []string) string {
	const most = 8
	if len(items) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(items[:most], ", "), len(items)-most)
	}
	return strings.Join(items, ", ")
}
