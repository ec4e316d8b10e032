package api

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"

	"github.com/gorilla/mux"

	"github.com/flaghook/flaghook/hooks"
)

// DefaultMaxBody bounds a request's body where Options does not.
const DefaultMaxBody = 1 << 20

// Options configure an API. Engine and Token are required.
type Options struct {
	Engine *hooks.Engine

	// Token is the admin token that every call but /healthz and /readyz
	// must carry. It is kept as a hash.
	Token string

	Logger *slog.Logger // default: slog.Default()

	// MaxBody bounds a request's body in bytes (default DefaultMaxBody);
	// above it the answer is 413.
	MaxBody int64

	// Ready says why the process cannot serve now, nil when it can: the
	// answer of /readyz. What it says is logged and not answered. Default:
	// always ready.
	Ready func() error
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Ready == nil {
		o.Ready = func() error { return nil }
	}
}

// Validate names the first option that is missing or makes no sense.
func (o *Options) Validate() error {
	switch {
	case o.Engine == nil:
		return errors.New("api.Options: Engine is required, from hooks.New")
	case o.Token == "":
		return errors.New("api.Options: Token is required; an API without one would be open to everybody")
	case o.MaxBody < 0:
		return errors.New("api.Options: MaxBody must be positive, or 0 for its default")
	}
	return nil
}

// An API answers REST calls. It is an http.Handler, safe for concurrent use.
type API struct {
	engine  *hooks.Engine
	log     *slog.Logger
	token   [sha256.Size]byte
	maxBody int64
	ready   func() error
	router  *mux.Router
}

// New makes an API; it starts nothing and holds nothing that needs closing.
func New(o Options) (*API, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.setDefaults()
	a := &API{
		engine: o.Engine, log: o.Logger, token: sha256.Sum256([]byte(o.Token)),
		maxBody: o.MaxBody, ready: o.Ready,
	}
	a.router = a.newRouter()
	return a, nil
}

// A handler does one call. Its error goes through faultOf.
type handler func(r *http.Request) (answer, error)

// A route is one path with what it does by method.
type route struct {
	path    string // in mux's syntax
	public  bool   // asks for no token
	methods map[string]handler
}

// routes lists everything that is served, the busiest path first: mux tries
// them in turn.
func (a *API) routes() []route {
	return []route{
		{path: "/api/v1/events", methods: map[string]handler{"POST": a.postEvents}},
		{path: "/api/v1/events/{id}", methods: map[string]handler{"GET": a.getEvent}},
		{path: "/api/v1/events/{id}/explain", methods: map[string]handler{"GET": a.explainEvent}},
		{path: "/api/v1/deliveries", methods: map[string]handler{"GET": a.listDeliveries}},
		{path: "/api/v1/deliveries/{id}", methods: map[string]handler{"GET": a.getDelivery}},
		{path: "/api/v1/subscriptions/{id}/deliveries", methods: map[string]handler{"GET": a.listSubscriptionDeliveries}},
		{path: "/api/v1/catalog", methods: map[string]handler{"GET": a.listCatalog}},
		{path: "/api/v1/catalog/{key}", methods: map[string]handler{"GET": a.getCatalogItem}},
		{path: "/api/v2/integrations/{key}", methods: map[string]handler{
			"GET": a.listSubscriptions, "POST": a.postSubscription,
		}},
		{path: "/api/v2/integrations/{key}/{id}", methods: map[string]handler{
			"GET": a.getSubscription, "PATCH": a.patchSubscription, "DELETE": a.deleteSubscription,
		}},
		{path: "/healthz", public: true, methods: map[string]handler{"GET": a.healthz}},
		{path: "/readyz", public: true, methods: map[string]handler{"GET": a.readyz}},
	}
}

// newRouter mounts the routes. Paths are matched as they came, escapes and
// all, so that no key can pretend to be two segments; and they are not
// cleaned, since the redirect that mux makes then leaves out a stripped prefix.
func (a *API) newRouter() *mux.Router {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	for _, rt := range a.routes() {
		router.Handle(rt.path, a.serve(rt))
	}
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.refuse(w, r, fail(kindNotFound, "there is nothing at this path"))
	})
	return router
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer a.recover(w, r)
	setSecurityHeaders(w.Header())
	r, err := untunnel(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.router.ServeHTTP(w, r)
}

// Health answers /healthz and /readyz alone, for a listener of its own.
func (a *API) Health() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" && r.URL.Path != "/readyz" {
			a.refuse(w, r, fail(kindNotFound, "there is nothing at this path"))
			return
		}
		a.ServeHTTP(w, r)
	})
}

func (a *API) healthz(*http.Request) (answer, error) {
	return answer{body: map[string]string{"status": "ok"}}, nil
}

func (a *API) readyz(*http.Request) (answer, error) {
	if err := a.ready(); err != nil {
		a.log.Warn("not ready", "error", err)
		k := kinds[kindUnavailable]
		return answer{status: k.status, body: errorBody{Code: k.code, Message: "not ready"}}, nil
	}
	return answer{body: map[string]string{"status": "ok"}}, nil
}
