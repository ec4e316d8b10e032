package send_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// What an answer is made of, now and then in an order that makes sense.
var (
	firstLines = []string{
		"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 OK\r\n", "HTTP/1.1 204 x\r\n", "HTTP/1.1 304 x\r\n",
		"HTTP/1.1 101 s\r\n", "HTTP/1.1 099 x\r\n", "HTTP/1.1 500\r\n", "HTTP/3.0 200 OK\r\n", "HTTP/1.1 200\n",
		"HTTP/1.1 100 c\r\n\r\n", "HTTP/1.1 103 c\r\nA: b\r\n\r\n", "HTTP/1.1 199\r\n\r\n",
	}
	headLines = []string{
		"Content-Length: 3\r\n", "Content-Length: 0\r\n", "Content-Length: 70000\r\n", "Content-Length:\r\n", "Content-Length: 3, 3\r\n",
		"Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n", "Transfer-Encoding: Chunked\r\n", "Connection: close\r\n",
		"Connection: keep-alive\r\n", "Trailer: X-T\r\n", "Trailer: Content-Length\r\n", " folded\r\n", "Bad Header\r\n", "X: \x00\r\n",
		"X: y\n", ": empty\r\n", "Content-Encoding: gzip\r\n",
	}
	bodies = []string{
		"abc", "3\r\nabc\r\n", "0\r\n\r\n", "0\r\nX-T: 1\r\n\r\n", "3\nabc\n0\n\n", "+3\r\nabc\r\n", "3;ext=1\r\nabc\r\n",
		"ffffffffffffffffff\r\n", strings.Repeat("b", 70000), "\x15\x03\x01", "\r\n",
	}
)

// An answer is read as net/http reads it: the same are none, and of the others
// status and body are the same.
func TestAnswersAreReadAsNetHTTPDoes(t *testing.T) {
	var answer atomic.Pointer[string]
	url := "http://" + serveRaw(t, func(c *net.TCPConn, _ int) {
		if len(readRequest(c)) > 0 {
			io.WriteString(c, *answer.Load())
			c.CloseWrite()
			untilClosed(c)
		}
	})
	s := newSender(t)
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10}
	theirs := func(t *rapid.T, method string) string {
		req, err := http.NewRequest(method, url, strings.NewReader(`{"kind":"flag"}`))
		if err != nil {
			t.Fatal(err)
		}
		res, err := transport.RoundTrip(req)
		if err != nil {
			return "none"
		}
		defer res.Body.Close()
		if res.StatusCode == http.StatusSwitchingProtocols { // the body is the connection
			return fmt.Sprintf("%d %q", res.StatusCode, "")
		}
		body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // what there is of it
		return fmt.Sprintf("%d %q", res.StatusCode, body)
	}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 3).Draw(t, "answers") {
			b.WriteString(rapid.SampledFrom(firstLines).Draw(t, "first line"))
			b.WriteString(strings.Join(rapid.SliceOfN(rapid.SampledFrom(headLines), 0, 3).Draw(t, "head"), ""))
			b.WriteString(rapid.SampledFrom([]string{"\r\n", "\r\n", "\r\n", "\n", ""}).Draw(t, "end"))
			b.WriteString(strings.Join(rapid.SliceOfN(rapid.SampledFrom(bodies), 0, 3).Draw(t, "body"), ""))
		}
		sent := b.String()
		answer.Store(&sent)
		o := post(url)
		o.Request.Method = rapid.SampledFrom([]string{"POST", "HEAD"}).Draw(t, "method")
		r := s.Send(background(), o)
		ours := "none"
		if r.StatusCode != 0 {
			ours = fmt.Sprintf("%d %q", r.StatusCode, r.Body)
		}
		if want := theirs(t, o.Request.Method); ours != want {
			t.Fatalf("got  %.200s (%s)\nwant %.200s", ours, r.Error, want)
		}
	})
}
