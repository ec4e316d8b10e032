package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/source"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

const sourcesPath = "/api/v1/sources"

// sourceRoutes are the flag systems that send events, and the addresses that
// they send to.
func (a *API) sourceRoutes() []route {
	receive := method{call: a.receive}
	return []route{
		{path: "/in/{kind}/{id}", public: true, methods: map[string]method{
			"POST": receive, "PUT": receive, "PATCH": receive, "GET": receive, "DELETE": receive, "OPTIONS": receive, source.MethodPurge: receive,
		}},
		{path: sourcesPath, methods: map[string]method{"GET": {readers, a.listSources}, "POST": {writers, a.postSource}}},
		{path: sourcesPath + "/{id}", methods: map[string]method{
			"GET": {readers, a.getSource}, "PATCH": {writers, a.patchSource}, "DELETE": {writers, a.deleteSource},
		}},
	}
}

// POST /api/v1/sources
func (a *API) postSource(r *request) (answer, error) {
	doc, err := readJSON(r)
	if err != nil {
		return answer{}, err
	}
	s := source.Source{On: true}
	s.Settings.DropDuplicates = true
	if err := readSource(doc, &s, nil, append([]string{"kind"}, sourceMembers...)); err != nil {
		return answer{}, err
	}
	made, err := a.o.Sources.Create(r.Context(), s)
	if err != nil {
		return answer{}, sourceFault(err)
	}
	a.sourceChanged(r, "createSource", nil, made)
	reply, err := a.answerSource(r, made)
	reply.status, reply.location = http.StatusCreated, linkBase(r)+sourcesPath+"/"+made.ID
	return reply, err
}

// GET /api/v1/sources, the oldest first
func (a *API) listSources(r *request) (answer, error) {
	q := queryOf(r)
	after, limit := q.cursor(a, "sources"), q.limit()
	if err := q.err(); err != nil {
		return answer{}, err
	}
	found, err := a.o.Sources.Sources(r.Context(), after, min(limit+1, maxPage))
	if err != nil {
		return answer{}, err
	}
	page := list[render.Value]{Items: []render.Value{}}
	if len(found) > limit {
		found = found[:limit]
		page.Next = a.next(found[limit-1].ID, "sources")
	}
	for _, s := range found {
		shown, err := a.showSource(r, s)
		if err != nil {
			return answer{}, err
		}
		page.Items = append(page.Items, shown)
	}
	return answer{body: page}, nil
}

// GET /api/v1/sources/{id}
func (a *API) getSource(r *request) (answer, error) {
	s, err := a.sourceOf(r)
	if err != nil {
		return answer{}, err
	}
	return a.answerSource(r, s)
}

// PATCH /api/v1/sources/{id} takes a JSON Patch, or an object with the members
// to change (RFC 7396).
func (a *API) patchSource(r *request) (answer, error) {
	old, err := a.sourceOf(r)
	if err != nil {
		return answer{}, err
	}
	if err := ifSourceMatch(r, old); err != nil {
		return answer{}, err
	}
	body, err := readJSON(r)
	if err != nil {
		return answer{}, err
	}
	doc := sourceDocument(old)
	if body.Kind() == render.KindObject && !body.Has("patch") {
		d := &reader{doc: body}
		d.refuseOthers(sourceMembers)
		if err := d.err(); err != nil {
			return answer{}, err
		}
		if given(body.Get("secret")) {
			doc = doc.With("secrets", render.Value{})
		}
		doc = mergePatch(doc, body)
	} else {
		ops, err := readPatch(body, sourceTarget)
		if err != nil {
			return answer{}, err
		}
		if doc, err = applyPatch(doc.AppendJSON(nil), ops, a.o.MaxBody); err != nil {
			return answer{}, err
		}
	}
	next := source.Source{
		ID: old.ID, On: true, Door: old.Door, Version: old.Version, CreatedAt: old.CreatedAt,
		Settings: source.Settings{ID: old.ID, Kind: old.Kind, DropDuplicates: true},
	}
	if err := readSource(doc, &next, old.Secrets, sourceMembers); err != nil {
		return answer{}, err
	}
	stored, err := a.o.Sources.Update(r.Context(), next)
	if err != nil {
		return answer{}, sourceFault(err)
	}
	a.sourceChanged(r, "updateSource", old, stored)
	return a.answerSource(r, stored)
}

// DELETE /api/v1/sources/{id}
func (a *API) deleteSource(r *request) (answer, error) {
	s, err := a.sourceOf(r)
	if err != nil {
		return answer{}, err
	}
	if err := ifSourceMatch(r, s); err != nil {
		return answer{}, err
	}
	if err := a.o.Sources.Delete(r.Context(), s.ID); err != nil {
		return answer{}, err
	}
	a.sourceChanged(r, "deleteSource", s, nil)
	return answer{status: http.StatusNoContent}, nil
}

