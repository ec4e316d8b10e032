package send_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

const (
	empty  = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	second = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"
)

// answers starts a receiver that answers its first request with first, and every
// other with second; ends says that it closes the connection behind the first. It
// counts connections.
func answers(t testing.TB, first string, ends bool) (url string, conns *atomic.Int32) {
	conns = &atomic.Int32{}
	var requests atomic.Int32
	addr := serveRaw(t, func(c *net.TCPConn, n int) {
		conns.Store(int32(n))
		for len(readRequest(c)) > 0 {
			if requests.Add(1) > 1 {
				io.WriteString(c, second)
				continue
			}
			io.WriteString(c, first)
			if ends {
				return
			}
		}
	})
	return "http://" + addr, conns
}

// An answer ends where its framing says, and its connection is used again only if
// there is no doubt about that.
func TestFraming(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer string
		ends   bool // the receiver closes the connection
		status int  // 0 is no valid HTTP
		body   string
		reused bool
	}{
		{name: "length", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", status: 200, body: "abc", reused: true},
		{name: "length 0", answer: empty, status: 200, reused: true},
		{name: "chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n", status: 200, body: "abc", reused: true},
		{name: "chunks and trailers", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n", status: 200, body: "abc", reused: true},
		{name: "trailers that are too long", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: " + strings.Repeat("x", 9000) + "\r\n\r\n", status: 200, body: "abc"},
		{name: "no content", answer: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, reused: true},
		{name: "not modified, with the length of what is not sent", answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", status: 304, reused: true},
		{name: "no content, and content", answer: "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", status: 204},
		{name: "until the end", answer: "HTTP/1.1 200 OK\r\n\r\nabc", ends: true, status: 200, body: "abc"},
		{name: "until the end, which never comes as the length says", answer: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", ends: true, status: 200, body: "abc"},
		{name: "close", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", status: 200, body: "abc"},
		{name: "close among others", answer: "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 0\r\n\r\n", status: 200},
		{name: "HTTP/1.0", answer: "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", status: 200, body: "abc"},
		{name: "HTTP/1.0 with keep-alive", answer: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", status: 200, body: "abc", reused: true},
		{name: "HTTP/1.0 knows no chunks", answer: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ends: true, status: 200, body: "0\r\n\r\n"},
		{name: "a version that is not HTTP/1", answer: "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", status: 200},
		{name: "continue", answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", status: 200, body: "abc", reused: true},
		{name: "early hints", answer: strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 9) + empty, status: 200, reused: true},
		{name: "early hints of a long kind", answer: strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: "+strings.Repeat("a", 3000)+"\r\n\r\n", 20) + empty, status: 200, reused: true},
		{name: "another protocol", answer: "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: acme\r\n\r\n", status: 101},
		{name: "a header of nearly 64 KiB", answer: "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\nX-Long: " + strings.Repeat("x", 65000) + "\r\n\r\n" + strings.Repeat("b", 9000), status: 200, body: strings.Repeat("b", 9000), reused: true},

		// What a smuggler would send.
		{name: "bytes behind the body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", status: 200, body: "abc"},
		{name: "an answer behind the answer", answer: empty + "HTTP/1.1 500 Evil\r\nContent-Length: 0\r\n\r\n", status: 200},
		{name: "an answer behind chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + "HTTP/1.1 500 Evil\r\nContent-Length: 0\r\n\r\n", status: 200},
		// Chunks overrule a length (RFC 9112, section 6.3), and what the length would still hold is no answer.
		{name: "length and chunks", answer: "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", status: 200, body: "abc", reused: true},
		{name: "chunks and a length that is too short", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + second, status: 200, body: "abc"},
		{name: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
		{name: "one length twice", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", status: 200, body: "abc", reused: true},
		{name: "a list of lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc"},
		{name: "a negative length", answer: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
		{name: "a signed length", answer: "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc"},
		{name: "a coding that nobody asked for", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
		{name: "two codings", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{name: "a blank in front of the colon makes another name", answer: "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nabc", ends: true, status: 200, body: "abc"},
		{name: "a status of four digits", answer: "HTTP/1.1 2000 OK\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, conns := answers(t, c.answer, c.ends)
			s := newSender(t)
			r := s.Send(background(), post(url))
			switch {
			case c.status == 0:
				wantFailure(t, r, hooks.ErrorConnect, "no answer from "+url+": its answer is not valid HTTP")
			case r.StatusCode != c.status || string(r.Body) != c.body:
				t.Errorf("got %d %q, error %q; want %d %q", r.StatusCode, r.Body, r.Error, c.status, c.body)
			}
			r = s.Send(background(), post(url))
			wantSuccess(t, r)
			if string(r.Body) != "second" {
				t.Errorf("the second answer is %q", r.Body)
			}
			if reused := conns.Load() == 1; reused != c.reused {
				t.Errorf("the connection was used again: %v, want %v", reused, c.reused)
			}
		})
	}
}

// All heads of an answer together have one limit.
func TestHeadsOverTheLimit(t *testing.T) {
	for name, answer := range map[string]string{
		"one line":        "HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", 64<<10) + "\r\n\r\n",
		"many lines":      "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 11000) + "\r\n",
		"the status line": "HTTP/1.1 200 " + strings.Repeat("x", 64<<10) + "\r\n\r\n",
		"several heads":   strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: "+strings.Repeat("a", 3000)+"\r\n\r\n", 22) + empty,
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := answers(t, answer, false)
			wantFailure(t, newSender(t).Send(background(), post(url)), hooks.ErrorConnect,
				fmt.Sprintf("no answer from %s: the header of its answer is longer than 64 KiB", url))
		})
	}
}

// FuzzKeptConnection lets a receiver answer anything at all, in one piece. The
// second request gets the answer that was meant for it, whatever came with the
// first.
func FuzzKeptConnection(f *testing.F) {
	for _, seed := range []string{
		"", empty, empty + second, empty + "H", "HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\nabcde", "HTTP/1.0 200 x\r\nConnection: keep-alive\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" + empty, "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\nHTTP/1.1 500 x\r\n\r\n",
		"HTTP/1.1 200 x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "HTTP/1.1 101 x\r\n\r\n" + empty,
	} {
		f.Add([]byte(seed))
	}
	var answer atomic.Pointer[[]byte]
	address := serveRaw(f, func(c *net.TCPConn, _ int) {
		for {
			switch got := string(readRequest(c)); {
			case got == "":
				return
			case strings.HasPrefix(got, "POST /second"):
				_, _ = io.WriteString(c, second)
			default:
				_, _ = c.Write(*answer.Load())
			}
		}
	})
	s := newSender(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4<<10 {
			return // it might arrive in pieces
		}
		answer.Store(&b)
		o := post("http://" + address + "/first")
		o.Timeout = 5 * time.Millisecond // an answer may have no end
		s.Send(background(), o)
		r := s.Send(background(), post("http://"+address+"/second"))
		if r.StatusCode != 200 || string(r.Body) != "second" {
			t.Errorf("the second request got %d %q %q", r.StatusCode, r.Body, r.Error)
		}
		s.Close()
	})
}
