package send_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/send"
)

// barrier returns when what this machine has sent to itself before has arrived:
// bytes over loopback keep their order in all but rare cases, and this goes there
// and back a few times.
func barrier(t testing.TB) {
	address := serveRaw(t, func(c *net.TCPConn, _ int) { _, _ = io.Copy(c, c) })
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 20 {
		b := []byte("x")
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, b); err != nil {
			t.Fatal(err)
		}
	}
}

// A gathering connection puts what is written between two flushes into one piece.
type gathering struct {
	net.Conn
	held  bytes.Buffer
	hold  bool
	wrote *atomic.Int64 // bytes that went out
}

func (g *gathering) Write(b []byte) (int, error) {
	if g.hold {
		return g.held.Write(b)
	}
	g.wrote.Add(int64(len(b)))
	return g.Conn.Write(b)
}

func (g *gathering) flush() {
	g.hold = false
	_, _ = g.Write(g.held.Bytes())
	g.held.Reset()
}

// What comes on an idle connection, or behind an answer, is no answer to the
// next request, whatever the way to the endpoint.
func TestUnsolicitedAnswers(t *testing.T) {
	certificate := serve(t, secure, hang) // whose certificate is used
	evil := "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
	whileIdle := map[string]func(c io.Writer, tcp *net.TCPConn){
		"an answer": func(c io.Writer, _ *net.TCPConn) { io.WriteString(c, evil) },
		"408 and the end": func(c io.Writer, tcp *net.TCPConn) {
			io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\n\r\n")
			tcp.CloseWrite()
		},
		"the end":  func(_ io.Writer, tcp *net.TCPConn) { tcp.CloseWrite() },
		"a reset":  func(_ io.Writer, tcp *net.TCPConn) { tcp.SetLinger(0); tcp.Close() },
		"one byte": func(c io.Writer, _ *net.TCPConn) { io.WriteString(c, "\n") },
		"nothing":  func(io.Writer, *net.TCPConn) {},
	}
	for _, way := range []struct {
		name          string
		secure        bool
		proxied       bool
		proxyIsSecure bool
	}{{name: "http"}, {name: "https", secure: true}, {name: "http through a proxy", proxied: true}, {name: "https through a proxy", secure: true, proxied: true}, {name: "https through a secure proxy", secure: true, proxied: true, proxyIsSecure: true}, {name: "http through a secure proxy", proxied: true, proxyIsSecure: true}} {
		for name, interfere := range whileIdle {
			for _, together := range []bool{false, true} { // with the answer in one piece
				if together && (name == "nothing" || !strings.HasPrefix(name, "an") && name != "one byte") {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%v", way.name, name, together), func(t *testing.T) {
					idle, done := make(chan bool), make(chan bool)
					var conns atomic.Int32
					var wrote atomic.Int64
					address := serveRaw(t, func(tcp *net.TCPConn, n int) {
						conns.Store(int32(n))
						g := &gathering{Conn: tcp, wrote: &wrote}
						var c net.Conn = g
						if way.secure {
							c = tls.Server(g, &tls.Config{Certificates: certificate.TLS.Certificates})
						}
						for i := 1; len(readRequest(c)) > 0; i++ {
							if n > 1 || i > 1 {
								io.WriteString(c, second)
								continue
							}
							g.hold = together
							io.WriteString(c, empty)
							if together {
								interfere(c, tcp)
								g.flush()
								continue
							}
							<-idle
							interfere(c, tcp)
							close(done)
						}
					})
					change := []func(*send.Options){trusting(certificate)}
					passed := func() {} // what was written has left the proxy
					target := "http://" + address
					if way.secure {
						target = "https://" + address
					}
					if way.proxied {
						start := plain
						if way.proxyIsSecure {
							start = secure
						}
						p := newProxy(t, start, address)
						change = append(change, resolved(public), trustingAll(certificate, p.Server), through(p.URL, nil))
						passed = func() {
							ends := 0
							if slices.Contains([]string{"408 and the end", "the end", "a reset"}, name) {
								ends = 1
							}
							p.down.await(int(wrote.Load()), ends)
						}
						target = strings.Replace(target, address, proxiedHost, 1)
					}
					s := newSender(t, change...)
					wantSuccess(t, s.Send(background(), post(target)))
					if !together {
						close(idle)
						<-done
					}
					passed()
					barrier(t)
					r := s.Send(background(), post(target))
					wantSuccess(t, r)
					if string(r.Body) != "second" {
						t.Errorf("got %q", r.Body)
					}
					want := int32(2)
					if name == "nothing" {
						want = 1
					}
					if n := conns.Load(); n != want {
						t.Errorf("%d connections, want %d", n, want)
					}
					s.Close() // before the proxy, which waits for its tunnels
				})
			}
		}
	}
}

