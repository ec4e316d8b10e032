package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Bounds of a policy, generous for people and small enough that no evaluation is
// long. MaxResource and MaxAction bound the other texts.
const (
	// MaxStatements bounds the statements of a policy.
	MaxStatements = 500
	// MaxItems bounds each list of a statement.
	MaxItems = 500
	// MaxSpecifier bounds the bytes of a resource specifier.
	MaxSpecifier = 4 << 10
	// MaxPolicy bounds the bytes of all texts of a policy together, and of its JSON.
	MaxPolicy = 256 << 10
	// MaxWildcards bounds the patterns of a policy that have a * beside other
	// characters: keys, tags, properties' values and actions in all lists together.
	// Each is tried on its own; a literal is not, and a lone * matches at once.
	MaxWildcards = 5000
	// MaxErrors bounds how many errors of one policy are reported.
	MaxErrors = 100

	// maxSelectors bounds the tags and properties of one segment.
	maxSelectors = 1000
)

// A Policy is a parsed list of statements. It never changes and is safe for
// concurrent use.
type Policy struct {
	statements       []statement
	items, wildcards int // how many specifiers and actions, and patterns with wildcards
}

// A statement is a parsed Statement. Literal keys, prefixes and kind chains stay
// apart in its patterns, so that policies can be found by them.
type statement struct {
	deny         bool
	notResources bool
	notActions   bool
	resources    []specifier // or those of notResources
	actions      []pattern   // or those of notActions
}

// Parse checks and parses statements whose kinds are DefaultKinds. An error is
// Errors: all of them at once. No statements at all is a policy that allows
// nothing.
func Parse(statements []Statement) (*Policy, error) {
	return ParseWith(statements, DefaultKinds())
}

// ParseWith is Parse with the kinds of a system of one's own.
func ParseWith(statements []Statement, kinds Kinds) (*Policy, error) {
	if f := checkBounds(statements); f != nil {
		return nil, Errors{f}
	}
	p := &Policy{statements: make([]statement, len(statements))}
	var errs collector
	for i := range statements {
		c := compiler{errs: &errs, kinds: kinds, index: i}
		p.statements[i] = c.statement(&statements[i])
	}
	if err := errs.err(); err != nil {
		return nil, err
	}
	if p.count(); p.wildcards > MaxWildcards {
		f := fault{message: fmt.Sprintf("the policy has %d patterns with * beside other characters", p.wildcards),
			hint: fmt.Sprintf("at most %d are allowed, in keys, tags, properties and actions together; name some in full, or by a lone *", MaxWildcards)}
		return nil, Errors{f.at(-1, "", -1)}
	}
	return p, nil
}

// count counts the items of all lists, and the patterns with wildcards in them.
func (p *Policy) count() {
	for i := range p.statements {
		s := &p.statements[i]
		p.items += len(s.resources) + len(s.actions)
		for j := range s.resources {
			p.wildcards += s.resources[j].wildcards()
		}
		for j := range s.actions {
			p.wildcards += s.actions[j].wildcards()
		}
	}
}

// checkBounds refuses a policy too large to look at.
func checkBounds(statements []Statement) *Error {
	if len(statements) > MaxStatements {
		f := fault{message: fmt.Sprintf("the policy has %d statements", len(statements)), hint: fmt.Sprintf("at most %d are allowed", MaxStatements)}
		return f.at(-1, "", -1)
	}
	size := 0
	for i := range statements {
		s := &statements[i]
		for _, field := range s.lists() {
			if n := len(field.items); n > MaxItems {
				f := fault{message: fmt.Sprintf("the list has %d items", n), hint: fmt.Sprintf("at most %d are allowed; cut it into several statements", MaxItems)}
				return f.at(i, field.name, -1)
			}
			for _, item := range field.items {
				size += len(item)
			}
		}
	}
	if size > MaxPolicy {
		f := fault{message: fmt.Sprintf("the policy's texts have %d bytes", size), hint: fmt.Sprintf("at most %d are allowed", MaxPolicy)}
		return f.at(-1, "", -1)
	}
	return nil
}

// A compiler turns one Statement into a statement and collects what is wrong.
type compiler struct {
	errs  *collector
	kinds Kinds
	index int
}

func (c *compiler) fail(field string, item int, f fault) {
	c.errs.add(f.at(c.index, field, item))
}

