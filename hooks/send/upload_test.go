package send_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// long is post with a body of n bytes.
func long(url string, n int) hooks.Outgoing {
	o := post(url)
	o.Request.Body = bytes.Repeat([]byte{'x'}, n)
	return o
}

// within fails a test whose Send took long: it waited for the timeout.
func within(t testing.TB, limit time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if d := time.Since(start); d > limit {
		t.Errorf("it took %s", d)
	}
}

// readHead reads what a client says up to the body.
func readHead(c net.Conn) {
	b := make([]byte, 1)
	for end := ""; end != "\r\n\r\n"; {
		if _, err := c.Read(b); err != nil {
			return
		}
		end = (end + string(b))[max(0, len(end)-3):]
	}
}

const tooLarge = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig"

// An endpoint may answer before it has read the request, and then do what it
// likes with the connection: its answer counts.
func TestAnswersBeforeTheRequestIsRead(t *testing.T) {
	release := make(chan bool)
	t.Cleanup(func() { close(release) }) // before the receivers are waited for
	for name, behind := range map[string]func(c *net.TCPConn){
		"closes":     func(*net.TCPConn) {},
		"resets":     func(c *net.TCPConn) { barrier(t); c.SetLinger(0) },
		"ends":       func(c *net.TCPConn) { c.CloseWrite(); untilClosed(c) },
		"reads on":   func(c *net.TCPConn) { untilClosed(c) },
		"reads none": func(*net.TCPConn) { <-release },
	} {
		for _, size := range []int{100, 15 << 10, 17 << 10, 1 << 20, 8 << 20} {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				if name == "resets" && runtime.GOOS != "linux" {
					t.Skip("this system drops what came before a reset")
				}
				address := serveRaw(t, func(c *net.TCPConn, _ int) {
					readHead(c)
					io.WriteString(c, tooLarge)
					behind(c)
				})
				if name == "reads none" {
					t.Cleanup(func() { release <- true })
				}
				within(t, patience/3, func() {
					r := newSender(t).Send(background(), long("http://"+address, size))
					if r.StatusCode != 413 || string(r.Body) != "big" {
						t.Errorf("%+v", r)
					}
				})
			})
		}
	}
}

// An endpoint that wants its long answer read before it reads a long request is
// not waited for in vain.
func TestLongAnswerBeforeTheRequestIsRead(t *testing.T) {
	for _, size := range []int{1 << 10, 100 << 10, 16 << 20} { // of the answer
		for _, start := range []func(*httptest.Server){plain, secure} {
			var whole atomic.Bool
			server := serve(t, start, func(w http.ResponseWriter, r *http.Request) {
				_ = http.NewResponseController(w).EnableFullDuplex()
				w.Header().Set("Content-Length", fmt.Sprint(size))
				_, _ = w.Write(make([]byte, size))
				n, _ := io.Copy(io.Discard, r.Body)
				whole.Store(n == 8<<20)
			})
			within(t, patience/3, func() {
				r := newSender(t, trustingAll(server)).Send(background(), long(server.URL, 8<<20))
				wantSuccess(t, r)
				if len(r.Body) != min(size, 64<<10) {
					t.Errorf("%d bytes kept", len(r.Body))
				}
			})
		}
	}
}

// A long request arrives whole, and its connection is kept.
func TestLongRequests(t *testing.T) {
	for _, start := range []func(*httptest.Server){plain, secure} {
		var conns atomic.Int32
		server := serve(t, countConns(start, &conns), func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			fmt.Fprint(w, len(body), r.ContentLength, len(r.TransferEncoding), bytes.Count(body, []byte{'x'}), err)
		})
		s := newSender(t, trustingAll(server))
		for _, size := range []int{10, 16 << 10, 64 << 10, 4 << 20, 1} {
			r := s.Send(background(), long(server.URL, size))
			if want := fmt.Sprint(size, size, 0, size, error(nil)); string(r.Body) != want {
				t.Errorf("got %q %s, want %q", r.Body, r.Error, want)
			}
		}
		o := long(server.URL, 5)
		for n := range 40 { // a head that is long
			h := o.Request.Headers[0]
			h.Name, h.Value = fmt.Sprintf("X-%d", n), strings.Repeat("v", 1000)
			o.Request.Headers = append(o.Request.Headers, h)
		}
		wantSuccess(t, s.Send(background(), o))
		if n := conns.Load(); n != 1 {
			t.Errorf("%d connections", n)
		}
	}
}

// A connection that closes amid a long request is told, and soon.
func TestConnectionClosedAmidTheRequest(t *testing.T) {
	for name, behind := range map[string]func(c *net.TCPConn){
		"closes": func(*net.TCPConn) {},
		"resets": func(c *net.TCPConn) { c.SetLinger(0) },
	} {
		t.Run(name, func(t *testing.T) {
			address := serveRaw(t, func(c *net.TCPConn, _ int) {
				_, _ = bufio.NewReader(c).ReadString('\n')
				behind(c)
			})
			within(t, patience/3, func() {
				r := newSender(t).Send(background(), long("http://"+address, 8<<20))
				if r.ErrorClass != hooks.ErrorConnect || !strings.HasPrefix(r.Error, "no answer from http://"+address+": ") {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}
