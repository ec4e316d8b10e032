package hooks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// ownSource is the source of events about flaghook's own resources.
const ownSource = "flaghook"

// hears reports whether a subscription that is let have an event by its policy
// gets it: one about flaghook's own resources not by a bare * alone, since who
// wants to hear of all flags does not ask for that.
func hears(s *Subscription, event *Event) bool {
	if !event.isOwn() {
		return true
	}
	var naming []policy.Statement
	for _, statement := range s.Statements {
		if statement.Effect == "allow" {
			statement.Resources = slices.DeleteFunc(slices.Clone(statement.Resources), func(r string) bool { return r == "*" })
			if len(statement.Resources) == 0 {
				continue
			}
		}
		naming = append(naming, statement)
	}
	p, err := policy.Parse(naming)
	return err == nil && p.Allows(event.Accesses())
}

// ownReason explains hears.
const ownReason = "the event tells of flaghook's own resources, and no statement names those: a bare * does not mean them; name integration/*, webhook/*, service-token/* or source/*"

// An Actor is who changes something: a token, by name and id, flaghook itself
// where both are empty; and why, where that was said.
type Actor struct{ Name, TokenID, Comment string }

// Changed publishes an event about a change of flaghook's own resources, so that
// it stands in the audit log and can be subscribed to. The resource is such as
// integration/slack, webhook/ID or service-token/NAME. The event goes to
// subscriptions whose statements name such resources, and never to the one that
// it is about. It is best effort: what was changed stays changed when the event
// cannot be stored.
func (e *Engine) Changed(ctx context.Context, by Actor, c Change) {
	event, err := NewEvent(c.document(by), EventOptions{})
	if err == nil {
		_, err = e.publish(context.WithoutCancel(ctx), ownSource, c.SubscriptionID, event)
	}
	var recorded *EventConflictError // one that the event's id tells of, though it may no longer be stored
	if err != nil && !(c.eventID != "" && errors.As(err, &recorded)) {
		e.log.Error("cannot record a change", "actions", c.Actions, "resource", c.Resource, "error", err)
	}
}

// A Change is what happened to a resource of flaghook's own.
type Change struct {
	Actions        []string // at least one
	Resource       string   // without tags, such as integration/slack
	Kind           string   // integration, webhook, service-token, ...
	ID, Name       string
	Tags           []string
	SubscriptionID string // of a subscription, also where Kind is webhook
	Comment        string
	Before, After  render.Value // without secrets; may be undefined

	eventID string // the same when it is recorded again; empty: a new one
}

func (c Change) document(by Actor) render.Value {
	resource := c.Resource
	if tags := resourceTags(c.Tags); tags != "" {
		resource += ";" + tags
	}
	b := newBuilder()
	b.object("")
	if c.eventID != "" {
		b.string("_id", c.eventID)
	}
	b.array("accesses")
	for _, action := range c.Actions {
		b.object("")
		b.string("action", action)
		b.string("resource", resource)
		b.end()
	}
	b.end()
	b.string("kind", c.Kind)
	if c.Name != "" {
		b.string("name", c.Name)
	}
	if comment := cmp.Or(by.Comment, c.Comment); comment != "" {
		b.string("comment", comment)
	}
	if by.Name == "" && by.TokenID == "" {
		b.object("app")
		b.string("name", "flaghook")
		b.end()
	} else {
		b.object("token")
		b.string("_id", by.TokenID)
		b.string("name", by.Name)
		b.end()
	}
	b.object("target")
	b.string("_id", c.ID)
	b.string("name", c.Name)
	b.end()
	b.object("source")
	b.string("kind", ownSource)
	b.end()
	b.add("before", c.Before)
	b.add("after", c.After)
	b.end()
	return render.Written(string(b.take()))
}

// resourceTags writes tags as a resource carries them.
func resourceTags(tags []string) string {
	escaped := make([]string, 0, len(tags))
	for _, t := range tags {
		if t != "" {
			escaped = append(escaped, policy.Escape(t))
		}
	}
	return strings.Join(escaped, ",")
}

