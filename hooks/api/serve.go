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
)

// setSecurityHeaders keeps answers from being stored, sniffed or framed: they
// are data for programs and may show who changed what.
func setSecurityHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
}

// serve makes the http.Handler of one route: token, method, call, answer.
func (a *API) serve(rt route) http.Handler {
	allow := slices.Sorted(maps.Keys(rt.methods))
	if rt.methods["GET"] != nil {
		allow = append(allow, "HEAD")
	}
	allowed := strings.Join(allow, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !rt.public && !a.authorized(r) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="flaghook"`)
			a.refuse(w, r, fail(kindUnauthorized, "the request needs a valid token, as Authorization: TOKEN or Authorization: Bearer TOKEN"))
			return
		}
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet // net/http leaves out the body
		}
		call, ok := rt.methods[method]
		if !ok {
			w.Header().Set("Allow", allowed)
			a.refuse(w, r, fail(kindMethodNotAllowed, "this path takes %s", allowed))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, a.maxBody)
		reply, err := call(r)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		a.write(w, reply)
	})
}

// authorized compares the token in constant time, by hashes of one length.
func (a *API) authorized(r *http.Request) bool {
	given := strings.TrimSpace(r.Header.Get("Authorization"))
	if scheme, rest, found := strings.Cut(given, " "); found && strings.EqualFold(scheme, "Bearer") {
		given = strings.TrimSpace(rest)
	}
	sum := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(sum[:], a.token[:]) == 1
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
	a.log.Error("panic while answering a request", "method", r.Method, "path", r.URL.Path,
		"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	a.writeFault(w, fail(kindInternal, internalMessage))
}

// idForm is what ids and keys look like; anything else names nothing.
var idForm = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// idVar is the route's {id}, or a not-found fault when no id looks like that.
func idVar(r *http.Request) (string, error) {
	id := pathVar(r, "id")
	if !idForm.MatchString(id) {
		return "", fail(kindNotFound, "there is nothing of this id")
	}
	return id, nil
}

// pathVar is a variable of the route, unescaped. A broken escape is given as it
// is: it names nothing that exists.
func pathVar(r *http.Request, name string) string {
	raw := mux.Vars(r)[name]
	if s, err := url.PathUnescape(raw); err == nil {
		return s
	}
	return raw
}

// linkBase is what links begin with: the prefix under which the API is mounted,
// "" at the root. See the package documentation.
func linkBase(r *http.Request) string {
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
