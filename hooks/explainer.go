package hooks

import (
	"fmt"
	"time"

	"github.com/flaghook/flaghook/policy"
)

// maxExplainedAccesses bounds how many accesses of an event are explained to
// each subscription; whether any is allowed is asked of all.
const maxExplainedAccesses = 100

// An explainer finds out why there is no delivery of an event.
type explainer struct {
	event    *Event
	accepted time.Time
}

func (x *explainer) explain(a *active) *Explanation {
	out := x.reason(a)
	if out.Outcome != OutcomeCreatedAfter {
		out.Note = x.note(a.sub)
	}
	if a.policy != nil && !a.policy.Allows(x.event.Accesses()) {
		out.Policy = x.refusal(a.policy)
		if out.Outcome == OutcomeFiltered {
			out.Reason = out.Policy.Reason
		} else {
			out.Reason += "; its policy would not let the event through either: " + out.Policy.Reason
		}
	}
	if out.Outcome != OutcomeNotServed && a.problem != "" {
		out.Reason += "; besides, it is not served: " + a.problem
	}
	return out
}

func (x *explainer) reason(a *active) *Explanation {
	s := a.sub
	switch {
	case s.CreatedAt.After(x.accepted):
		return explained(s, OutcomeCreatedAfter, fmt.Sprintf("it was created at %s, after the event was accepted at %s", at(s.CreatedAt), at(x.accepted)))
	case a.policy == nil:
		return explained(s, OutcomeNotServed, a.problem)
	case !s.On:
		return explained(s, OutcomeOff, "it is off")
	case !a.policy.Allows(x.event.Accesses()):
		return explained(s, OutcomeFiltered, "")
	case !hears(s, x.event):
		return explained(s, OutcomeFiltered, ownReason)
	}
	return explained(s, OutcomeMissed, "as it is now, the event would go to it; no delivery was made when the event was accepted, so it, its integration's default policy or the catalog was different then")
}

// note tells that the subscription may have been different.
func (x *explainer) note(s *Subscription) string {
	if s.Version > 1 && s.UpdatedAt.After(x.accepted) {
		return fmt.Sprintf("this is what the subscription is now; it was last changed at %s, after the event was accepted at %s", at(s.UpdatedAt), at(x.accepted))
	}
	return ""
}

// refusal tells why a policy that does not let the event through does not.
func (x *explainer) refusal(p *policy.Policy) *Refusal {
	accesses := x.event.Accesses()
	looked := accesses[:min(len(accesses), maxExplainedAccesses)]
	decisions := p.Explain(looked).Accesses
	best := 0
	for i := range decisions {
		if decisions[i].Effect == policy.Deny { // says more than that nothing applies
			best = i
			break
		}
	}
	r := &Refusal{Effect: policy.NoneApply, Statement: policy.None, Nearest: policy.None, Reason: "the event has no accesses"}
	if len(decisions) > 0 {
		d := decisions[best]
		r = &Refusal{Access: best, Effect: d.Effect, Statement: d.Statement, Nearest: d.Nearest, Failed: d.Failed, Reason: d.Reason}
	}
	if len(looked) < len(accesses) {
		r.Reason += fmt.Sprintf(" (of the event's %d accesses the first %d were looked at; none of the others is allowed either)", len(accesses), len(looked))
	}
	return r
}
