package send

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// A proxy is the forward proxy through which all connections go (RFC 9110,
// section 9.3.6). It gets to know addresses, and no names: what it connects to is
// what the guard has judged.
type proxy struct {
	address string      // host and port
	tls     *tls.Config // nil for an http:// proxy
	header  http.Header // of CONNECT requests
	dialer  net.Dialer  // no guard: the operator has chosen where the proxy is
}

// defaultPorts are those of a proxy's URL that names none.
var defaultPorts = map[string]string{"http": "80", "https": "443"}

// checkProxy says what is wrong with the URL of a proxy. It never shows the URL,
// which may hold a password.
func checkProxy(u *url.URL) error {
	switch {
	case u == nil:
		return nil
	case defaultPorts[u.Scheme] == "" || u.Hostname() == "":
		return errors.New("it must be an http:// or https:// URL with a host, such as http://proxy.example:3128")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return errors.New("it must have neither a path nor a query; write http://proxy.example:3128")
	}
	return nil
}

// newProxy makes the proxy of options that are valid; nil without one.
func newProxy(o Options) *proxy {
	u := o.Proxy
	if u == nil {
		return nil
	}
	port := u.Port()
	if port == "" {
		port = defaultPorts[u.Scheme]
	}
	p := &proxy{
		address: net.JoinHostPort(u.Hostname(), port),
		header:  http.Header{"User-Agent": {o.UserAgent}},
		dialer:  net.Dialer{Resolver: o.Resolver},
	}
	if u.Scheme == "https" {
		// Verified also for those who accept any certificate of their endpoint.
		p.tls = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs, ServerName: u.Hostname()}
	}
	if u.User != nil {
		p.header.Set("Proxy-Authorization", basic(u.User))
	}
	return p
}

// A proxyError is a failure on the way to or at the proxy. Its text names
// neither the proxy nor what it answered but for the status.
type proxyError struct {
	reason  string
	status  int // of the answer to CONNECT, 0 without one
	timeout bool
}

func (e *proxyError) Error() string { return e.reason }

// connect opens a tunnel to an address.
func (p *proxy) connect(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
	conn, err := p.dialer.DialContext(ctx, "tcp", p.address)
	if err != nil {
		reason := brokenReason(err)
		if dns := (*net.DNSError)(nil); errors.As(err, &dns) {
			reason = "its name cannot be resolved"
		}
		return nil, &proxyError{reason: "the egress proxy cannot be reached: " + reason, timeout: isTimeout(err)}
	}
	// An end of ctx ends what conn is waiting for.
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // then it is closed already
	secured, err := p.handshake(ctx, conn)
	if err == nil {
		err = p.tunnel(secured, target)
	}
	if !stop() && err == nil {
		err = &proxyError{reason: "the egress proxy did not answer in time", timeout: true}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

func (p *proxy) handshake(ctx context.Context, conn net.Conn) (net.Conn, error) {
	if p.tls == nil {
		return conn, nil
	}
	secured := tls.Client(conn, p.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, &proxyError{reason: "no secure connection to the egress proxy: " + tlsReason(err), timeout: isTimeout(err)}
	}
	return secured, nil
}

// tunnel sends CONNECT and reads the answer's header. What may follow it is
// dropped: a tunnel's far end speaks when it has been spoken to. A 2xx has no body
// whatever it says (RFC 9110, section 9.3.6), and that of a refusal is not wanted.
func (p *proxy) tunnel(conn net.Conn, target netip.AddrPort) error {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target.String()}, Host: target.String(), Header: p.header}
	err := req.Write(conn)
	if err != nil {
		return &proxyError{reason: "the egress proxy closed the connection", timeout: isTimeout(err)}
	}
	res, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxHeader)), req) //nolint:bodyclose // closing reads it to its end
	if err != nil {
		reason := "the egress proxy gave no answer: " + brokenReason(err)
		if isTimeout(err) {
			reason = "the egress proxy did not answer in time"
		}
		return &proxyError{reason: reason, timeout: isTimeout(err)}
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return &proxyError{reason: proxyAnswer(res.StatusCode), status: res.StatusCode}
	}
	return nil
}

// proxyAnswer explains a refused CONNECT.
func proxyAnswer(code int) string {
	text := fmt.Sprintf("the egress proxy answered %d", code)
	if reason := http.StatusText(code); reason != "" {
		text += " " + reason
	}
	switch {
	case code == http.StatusProxyAuthRequired, code == http.StatusUnauthorized:
		text += "; check the user and password of --egress-proxy"
	case code == http.StatusForbidden:
		text += "; its rules do not let this address through"
	case code >= http.StatusInternalServerError:
		text += "; it could not connect to this address"
	}
	return text
}

// maxTried bounds how many addresses of one name a proxy is asked for.
const maxTried = 4

// dialProxy resolves the host of addr, has the guard judge what it finds, and
// connects to the first address that is let through and that the proxy can
// reach.
func (d *dialer) dialProxy(ctx context.Context, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	targets, err := d.targets(ctx, addr)
	if err != nil {
		return nil, err
	}
	for n, target := range targets {
		var conn net.Conn
		conn, err = d.proxy.connect(ctx, target)
		var refused *proxyError
		if err == nil || n+1 == maxTried || errors.As(err, &refused) && refused.status < http.StatusInternalServerError {
			return conn, err
		}
	}
	return nil, err
}

// targets are the addresses of addr that the guard lets through, at least one.
func (d *dialer) targets(ctx context.Context, addr string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	resolver := d.base.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	port, err := resolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return nil, err
	}
	found, err := resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var targets []netip.AddrPort
	var refusals []*refusal
	for _, ip := range found {
		ip = ip.Unmap().WithZone("") // a zone means something on this machine alone
		if r := d.guard.check(ip); r != nil {
			refusals = append(refusals, r)
			continue
		}
		targets = append(targets, netip.AddrPortFrom(ip, uint16(port)))
	}
	if targets == nil {
		return nil, &refusedError{refusals: refusals}
	}
	return targets, nil
}
