package api

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/render"
)

const subscriptionsPath = "/api/v1/subscriptions"

func (a *API) subscriptionRoutes() []route {
	one := subscriptionsPath + "/{id}"
	return []route{
		{path: subscriptionsPath, methods: map[string]method{"GET": {readers, a.listSubscriptions}, "POST": {writers, a.postSubscription}}},
		{path: one, methods: map[string]method{
			"GET": {readers, a.getSubscription}, "PATCH": {writers, a.patchSubscription}, "DELETE": {writers, a.deleteSubscription},
		}},
		{path: one + "/validate", methods: map[string]method{"POST": {writers, a.validateSubscription}}},
		{path: one + "/retry", methods: map[string]method{"POST": {writers, a.startJob(hooks.JobRetry)}}},
		{path: one + "/cancel", methods: map[string]method{"POST": {writers, a.startJob(hooks.JobCancel)}}},
		{path: one + "/replay", methods: map[string]method{"POST": {writers, a.startJob(hooks.JobReplay)}}},
		{path: "/api/v1/jobs", methods: map[string]method{"GET": {readers, a.listJobs}}},
		{path: "/api/v1/jobs/{id}", methods: map[string]method{"GET": {readers, a.getJob}}},
		{path: "/api/v1/jobs/{id}/cancel", methods: map[string]method{"POST": {writers, a.cancelJob}}},
	}
}

// GET /api/v1/subscriptions?integration={key}, the oldest first
func (a *API) listSubscriptions(r *request) (answer, error) {
	q := queryOf(r)
	key := q.text("integration")
	after, limit := q.cursor(a, "subscriptions", key), q.limit()
	if err := q.err(); err != nil {
		return answer{}, err
	}
	subs, more := a.engine.SubscriptionPage(key, after, limit)
	if _, known := a.engine.Catalog().Get(key); key != "" && !known && after == "" && len(subs) == 0 {
		return answer{}, a.unknownIntegration(key) // subscriptions of one that has left the catalog would still be there
	}
	page := list[subscriptionJSON]{Items: []subscriptionJSON{}}
	if more {
		page.Next = a.next(subs[limit-1].ID, "subscriptions", key)
	}
	for _, s := range subs {
		shown, err := a.showSubscription(r, s)
		if err != nil {
			return answer{}, err
		}
		page.Items = append(page.Items, shown)
	}
	return answer{body: page}, nil
}

// POST /api/v1/subscriptions
func (a *API) postSubscription(r *request) (answer, error) {
	doc, err := readJSON(r)
	if err != nil {
		return answer{}, err
	}
	if doc.Kind() != render.KindObject {
		return answer{}, invalid(detail{Reason: fmt.Sprintf("the body is %s; a subscription is an object with integration, name and config", kindText[doc.Kind()])})
	}
	d := &reader{doc: doc}
	d.refuseOthers(append([]string{"integration"}, ownMembers...))
	s := hooks.Subscription{Integration: d.text("integration"), On: true}
	d.ownSubscription(&s)
	if s.Integration == "" {
		d.fail("integration", "it is required: the key of an integration; GET /api/v1/catalog lists them")
	}
	d.details = append(d.details, misplacedMasks(s)...)
	if err := d.err(); err != nil {
		return answer{}, err
	}
	if _, err := a.subscribable(s.Integration); err != nil {
		return answer{}, invalid(detail{Attribute: "integration", Reason: err.Error()})
	}
	stored, err := a.engine.CreateSubscription(r.Context(), r.by(), s)
	if err != nil {
		return answer{}, err
	}
	reply, err := a.answerSubscription(r, stored)
	reply.status, reply.location = http.StatusCreated, ownPath(r, stored.ID)
	return reply, err
}

// GET /api/v1/subscriptions/{id}
func (a *API) getSubscription(r *request) (answer, error) {
	s, err := a.subscriptionOf(r)
	if err != nil {
		return answer{}, err
	}
	return a.answerSubscription(r, s)
}

// PATCH /api/v1/subscriptions/{id} takes a JSON Patch or, by its Content-Type, a
// merge patch.
func (a *API) patchSubscription(r *request) (answer, error) {
	old, err := a.subscriptionOf(r)
	if err != nil {
		return answer{}, err
	}
	if err := ifMatch(r, old); err != nil {
		return answer{}, err
	}
	body, err := readJSON(r)
	if err != nil {
		return answer{}, err
	}
	integration := a.integrationOf(old)
	target := ownTarget(old, integration)
	var next *hooks.Subscription
	if isMergePatch(r.Header.Get("Content-Type")) {
		next, err = merged(old, body, target)
	} else {
		next, err = a.patched(old, body, target)
	}
	if err != nil {
		return answer{}, err
	}
	if err := restoreSecrets(r, integration, old, next); err != nil {
		return answer{}, err
	}
	stored, err := a.update(r, next, body)
	if errors.Is(err, hooks.ErrConflict) && r.Header.Get("If-Match") != "" {
		err = fail(kindPrecondition, "it was changed by another request meanwhile; read it and try again")
	}
	if err != nil {
		return answer{}, err
	}
	return a.answerSubscription(r, stored)
}

func isMergePatch(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/merge-patch+json"
}

// merged applies a merge patch, whose members must be known.
func merged(old *hooks.Subscription, body render.Value, t patchTarget) (*hooks.Subscription, error) {
	if body.Kind() != render.KindObject {
		return nil, fail(kindInvalid, "a merge patch is an object with the members to change")
	}
	d := &reader{doc: body}
	d.refuseOthers(ownMembers)
	if err := d.err(); err != nil {
		return nil, err
	}
	return readPatched(mergePatch(t.doc, body), old, t)
}

// DELETE /api/v1/subscriptions/{id}
func (a *API) deleteSubscription(r *request) (answer, error) {
	s, err := a.subscriptionOf(r)
	if err != nil {
		return answer{}, err
	}
	if err := ifMatch(r, s); err != nil {
		return answer{}, err
	}
	if err := a.engine.DeleteSubscription(r.Context(), r.by(), s.ID); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// subscriptionOf finds the one that the path names, of any integration.
func (a *API) subscriptionOf(r *request) (*hooks.Subscription, error) {
	id, err := idVar(r)
	if err != nil {
		return nil, err
	}
	return a.engine.Subscription(id)
}

func (a *API) answerSubscription(r *request, s *hooks.Subscription) (answer, error) {
	shown, err := a.showSubscription(r, s)
	return answer{body: shown, etag: strconv.FormatUint(s.Version, 10)}, err
}

func ownPath(r *request, id string) string {
	return linkBase(r) + subscriptionsPath + "/" + url.PathEscape(id)
}

// ifMatch keeps a change from what its client has not seen (RFC 9110, section
// 13.1.1). The version of a subscription is its ETag.
func ifMatch(r *request, s *hooks.Subscription) error {
	given := r.Header.Values("If-Match")
	if len(given) == 0 {
		return nil
	}
	etag := `"` + strconv.FormatUint(s.Version, 10) + `"`
	for _, tag := range strings.Split(strings.Join(given, ","), ",") {
		if tag = strings.TrimSpace(tag); tag == etag || tag == "*" {
			return nil
		}
	}
	return fail(kindPrecondition, "it is at version %d, which If-Match does not name; read it and try again", s.Version)
}
