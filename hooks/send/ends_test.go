package send_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/send"
)

// A phase is a part of an exchange that does not end by itself. It calls reached
// once an exchange is in it.
type phase struct {
	name  string
	size  int // of the body, 0 is post's
	start func(t testing.TB, reached func()) (url string, change []func(*send.Options))
	// answered says that the header has come: the answer counts.
	answered bool
}

func rawPhase(scheme string, f func(c *net.TCPConn, reached func())) func(testing.TB, func()) (string, []func(*send.Options)) {
	return func(t testing.TB, reached func()) (string, []func(*send.Options)) {
		return scheme + "://" + serveRaw(t, func(c *net.TCPConn, _ int) { f(c, reached) }), nil
	}
}

var phases = []phase{
	{name: "resolving", start: func(_ testing.TB, reached func()) (string, []func(*send.Options)) {
		return "http://receiver.test.", []func(*send.Options){func(o *send.Options) {
			o.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				reached()
				<-ctx.Done()
				return nil, ctx.Err()
			}}
		}}
	}},
	{name: "CONNECT", start: func(t testing.TB, reached func()) (string, []func(*send.Options)) {
		address := serveRaw(t, func(c *net.TCPConn, _ int) {
			readHead(c)
			reached()
			untilClosed(c)
		})
		return "http://" + public, []func(*send.Options){through("http://"+address, nil)}
	}},
	{name: "the TLS handshake", start: rawPhase("https", func(c *net.TCPConn, reached func()) {
		_, _ = c.Read(make([]byte, 1))
		reached()
		untilClosed(c)
	})},
	{name: "writing", size: 16 << 20, start: func(t testing.TB, reached func()) (string, []func(*send.Options)) {
		release := make(chan bool)
		address := serveRaw(t, func(c *net.TCPConn, _ int) {
			readHead(c)
			reached()
			<-release
		})
		t.Cleanup(func() { close(release) }) // before the receiver is waited for
		return "http://" + address, nil
	}},
	{name: "waiting for the answer", start: rawPhase("http", func(c *net.TCPConn, reached func()) {
		readRequest(c)
		reached()
		untilClosed(c)
	})},
	{name: "the head", start: rawPhase("http", func(c *net.TCPConn, reached func()) {
		readRequest(c)
		io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX-A: ")
		reached()
		untilClosed(c)
	})},
	{name: "the body", answered: true, start: rawPhase("http", func(c *net.TCPConn, reached func()) {
		readRequest(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
		reached()
		untilClosed(c)
	})},
	{name: "the chunks", answered: true, start: rawPhase("http", func(c *net.TCPConn, reached func()) {
		readRequest(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
		reached()
		untilClosed(c)
	})},
}

func (p phase) outgoing(url string) hooks.Outgoing {
	if p.size > 0 {
		return long(url, p.size)
	}
	return post(url)
}

// soon is far less than patience and far more than a busy machine takes.
const soon = patience / 3

// A timeout ends an exchange wherever it is.
func TestTimeoutInEachPhase(t *testing.T) {
	for _, p := range phases {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			url, change := p.start(t, func() {})
			o := p.outgoing(url)
			o.Timeout = brief
			within(t, soon, func() {
				r := newSender(t, change...).Send(background(), o)
				if p.answered {
					wantSuccess(t, r)
					return
				}
				wantFailure(t, r, hooks.ErrorTimeout, url+" gave no answer within 150ms")
			})
		})
	}
}

// So does the end of the caller's context, at once.
func TestCancelInEachPhase(t *testing.T) {
	for _, p := range phases {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(background())
			defer cancel()
			reached := cancel
			if p.answered { // only the client knows when it has the header
				reached = func() {}
				ctx, cancel = context.WithTimeout(ctx, brief)
				defer cancel()
			}
			url, change := p.start(t, reached)
			within(t, soon, func() {
				r := newSender(t, change...).Send(ctx, p.outgoing(url))
				if p.answered {
					wantSuccess(t, r)
					return
				}
				wantFailure(t, r, hooks.ErrorTimeout, "stopped before "+url+" answered")
			})
		})
	}
}

// An exchange on a kept connection ends like one on a new one, and a request whose
// time is over is not sent again.
func TestEndsOnKeptConnections(t *testing.T) {
	arrived := make(chan bool, 10)
	var requests atomic.Int32
	url := "http://" + serveRaw(t, func(c *net.TCPConn, _ int) {
		for len(readRequest(c)) > 0 {
			if requests.Add(1)%2 == 1 {
				io.WriteString(c, empty)
				continue
			}
			arrived <- true
		}
	})
	s := newSender(t)
	wantSuccess(t, s.Send(background(), post(url)))
	o := post(url)
	o.Timeout = brief
	wantFailure(t, s.Send(background(), o), hooks.ErrorTimeout, url+" gave no answer within 150ms")
	<-arrived
	wantSuccess(t, s.Send(background(), post(url)))
	ctx, cancel := context.WithCancel(background())
	go func() {
		<-arrived
		cancel()
	}()
	wantFailure(t, s.Send(ctx, post(url)), hooks.ErrorTimeout, "stopped before "+url+" answered")
	if n := len(arrived); n != 0 {
		t.Errorf("%d more requests arrived", n)
	}
	// A deadline that is over does not last: the next exchange has its own.
	wantSuccess(t, s.Send(background(), post(url)))
}
