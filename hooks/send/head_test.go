package send_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/manifest"
)

// record starts a receiver that keeps the bytes of each request and answers it
// with nothing. It returns its port.
func record(t testing.TB, got chan<- string) string {
	addr := serveRaw(t, func(c *net.TCPConn, _ int) {
		for {
			var seen bytes.Buffer
			r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(c, &seen)))
			if err != nil {
				return
			}
			if _, err = io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			got <- seen.String()
			if _, err = io.WriteString(c, empty); err != nil {
				return
			}
		}
	})
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// What goes out over HTTP/1.1 is what net/http would write, byte by byte.
func TestHeadIsThatOfNetHTTP(t *testing.T) {
	got := make(chan string, 1)
	port := record(t, got)
	s := newSender(t, resolver(func(int) []string { return []string{"127.0.0.1"} }))
	rapid.Check(t, func(t *rapid.T) {
		host := rapid.SampledFrom([]string{"127.0.0.1", "receiver.test.", "Receiver.TEST.", "bücher.test.", "BÜCHER.test.", "日本語.test.", "a_b.test."}).Draw(t, "host")
		path := rapid.StringMatching(`(/[a-zA-Z0-9 %;:@&=+$,äß~!*'()\[\]{}|^"<>.-]{0,8}){0,3}`).Draw(t, "path")
		query := rapid.StringMatching(`(\?[a-z0-9%=&+;/?:@!$'()*,~.-]{0,20})?`).Draw(t, "query")
		if strings.Contains(path, "%") {
			path = strings.ReplaceAll(path, "%", "%2F")
		}
		r := &manifest.Request{
			Method: rapid.SampledFrom([]string{"POST", "PUT", "PATCH", "GET", "DELETE", "HEAD", "OPTIONS", "PROPFIND", "post"}).Draw(t, "method"),
			URL:    "http://" + host + ":" + port + path + query,
			Body:   rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "body"),
		}
		if rapid.IntRange(0, 9).Draw(t, "long") == 0 {
			r.Body = bytes.Repeat(append(r.Body, 'x'), 1000)
		}
		name := rapid.OneOf(rapid.StringMatching("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}"), rapid.SampledFrom([]string{"user-agent", "X-Many", "x-many", "Content-Type", "accept-encoding", "Idempotency-Key"}))
		value := rapid.StringMatching(`[ \t]{0,2}[ -~\tä\x{85}]{0,30}[ \t]{0,2}`)
		for range rapid.IntRange(0, 6).Draw(t, "fields") {
			h := manifest.Header{Name: name.Draw(t, "name"), Value: value.Draw(t, "value")}
			if n := http.CanonicalHeaderKey(h.Name); n != "Te" && n != "Host" && n != "Expect" && n != "Upgrade" && n != "Trailer" {
				r.Headers = append(r.Headers, h)
			}
		}
		o := post("")
		o.Request = r
		response := s.Send(background(), o)
		s.Close()
		if response.StatusCode != 200 {
			t.Fatalf("%+v", response)
		}

		want, err := http.NewRequest(r.Method, r.URL, bytes.NewReader(r.Body))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range r.Headers {
			want.Header.Add(h.Name, h.Value)
		}
		if want.Header.Get("User-Agent") == "" {
			want.Header.Set("User-Agent", "flaghook/1.2.3")
		}
		want.Header.Set("Webhook-Id", o.DeliveryID)
		var b bytes.Buffer
		if err := want.Write(&b); err != nil {
			t.Fatal(err)
		}
		if g := <-got; g != b.String() {
			t.Errorf("got\n%q\nwant\n%q", g, b.String())
		}
	})
}
