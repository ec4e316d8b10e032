package send_test

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/manifest"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // see the package's doc on what net/http logs
	goleak.VerifyTestMain(m)
}

// loopback opens the addresses that the receivers of these tests listen on.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

const (
	// patience is the timeout of exchanges that must not run into it.
	patience = 30 * time.Second
	// brief is the timeout of exchanges that do.
	brief = 150 * time.Millisecond
)

// newSender makes a Sender to loopback that is closed with the test.
func newSender(t testing.TB, change ...func(*send.Options)) *send.Sender {
	t.Helper()
	o := send.Options{EgressAllow: loopback, UserAgent: "flaghook/1.2.3", Timeout: patience}
	for _, f := range change {
		f(&o)
	}
	s, err := send.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func trusting(server *httptest.Server) func(*send.Options) {
	return func(o *send.Options) {
		o.RootCAs = x509.NewCertPool()
		o.RootCAs.AddCert(server.Certificate())
	}
}

func post(url string) hooks.Outgoing {
	return hooks.Outgoing{
		DeliveryID: "0123456789abcdef0123456789abcdef",
		Request: &manifest.Request{
			Method: "POST", URL: url, Body: []byte(`{"kind":"flag"}`),
			Headers: []manifest.Header{{Name: "Content-Type", Value: "application/json"}},
		},
	}
}

// serve starts a receiver that ends with the test and keeps quiet about
// clients that it does not like.
func serve(t testing.TB, start func(*httptest.Server), h http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(server)
	t.Cleanup(server.Close)
	return server
}

var (
	plain  = (*httptest.Server).Start
	secure = (*httptest.Server).StartTLS
	http2  = func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() }
)

// serveRaw starts a receiver that deals with bare connections; n counts them
// from 1. It returns its host and port.
func serveRaw(t testing.TB, f func(c *net.TCPConn, n int)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer c.Close()
				f(c.(*net.TCPConn), n)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		conns.Wait()
	})
	return l.Addr().String()
}

// readRequest reads until the client has sent a whole request of post's.
func readRequest(c net.Conn) []byte {
	var got []byte
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil || n > 0 && got[len(got)-1] == '}' {
			return got
		}
	}
}

// hang answers nothing until the client hangs up, which a server notices once
// it has read the request.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// untilClosed waits for the client to hang up.
func untilClosed(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// countConns makes the server count the connections that it gets.
func countConns(start func(*httptest.Server), n *atomic.Int32) func(*httptest.Server) {
	return func(s *httptest.Server) {
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				n.Add(1)
			}
		}
		start(s)
	}
}

func wantSuccess(t testing.TB, r hooks.Response) {
	t.Helper()
	if r.ErrorClass != "" || r.Error != "" || r.StatusCode < 200 || r.StatusCode > 299 {
		t.Fatalf("want success, got status %d, class %q, error %q", r.StatusCode, r.ErrorClass, r.Error)
	}
}

func wantFailure(t testing.TB, r hooks.Response, class hooks.ErrorClass, text string) {
	t.Helper()
	if r.ErrorClass != class || r.Error != text {
		t.Errorf("got class %q, error %q;\nwant %q, %q", r.ErrorClass, r.Error, class, text)
	}
	if permanent := class == hooks.ErrorRender; r.Permanent != permanent {
		t.Errorf("Permanent is %v, want %v", r.Permanent, permanent)
	}
	if status := class == hooks.ErrorStatus; status != (r.StatusCode != 0) {
		t.Errorf("StatusCode is %d with class %q", r.StatusCode, class)
	}
}

func background() context.Context { return context.Background() }
