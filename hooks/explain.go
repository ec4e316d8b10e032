package hooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flaghook/flaghook/policy"
)

// An Outcome says what became of one event for one subscription.
type Outcome string

// The outcomes. The first five are the states of a delivery that there is; with
// the others there is none.
const (
	OutcomePending   = Outcome(StatePending)
	OutcomeDelivered = Outcome(StateDelivered)
	OutcomeDead      = Outcome(StateDead)
	OutcomeSkipped   = Outcome(StateSkipped)
	OutcomeCancelled = Outcome(StateCancelled)

	OutcomeFiltered     Outcome = "filtered"     // its policy does not let the event through
	OutcomeOff          Outcome = "off"          // it is switched off
	OutcomeNotServed    Outcome = "notServed"    // its policy cannot be known: the integration is missing, or no longer fits
	OutcomeCreatedAfter Outcome = "createdAfter" // it did not exist yet
	// OutcomeMissed: as it is now it would get the event, so it was something
	// else when the event was accepted.
	OutcomeMissed Outcome = "missed"
)

// An Explanation says what became of one event for one subscription, and why. A
// delivery is a fact; where there is none, the reason is found in what the
// subscription is now, since what it was is not kept: Note then says what may
// have been different.
type Explanation struct {
	SubscriptionID string  `json:"subscriptionId"`
	Integration    string  `json:"integration"` // the integration's key
	Name           string  `json:"name"`        // the subscription's
	Outcome        Outcome `json:"outcome"`
	Reason         string  `json:"reason"` // for people
	// Note says which change came between the event and now, "" for none.
	Note string `json:"note,omitempty"`

	DeliveryID string `json:"deliveryId,omitempty"` // empty where there is none
	Attempts   int    `json:"attempts"`             // how many the delivery has had

	// Policy is what the present policy says, where there is no delivery and
	// it does not let the event through.
	Policy *Refusal `json:"policy,omitempty"`
}

// A Refusal says why a policy does not let an event through: the access that it
// says most about, with the statement that denies it or else the one that came
// nearest to allowing it. See policy.AccessDecision.
type Refusal struct {
	Access    int                   `json:"access"` // its index in the event's accesses
	Effect    policy.Effect         `json:"effect"`
	Statement policy.StatementIndex `json:"statement"`
	Nearest   policy.StatementIndex `json:"nearest"`
	Failed    string                `json:"failed,omitempty"`
	Reason    string                `json:"reason"`
}

// An ExplanationPage is one page of the explanations of an event.
type ExplanationPage struct {
	EventID string
	// EventTime is when the change happened, as the event says.
	EventTime  time.Time
	AcceptedAt time.Time      // when the event was accepted
	Items      []*Explanation // by the subscriptions' ids, oldest first
	Cursor     string         // where the next page goes on; "" at the end
}

// Explain says for one stored event what became of it for the subscriptions that
// there are now, at most limit (1 to 1000) of them, oldest first; after is "" or
// the Cursor of the last page. A page that takes long is shorter. The error is
// ErrNotFound for an unknown event.
func (e *Engine) Explain(ctx context.Context, eventID, after string, limit int) (ExplanationPage, error) {
	page := ExplanationPage{EventID: eventID, Items: []*Explanation{}}
	if limit < 1 || limit > 1000 {
		return page, fmt.Errorf("explain event %s: limit %d is not within 1 to 1000", eventID, limit)
	}
	event, err := e.o.Store.Event(ctx, eventID)
	if err != nil {
		return page, err
	}
	var subs []*active
	subs, page.Cursor = e.activeAfter(after, limit)
	x := explainer{event: event.Event, accepted: event.AcceptedAt}
	page.EventTime, page.AcceptedAt = event.Time(), x.accepted
	for i, a := range subs {
		delivery, err := e.deliveryOf(ctx, event.Key(), a.sub.ID)
		switch {
		case err != nil:
			return page, err
		case delivery != nil:
			page.Items = append(page.Items, explainDelivery(a, delivery))
		case e.lookup(a.sub.ID) != nil: // else it was deleted just now, with its deliveries
			explanation, err := x.explain(ctx, a)
			if err != nil {
				return page, err
			}
			page.Items = append(page.Items, explanation)
		}
		if x.work >= maxExplainWork && i < len(subs)-1 {
			page.Cursor = a.sub.ID
			break
		}
	}
	return page, nil
}

// activeAfter gives the first subscriptions whose ids come after one, in order,
// and the id to go on after, "" at the end.
func (e *Engine) activeAfter(after string, limit int) (subs []*active, next string) {
	e.mu.RLock()
	for id, a := range e.subs {
		if id > after {
			subs = append(subs, a)
		}
	}
	e.mu.RUnlock()
	slices.SortFunc(subs, func(a, b *active) int { return strings.Compare(a.sub.ID, b.sub.ID) })
	if len(subs) > limit {
		subs = subs[:limit]
		next = subs[limit-1].sub.ID
	}
	return subs, next
}

// deliveryOf finds the delivery of an event to a subscription; nil when there is none.
func (e *Engine) deliveryOf(ctx context.Context, eventKey, subscriptionID string) (*Delivery, error) {
	d, err := e.o.Store.Delivery(ctx, DeliveryID(eventKey, subscriptionID, ""))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return d, err
}

// explained begins an explanation.
func explained(s *Subscription, outcome Outcome, reason string) *Explanation {
	return &Explanation{SubscriptionID: s.ID, Integration: s.Integration, Name: s.Name, Outcome: outcome, Reason: reason}
}

// explainDelivery tells of a delivery that there is.
func explainDelivery(a *active, d *Delivery) *Explanation {
	x := explained(a.sub, Outcome(d.State), d.Reason)
	x.DeliveryID, x.Attempts = d.ID, len(d.Attempts)
	switch {
	case d.State == StatePending:
		x.Reason = pendingReason(a, d)
	case d.State == StateDelivered && len(d.Attempts) > 0:
		last := d.Attempts[len(d.Attempts)-1]
		x.Reason = fmt.Sprintf("answered with %d at %s", last.StatusCode, at(d.FinishedAt))
	case x.Reason == "":
		x.Reason = "no reason was recorded"
	}
	return x
}

// pendingReason says what a delivery waits for.
func pendingReason(a *active, d *Delivery) string {
	reason := "it waits for its first attempt"
	if n := len(d.Attempts); n > 0 {
		reason = fmt.Sprintf("it waits for its next attempt, not before %s; the last: %s", at(d.NextAttemptAt), d.Attempts[n-1].Error)
	}
	switch {
	case !a.sub.On:
		return reason + "; the subscription is off, which pauses it"
	case a.problem != "":
		return reason + "; the subscription is not served: " + a.problem
	}
	return reason
}

// at writes a time to the millisecond: a subscription may be made in the second
// of an event.
func at(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
