package api

import (
	"net/http"
	"strings"
)

// Cross-origin requests (the Fetch standard, section 3.2). Programs in browsers
// may call the API from any page: tokens are in a header that only the page's
// own code can set, and there is no cookie or other credential of the browser
// that another page could borrow. Addresses of sources are for servers, and are
// left out.
var (
	anyOrigin   = []string{"*"}
	corsExposed = []string{"ETag, Location, Retry-After, " + requestIDHeader +
		", X-Ratelimit-Global-Remaining, X-Ratelimit-Reset, X-Ratelimit-Route-Remaining"}
)

const (
	corsHeaders = "Authorization, Content-Type, Idempotency-Key, If-Match, LD-API-Version, " + requestIDHeader
	corsMaxAge  = "7200" // seconds: the most that browsers keep
)

// openToPages lets pages of other origins read the answers of the API.
func openToPages(h http.Header, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		h["Access-Control-Allow-Origin"], h["Access-Control-Expose-Headers"] = anyOrigin, corsExposed
	}
}

// isPreflight reports whether a browser asks what a page may send to the API. It
// asks without a token.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" && strings.HasPrefix(r.URL.Path, "/api/")
}

// preflight answers it for a path that takes these methods.
func preflight(w http.ResponseWriter, allowed string) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", allowed)
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	w.WriteHeader(http.StatusNoContent)
}
