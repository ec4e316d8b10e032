package send

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// Defaults of [Options].
const (
	DefaultUserAgent      = "flaghook"
	DefaultTimeout        = 15 * time.Second
	DefaultMaxIdlePerHost = 256
)

const (
	maxIdle     = 1024             // kept connections of a client over all hosts
	idleTimeout = 90 * time.Second // an idle connection is closed after that

	// HTTP/2 has one connection to a host, which may die without a sign
	// while requests wait on it: it is pinged when it has been silent.
	pingAfter   = 15 * time.Second
	pingTimeout = 5 * time.Second

	// What an HTTP/2 peer may send ahead of our reading.
	streamWindow     = 128 << 10
	connectionWindow = 1 << 20
)

// Options say how a [Sender] works. The zero value of each means its default.
type Options struct {
	// EgressAllow opens addresses that are refused otherwise, such as
	// 127.0.0.0/8 (serve --egress-allow).
	EgressAllow []netip.Prefix
	// UserAgent is sent where the manifest sets none: "flaghook/VERSION".
	UserAgent string
	// Timeout is for a whole exchange, from resolving the name to the end of
	// the answer's body, where hooks.Outgoing sets none.
	Timeout time.Duration
	// MaxIdlePerHost is how many idle connections to one scheme, host and
	// port are kept.
	MaxIdlePerHost int
	// RootCAs verify servers; nil is the system's set.
	RootCAs *x509.CertPool
	// Resolver looks names up; nil is net.DefaultResolver.
	Resolver *net.Resolver
	// Proxy is an http:// or https:// URL, perhaps with a user and password, of
	// the forward proxy that all connections go through (serve --egress-proxy);
	// nil is none. Names are resolved and addresses are judged here; the proxy is
	// told to CONNECT to an address. Its own address is not judged.
	Proxy *url.URL
	// RequireHTTPS refuses endpoints with http:// (serve --require-https).
	RequireHTTPS bool
}

// Validate returns what is wrong with the options, naming the fields.
func (o Options) Validate() error {
	var errs []error
	for i, p := range o.EgressAllow {
		switch {
		case !p.IsValid():
			errs = append(errs, fmt.Errorf("EgressAllow[%d]: not a prefix; write one as 10.0.0.0/8 or fd00::/8", i))
		case p.Addr().Is4In6() && p.Bits() < 96:
			errs = append(errs, fmt.Errorf("EgressAllow[%d]: %s mixes IPv4 and IPv6; write one prefix for each", i, p))
		}
	}
	if !validValue(o.UserAgent) {
		errs = append(errs, errors.New("UserAgent: has a control character"))
	}
	if o.Timeout < 0 {
		errs = append(errs, fmt.Errorf("Timeout: %s is negative; 0 means %s", o.Timeout, DefaultTimeout))
	}
	if o.MaxIdlePerHost < 0 {
		errs = append(errs, fmt.Errorf("MaxIdlePerHost: %d is negative; 0 means %d", o.MaxIdlePerHost, DefaultMaxIdlePerHost))
	}
	if err := checkProxy(o.Proxy); err != nil {
		errs = append(errs, fmt.Errorf("Proxy: %w", err))
	}
	return errors.Join(errs...)
}

// A Sender sends requests over HTTP. It implements [hooks.Sender] and is safe
// for concurrent use.
type Sender struct {
	options    Options
	verified   *client
	unverified *client // for SkipTLSVerify; the two never share a connection
}

var _ hooks.Sender = (*Sender)(nil)

// New makes a Sender. The error is that of [Options.Validate].
func New(o Options) (*Sender, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	if o.UserAgent == "" {
		o.UserAgent = DefaultUserAgent
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxIdlePerHost == 0 {
		o.MaxIdlePerHost = DefaultMaxIdlePerHost
	}
	g := newGuard(o.EgressAllow)
	return &Sender{options: o, verified: newClient(o, newDialer(o, g, false)), unverified: newClient(o, newDialer(o, g, true))}, nil
}

func newDialer(o Options, g *guard, skipVerify bool) *dialer {
	return &dialer{
		base:  net.Dialer{Timeout: dialTimeout, Resolver: o.Resolver},
		guard: g,
		proxy: newProxy(o),
		tls: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			NextProtos:         []string{"h2", "http/1.1"},
			RootCAs:            o.RootCAs,
			InsecureSkipVerify: skipVerify, // only where the integration offers it and the admin chose it
		},
	}
}

// Close closes the connections that are idle. Exchanges under way go on, and
// their connections are closed behind them or, with HTTP/2, once they have been
// idle for a while; call it after the last Send. A later one keeps connections
// again.
func (s *Sender) Close() {
	s.verified.closeIdle()
	s.unverified.closeIdle()
}

// Send makes one attempt. What it reports:
//
//   - ErrorRender, Permanent: the request must not be sent as it is; nothing
//     was sent. Nothing else is Permanent; what a status means for further
//     attempts is the caller's to judge.
//   - ErrorBlocked: every address of the host is refused, or http:// is; Error
//     names them and the flag that decides. Not Permanent: names change their
//     addresses, and an operator who opens one wants what has waited for it.
//   - ErrorTimeout: no answer's header within the timeout, or ctx ended. To
//     tell these apart the caller looks at its ctx.
//   - ErrorStatus: an answer that is not 2xx, redirects included.
//
// An answer whose header came before ctx ended is reported as such. In all that
// an endpoint said, o.Secrets are hidden.
func (s *Sender) Send(ctx context.Context, o hooks.Outgoing) hooks.Response {
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = s.options.Timeout
	}
	deadline := time.Now().Add(timeout)
	req, err := s.build(o)
	if err != nil {
		return hooks.Response{
			ErrorClass: hooks.ErrorRender,
			Error:      "the request must not be sent as it is: " + err.Error(),
			Permanent:  true,
		}
	}
	if s.options.RequireHTTPS && !req.at.secure {
		return hooks.Response{
			ErrorClass: hooks.ErrorBlocked,
			Error:      fmt.Sprintf("cannot send to %s: the server was started with --require-https; configure an https:// address", origin(req.url)),
		}
	}
	client := s.verified
	if o.SkipTLSVerify {
		client = s.unverified
	}
	hidden := veil{secrets: o.Secrets}
	res, err := client.do(ctx, req, deadline)
	if err != nil {
		r := failure{
			err: err, origin: origin(req.url), timeout: timeout,
			stopped: ctx.Err() != nil, expired: !time.Now().Before(deadline),
		}.response()
		r.Error = hidden.text(r.Error)
		return r
	}
	body, ended := readBody(res.Response)
	res.release(ended)
	r := hooks.Response{
		StatusCode: res.StatusCode,
		Header:     responseHeader(res.Header, &hidden),
		Body:       hidden.body(body, len(body) == maxBody),
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		r.ErrorClass = hooks.ErrorStatus
		r.Error = hidden.text(statusText(origin(req.url), res.StatusCode))
		r.RetryAfter = retryAfter(res.Header, time.Now())
	}
	return r
}
