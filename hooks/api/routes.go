package api

import (
	"net/http"
	"slices"

	"github.com/flaghook/flaghook/hooks"
)

// A request is one call on its way through a handler.
type request struct {
	*http.Request
	grant *hooks.Grant // what its token may do; nil where none is asked for
}

// by is who makes the call.
func (r *request) by() hooks.Actor { return r.grant.Actor() }

// A handler does one call. Its error goes through faultOf.
type handler func(r *request) (answer, error)

// An audience is the roles whose tokens may make a call; nil is all of them.
type audience []hooks.Role

// The audiences.
var (
	anybody audience // with a token
	readers = audience{hooks.RoleReader, hooks.RoleWriter, hooks.RoleAdmin}
	writers = audience{hooks.RoleWriter, hooks.RoleAdmin}
	admins  = audience{hooks.RoleAdmin}
	senders = audience{hooks.RoleSender, hooks.RoleWriter, hooks.RoleAdmin}
)

// String is for people: "a reader, writer or admin token".
func (a audience) String() string {
	text := "a token"
	for i, r := range a {
		switch i {
		case 0:
			if text = "a " + string(r); r == hooks.RoleAdmin {
				text = "an " + string(r)
			}
		case len(a) - 1:
			text += " or " + string(r)
		default:
			text += ", " + string(r)
		}
	}
	if len(a) > 0 {
		text += " token"
	}
	return text
}

// roles lists the roles; those of everybody are all there are.
func (a audience) roles() []hooks.Role {
	if a == nil {
		return []hooks.Role{hooks.RoleSender, hooks.RoleReader, hooks.RoleWriter, hooks.RoleAdmin}
	}
	return a
}

func (a audience) has(r hooks.Role) bool { return a == nil || slices.Contains(a, r) }

// A method is what one method of a path does, and for whom.
type method struct {
	audience audience
	call     handler
}

// A route is one path with what it does by method.
type route struct {
	path    string // in mux's syntax
	public  bool   // asks for no token
	methods map[string]method
}

// routes lists everything that is served, the busiest path first: mux tries
// them in turn. The OpenAPI description has the same ones, which a test checks.
func (a *API) routes() []route {
	return slices.Concat(
		a.eventRoutes(),
		a.sourceRoutes(),
		a.deliveryRoutes(),
		a.subscriptionRoutes(),
		a.integrationRoutes(),
		a.webhookRoutes(),
		a.auditRoutes(),
		a.catalogRoutes(),
		a.adminRoutes(),
		a.processRoutes(),
	)
}

// processRoutes tell about the process and its API.
func (a *API) processRoutes() []route {
	return []route{
		{path: "/api/v1/openapi.json", public: true, methods: map[string]method{"GET": {call: a.getOpenAPI}}},
		{path: "/healthz", public: true, methods: map[string]method{"GET": {call: a.healthz}}},
		{path: "/readyz", public: true, methods: map[string]method{"GET": {call: a.readyz}}},
	}
}
