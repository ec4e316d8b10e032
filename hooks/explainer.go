package hooks

import (
	"context"
	"fmt"
	"time"

	"github.com/flaghook/flaghook/policy"
)

// maxExplainedAccesses bounds how many accesses of an event are explained to
// each subscription; whether any is allowed is asked of all.
const maxExplainedAccesses = 100

// maxExplainWork bounds what a page of explanations may take, in the steps of
// policy.Work: up to about a second.
const maxExplainWork = 100_000_000

// An explainer finds out why there is no delivery of an event.
type explainer struct {
	event    *Event
	accepted time.Time
	work     int // that was done, in the steps of policy.Work
}

// A ruling is what a policy says about an event.
type ruling struct {
	allowed bool
	decides int // where it is not: the access that says most, the first denied one or else the first
}

// ask asks a policy, once for each access; the error is the context's.
func (x *explainer) ask(ctx context.Context, p *policy.Policy) (ruling, error) {
	accesses := x.event.Accesses()
	x.work += p.Work(accesses)
	v, denied := ruling{}, false
	for i := range accesses {
		if err := ctx.Err(); err != nil {
			return v, err
		}
		switch p.Effect(&accesses[i]) {
		case policy.Allow:
			return ruling{allowed: true}, nil
		case policy.Deny:
			if !denied && i < maxExplainedAccesses {
				v.decides, denied = i, true
			}
		}
	}
	return v, nil
}

// explain tells about a subscription; the error is the context's.
func (x *explainer) explain(ctx context.Context, a *active) (*Explanation, error) {
	var v ruling
	if a.policy != nil {
		var err error
		if v, err = x.ask(ctx, a.policy); err != nil {
			return nil, err
		}
	}
	out := x.reason(a, v)
	if out.Outcome != OutcomeCreatedAfter {
		out.Note = x.note(a.sub)
	}
	if a.policy != nil && !v.allowed {
		out.Policy = x.refusal(a.policy, v.decides)
		if out.Outcome == OutcomeFiltered {
			out.Reason = out.Policy.Reason
		} else {
			out.Reason += "; its policy would not let the event through either: " + out.Policy.Reason
		}
	}
	if out.Outcome != OutcomeNotServed && a.problem != "" {
		out.Reason += "; besides, it is not served: " + a.problem
	}
	return out, nil
}

func (x *explainer) reason(a *active, v ruling) *Explanation {
	s := a.sub
	switch {
	case s.CreatedAt.After(x.accepted):
		return explained(s, OutcomeCreatedAfter, fmt.Sprintf("it was created at %s, after the event was accepted at %s", at(s.CreatedAt), at(x.accepted)))
	case a.policy == nil:
		return explained(s, OutcomeNotServed, a.problem)
	case !s.On:
		return explained(s, OutcomeOff, "it is off")
	case !v.allowed:
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

// refusal tells why a policy that does not let the event through does not, by the
// access that decides.
func (x *explainer) refusal(p *policy.Policy, decides int) *Refusal {
	accesses := x.event.Accesses()
	if len(accesses) == 0 {
		return &Refusal{Effect: policy.NoneApply, Statement: policy.None, Nearest: policy.None, Reason: "the event has no accesses"}
	}
	d := p.Explain(accesses[decides : decides+1]).Accesses[0]
	r := &Refusal{Access: decides, Effect: d.Effect, Statement: d.Statement, Nearest: d.Nearest, Failed: d.Failed, Reason: d.Reason}
	if len(accesses) > maxExplainedAccesses {
		r.Reason += fmt.Sprintf(" (of the event's %d accesses the first %d were looked at; none of the others is allowed either)", len(accesses), maxExplainedAccesses)
	}
	return r
}
