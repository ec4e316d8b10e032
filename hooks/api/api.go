package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/source"
	"github.com/flaghook/flaghook/manifest"
)

// DefaultMaxBody bounds a request's body where Options does not.
const DefaultMaxBody = 1 << 20

// Options configure an API. Engine and Token are required.
type Options struct {
	Engine *hooks.Engine

	// Token is the admin token, which may do everything, beside those that
	// the engine keeps (hooks.Tokens). It is kept as a hash.
	Token string

	Logger *slog.Logger // default: slog.Default()

	// MaxBody bounds a request's body in bytes (default DefaultMaxBody);
	// above it the answer is 413.
	MaxBody int64

	// RateLimit is how many requests a second a token may make; above it the
	// answer is 429. 0 is no limit.
	RateLimit int

	// PublicURL is where clients reach the API, such as
	// https://flags.example.com/hooks: it stands in the OpenAPI description.
	// Default: the description names the root of its own host.
	PublicURL string

	// Sources are the flag systems that send events, with the addresses that
	// they send to. Default: those that the engine's store keeps, in a Registry
	// of the API's own, whose last counts are lost at the end.
	Sources *source.Registry

	// Ready says why the process cannot serve now, nil when it can: the
	// answer of /readyz. What it says is logged and not answered. Default:
	// always ready.
	Ready func() error

	// Reload reads the integration folders again and hands a new catalog to
	// the engine. It returns how many integrations that has and what is wrong
	// with the folders. Default: there is nothing to reload.
	Reload func(context.Context) (loaded int, findings []manifest.Finding, err error)

	// Backup writes a consistent copy of all that is stored. Default: there
	// is none to be had.
	Backup func(context.Context, io.Writer) error
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
	case o.RateLimit < 0:
		return errors.New("api.Options: RateLimit must be positive, or 0 for none")
	}
	if o.PublicURL != "" {
		u, err := url.Parse(o.PublicURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("api.Options: PublicURL %q must be an absolute http or https URL without query or fragment", o.PublicURL)
		}
	}
	return nil
}

// An API answers REST calls. It is an http.Handler, safe for concurrent use.
type API struct {
	o       Options
	engine  *hooks.Engine
	log     *slog.Logger
	token   [sha256.Size]byte
	admin   *hooks.Grant // of that token
	limiter *limiter     // nil: no limit
	openAPI []byte

	backingUp sync.Mutex // held while a backup is being sent

	router *mux.Router
}

// New makes an API; it starts nothing and holds nothing that needs closing.
func New(o Options) (*API, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.setDefaults()
	if o.Sources == nil {
		o.Sources = source.NewRegistry(o.Engine.Records(), o.Engine, o.Logger)
	}
	a := &API{
		o: o, engine: o.Engine, log: o.Logger,
		token: sha256.Sum256([]byte(o.Token)), admin: hooks.AdminGrant(), limiter: newLimiter(o.RateLimit),
	}
	a.o.Token = "" // the hash is enough
	routes := a.routes()
	var err error
	if a.openAPI, err = describe(routes, o.PublicURL); err != nil {
		return nil, err
	}
	a.router = a.newRouter(routes)
	return a, nil
}

// newRouter mounts the routes. Paths are matched as they came, escapes and
// all, so that no key can pretend to be two segments; and they are not
// cleaned, since the redirect that mux makes then leaves out a stripped prefix.
func (a *API) newRouter(routes []route) *mux.Router {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	for _, rt := range routes {
		router.Handle(rt.path, a.serve(rt))
	}
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.refuse(w, r, fail(kindNotFound, "there is nothing at this path"))
	})
	return router
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header(), r)
	openToPages(w.Header(), r)
	if a.log.Enabled(r.Context(), slog.LevelDebug) {
		l := &logged{ResponseWriter: w, begun: time.Now()}
		defer l.log(a.log, r)
		w = l
	}
	defer a.recover(w, r)
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

func (a *API) healthz(*request) (answer, error) {
	return answer{body: map[string]string{"status": "ok"}}, nil
}

func (a *API) readyz(*request) (answer, error) {
	if err := a.o.Ready(); err != nil {
		a.log.Warn("not ready", "error", err)
		k := kinds[kindUnavailable]
		return answer{status: k.status, body: errorBody{Code: k.code, Message: "not ready"}}, nil
	}
	return answer{body: map[string]string{"status": "ok"}}, nil
}
