package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxResource bounds the bytes of an event's resource, MaxAction those of an
// action, in events and in policies.
const (
	MaxResource = 16 << 10
	MaxAction   = 256
)

// An Access is one thing that an event did to one resource.
type Access struct {
	// Action is a name like updateOn.
	Action string `json:"action"`
	// Resource is the resource with its tags and properties, like
	// proj/web;ops:env/production;{critical:true}:flag/checkout;payments.
	Resource string `json:"resource"`
}

// A ParsedAccess is an Access ready for evaluation. It is read only and safe for
// concurrent use.
type ParsedAccess struct {
	Action   string
	Resource Resource

	text       string      // the resource as it was given
	selections []selection // of the segments; nil where they have few, or nobody parsed
}

// A Resource is one resource of an event: its segments from the root down, with
// every text decoded.
type Resource struct{ Segments []Segment }

// A Segment is one kind/key with the tags and properties that the resource has
// there.
type Segment struct {
	// Kind is the name before the '/', like flag. Kinds of events are not bound to
	// those of policies.
	Kind string
	// Key is percent-decoded; it is empty for acct.
	Key string
	// Tags and Properties are percent-decoded, in the order of the text.
	Tags       []string
	Properties []Property
}

// A Property is what a {name:value} selector asks for.
type Property struct{ Name, Value string }

// ParseAccess reads an access of an event. An error is an *Error whose Field is
// action or resource and whose Statement and Item are -1.
func ParseAccess(a Access) (ParsedAccess, error) {
	if f := checkAction(a.Action); f != nil {
		return ParsedAccess{}, f.at(-1, "action", -1)
	}
	r, err := ParseResource(a.Resource)
	if err != nil {
		return ParsedAccess{}, err
	}
	return ParsedAccess{Action: a.Action, Resource: r, text: a.Resource, selections: selections(&r)}, nil
}

// ParseResource reads a resource of an event, like proj/web;ops:env/staging. Only
// the grammar is checked: kinds may be any, and '*' is a character like others.
// An error is an *Error whose Field is resource and whose Statement and Item are -1.
func ParseResource(text string) (Resource, error) {
	if len(text) > MaxResource {
		f := &fault{message: fmt.Sprintf("the resource has %d bytes", len(text)), hint: fmt.Sprintf("at most %d are allowed", MaxResource)}
		return Resource{}, f.at(-1, "resource", -1)
	}
	s := scanner{text: text}
	var space [4]scanned // most have 3
	segments, f := s.scan(space[:0])
	if f != nil {
		return Resource{}, f.at(-1, "resource", -1)
	}
	r := Resource{Segments: make([]Segment, len(segments))}
	for i := range segments {
		r.Segments[i] = segments[i].resource()
	}
	return r, nil
}

// resource decodes a segment of an event's resource.
func (s *scanned) resource() Segment {
	seg := Segment{Kind: s.kind, Key: unescape(s.key)}
	for _, item := range s.items {
		if item.property {
			seg.Properties = append(seg.Properties, Property{Name: unescape(item.name), Value: unescape(item.text)})
		} else {
			seg.Tags = append(seg.Tags, unescape(item.text))
		}
	}
	return seg
}

// String prints the resource so that ParseResource gives it back: tags before
// properties, texts percent-encoded where they have to be.
func (r Resource) String() string {
	var b strings.Builder
	for i := range r.Segments {
		if i > 0 {
			b.WriteByte(':')
		}
		r.Segments[i].print(&b)
	}
	return b.String()
}

func (s *Segment) print(b *strings.Builder) {
	b.WriteString(s.Kind)
	if s.Key != "" || !isKeyless(s.Kind) {
		b.WriteByte('/')
		b.WriteString(Escape(s.Key))
	}
	separator := byte(';')
	for _, tag := range s.Tags {
		b.WriteByte(separator)
		b.WriteString(Escape(tag))
		separator = ','
	}
	for _, p := range s.Properties {
		b.WriteByte(separator)
		b.WriteString("{" + Escape(p.Name) + ":" + Escape(p.Value) + "}")
		separator = ','
	}
}

// resourceText is the resource as the event gave it.
func (a *ParsedAccess) resourceText() string {
	if a.text != "" {
		return a.text
	}
	return a.Resource.String()
}

// checkAction refuses what cannot name an action, or a pattern of actions.
func checkAction(action string) *fault {
	switch {
	case action == "":
		return &fault{message: "the action is empty", hint: "name one, like updateOn"}
	case len(action) > MaxAction:
		return &fault{message: fmt.Sprintf("the action has %d bytes", len(action)), hint: fmt.Sprintf("at most %d are allowed", MaxAction)}
	}
	if !utf8.ValidString(action) {
		return &fault{message: "the action is not UTF-8", hint: "an action is one word, like updateOn"}
	}
	for i := range len(action) {
		if isControl(action[i]) || action[i] == ' ' {
			return &fault{column: i + 1, message: fmt.Sprintf("%q in an action", action[i]), hint: "an action is one word, like updateOn"}
		}
	}
	return nil
}
