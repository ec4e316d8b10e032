package send

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// A client makes exchanges: over connections of its own where HTTP/1.1 is
// spoken, and over those of net/http where the TLS handshake chose HTTP/2.
type client struct {
	dialer *dialer
	pool   *pool
	http2  *http.Transport
	known  endpoints // that chose HTTP/2 when last asked
}

func newClient(o Options, d *dialer) *client {
	c := &client{dialer: d, pool: newPool(o.MaxIdlePerHost)}
	c.http2 = &http.Transport{
		Proxy:                  nil, // of the environment, it would pass the guard; ours is the dialer's
		DialContext:            d.dial,
		DialTLSContext:         c.dialHTTP2,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // the limit on a body then holds for what is read, too
		MaxIdleConns:           maxIdle,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout:               pingAfter,
			PingTimeout:                   pingTimeout,
			MaxReceiveBufferPerStream:     streamWindow,
			MaxReceiveBufferPerConnection: connectionWindow,
		},
	}
	return c
}

func (c *client) closeIdle() {
	c.pool.closeIdle()
	c.http2.CloseIdleConnections()
}

// do sends a request and returns its answer, which the caller has to release.
//
// A kept connection may end while the request is under way to it. Unless a byte of
// an answer has come by then, the request is sent again, once, over a connection
// that is new. One that fails on a new connection is the next attempt's.
func (c *client) do(ctx context.Context, r *request, deadline time.Time) (*answer, error) {
	epoch := c.pool.epoch.Load()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.at.secure && c.known.has(r.at) {
		a, err := c.overHTTP2(ctx, r, deadline, nil)
		if !errors.Is(err, errNotHTTP2) {
			return a, err
		}
	}
	if kept := c.pool.take(r.at); kept != nil {
		a, err := c.over(ctx, kept, epoch, r, deadline)
		if err == nil || kept.heard || isTimeout(err) || ctx.Err() != nil || !time.Now().Before(deadline) {
			return a, err
		}
	}
	fresh, err := c.dial(ctx, r.at, deadline)
	if err != nil {
		return nil, err
	}
	if secure, ok := fresh.(*tls.Conn); ok && r.at.secure && choseHTTP2(secure) {
		c.known.add(r.at)
		return c.overHTTP2(ctx, r, deadline, secure)
	}
	return c.over(ctx, newConn(fresh, r.at), epoch, r, deadline)
}

// over makes an exchange over a connection that speaks HTTP/1.1.
func (c *client) over(ctx context.Context, on *conn, epoch int64, r *request, deadline time.Time) (*answer, error) {
	a, err := on.exchange(ctx, r, deadline)
	if err != nil {
		return nil, err
	}
	a.pool, a.epoch = c.pool, epoch
	return a, nil
}

func (c *client) dial(ctx context.Context, at endpoint, deadline time.Time) (net.Conn, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if at.secure {
		return c.dialer.dialTLS(ctx, "tcp", at.addr)
	}
	return c.dialer.dial(ctx, "tcp", at.addr)
}

func choseHTTP2(c *tls.Conn) bool { return c.ConnectionState().NegotiatedProtocol == "h2" }

// errNotHTTP2 says that an endpoint no longer chooses HTTP/2.
var errNotHTTP2 = errors.New("the endpoint chose HTTP/1.1")

// A handover is a connection on its way to net/http, which can be given one only
// through its dialer: whoever takes it closes it.
type handover struct{ conn atomic.Pointer[tls.Conn] }

type handoverKey struct{}

// overHTTP2 makes an exchange over net/http. A connection that chose HTTP/2 just
// now, if there is one, becomes net/http's.
func (c *client) overHTTP2(ctx context.Context, r *request, deadline time.Time, fresh *tls.Conn) (*answer, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	if fresh != nil {
		h := &handover{}
		h.conn.Store(fresh)
		ctx = context.WithValue(ctx, handoverKey{}, h)
		defer func() {
			if left := h.conn.Swap(nil); left != nil { // it had one already
				_ = left.Close()
			}
		}()
	}
	// The URL is set below; the rest of what this sets lets net/http repeat the request.
	req, err := http.NewRequestWithContext(ctx, r.method, "", bytes.NewReader(r.body))
	if err != nil {
		cancel()
		return nil, err
	}
	req.URL, req.Host, req.Header = r.url, r.host, r.fields.header()
	res, err := c.http2.RoundTrip(req) //nolint:bodyclose // release closes it
	if err != nil {
		cancel()
		return nil, err
	}
	return &answer{Response: res, cancel: cancel}, nil
}

// dialHTTP2 is net/http's dialer. A connection for HTTP/1.1 goes to the pool, where
// whoever asked for one over HTTP/2 will find it.
func (c *client) dialHTTP2(ctx context.Context, network, addr string) (net.Conn, error) {
	if h, ok := ctx.Value(handoverKey{}).(*handover); ok {
		if conn := h.conn.Swap(nil); conn != nil {
			return conn, nil
		}
	}
	epoch := c.pool.epoch.Load()
	conn, err := c.dialer.dialTLS(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if choseHTTP2(conn) {
		return conn, nil
	}
	at := endpoint{secure: true, addr: addr}
	c.known.remove(at)
	c.pool.put(newConn(conn, at), epoch)
	return nil, errNotHTTP2
}