// An endpoint that closes each connection behind its answer, without a word, loses
// nobody's request.
func TestConnectionsClosedBehindTheAnswer(t *testing.T) {
	address := serveRaw(t, func(c *net.TCPConn, _ int) {
		if len(readRequest(c)) > 0 {
			io.WriteString(c, empty)
		}
	})
	s := newSender(t)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for range 200 {
				if r := s.Send(background(), post("http://"+address)); r.StatusCode != 200 {
					t.Errorf("%+v", r)
				}
			}
		})
	}
	senders.Wait()
}

// A request is sent again only when a kept connection gave not a byte of an
// answer, and then once.
func TestRepeatedRequests(t *testing.T) {
	const broken = "no answer from http://%s: it closed the connection"
	for _, c := range []struct {
		name    string
		answers []string // to the n-th request that arrives; "" closes
		want    string   // error of the second Send
		arrived int32
	}{
		{"closed, then answered", []string{empty, "", empty}, "", 3},
		{"closed, and the new one too", []string{empty, "", "", empty}, broken, 3},
		{"closed within the answer", []string{empty, "HTTP/1.1 200 OK\r\n", empty}, broken, 2},
		{"closed within the first line", []string{empty, "HTTP/1.1", empty}, "no answer from http://%s: its answer is not valid HTTP", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var arrived atomic.Int32
			address := serveRaw(t, func(conn *net.TCPConn, _ int) {
				for len(readRequest(conn)) > 0 {
					answer := c.answers[arrived.Add(1)-1]
					io.WriteString(conn, answer)
					if answer != empty {
						return
					}
				}
			})
			s := newSender(t)
			wantSuccess(t, s.Send(background(), post("http://"+address)))
			r := s.Send(background(), post("http://"+address))
			if c.want == "" {
				wantSuccess(t, r)
			} else {
				wantFailure(t, r, hooks.ErrorConnect, fmt.Sprintf(c.want, address))
			}
			if n := arrived.Load(); n != c.arrived {
				t.Errorf("%d requests arrived, want %d", n, c.arrived)
			}
		})
	}
	t.Run("never on a new connection", func(t *testing.T) {
		var arrived atomic.Int32
		address := serveRaw(t, func(c *net.TCPConn, _ int) {
			if len(readRequest(c)) > 0 {
				arrived.Add(1)
			}
		})
		wantFailure(t, newSender(t).Send(background(), post("http://"+address)), hooks.ErrorConnect, fmt.Sprintf(broken, address))
		if n := arrived.Load(); n != 1 {
			t.Errorf("%d requests arrived", n)
		}
	})
}

// crowd sends n requests, of which all have arrived before the first is answered.
func crowd(t *testing.T, s *send.Sender, url string, n int) {
	t.Helper()
	var senders sync.WaitGroup
	for range n {
		senders.Go(func() {
			if r := s.Send(background(), post(fmt.Sprintf("%s/%d", url, n))); r.StatusCode != 200 {
				t.Errorf("%+v", r)
			}
		})
	}
	senders.Wait()
}

func TestIdleConnectionsOfOneHost(t *testing.T) {
	const limit, many = 2, 6
	var arrived sync.WaitGroup
	arrived.Add(many)
	closed := make(chan bool, 100)
	var made atomic.Int32
	server := serve(t, func(s *httptest.Server) {
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				made.Add(1)
			case http.StateClosed:
				closed <- true
			}
		}
		s.Start()
	}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == fmt.Sprintf("/%d", many) {
			arrived.Done()
			arrived.Wait()
		}
		fmt.Fprint(w, r.RemoteAddr)
	})
	s := newSender(t, func(o *send.Options) { o.MaxIdlePerHost = limit })
	crowd(t, s, server.URL, many)
	for range many - limit {
		<-closed // or the test ends by its timeout
	}
	first := s.Send(background(), post(server.URL))
	for range 3 {
		if r := s.Send(background(), post(server.URL)); string(r.Body) != string(first.Body) {
			t.Errorf("%s after %s: the connection that was idle last is not taken first", r.Body, first.Body)
		}
	}
	if n := made.Load(); n != many {
		t.Errorf("%d connections, want %d", n, many)
	}
	s.Close()
	for range limit {
		<-closed
	}
}

// A connection that is in use when the Sender is closed is closed behind it.
func TestCloseDuringAnExchange(t *testing.T) {
	arrived, goOn, closed := make(chan bool), make(chan bool), make(chan bool, 10)
	server := serve(t, func(s *httptest.Server) {
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				closed <- true
			}
		}
		s.Start()
	}, func(http.ResponseWriter, *http.Request) {
		arrived <- true
		<-goOn
	})
	s := newSender(t)
	answered := make(chan hooks.Response)
	go func() { answered <- s.Send(background(), post(server.URL)) }()
	<-arrived
	s.Close()
	goOn <- true
	wantSuccess(t, <-answered)
	<-closed
}
