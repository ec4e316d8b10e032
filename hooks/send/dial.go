package send

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"
)

// dialTimeout bounds making a connection and, again, the TLS handshake. It is
// below the default Timeout, so that a host that is not there is told from one
// that does not answer.
const dialTimeout = 10 * time.Second

// A dialer makes connections to addresses that its guard lets through.
type dialer struct {
	base  net.Dialer
	guard *guard
	proxy *proxy      // nil where connections are made straight
	tls   *tls.Config // for dialTLS; ServerName is set per connection
}

// dial connects to addr, a host and port. The guard judges each resolved
// address between the making of the socket and its connect. A copy of the
// dialer per call, since the verdicts of one call explain its failure.
func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.proxy != nil {
		return d.dialProxy(ctx, addr)
	}
	var v verdicts
	nd := d.base
	nd.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
		return v.judge(d.guard, address)
	}
	conn, err := nd.DialContext(ctx, network, addr)
	if err != nil {
		return nil, v.explain(err)
	}
	return conn, nil
}

// dialTLS connects to addr and completes the handshake. Doing that here
// instead of in net/http tells its failures apart by type, and who is to have
// the connection by the protocol that it chose.
func (d *dialer) dialTLS(ctx context.Context, network, addr string) (*tls.Conn, error) {
	conn, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	config := d.tls.Clone()
	config.ServerName, _, err = net.SplitHostPort(addr)
	if err != nil {
		conn.Close()
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, &handshakeError{err}
	}
	return secure, nil
}

// verdicts gathers what the guard said about the addresses of one dial, which
// net tries in parallel where a name has addresses of both families.
type verdicts struct {
	mu       sync.Mutex
	refusals []*refusal
	tried    bool // an address was let through
}

func (v *verdicts) judge(g *guard, address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err // an address that cannot be read cannot be judged
	}
	r := g.check(ap.Addr())
	v.mu.Lock()
	defer v.mu.Unlock()
	if r == nil {
		v.tried = true
		return nil
	}
	v.refusals = append(v.refusals, r)
	return &refusedError{refusals: []*refusal{r}}
}

// explain puts all refusals in the place of err, in which net keeps the
// failure of only one address.
func (v *verdicts) explain(err error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.refusals) == 0 {
		return err
	}
	return &refusedError{refusals: slices.Clone(v.refusals), tried: v.tried}
}

// A handshakeError is a failure of TLS on a connection that stood.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return "TLS handshake: " + e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }
