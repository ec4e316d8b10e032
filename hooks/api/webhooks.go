package api

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

const (
	webhooksPath = "/api/v2/webhooks"
	// webhookKey is the integration whose subscriptions are webhooks.
	webhookKey = "webhook"
)

func (a *API) webhookRoutes() []route {
	return []route{
		{path: webhooksPath, methods: map[string]method{"GET": {readers, a.listWebhooks}, "POST": {writers, a.postWebhook}}},
		{path: webhooksPath + "/{id}", methods: map[string]method{
			"GET": {readers, a.getWebhook}, "PATCH": {writers, a.patchWebhook}, "DELETE": {writers, a.deleteWebhook},
		}},
	}
}

// GET /api/v2/webhooks
func (a *API) listWebhooks(r *request) (answer, error) {
	subs := a.engine.Subscriptions(webhookKey)
	items := make([]render.Value, len(subs))
	for i, s := range subs {
		items[i] = webhookJSON(r, s)
	}
	return answer{body: render.Object(
		render.Member{Key: "_links", Value: render.Object(link("self", linkBase(r)+webhooksPath))},
		render.Member{Key: "items", Value: render.Array(items...)},
	)}, nil
}

// POST /api/v2/webhooks. sign without a secret makes one; a webhook that does not
// sign has none. LaunchDarkly asks for sign and on; here a webhook signs when it
// has a secret, and is on, unless it says otherwise.
func (a *API) postWebhook(r *request) (answer, error) {
	doc, err := readJSON(r)
	if err != nil {
		return answer{}, err
	}
	if doc.Kind() != render.KindObject {
		return answer{}, invalid(detail{Reason: fmt.Sprintf("the body is %s; a webhook is an object with url, sign and on", kindText[doc.Kind()])})
	}
	d := &reader{doc: doc}
	s := hooks.Subscription{Integration: webhookKey, On: true}
	d.webhook(&s)
	secret := s.Config.Get("secret").AsString()
	switch sign := d.bool("sign", secret != ""); {
	case sign && secret == "":
		s.Config = s.Config.With("secret", render.String(newSecret()))
	case !sign:
		s.Config = s.Config.With("secret", render.Value{})
	}
	d.details = append(d.details, webhookDetails(misplacedMasks(s))...)
	if err := d.err(); err != nil {
		return answer{}, err
	}
	stored, err := a.engine.CreateSubscription(r.Context(), r.by(), s)
	if err != nil {
		return answer{}, webhookError(err)
	}
	return answer{status: http.StatusCreated, body: webhookJSON(r, stored), location: webhookPath(r, stored)}, nil
}

// newSecret makes a secret of 256 random bits.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// webhook reads a webhook: its members and, as its config, url and secret.
func (d *reader) webhook(s *hooks.Subscription) {
	d.common(s)
	var config []render.Member
	if _, ok := d.member("url", render.KindString); ok {
		config = append(config, render.Member{Key: "url", Value: render.String(d.text("url"))})
	}
	if secret := d.text("secret"); secret != "" {
		config = append(config, render.Member{Key: "secret", Value: render.String(secret)})
	}
	s.Config = render.Object(config...)
}

// GET /api/v2/webhooks/{id}
func (a *API) getWebhook(r *request) (answer, error) {
	s, err := a.webhook(r)
	if err != nil {
		return answer{}, err
	}
	return answer{body: webhookJSON(r, s)}, nil
}

var webhookPaths = patchPaths(`url|secret`)

// PATCH /api/v2/webhooks/{id}
func (a *API) patchWebhook(r *request) (answer, error) {
	old, err := a.webhook(r)
	if err != nil {
		return answer{}, err
	}
	body, err := readJSON(r)
	if err != nil {
		return answer{}, err
	}
	next, err := a.patched(old, body, patchTarget{
		doc: render.Object(append(commonMembers(old),
			render.Member{Key: "url", Value: old.Config.Get("url")},
			render.Member{Key: "secret", Value: shownSecret(old, false)})...),
		paths: webhookPaths, named: "/name, /url, /secret, /on, /tags, /statements, and what they hold",
		alias: noAlias, secret: func(path string) bool { return path == "/secret" }, read: (*reader).webhook, lenient: true,
	})
	if err != nil {
		return answer{}, err
	}
	if err := restoreSecrets(r, a.integrationOf(old), old, next); err != nil {
		return answer{}, webhookError(err)
	}
	stored, err := a.update(r, next, body)
	if err != nil {
		return answer{}, webhookError(err)
	}
	return answer{body: webhookJSON(r, stored)}, nil
}

// DELETE /api/v2/webhooks/{id}
func (a *API) deleteWebhook(r *request) (answer, error) {
	s, err := a.webhook(r)
	if err != nil {
		return answer{}, err
	}
	if err := a.engine.DeleteSubscription(r.Context(), r.by(), s.ID); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// webhook finds the one that the path names.
func (a *API) webhook(r *request) (*hooks.Subscription, error) {
	id, err := idVar(r)
	if err != nil {
		return nil, err
	}
	s, err := a.engine.Subscription(id)
	if err == nil && s.Integration != webhookKey {
		err = fmt.Errorf("webhook %s: %w", id, hooks.ErrNotFound)
	}
	return s, err
}

func webhookPath(r *request, s *hooks.Subscription) string {
	return linkBase(r) + webhooksPath + "/" + url.PathEscape(s.ID)
}

// webhookJSON writes a webhook in LaunchDarkly's shape.
func webhookJSON(r *request, s *hooks.Subscription) render.Value {
	return render.Object(append([]render.Member{
		{Key: "_links", Value: render.Object(link("self", webhookPath(r, s)), link("parent", linkBase(r)+webhooksPath))},
		{Key: "_id", Value: render.String(s.ID)},
		{Key: "url", Value: s.Config.Get("url")},
		{Key: "secret", Value: shownSecret(s, r.grant.Role == hooks.RoleAdmin)},
		{Key: "_access", Value: accessJSON},
	}, commonMembers(s)...)...)
}

// shownSecret is in clear where clients of LaunchDarkly's API, which compare it
// with what they sent, ask as admins; undefined without one.
func shownSecret(s *hooks.Subscription, clear bool) render.Value {
	secret := s.Config.Get("secret")
	switch {
	case secret.AsString() == "":
		return render.Value{}
	case clear:
		return secret
	}
	return render.String(manifest.MaskedSecret)
}

// webhookError names the members of a webhook in place of those of its config.
func webhookError(err error) error {
	var bad *hooks.InvalidError
	var refused *fault
	switch {
	case errors.As(err, &bad):
		return invalid(webhookDetails(fieldDetails(bad.Fields))...)
	case errors.As(err, &refused) && len(refused.details) > 0:
		return invalid(webhookDetails(refused.details)...)
	}
	return err
}

func webhookDetails(details []detail) []detail {
	named := make([]detail, len(details))
	for i, d := range details {
		named[i] = detail{Attribute: strings.TrimPrefix(d.Attribute, "config."), Reason: d.Reason}
	}
	return named
}
