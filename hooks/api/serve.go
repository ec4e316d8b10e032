package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"github.com/flaghook/flaghook/hooks"
)

// requestIDHeader names a request in logs, on both sides.
const requestIDHeader = "X-Request-Id"

// setHeaders gives an answer the request's id, a client's own where it can be
// one, and keeps it from being stored, sniffed or framed: answers are data for
// programs and may show who changed what.
func setHeaders(h http.Header, r *http.Request) {
	id := r.Header.Get(requestIDHeader)
	if !idForm.MatchString(id) {
		id = hooks.NewID()
	}
	h.Set(requestIDHeader, id)
	// As Set does, without making the same lists for every request.
	h["Cache-Control"], h["Content-Security-Policy"], h["X-Content-Type-Options"] = noStore, noContent, noSniff
}

var (
	noStore   = []string{"no-store"}
	noContent = []string{"default-src 'none'; frame-ancestors 'none'"}
	noSniff   = []string{"nosniff"}
	jsonType  = []string{"application/json"}
)

// serve makes the http.Handler of one route: token, limit, method, role, call,
// answer.
func (a *API) serve(rt route) http.Handler {
	allow := slices.Sorted(maps.Keys(rt.methods))
	if _, ok := rt.methods["GET"]; ok {
		allow = append(allow, "HEAD")
	}
	allowed := strings.Join(allow, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPreflight(r) {
			preflight(w, allowed)
			return
		}
		req := &request{Request: r}
		if !rt.public {
			var err error
			if req.grant, err = a.admit(w, r); err != nil {
				a.refuse(w, r, err)
				return
			}
		}
		name := r.Method
		if name == http.MethodHead {
			name = http.MethodGet // net/http leaves out the body
		}
		m, ok := rt.methods[name]
		if !ok {
			w.Header().Set("Allow", allowed)
			a.refuse(w, r, fail(kindMethodNotAllowed, "this path takes %s", allowed))
			return
		}
		if req.grant != nil && !m.audience.has(req.grant.Role) {
			a.refuse(w, r, fail(kindForbidden, "the token %q is for a %s; this takes %s", req.grant.Name, req.grant.Role, m.audience))
			return
		}
		a.boundBody(w, r)
		reply, err := m.call(req)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		a.write(w, r, reply)
	})
}

// boundBody lets no more than MaxBody bytes be read. A body that says that it is
// larger is not read at all, and its connection ends with the answer.
func (a *API) boundBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > a.o.MaxBody {
		w.Header().Set("Connection", "close")
		r.Body = tooLarge(a.o.MaxBody)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, a.o.MaxBody)
}

// tooLarge is a body that cannot be read, since it has more bytes than these.
type tooLarge int64

func (limit tooLarge) Read([]byte) (int, error) { return 0, &http.MaxBytesError{Limit: int64(limit)} }
func (tooLarge) Close() error                   { return nil }

// admit finds out what the request's token may do, and counts the request.
func (a *API) admit(w http.ResponseWriter, r *http.Request) (*hooks.Grant, error) {
	grant := a.authenticate(r)
	if grant == nil {
		w.Header().Set("WWW-Authenticate", `Bearer realm="flaghook"`)
		return nil, fail(kindUnauthorized, "the request needs a valid token, as Authorization: TOKEN or Authorization: Bearer TOKEN")
	}
	if l, ok := w.(*logged); ok {
		l.token = grant.Name
	}
	return grant, a.limiter.admit(w.Header(), grant.TokenID)
}

// authenticate compares tokens in constant time, by hashes of one length; nil
// for one that nobody has.
func (a *API) authenticate(r *http.Request) *hooks.Grant {
	given := strings.TrimSpace(r.Header.Get("Authorization"))
	if scheme, rest, found := strings.Cut(given, " "); found && strings.EqualFold(scheme, "Bearer") {
		given = strings.TrimSpace(rest)
	}
	sum := sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(sum[:], a.token[:]) == 1 {
		return a.admin
	}
	return a.engine.Tokens().Authenticate(r.Context(), given)
}

// untunnel gives a POST the method of its X-HTTP-Method-Override header, for
// clients behind proxies that let only GET and POST through.
func untunnel(r *http.Request) (*http.Request, error) {
	method := strings.ToUpper(strings.TrimSpace(r.Header.Get("X-HTTP-Method-Override")))
	if method == "" || r.Method != http.MethodPost {
		return r, nil
	}
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return r, fail(kindInvalid, "X-HTTP-Method-Override takes PUT, PATCH or DELETE")
	}
	changed := *r // the caller's request stays as it is
	changed.Method = method
	return &changed, nil
}

// recover answers a panic with 500 and logs it.
func (a *API) recover(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p) // means: end the connection without a word
	}
	a.log.Error("panic while answering a request", "request", w.Header().Get(requestIDHeader), "method", r.Method, "path", loggedPath(r),
		"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	a.writeFault(w, r, fail(kindInternal, internalMessage))
}

// idForm is what ids and keys look like; anything else names nothing.
var idForm = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// idVar is the route's {id}, or a not-found fault when no id looks like that.
func idVar(r *request) (string, error) {
	id := pathVar(r, "id")
	if !idForm.MatchString(id) {
		return "", fail(kindNotFound, "there is nothing of this id")
	}
	return id, nil
}

// pathVar is a variable of the route, unescaped. A broken escape is given as it
// is: it names nothing that exists.
func pathVar(r *request, name string) string {
	raw := mux.Vars(r.Request)[name]
	if s, err := url.PathUnescape(raw); err == nil {
		return s
	}
	return raw
}

// linkBase is what links begin with: the prefix under which the API is mounted,
// "" at the root. See the package documentation.
func linkBase(r *request) string {
	asked, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		return ""
	}
	prefix, ok := strings.CutSuffix(asked.EscapedPath(), r.URL.EscapedPath())
	if !ok || !strings.HasPrefix(prefix, "/") || strings.HasPrefix(prefix, "//") {
		return ""
	}
	return prefix
}
