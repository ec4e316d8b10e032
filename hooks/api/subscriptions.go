package api

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// integrationsPath is where LaunchDarkly keeps audit log subscriptions.
const integrationsPath = "/api/v2/integrations/"

// GET /api/v2/integrations/{key}
func (a *API) listSubscriptions(r *http.Request) (answer, error) {
	key := pathVar(r, "key")
	subs := a.engine.Subscriptions(key)
	if len(subs) == 0 { // those of an integration that has left the catalog are still there
		if _, err := a.engine.Integration(key); err != nil {
			return answer{}, err
		}
	}
	items := make([]render.Value, len(subs))
	for i, s := range subs {
		item, err := a.subscriptionJSON(r, s)
		if err != nil {
			return answer{}, err
		}
		items[i] = item
	}
	self := linkBase(r) + integrationsPath + url.PathEscape(key)
	return answer{body: render.Object(
		render.Member{Key: "_links", Value: render.Object(link("self", self))},
		render.Member{Key: "items", Value: render.Array(items...)},
		render.Member{Key: "key", Value: render.String(key)},
	)}, nil
}

// POST /api/v2/integrations/{key}
func (a *API) postSubscription(r *http.Request) (answer, error) {
	key := pathVar(r, "key")
	if _, err := a.engine.Integration(key); err != nil {
		return answer{}, err
	}
	doc, err := readJSON(r)
	if err != nil {
		return answer{}, err
	}
	// LaunchDarkly names no default for on; who subscribes wants to hear.
	s := hooks.Subscription{Integration: key, On: true}
	if err := readSubscription(withLegacyMember(doc, key), &s); err != nil {
		return answer{}, err
	}
	if details := misplacedMasks(s); len(details) > 0 {
		return answer{}, invalid(details...)
	}
	stored, err := a.engine.CreateSubscription(r.Context(), s)
	if err != nil {
		return answer{}, err
	}
	reply, err := a.answerSubscription(r, stored)
	reply.status, reply.location = http.StatusCreated, subscriptionPath(r, stored)
	return reply, err
}

// GET /api/v2/integrations/{key}/{id}
func (a *API) getSubscription(r *http.Request) (answer, error) {
	s, err := a.subscription(r)
	if err != nil {
		return answer{}, err
	}
	return a.answerSubscription(r, s)
}

// PATCH /api/v2/integrations/{key}/{id}. The patch is applied to the masked
// document, so that copy and test tell nothing of a secret.
func (a *API) patchSubscription(r *http.Request) (answer, error) {
	old, err := a.subscription(r)
	if err != nil {
		return answer{}, err
	}
	// It may have left the catalog: then all but the config can be changed.
	integration, _ := a.engine.Catalog().Get(old.Integration)
	body, err := readJSON(r)
	if err != nil {
		return answer{}, err
	}
	ops, err := readPatch(body, old.Integration, integration)
	if err != nil {
		return answer{}, err
	}
	doc, err := applyPatch(patchable(old, integration), ops, a.maxBody)
	if err != nil {
		return answer{}, err
	}
	next := *old // with the version that was read: a change in between is a conflict
	if err := readPatched(doc, &next); err != nil {
		return answer{}, err
	}
	next.Config = unmask(integration, old.Config, next.Config)
	if details := misplacedMasks(next); len(details) > 0 {
		return answer{}, invalid(details...)
	}
	stored, err := a.engine.UpdateSubscription(r.Context(), next)
	if err != nil {
		return answer{}, err
	}
	return a.answerSubscription(r, stored)
}

// DELETE /api/v2/integrations/{key}/{id}
func (a *API) deleteSubscription(r *http.Request) (answer, error) {
	s, err := a.subscription(r)
	if err != nil {
		return answer{}, err
	}
	if err := a.engine.DeleteSubscription(r.Context(), s.ID); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// subscription finds the one that the path names. One of another integration
// is not there.
func (a *API) subscription(r *http.Request) (*hooks.Subscription, error) {
	id, err := idVar(r)
	if err != nil {
		return nil, err
	}
	s, err := a.engine.Subscription(id)
	if err != nil {
		return nil, err
	}
	if s.Integration != pathVar(r, "key") {
		return nil, fmt.Errorf("subscription %s of this integration: %w", id, hooks.ErrNotFound)
	}
	return s, nil
}

func (a *API) answerSubscription(r *http.Request, s *hooks.Subscription) (answer, error) {
	body, err := a.subscriptionJSON(r, s)
	return answer{body: body}, err
}

// subscriptionJSON writes a subscription in LaunchDarkly's shape.
func (a *API) subscriptionJSON(r *http.Request, s *hooks.Subscription) (render.Value, error) {
	status, err := a.engine.Status(r.Context(), s.ID)
	if err != nil {
		return render.Value{}, err
	}
	self := subscriptionPath(r, s)
	return render.Object(
		render.Member{Key: "_links", Value: render.Object(
			link("self", self),
			link("parent", linkBase(r)+integrationsPath+url.PathEscape(s.Integration)))},
		render.Member{Key: "_id", Value: render.String(s.ID)},
		render.Member{Key: "kind", Value: render.String(s.Integration)},
		render.Member{Key: "name", Value: render.String(s.Name)},
		render.Member{Key: "config", Value: mask(a.integrationOf(s), s.Config)},
		render.Member{Key: "statements", Value: statementsJSON(s.Statements)},
		render.Member{Key: "on", Value: render.Bool(s.On)},
		render.Member{Key: "tags", Value: textsJSON(s.Tags, true)},
		render.Member{Key: "_access", Value: accessJSON},
		render.Member{Key: "_status", Value: statusJSON(status)},
	), nil
}

// integrationOf is nil when the catalog no longer has it.
func (a *API) integrationOf(s *hooks.Subscription) *manifest.Integration {
	i, ok := a.engine.Catalog().Get(s.Integration)
	if !ok {
		return nil
	}
	return i
}

func subscriptionPath(r *http.Request, s *hooks.Subscription) string {
	return linkBase(r) + integrationsPath + url.PathEscape(s.Integration) + "/" + url.PathEscape(s.ID)
}