func (c *compiler) statement(s *Statement) statement {
	var out statement
	switch s.Effect {
	case "allow":
	case "deny":
		out.deny = true
	case "":
		c.fail("effect", -1, fault{message: "the effect is missing", hint: "write allow or deny"})
	default:
		c.fail("effect", -1, fault{message: "unknown effect " + quote(s.Effect), hint: "write allow or deny"})
	}

	resources := c.oneOf(field{"resources", s.Resources}, field{"notResources", s.NotResources})
	for _, f := range resources {
		out.notResources = f.name == "notResources"
		out.resources = c.specifiers(f)
	}
	actions := c.oneOf(field{"actions", s.Actions}, field{"notActions", s.NotActions})
	for _, f := range actions {
		out.notActions = f.name == "notActions"
		out.actions = c.patterns(f)
	}
	return out
}

// oneOf wants exactly one of two lists, and gives those that are there so that
// the errors in them come out too. An empty list beside a full one counts as
// absent: some clients write all members.
func (c *compiler) oneOf(is, not field) []field {
	if len(is.items) > 0 && len(not.items) == 0 {
		return []field{is}
	}
	if len(not.items) > 0 && len(is.items) == 0 {
		return []field{not}
	}
	switch {
	case is.items == nil && not.items == nil:
		c.fail(is.name, -1, fault{message: is.name + " is missing", hint: "give exactly one of " + is.name + " and " + not.name})
		return nil
	case is.items != nil && not.items != nil:
		c.fail(not.name, -1, fault{message: is.name + " and " + not.name + " are both given", hint: "remove one of them"})
		return []field{is, not}
	case is.items != nil:
		return []field{is}
	}
	return []field{not}
}

func (c *compiler) specifiers(f field) []specifier {
	if len(f.items) == 0 {
		c.fail(f.name, -1, fault{message: "the list is empty", hint: `name at least one resource; "*" is any`})
	}
	specs := make([]specifier, 0, len(f.items))
	for i, text := range f.items {
		spec, fault := parseSpecifier(text, c.kinds)
		if fault != nil {
			c.fail(f.name, i, *fault)
			continue
		}
		specs = append(specs, spec)
	}
	return specs
}

func (c *compiler) patterns(f field) []pattern {
	if len(f.items) == 0 {
		c.fail(f.name, -1, fault{message: "the list is empty", hint: `name at least one action; "*" is any`})
	}
	patterns := make([]pattern, 0, len(f.items))
	for i, text := range f.items {
		if fault := checkAction(text); fault != nil {
			c.fail(f.name, i, *fault)
			continue
		}
		patterns = append(patterns, newPattern(text, false))
	}
	return patterns
}

// Statements gives the policy in its canonical form: in each specifier tags stand
// before properties, both sorted, and wildcards and percent-encoding are
// normalised. The order of statements and lists is kept. The caller owns the result.
func (p *Policy) Statements() []Statement {
	out := make([]Statement, len(p.statements))
	for i := range p.statements {
		out[i] = p.statements[i].print()
	}
	return out
}

func (s *statement) print() Statement {
	out := Statement{Effect: "allow"}
	if s.deny {
		out.Effect = "deny"
	}
	resources := make([]string, len(s.resources))
	for i := range s.resources {
		resources[i] = s.resources[i].text
	}
	actions := make([]string, len(s.actions))
	for i := range s.actions {
		actions[i] = s.actions[i].text(false)
	}
	if s.notResources {
		out.NotResources = resources
	} else {
		out.Resources = resources
	}
	if s.notActions {
		out.NotActions = actions
	} else {
		out.Actions = actions
	}
	return out
}

// String prints the canonical form as JSON in one line, which ParseStatements
// reads. Policies print alike exactly when they are Equal.
func (p *Policy) String() string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(p.Statements()); err != nil {
		return "[]" // strings always encode
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// Equal reports whether two policies have the same statements in the same order,
// whatever way they were written.
func (p *Policy) Equal(q *Policy) bool {
	return slices.EqualFunc(p.statements, q.statements, statement.equal)
}

func (s statement) equal(o statement) bool {
	return s.deny == o.deny && s.notResources == o.notResources && s.notActions == o.notActions &&
		slices.EqualFunc(s.resources, o.resources, func(a, b specifier) bool { return a.text == b.text }) &&
		slices.EqualFunc(s.actions, o.actions, pattern.equal)
}
