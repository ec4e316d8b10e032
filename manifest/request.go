package manifest

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// A Request is a rendered HTTP request, ready to be signed and sent.
type Request struct {
	Method     string // "" for a hook without an endpoint
	URL        string // "" for a hook without an endpoint
	Headers    []Header
	Body       []byte      // shared between deliveries: read only
	Signatures []Signature // none where nothing is signed; see Sign
}

// Check reports what keeps the request from being sent: a URL that is not
// absolute http or https, a header that HTTP cannot carry, a signing secret that
// is no key. The error shows no more of the URL than scheme and host, no
// header's value and no secret.
func (r *Request) Check() error {
	_, err := r.ParseURL()
	return err
}

// ParseURL is Check, and gives the URL as net/url reads it.
func (r *Request) ParseURL() (*url.URL, error) {
	if r.Method == "" && r.URL == "" {
		return nil, errors.New("the integration has no endpoint to send to")
	}
	u, err := parseURL(r.URL)
	if err != nil {
		return nil, err
	}
	for _, h := range r.Headers {
		if err := checkHeader(h); err != nil {
			return nil, err
		}
	}
	for _, s := range r.Signatures {
		if err := s.check(); err != nil {
			return nil, err
		}
	}
	return u, nil
}

func checkHeader(h Header) error {
	if !validHeaderName(h.Name) {
		return fmt.Errorf("a header has a name that HTTP cannot carry: %q", h.Name)
	}
	for n := range len(h.Value) {
		if b := h.Value[n]; b < ' ' && b != '\t' || b == 0x7f {
			return fmt.Errorf("the header %s has a line break or another control character in its value", h.Name)
		}
	}
	return nil
}

// parseURL wants an absolute http or https URL. Errors of net/url quote the
// whole URL, whose path and query may hold secrets, and are never passed on.
func parseURL(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, errors.New("the URL is empty")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("the URL cannot be read; it must be an absolute http or https URL, such as https://example.com/hook")
	}
	switch scheme := strings.ToLower(u.Scheme); {
	case scheme == "":
		return nil, errors.New("the URL is not absolute; it must begin with http:// or https://")
	case scheme != "http" && scheme != "https":
		return nil, errors.New("the URL is neither http nor https")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, fmt.Errorf("the URL has no host behind %s://", scheme)
	case strings.ContainsAny(u.Host, " \"<>\\^`{|}"):
		return nil, fmt.Errorf("the URL's host is not one a name can have: %s://%s", scheme, u.Host)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("the URL's port %s is none; ports are 1 to 65535", port)
		}
	}
	return u, nil
}

// validHeaderName reports whether a name is a token of RFC 9110, section 5.6.2.
func validHeaderName(name string) bool {
	for n := range len(name) {
		b := name[n]
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", b) < 0 {
			return false
		}
	}
	return name != ""
}
