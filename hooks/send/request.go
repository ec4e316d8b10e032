package send

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// headerDeliveryID carries the delivery's id, the same over all its attempts
// (Standard Webhooks, "Webhook headers").
const headerDeliveryID = "Webhook-Id"

// connectionHeaders are those that net/http decides on itself, in canonical
// form. A manifest that sets them is not refused: others in this field ignore
// them as well, and what authors copy from their tools holds them.
var connectionHeaders = []string{
	"Connection", "Content-Length", "Expect", "Host", "Http2-Settings", "Keep-Alive",
	"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// ofConnection judges a name in canonical form.
func ofConnection(name string) bool { return slices.Contains(connectionHeaders, name) }

// build makes the HTTP request of o. An error means that o must not be sent as
// it is; it shows no more of the URL than scheme and host.
func (s *Sender) build(ctx context.Context, o hooks.Outgoing) (*http.Request, error) {
	r := o.Request
	if r == nil {
		return nil, errors.New("there is no request to send")
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	switch r.Method {
	case "", http.MethodConnect, http.MethodTrace:
		return nil, fmt.Errorf("method %q is not for deliveries; use POST, PUT, PATCH, GET or DELETE", r.Method)
	}
	// The reader is the request's own, so net/http can send it again.
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil { // what it says may quote the URL
		return nil, errors.New("its method or URL cannot be used in an HTTP request")
	}
	req.URL.RawQuery = escapeQuery(req.URL.RawQuery)
	if err := s.setHeaders(req, o); err != nil {
		return nil, err
	}
	if u := req.URL.User; u != nil {
		if req.Header.Get("Authorization") == "" {
			password, _ := u.Password()
			req.SetBasicAuth(u.Username(), password)
		}
		req.URL.User = nil
	}
	return req, nil
}

// A fieldSet collects the header of a request. Its values lie in one array as long
// as no name comes twice, which saves most of what a header costs.
type fieldSet struct {
	header http.Header
	values []string
}

func newFieldSet(n int) *fieldSet {
	return &fieldSet{make(http.Header, n), make([]string, 0, n)}
}

// set gives a name, in canonical form, its only value.
func (f *fieldSet) set(name, value string) {
	f.values = append(f.values, value)
	n := len(f.values)
	f.header[name] = f.values[n-1 : n : n] // with no room to be appended to
}

// add gives a name, in canonical form, one more value.
func (f *fieldSet) add(name, value string) {
	if values := f.header[name]; values != nil {
		f.header[name] = append(values, value)
		return
	}
	f.set(name, value)
}

// repeatable is an Idempotency-Key that is not sent, since it has no value, and
// that tells net/http that the request may be repeated when a kept connection
// turns out to be closed.
var repeatable = []string{}

// setHeaders sets what the package's doc says goes out. Check has been through
// the manifest's headers.
func (s *Sender) setHeaders(req *http.Request, o hooks.Outgoing) error {
	f := newFieldSet(len(o.Request.Headers) + 6) // room for ours
	for _, x := range o.Request.Headers {
		if name := http.CanonicalHeaderKey(x.Name); !ofConnection(name) {
			f.add(name, x.Value)
		}
	}
	if f.header.Get("User-Agent") == "" {
		f.set("User-Agent", s.options.UserAgent)
	}
	if o.DeliveryID != "" {
		if !validValue(o.DeliveryID) {
			return errors.New("the delivery's id cannot be sent in a header")
		}
		f.set(headerDeliveryID, o.DeliveryID)
	}
	if err := sign(f, o); err != nil {
		return err
	}
	if _, ok := f.header["Idempotency-Key"]; !ok {
		f.header["Idempotency-Key"] = repeatable
	}
	req.Header = f.header
	return nil
}

// sign sets the headers that sign o, for an attempt that is made now.
func sign(f *fieldSet, o hooks.Outgoing) error {
	last := ""
	for _, x := range o.Request.Sign(o.DeliveryID, time.Now()) {
		name := http.CanonicalHeaderKey(x.Name)
		switch {
		case ofConnection(name):
			return fmt.Errorf("the signature cannot be sent in the header %s, which belongs to the connection; name another in hmacSignature", x.Name)
		case x.Value == "":
			return errors.New("a request without a delivery's id cannot be signed as Standard Webhooks say")
		case name == last:
			f.add(name, x.Value)
		default:
			f.set(name, x.Value)
		}
		last = name
	}
	return nil
}

// validValue reports whether s has no control character but the tab (RFC 9110,
// section 5.5).
func validValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
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
