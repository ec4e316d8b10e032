package hooks

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// A Validation is what came of trying a subscription out.
type Validation struct {
	Delivery *Delivery         // as it is logged
	Template string            // key of the template, "" for a standard payload
	Skipped  string            // why nothing was sent, "" when something was
	Request  *manifest.Request // as it was sent, secrets in clear; nil when nothing was sent
	Secrets  []string          // texts in Request that nobody may see
	Shown    *manifest.Request // Request as it may be shown: rendered from masks in place of secrets; without signatures
}

// testEvent is what a subscription is tried out with: a flag change that says
// that it is a test.
func testEvent(by Actor, integration string) (*Event, error) {
	const comment = "This is a test message from flaghook. No flag was changed."
	resource := "proj/flaghook-test:env/production:flag/test-flag"
	who := by.Name
	if who == "" {
		who = "flaghook"
	}
	return NewEvent(render.Object(
		render.Member{Key: "action", Value: render.String("updateOn")},
		render.Member{Key: "resource", Value: render.String(resource)},
		render.Member{Key: "name", Value: render.String("Test flag")},
		render.Member{Key: "comment", Value: render.String(comment)},
		render.Member{Key: "details", Value: render.String(comment)},
		render.Member{Key: "app", Value: render.Object(render.Member{Key: "name", Value: render.String(who)})},
		render.Member{Key: "before", Value: render.Object(render.Member{Key: "on", Value: render.Bool(false)})},
		render.Member{Key: "after", Value: render.Object(render.Member{Key: "on", Value: render.Bool(true)})},
		render.Member{Key: "source", Value: render.Object(render.Member{Key: "kind", Value: render.String(ownSource)})}, // no replay sends it
		render.Member{Key: "customProperties", Value: render.Object(
			render.Member{Key: "test", Value: render.Bool(true)},
			render.Member{Key: "integration", Value: render.String(policy.Escape(integration))})},
	), EventOptions{})
}

// Validate sends a subscription's test request now, on or off: the integration's
// template "validation" or, without one, an event marked as a test through the
// usual template. It is signed and logged like any delivery, and not tried
// again. The errors are ErrNotFound, *UnknownIntegrationError, or the store's.
func (e *Engine) Validate(ctx context.Context, by Actor, subscriptionID string) (*Validation, error) {
	a := e.lookup(subscriptionID)
	if a == nil {
		return nil, fmt.Errorf("subscription %s: %w", subscriptionID, ErrNotFound)
	}
	if a.integration == nil {
		return nil, &UnknownIntegrationError{Key: a.sub.Integration, Reason: a.problem}
	}
	event, err := testEvent(by, a.sub.Integration)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	c := Claim{
		DeliveryID: DeliveryID(event.Key(), subscriptionID, ""), EventKey: event.Key(), SubscriptionID: subscriptionID,
		CreatedAt: start, Since: start,
	}
	v := &Validation{Secrets: a.secrets}
	outcome := e.try(ctx, c, a, event, v)
	if ctx.Err() != nil && outcome.Attempt != nil && outcome.Attempt.StatusCode == 0 {
		return nil, ctx.Err() // the caller left
	}
	batch := []Accepted{{Event: event, SubscriptionIDs: []string{subscriptionID}, Outcome: outcome}}
	if _, err := e.o.Queue.Accept(context.WithoutCancel(ctx), batch); err != nil {
		return nil, fmt.Errorf("log the validation: %w", err)
	}
	e.tell(ctx, a, outcome, start)
	if v.Delivery, err = e.o.Store.Delivery(ctx, c.DeliveryID); err != nil {
		return nil, err
	}
	return v, nil
}

// try makes the one attempt of a validation.
func (e *Engine) try(ctx context.Context, c Claim, a *active, event *Event, v *Validation) *Settlement {
	start := time.Now()
	rendered, err := a.integration.Render(event.rendered, manifest.RenderInput{
		Config: a.sub.Config, PreviousConfig: a.previous(start), Validation: true, Delivery: manifest.Delivery{ID: c.DeliveryID, Attempt: 1},
	})
	if err != nil {
		return failed(c, start, err.Error())
	}
	v.Template = rendered.Template
	if rendered.Request == nil {
		v.Skipped = rendered.Skipped
		return &Settlement{Claim: c, State: StateSkipped, Reason: rendered.Skipped}
	}
	v.Request, v.Shown = rendered.Request, shownRequest(a, c.DeliveryID, event)
	r := e.o.Sender.Send(ctx, e.addressed(a, c.DeliveryID, rendered.Request))
	s := &Settlement{Claim: c, Attempt: attemptOf(a, start, r), State: StateDelivered}
	if r.ErrorClass != "" {
		s.State, s.Reason = StateDead, r.Error
	}
	return s
}

// shownRequest renders the test request from a config whose secrets are masked,
// so that none is in it in any form, encoded or cut. Of a URL no more is left than
// scheme and host. Nil when the masks cannot be rendered.
func shownRequest(a *active, deliveryID string, event *Event) *manifest.Request {
	config := a.integration.Mask(a.sub.Config)
	for key, value := range config.Members() {
		if v := a.integration.Variable(key); v != nil && v.Type == manifest.TypeURI {
			config = config.With(key, render.String(maskURL(value.AsString())))
		}
	}
	rendered, err := a.integration.Render(event.rendered, manifest.RenderInput{
		Config: config, Validation: true, Delivery: manifest.Delivery{ID: deliveryID, Attempt: 1},
	})
	if err != nil || rendered.Request == nil {
		return nil
	}
	shown := *rendered.Request
	shown.Signatures = nil
	return &shown
}

// maskURL hides what is behind a URL's host.
func maskURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return manifest.MaskedSecret
	}
	shown := u.Scheme + "://" + u.Host
	if u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		shown += "/" + manifest.MaskedSecret
	}
	return shown
}
