package send

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/flaghook/flaghook/hooks"
)

// An endpoint is what connections are kept for.
type endpoint struct {
	secure bool   // TLS
	addr   string // host and port, the host in ASCII
}

// A request is one that may go out over either protocol. All in it has been
// checked: nothing in it can end a line of HTTP/1.1.
type request struct {
	method string
	url    *url.URL // without user and password
	at     endpoint
	host   string // the header Host
	target string // path and query (RFC 9112, section 3.2.1)
	fields fields // sorted; without those of the connection
	body   []byte // the caller's
}

// build makes the request of o, or says why it must not be sent.
func (s *Sender) build(o hooks.Outgoing) (*request, error) {
	r := o.Request
	if r == nil {
		return nil, errors.New("there is no request to send")
	}
	u, err := r.ParseURL()
	if err != nil {
		return nil, err
	}
	switch r.Method {
	case "", http.MethodConnect, http.MethodTrace:
		return nil, fmt.Errorf("method %q is not for deliveries; use POST, PUT, PATCH, GET or DELETE", r.Method)
	}
	if !isToken(r.Method) {
		return nil, errors.New("its method or URL cannot be used in an HTTP request")
	}
	u.Host = strings.TrimSuffix(u.Host, ":") // an empty port (RFC 3986, section 6.2.3)
	u.RawQuery = escapeQuery(u.RawQuery)
	f, err := s.header(o)
	if err != nil {
		return nil, err
	}
	if u.User != nil {
		if f.get("Authorization") == "" {
			f.set("Authorization", basic(u.User))
		}
		u.User = nil
	}
	f.sort()
	req := &request{method: r.Method, url: u, target: u.RequestURI(), fields: f, body: r.Body}
	if req.at, req.host, err = locate(u); err != nil {
		return nil, err
	}
	if !visible(req.target) || !visible(req.host) {
		return nil, errors.New("its method or URL cannot be used in an HTTP request")
	}
	return req, nil
}

// basic are credentials as RFC 7617 has them.
func basic(u *url.Userinfo) string {
	password, _ := u.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password))
}

// visible reports whether s has neither spaces nor control characters.
func visible(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// isToken judges a method (RFC 9110, section 9.1).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// escapeQuery percent-encodes what may not stand in a query (the query
// percent-encode set of the URL Standard), so that a template that forgot
// queryEncode sends a space as %20 and not a broken request line. What is
// encoded already stays.
func escapeQuery(q string) string {
	bad := func(c byte) bool {
		return c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>'
	}
	n := 0
	for i := range len(q) {
		if bad(q[i]) {
			n++
		}
	}
	if n == 0 {
		return q
	}
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, len(q)+2*n)
	for i := range len(q) {
		if c := q[i]; bad(c) {
			b = append(b, '%', digits[c>>4], digits[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}

// maxOriginShown bounds a host in messages; no name is longer (RFC 1035,
// section 2.3.4) than 253 characters.
const maxOriginShown = 300

// origin is what may be shown of a URL: scheme and host.
func origin(u *url.URL) string {
	o := u.Scheme + "://" + u.Host
	if len(o) > maxOriginShown {
		o = strings.ToValidUTF8(o[:maxOriginShown], "") + "…"
	}
	return o
}