func (a *API) sourceOf(r *request) (*source.Source, error) {
	id, err := idVar(r)
	if err != nil {
		return nil, err
	}
	return a.o.Sources.Source(r.Context(), id)
}

func (a *API) answerSource(r *request, s *source.Source) (answer, error) {
	shown, err := a.showSource(r, s)
	return answer{body: shown, etag: strconv.FormatUint(s.Version, 10)}, err
}

// ifSourceMatch is ifMatch for sources.
func ifSourceMatch(r *request, s *source.Source) error {
	return ifMatch(r, &hooks.Subscription{Version: s.Version})
}

// sourceChanged tells the audit log. One of old and now may be nil.
func (a *API) sourceChanged(r *request, action string, old, now *source.Source) {
	one := now
	if one == nil {
		one = old
	}
	c := hooks.Change{
		Actions: []string{action}, Kind: "source", Resource: "source/" + policy.Escape(one.ID), ID: one.ID, Name: one.Name,
	}
	if old != nil {
		c.Before = sourceDocument(old)
	}
	if now != nil {
		c.After = sourceDocument(now)
	}
	a.engine.Changed(r.Context(), r.by(), c)
}

// sourceFault puts what is wrong with a source's settings at its place.
func sourceFault(err error) error {
	var setting *source.SettingError
	if errors.As(err, &setting) {
		return invalid(detail{Attribute: setting.Setting, Reason: setting.Reason})
	}
	return err
}

// receive takes in what a flag system sends. The answer is exactly 200 once the
// events are durable: some senders take any other for a failure.
func (a *API) receive(r *request) (answer, error) {
	kind, address := source.Kind(pathVar(r, "kind")), pathVar(r, "id")
	if r.Method == http.MethodOptions {
		return a.handshake(r, kind, address)
	}
	receipt, err := a.take(r, kind, address)
	if err == nil {
		return answer{body: received{Status: receipt.Status, Events: receipt.Events, Reason: receipt.Reason}}, nil
	}
	err = receiveFault(err)
	f := faultOf(err)
	a.o.Sources.Refused(r.Context(), kind, address, kinds[f.kind].status, f.message)
	return answer{}, err
}

// received is what a flag system is answered.
type received struct {
	Status string   `json:"status"`
	Events []string `json:"events"`
	Reason string   `json:"reason,omitempty"`
}

func (a *API) take(r *request, kind source.Kind, address string) (*source.Receipt, error) {
	if !source.Accepts(kind, r.Method) {
		if _, err := a.o.Sources.At(r.Context(), kind, address); err != nil {
			return nil, err
		}
		return nil, fail(kindMethodNotAllowed, "a source of the kind %s takes no %s", kind, shownKey(r.Method))
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	return a.o.Sources.Receive(r.Context(), kind, address, &source.Request{
		Method: r.Method, Header: r.Header, Query: r.URL.Query(), Body: body,
	})
}

// handshake answers a sender of CloudEvents that asks whether it may send.
func (a *API) handshake(r *request, kind source.Kind, address string) (answer, error) {
	if _, err := a.o.Sources.At(r.Context(), kind, address); err != nil {
		return answer{}, receiveFault(err)
	}
	headers := source.Handshake(&source.Request{Method: r.Method, Header: r.Header})
	return answer{stream: func(w http.ResponseWriter) error {
		for name, values := range headers {
			w.Header()[name] = values
		}
		w.WriteHeader(http.StatusOK)
		return nil
	}}, nil
}

// receiveFault says how a refusal is answered.
func receiveFault(err error) error {
	for cause, k := range map[error]kind{
		source.ErrUnauthorized: kindUnauthorized, source.ErrMalformed: kindInvalid, source.ErrMediaType: kindMediaType,
		source.ErrOff: kindForbidden,
	} {
		if errors.Is(err, cause) {
			return fail(k, "%s", strings.TrimSpace(err.Error()))
		}
	}
	if errors.Is(err, hooks.ErrNotFound) {
		return fail(kindNotFound, "there is no source at this address")
	}
	return err
}

// loggedPath is a request's path for the log. The address of a source is not in
// it: who knows that of an unsigned one can send events.
func loggedPath(r *http.Request) string {
	before, inside, found := strings.Cut(r.URL.Path, "/in/")
	if !found {
		return r.URL.Path
	}
	kind, _, _ := strings.Cut(inside, "/")
	return before + "/in/" + kind + "/…"
}
