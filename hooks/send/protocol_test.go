package send_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/send"
)

// restart starts a receiver at the address of one that has ended.
func restart(t *testing.T, address string, start func(*httptest.Server), h http.HandlerFunc) *httptest.Server {
	t.Helper()
	return serve(t, func(s *httptest.Server) {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		s.Listener.Close()
		s.Listener = l
		start(s)
	}, h)
}

// An endpoint chooses its protocol anew with each connection.
func TestProtocolThatChanges(t *testing.T) {
	says := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d", r.Proto, len(body))
	}
	var conns atomic.Int32
	server := serve(t, countConns(http2, &conns), says)
	s := newSender(t, trusting(server))
	address := hostOf(server)
	for n, kind := range []struct {
		start func(*httptest.Server)
		proto string
	}{{http2, "HTTP/2.0"}, {secure, "HTTP/1.1"}, {http2, "HTTP/2.0"}, {secure, "HTTP/1.1"}} {
		if n > 0 {
			s.Close() // or the end of the connections may be noticed with a request under way
			server.Close()
			conns.Store(0)
			server = restart(t, address, countConns(kind.start, &conns), says)
		}
		for range 3 {
			r := s.Send(background(), post("https://"+address))
			wantSuccess(t, r)
			if want := kind.proto + " 15"; string(r.Body) != want {
				t.Errorf("got %q, want %q", r.Body, want)
			}
		}
		if n := conns.Load(); n > 2 { // net/http dials anew in the background at times
			t.Errorf("%s: %d connections", kind.proto, n)
		}
	}
}

// Of those that find no connection each makes one; HTTP/2 then goes over one.
func TestFirstRequestsAtOnce(t *testing.T) {
	for name, start := range map[string]func(*httptest.Server){"HTTP/1.1": secure, "HTTP/2.0": http2} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, start, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })
			s := newSender(t, trusting(server))
			for range 3 {
				var senders sync.WaitGroup
				for range 16 {
					senders.Go(func() {
						r := s.Send(background(), post(server.URL))
						if r.StatusCode != 200 || string(r.Body) != name {
							t.Errorf("%+v", r)
						}
					})
				}
				senders.Wait()
			}
		})
	}
}

// HTTP/2 keeps the promises of HTTP/1.1.
func TestEndsOverHTTP2(t *testing.T) {
	arrived := make(chan bool, 1)
	server := serve(t, http2, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			arrived <- true
			hang(w, r)
		case "/body":
			fmt.Fprint(w, "abc")
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		case "/early":
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		case "/header":
			for n := range 70 {
				w.Header().Set(fmt.Sprintf("X-%d", n), strings.Repeat("x", 1000))
			}
		}
	})
	s := newSender(t, trusting(server))
	for range 2 { // on a new connection and on a kept one
		o := post(server.URL + "/hang")
		o.Timeout = brief
		wantFailure(t, s.Send(background(), o), hooks.ErrorTimeout, server.URL+" gave no answer within 150ms")
		<-arrived
		ctx, cancel := context.WithCancel(background())
		go func() {
			<-arrived
			cancel()
		}()
		wantFailure(t, s.Send(ctx, post(server.URL+"/hang")), hooks.ErrorTimeout, "stopped before "+server.URL+" answered")
		o = post(server.URL + "/body")
		o.Timeout = brief
		r := s.Send(background(), o)
		wantSuccess(t, r)
		if string(r.Body) != "abc" {
			t.Errorf("body %q", r.Body)
		}
		if r = s.Send(background(), long(server.URL+"/early", 4<<20)); r.StatusCode != 413 {
			t.Errorf("%+v", r)
		}
		wantFailure(t, s.Send(background(), post(server.URL+"/header")), hooks.ErrorConnect,
			"no answer from "+server.URL+": the header of its answer is longer than 64 KiB")
		s.Close()
	}
}

// What is no HTTP/2 behind a handshake that chose it is told.
func TestHandshakeThatLies(t *testing.T) {
	certificate := serve(t, secure, hang)
	address := serveRaw(t, func(c *net.TCPConn, _ int) {
		secured := tls.Server(c, &tls.Config{Certificates: certificate.TLS.Certificates, NextProtos: []string{"h2"}})
		_, _ = secured.Read(make([]byte, 1000))
		_, _ = io.WriteString(secured, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
		_ = secured.CloseWrite()
		untilClosed(c)
	})
	within(t, soon, func() {
		r := newSender(t, trusting(certificate)).Send(background(), post("https://"+address))
		if r.ErrorClass != hooks.ErrorConnect || !strings.HasPrefix(r.Error, "no answer from https://"+address+": ") {
			t.Errorf("%+v", r)
		}
	})
}

// An IPv6 address may have a zone, which means something on this machine alone:
// it is dialed with it, and Host says nothing of it.
func TestAddressesWithZones(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the loopback interface has another name here")
	}
	for name, start := range map[string]func(*httptest.Server){"HTTP/1.1": plain, "HTTP/1.1 over TLS": secure, "HTTP/2.0": http2} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp6", "[::1]:0")
			if err != nil {
				t.Skip("this machine has no IPv6")
			}
			server := serve(t, func(s *httptest.Server) {
				s.Listener.Close()
				s.Listener = l
				start(s)
			}, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto, " ", r.Host) })
			o := post(strings.Replace(server.URL, "[::1]", "[::1%25lo]", 1))
			o.SkipTLSVerify = true // no certificate names a zone
			r := newSender(t, func(o *send.Options) { o.EgressAllow = append(o.EgressAllow, netip.MustParsePrefix("::1/128")) }).Send(background(), o)
			wantSuccess(t, r)
			proto, _, _ := strings.Cut(name, " ")
			if want := proto + " " + hostOf(server); string(r.Body) != want {
				t.Errorf("got %q, want %q", r.Body, want)
			}
		})
	}
}
