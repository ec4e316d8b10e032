package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultURL is where `flaghook serve` listens unless it is told otherwise.
const DefaultURL = "http://127.0.0.1:8480"

// Options configure a Client. The zero value of each has a default.
type Options struct {
	// URL is the server's, http or https, with the prefix under which the API
	// is mounted, if any (default DefaultURL).
	URL string

	// Token is sent with every call. Empty: none is sent, which is enough for
	// OpenAPI and Health alone.
	Token string

	// HTTP makes the exchanges (default: one of the client's own). It should
	// have no Timeout, which would cut off Backup. Redirects are never
	// followed, whatever it says: a POST would become a GET.
	HTTP *http.Client

	UserAgent string // default: flaghook-client

	// Timeout bounds one exchange, answer included (default 30 s); Backup, of
	// which nobody knows how long it takes, gets it anew whenever bytes come.
	Timeout time.Duration

	// Retries is how often a call is made again (default 4; negative: never),
	// and MaxWait the longest wait before that (default 30 s). Who asks by
	// Retry-After for more gets an error at once.
	Retries int
	MaxWait time.Duration
}

func (o *Options) setDefaults() {
	if o.URL == "" {
		o.URL = DefaultURL
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{}
	}
	if o.UserAgent == "" {
		o.UserAgent = "flaghook-client"
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Retries == 0 {
		o.Retries = 4
	}
	if o.MaxWait == 0 {
		o.MaxWait = 30 * time.Second
	}
}

// Validate names the first option that makes no sense. It quotes no token and
// no password.
func (o *Options) Validate() error {
	if o.URL != "" {
		u, err := url.Parse(o.URL)
		switch {
		case err != nil:
			return errors.New("client.Options: URL cannot be parsed; it is such as " + DefaultURL)
		case u.User != nil:
			return errors.New("client.Options: URL holds a user name; the credential is Token")
		case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
			return fmt.Errorf("client.Options: URL is %q; it must begin with http:// or https:// and a host, such as %s", o.URL, DefaultURL)
		case u.RawQuery != "" || u.Fragment != "":
			return fmt.Errorf("client.Options: URL has a query or a fragment; it is the server's alone, such as %s", DefaultURL)
		}
	}
	switch {
	case strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("client.Options: Token holds blanks or characters that no token has; is there a line feed at its end?")
	case o.Timeout < 0:
		return errors.New("client.Options: Timeout must be positive, or 0 for its default")
	case o.MaxWait < 0:
		return errors.New("client.Options: MaxWait must be positive, or 0 for its default")
	}
	return nil
}

// A Client makes calls. It is safe for concurrent use and needs no closing.
type Client struct {
	o    Options
	base string // the server's URL without a slash at the end
	http *http.Client
}

// New makes a client; it makes no call yet.
func New(o Options) (*Client, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.setDefaults()
	own := *o.HTTP
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{o: o, base: strings.TrimRight(o.URL, "/"), http: &own}, nil
}

// URL is the server's, as it was given.
func (c *Client) URL() string { return c.base }

// Health says whether the server can take events now (GET /readyz).
func (c *Client) Health(ctx context.Context) error {
	return c.do(ctx, call{method: http.MethodGet, path: "/readyz", again: true}, nil)
}

// OpenAPI returns the description of the whole API, an OpenAPI 3.1 document.
func (c *Client) OpenAPI(ctx context.Context) ([]byte, error) {
	var d Document
	err := c.do(ctx, get("openapi.json"), &d)
	return d.JSON(), err
}