// webhookKey is the integration whose subscriptions are webhooks to clients of
// the LaunchDarkly API.
const webhookKey = "webhook"

// changeOf names what happened to a subscription; old or s is nil where it did
// not exist before or does not any more. The actions are those that LaunchDarkly
// has for integrations and webhooks.
func changeOf(old, s *Subscription) Change {
	now := s
	if s == nil {
		now = old
	}
	c := Change{
		Kind: "integration", Resource: "integration/" + policy.Escape(now.Integration),
		ID: now.ID, Name: now.Name, Tags: now.Tags, SubscriptionID: now.ID, Comment: now.OffReason,
		Before: old.shown(), After: s.shown(), eventID: changeID(now, s == nil),
	}
	noun := "Integration"
	if now.Integration == webhookKey {
		c.Kind, c.Resource, noun = "webhook", "webhook/"+now.ID, "Webhook"
	}
	switch {
	case old == nil:
		c.Actions = []string{"create" + noun}
	case s == nil:
		c.Actions = []string{"delete" + noun}
	default:
		c.Actions = updates(old, s)
	}
	return c
}

// changeID is the id of the event about the change that made a subscription what
// it is, or about its end.
func changeID(s *Subscription, deleted bool) string {
	if deleted {
		return "change-" + s.ID + "-deleted"
	}
	return fmt.Sprintf("change-%s-%d", s.ID, s.Version)
}

// missedChanges is how far back unrecorded changes are looked for.
const missedChanges = 24 * time.Hour

// recordMissed records the changes of subscriptions that were stored when the
// process ended before their events were: nobody was told that they were made,
// and they were. What exactly an update changed is not known any more.
func (e *Engine) recordMissed(ctx context.Context, stored []*Subscription) error {
	for _, s := range stored {
		if time.Since(s.UpdatedAt) > missedChanges {
			continue
		}
		_, err := e.o.Store.Event(ctx, changeID(s, false))
		if err == nil || errors.Is(err, ErrDamagedEvent) { // which is there, whatever it says
			continue
		}
		if !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("look for the last change of subscription %s: %w", s.ID, err)
		}
		old := s
		if s.Version == 1 {
			old = nil
		}
		e.Changed(ctx, Actor{Comment: "recorded at the next start"}, changeOf(old, s))
	}
	return nil
}

// updates lists the actions that lead from old to s.
func updates(old, s *Subscription) []string {
	var actions []string
	add := func(changed bool, action string) {
		if changed {
			actions = append(actions, action)
		}
	}
	add(old.Name != s.Name || old.Description != s.Description, "updateName")
	add(old.On != s.On, "updateOn")
	if s.Integration == webhookKey {
		add(!old.Config.Get("url").Equal(s.Config.Get("url")), "updateUrl")
		add(!old.Config.Get("secret").Equal(s.Config.Get("secret")), "updateSecret")
	} else {
		add(!old.Config.Equal(s.Config), "updateConfiguration")
	}
	add(!reflect.DeepEqual(old.Statements, s.Statements), "updateStatements")
	add(!slices.Equal(old.Tags, s.Tags), "updateTags")
	if len(actions) == 0 {
		actions = append(actions, "updateConfiguration") // how it is delivered, which has no action of its own
	}
	return actions
}

// shown is what an event tells of a subscription: nothing of its config.
func (s *Subscription) shown() render.Value {
	if s == nil {
		return render.Value{}
	}
	tags := make([]render.Value, len(s.Tags))
	for i, t := range s.Tags {
		tags[i] = render.String(t)
	}
	return render.Object(
		render.Member{Key: "name", Value: render.String(s.Name)},
		render.Member{Key: "on", Value: render.Bool(s.On)},
		render.Member{Key: "tags", Value: render.Array(tags...)},
		render.Member{Key: "version", Value: render.Number(float64(s.Version))})
}
