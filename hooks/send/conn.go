package send

import (
	"bufio"
	"errors"
	"math"
	"net"
	"net/http"
	"time"
)

// A conn is a connection that speaks HTTP/1.1. One goroutine has it at a time:
// that of an exchange, or none while it is idle.
type conn struct {
	net     net.Conn
	at      endpoint
	layered bool    // net is TLS
	socket  *socket // nil where there is none to look at
	reader  *bufio.Reader
	request http.Request // for http.ReadResponse, which wants to know the method
	since   time.Time    // when it became idle

	// Of the exchange under way:
	deadline time.Time
	budget   int   // bytes that may be read yet
	heard    bool  // a byte has come
	failed   error // what ended the reading
}

func newConn(c net.Conn, at endpoint) *conn {
	k := &conn{net: c, at: at, layered: beneath(c) != c, socket: newSocket(c)}
	k.reader = bufio.NewReader(k)
	return k
}

// longAgo is a deadline that ends at once what a connection is waiting for.
var longAgo = time.Unix(1, 0)

var errLongHeader = errors.New("response headers exceeded the limit")

// Read reads within the budget, for the reader.
func (c *conn) Read(p []byte) (int, error) {
	if c.budget <= 0 {
		return 0, errLongHeader
	}
	n, err := c.net.Read(p[:min(len(p), c.budget)])
	c.budget -= n
	if n > 0 {
		c.heard = true
	}
	c.failed = err
	return n, err
}

// begin prepares for an exchange that ends at the deadline.
func (c *conn) begin(method string, deadline time.Time) error {
	c.request.Method = method
	c.deadline, c.budget, c.heard, c.failed = deadline, maxHeader, false, nil
	return c.net.SetDeadline(deadline)
}

// A syntaxError is an answer that came whole and is not HTTP/1.
type syntaxError struct{ err error }

func (e *syntaxError) Error() string { return "malformed answer: " + e.err.Error() }

// readHead reads heads until one is that of an answer. All of them together have
// one budget, so that an endpoint cannot go on with 1xx for ever. 101 is an
// answer (RFC 9110, section 15.2.2), although one that nobody asked for.
func (c *conn) readHead() (*http.Response, error) {
	for {
		res, err := http.ReadResponse(c.reader, &c.request)
		switch {
		case err != nil && c.budget <= 0:
			return nil, errLongHeader
		case err != nil && c.failed == nil:
			return nil, &syntaxError{err}
		case err != nil:
			return nil, err
		case res.StatusCode < 100 || res.StatusCode > 199 || res.StatusCode == http.StatusSwitchingProtocols:
			c.budget = math.MaxInt // a body has limits of its own
			return res, nil
		}
	}
}

// abort closes the connection without a word to the peer: the one that TLS would
// send may have to wait until the peer reads what else there is.
func (c *conn) abort() { beneath(c.net).Close() }

// close closes an idle connection.
func (c *conn) close() { c.net.Close() }
