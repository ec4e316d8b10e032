package policy

import (
	"fmt"
	"strconv"
)

// An Effect is what a policy says about one access.
type Effect string

// An access is denied when a deny statement applies to it, allowed when only
// allow statements do, and neither when no statement does: then it is not allowed.
const (
	Allow     Effect = "allow"
	Deny      Effect = "deny"
	NoneApply Effect = "none"
)

// A StatementIndex is a place in a policy's list of statements, counted from 0,
// or None.
type StatementIndex int

// None stands for no statement. In JSON it is null.
const None StatementIndex = -1

// MarshalJSON writes the number, or null for None.
func (i StatementIndex) MarshalJSON() ([]byte, error) {
	if i == None {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(i), 10), nil
}

// A Decision is what a policy says about an event, and why.
type Decision struct {
	// Allowed is what Allows says.
	Allowed bool `json:"allowed"`
	// Statement is the index of the statement that decided: the one that allows the
	// first allowed access, else the one that denies the first denied access, else None.
	Statement StatementIndex `json:"statement"`
	// Reason is one sentence for people.
	Reason string `json:"reason"`
	// Accesses has a decision for every access, in their order.
	Accesses []AccessDecision `json:"accesses"`
}

// An AccessDecision is what a policy says about one access, and why.
type AccessDecision struct {
	Access
	Effect Effect `json:"effect"`
	// Statement is the index of the first statement that decided.
	Statement StatementIndex `json:"statement"`
	// Nearest is, where none applies, the index of the allow statement that came
	// nearest to it.
	Nearest StatementIndex `json:"nearest"`
	// Failed is, where Nearest is a statement, what kept it from applying: kind,
	// key, tag, property, action, or resource for one left out by notResources.
	Failed string `json:"failed,omitempty"`
	// Reason is one sentence for people.
	Reason string `json:"reason"`
}

// Explain says what Allows says, and why.
func (p *Policy) Explain(accesses []ParsedAccess) Decision {
	d := Decision{Statement: None, Accesses: make([]AccessDecision, len(accesses))}
	var deciding *AccessDecision
	for i := range accesses {
		d.Accesses[i] = p.explain(&accesses[i])
		if a := &d.Accesses[i]; deciding == nil || rank[a.Effect] > rank[deciding.Effect] {
			deciding = a
		}
	}
	if deciding == nil {
		d.Reason = "the event has no accesses"
		return d
	}
	d.Allowed, d.Statement, d.Reason = deciding.Effect == Allow, deciding.Statement, deciding.Reason
	return d
}

// rank orders effects by how much they say about a whole event.
var rank = map[Effect]int{NoneApply: 0, Deny: 1, Allow: 2}

func (p *Policy) explain(a *ParsedAccess) AccessDecision {
	d := AccessDecision{Access: Access{Action: a.Action, Resource: a.resourceText()}, Statement: None, Nearest: None}
	for i := range p.statements {
		s := &p.statements[i]
		if d.Effect != "" && !s.deny || !s.applies(a) {
			continue
		}
		d.Statement = StatementIndex(i)
		if s.deny {
			d.Effect = Deny
			d.Reason = fmt.Sprintf("statement %d denies it: %s", i, s.why(a))
			return d
		}
		d.Effect = Allow
		d.Reason = fmt.Sprintf("statement %d allows it: %s", i, s.why(a))
	}
	if d.Effect == "" {
		p.explainMiss(a, &d)
	}
	return d
}

// why says which items made an applying statement apply.
func (s *statement) why(a *ParsedAccess) string {
	resource := "its notResources do not name the resource"
	if !s.notResources {
		resource = quote(s.resources[s.resourceItem(a)].text) + " names the resource"
	}
	if s.notActions {
		return resource + " and its notActions do not name the action"
	}
	pattern := &s.actions[s.actionItem(a.Action)]
	return resource + " and " + quote(pattern.text(false)) + " the action"
}

// explainMiss finds the allow statement that came nearest to applying.
func (p *Policy) explainMiss(a *ParsedAccess, d *AccessDecision) {
	d.Effect = NoneApply
	var best miss
	for i := range p.statements {
		if s := &p.statements[i]; !s.deny {
			if m := s.miss(a); d.Nearest < 0 || m.score > best.score {
				best, d.Nearest = m, StatementIndex(i)
			}
		}
	}
	switch {
	case len(p.statements) == 0:
		d.Reason = "the policy has no statements, so it allows nothing"
	case d.Nearest < 0:
		d.Reason = "the policy has no allow statement, so it allows nothing"
	default:
		d.Failed = best.failed
		d.Reason = fmt.Sprintf("no statement allows it; nearest is statement %d: %s", d.Nearest, best.text(a))
	}
}
