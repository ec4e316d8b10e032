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

func (a *API) integrationRoutes() []route {
	return []route{
		{path: integrationsPath + "{key}", methods: map[string]method{
			"GET": {readers, a.listIntegration}, "POST": {writers, a.postIntegration},
		}},
		{path: integrationsPath + "{key}/{id}", methods: map[string]method{
			"GET": {readers, a.getIntegration}, "PATCH": {writers, a.patchIntegration}, "DELETE": {writers, a.deleteIntegration},
		}},
	}
}

// GET /api/v2/integrations/{key}
func (a *API) listIntegration(r *request) (answer, error) {
	key := pathVar(r, "key")
	subs := a.engine.Subscriptions(key)
	if len(subs) == 0 { // those of an integration that has left the catalog are still there
		if _, err := a.subscribable(key); err != nil {
			return answer{}, err
		}
	}
	items := make([]render.Value, len(subs))
	for i, s := range subs {
		item, err := a.integrationJSON(r, s)
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
func (a *API) postIntegration(r *request) (answer, error) {
	key := pathVar(r, "key")
	if _, err := a.subscribable(key); err != nil {
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
	stored, err := a.engine.CreateSubscription(r.Context(), r.by(), s)
	if err != nil {
		return answer{}, err
	}
	reply, err := a.answerIntegration(r, stored)
	reply.status, reply.location = http.StatusCreated, integrationPath(r, stored)
	return reply, err
}

// GET /api/v2/integrations/{key}/{id}
func (a *API) getIntegration(r *request) (answer, error) {
	s, err := a.subscription(r)
	if err != nil {
		return answer{}, err
	}
	return a.answerIntegration(r, s)
}

// PATCH /api/v2/integrations/{key}/{id}. The patch is applied to the masked
// document, so that copy and test tell nothing of a secret.
func (a *API) patchIntegration(r *request) (answer, error) {
	old, err := a.subscription(r)
	if err != nil {
		return answer{}, err
	}
	body, err := readJSON(r)
	if err != nil {
		return answer{}, err
	}
	integration := a.integrationOf(old)
	next, err := a.patched(old, body, integrationTarget(old, integration))
	if err != nil {
		return answer{}, err
	}
	if err := restoreSecrets(r, integration, old, next); err != nil {
		return answer{}, err
	}
	stored, err := a.update(r, next, body)
	if err != nil {
		return answer{}, err
	}
	return a.answerIntegration(r, stored)
}

// maxComment bounds the comment of a patch, in bytes.
const maxComment = 1024

// update stores a changed subscription, unless a mask is where none belongs. The
// comment of the patch stands in the audit log.
func (a *API) update(r *request, s *hooks.Subscription, patch render.Value) (*hooks.Subscription, error) {
	details := misplacedMasks(*s)
	by := r.by()
	if by.Comment = patch.Get("comment").AsString(); len(by.Comment) > maxComment {
		details = append(details, detail{Attribute: "comment", Reason: fmt.Sprintf("it has %d bytes; at most %d are allowed", len(by.Comment), maxComment)})
	}
	if len(details) > 0 {
		return nil, invalid(details...)
	}
	return a.engine.UpdateSubscription(r.Context(), by, *s)
}

// DELETE /api/v2/integrations/{key}/{id}
func (a *API) deleteIntegration(r *request) (answer, error) {
	s, err := a.subscription(r)
	if err != nil {
		return answer{}, err
	}
	if err := a.engine.DeleteSubscription(r.Context(), r.by(), s.ID); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// subscription finds the one that the path names. One of another integration
// is not there.
func (a *API) subscription(r *request) (*hooks.Subscription, error) {
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

func (a *API) answerIntegration(r *request, s *hooks.Subscription) (answer, error) {
	body, err := a.integrationJSON(r, s)
	return answer{body: body}, err
}

// integrationJSON writes a subscription in LaunchDarkly's shape.
func (a *API) integrationJSON(r *request, s *hooks.Subscription) (render.Value, error) {
	status, err := a.engine.Status(r.Context(), s.ID)
	if err != nil {
		return render.Value{}, err
	}
	self := integrationPath(r, s)
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

// integrationOf is nil when the catalog no longer has it; then all but the
// config can be changed.
func (a *API) integrationOf(s *hooks.Subscription) *manifest.Integration {
	i, ok := a.engine.Catalog().Get(s.Integration)
	if !ok {
		return nil
	}
	return i
}

func integrationPath(r *request, s *hooks.Subscription) string {
	return linkBase(r) + integrationsPath + url.PathEscape(s.Integration) + "/" + url.PathEscape(s.ID)
}
