package send_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/manifest"
)

func TestSign(t *testing.T) {
	for _, c := range []struct{ name, secret, body, want string }{
		{"RFC 4231 case 2", "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"text", "key", "The quick brown fox jumps over the lazy dog", "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"},
		{"nothing", "", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
	} {
		if got := send.Sign(c.secret, []byte(c.body)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// wire is what a receiver saw of a request.
type wire struct {
	Method, URI, Host, Body string
	Length                  int64
	Header                  http.Header
}

func TestRequestOnTheWire(t *testing.T) {
	base := http.Header{"User-Agent": {"flaghook/1.2.3"}, "Webhook-Id": {"0123456789abcdef0123456789abcdef"}}
	with := func(pairs ...string) http.Header {
		h := base.Clone()
		for i := 0; i < len(pairs); i += 2 {
			h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
		}
		return h
	}
	type request = manifest.Request
	for _, c := range []struct {
		name string
		path string // after the origin; one with an @ goes before the host
		r    request
		want wire
	}{
		{
			name: "headers, repeated ones in order", path: "/services/hook?x=1&y=2#part",
			r: request{Method: "POST", Body: []byte(`{}`), Headers: []manifest.Header{
				{Name: "content-type", Value: "application/json"}, {Name: "DD-API-KEY", Value: "k"},
				{Name: "X-Many", Value: "b"}, {Name: "x-many", Value: "a"}, {Name: "X-Empty", Value: ""}}},
			want: wire{Method: "POST", URI: "/services/hook?x=1&y=2", Body: "{}", Length: 2, Header: with(
				"Content-Type", "application/json", "Dd-Api-Key", "k", "X-Many", "b", "X-Many", "a", "X-Empty", "")},
		}, {
			name: "signed over the exact bytes", path: "/",
			r: request{Method: "PUT", Body: []byte("{\"a\":\"\u00e9\"}\n"), Signatures: []manifest.Signature{{Header: "X-LD-Signature", Secrets: []string{"s3cret"}}},
				Headers: []manifest.Header{{Name: "x-ld-signature", Value: "forged"}, {Name: "Webhook-ID", Value: "forged"}}},
			want: wire{Method: "PUT", URI: "/", Body: "{\"a\":\"\u00e9\"}\n", Length: 11, Header: with(
				"X-Ld-Signature", send.Sign("s3cret", []byte("{\"a\":\"\u00e9\"}\n")))},
		}, {
			name: "an empty secret signs nothing", path: "/",
			r:    request{Method: "POST", Body: []byte("x"), Signatures: []manifest.Signature{{Header: "X-LD-Signature", Secrets: []string{""}}}},
			want: wire{Method: "POST", URI: "/", Body: "x", Length: 1, Header: base},
		}, {
			name: "an agent of the manifest's", path: "/",
			r:    request{Method: "POST", Body: []byte("x"), Headers: []manifest.Header{{Name: "user-agent", Value: "acme"}}},
			want: wire{Method: "POST", URI: "/", Body: "x", Length: 1, Header: http.Header{"User-Agent": {"acme"}, "Webhook-Id": base["Webhook-Id"]}},
		}, {
			name: "what belongs to the connection is left out", path: "/",
			r: request{Method: "POST", Body: []byte("abc"), Headers: []manifest.Header{
				{Name: "Host", Value: "internal.example"}, {Name: "Content-Length", Value: "1"},
				{Name: "Transfer-Encoding", Value: "chunked"}, {Name: "connection", Value: "close, X-Kept"},
				{Name: "Upgrade", Value: "websocket"}, {Name: "Expect", Value: "100-continue"}, {Name: "TE", Value: "trailers"},
				{Name: "Trailer", Value: "X-Kept"}, {Name: "Keep-Alive", Value: "1"}, {Name: "X-Kept", Value: "yes"}}},
			want: wire{Method: "POST", URI: "/", Body: "abc", Length: 3, Header: with("X-Kept", "yes")},
		}, {
			name: "user and password", path: "//us%2Fer:p%40ss@/basic",
			r:    request{Method: "POST", Body: []byte("x")},
			want: wire{Method: "POST", URI: "/basic", Body: "x", Length: 1, Header: with("Authorization", "Basic dXMvZXI6cEBzcw==")},
		}, {
			name: "user and password beside Authorization", path: "//user:pass@/basic",
			r:    request{Method: "POST", Body: []byte("x"), Headers: []manifest.Header{{Name: "authorization", Value: "Bearer t"}}},
			want: wire{Method: "POST", URI: "/basic", Body: "x", Length: 1, Header: with("Authorization", "Bearer t")},
		}, {
			name: "GET", path: "?q=1", r: request{Method: "GET"},
			want: wire{Method: "GET", URI: "/?q=1", Header: base},
		}, {
			name: "DELETE", path: "/item", r: request{Method: "DELETE"},
			want: wire{Method: "DELETE", URI: "/item", Header: base},
		}, {
			name: "an empty POST", path: "/", r: request{Method: "POST"},
			want: wire{Method: "POST", URI: "/", Header: base},
		}, {
			name: "what a query cannot hold", path: "/a b/ü?q=a b\"<c>ü&e=%20+&f=1 HTTP/1.1", r: request{Method: "POST"},
			want: wire{Method: "POST", URI: "/a%20b/%C3%BC?q=a%20b%22%3Cc%3E%C3%BC&e=%20+&f=1%20HTTP/1.1", Header: base},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got wire
			server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				r.Header.Del("Content-Length")
				got = wire{Method: r.Method, URI: r.RequestURI, Host: r.Host, Body: string(body), Length: r.ContentLength, Header: r.Header}
			})
			host := strings.TrimPrefix(server.URL, "http://")
			c.want.Host = host
			c.r.URL = server.URL + c.path
			if user, rest, ok := strings.Cut(strings.TrimPrefix(c.path, "//"), "@"); ok {
				c.r.URL = "http://" + user + "@" + host + rest
			}
			wantSuccess(t, newSender(t).Send(background(), hooks.Outgoing{DeliveryID: base.Get("Webhook-Id"), Request: &c.r}))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestRequestsThatMustNotBeSent(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*hooks.Outgoing)
	}{
		{"no request", func(o *hooks.Outgoing) { o.Request = nil }},
		{"line break in a header", func(o *hooks.Outgoing) {
			o.Request.Headers = []manifest.Header{{Name: "X-A", Value: "b\r\nX-Injected: 1"}}
		}},
		{"NUL in a header", func(o *hooks.Outgoing) { o.Request.Headers = []manifest.Header{{Name: "X-A", Value: "b\x00"}} }},
		{"header name", func(o *hooks.Outgoing) { o.Request.Headers = []manifest.Header{{Name: "X A:", Value: "b"}} }},
		{"empty header name", func(o *hooks.Outgoing) { o.Request.Headers = []manifest.Header{{Name: "", Value: "b"}} }},
		{"signature header", func(o *hooks.Outgoing) {
			o.Request.Signatures = []manifest.Signature{{Header: "X\r\nY", Secrets: []string{"s"}}}
		}},
		{"signature as Host", func(o *hooks.Outgoing) {
			o.Request.Signatures = []manifest.Signature{{Header: "host", Secrets: []string{"s"}}}
		}},
		{"delivery id", func(o *hooks.Outgoing) { o.DeliveryID = "a\nb" }},
		{"relative URL", func(o *hooks.Outgoing) { o.Request.URL = "/hook" }},
		{"empty URL", func(o *hooks.Outgoing) { o.Request.URL = "" }},
		{"file URL", func(o *hooks.Outgoing) { o.Request.URL = "file:///etc/passwd" }},
		{"gopher URL", func(o *hooks.Outgoing) { o.Request.URL = "gopher://127.0.0.1/" }},
		{"opaque URL", func(o *hooks.Outgoing) { o.Request.URL = "http:127.0.0.1" }},
		{"line break in the URL", func(o *hooks.Outgoing) { o.Request.URL += "/a\r\nX-Injected: 1" }},
		{"no method", func(o *hooks.Outgoing) { o.Request.Method = "" }},
		{"CONNECT", func(o *hooks.Outgoing) { o.Request.Method = "CONNECT" }},
		{"TRACE", func(o *hooks.Outgoing) { o.Request.Method = "TRACE" }},
		{"method", func(o *hooks.Outgoing) { o.Request.Method = "PO ST" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := serve(t, plain, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
			o := post(server.URL)
			c.change(&o)
			r := newSender(t).Send(background(), o)
			wantFailure(t, r, hooks.ErrorRender, r.Error)
			if !strings.HasPrefix(r.Error, "the request must not be sent as it is: ") {
				t.Errorf("error %q", r.Error)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	for code, advice := range map[int]string{
		200: "", 201: "", 204: "", 299: "",
		301: " Moved Permanently; redirects are not followed, so configure the address that it leads to",
		304: " Not Modified; redirects are not followed, so configure the address that it leads to",
		400: " Bad Request", 408: " Request Timeout", 425: " Too Early", 429: " Too Many Requests",
		401: " Unauthorized; check the credentials in the configuration",
		403: " Forbidden; check the credentials in the configuration",
		404: " Not Found; check the address in the configuration",
		410: " Gone; check the address in the configuration",
		500: " Internal Server Error", 503: " Service Unavailable", 599: "",
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			server := serve(t, plain, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(code)
				if code != 204 && code != 304 {
					fmt.Fprint(w, "the answer")
				}
			})
			r := newSender(t).Send(background(), post(server.URL+"/secret-path"))
			if code < 300 {
				wantSuccess(t, r)
			} else {
				wantFailure(t, r, hooks.ErrorStatus, fmt.Sprintf("%s answered %d%s", server.URL, code, advice))
			}
			if want := map[bool]string{false: "the answer"}[code == 204 || code == 304]; r.StatusCode != code || string(r.Body) != want {
				t.Errorf("got %d %q, want %d %q", r.StatusCode, r.Body, code, want)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	const date = "Tue, 04 Aug 2026 10:00:00 GMT"
	for _, c := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", date, 0},
		{"120", date, 2 * time.Minute},
		{" 7 ", date, 7 * time.Second},
		{"0", date, 0},
		{"-5", date, 0},
		{"86401", date, 24 * time.Hour},
		{"99999999999999999999999", date, 24 * time.Hour},
		{"-99999999999999999999999", date, 0},
		{"1.5", date, 0},
		{"soon", date, 0},
		{"Tue, 04 Aug 2026 10:00:30 GMT", date, 30 * time.Second},
		{"Tuesday, 04-Aug-26 10:01:00 GMT", date, time.Minute}, // RFC 850, which recipients must read
		{"Tue, 04 Aug 2026 09:59:00 GMT", date, 0},
		{"Tue, 04 Aug 2099 10:00:00 GMT", date, 24 * time.Hour},
		{"Tue, 04 Aug 2099 10:00:00 GMT", "no date", 24 * time.Hour},
		{"Sun, 06 Nov 1994 08:49:37 GMT", "no date", 0},
	} {
		t.Run(c.value+" at "+c.date, func(t *testing.T) {
			server := serve(t, plain, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Date"] = []string{c.date}
				if c.value != "" {
					w.Header().Set("Retry-After", c.value)
				}
				w.WriteHeader(429)
			})
			if r := newSender(t).Send(background(), post(server.URL)); r.RetryAfter != c.want {
				t.Errorf("got %s, want %s", r.RetryAfter, c.want)
			}
		})
	}
}

func TestConnectionsAreKept(t *testing.T) {
	for _, c := range []struct {
		name  string
		body  int
		conns int32
	}{{"no body", 0, 1}, {"short body", 100, 1}, {"body over the limit", 100 << 10, 1}, {"body far over the limit", 10 << 20, 5}} {
		t.Run(c.name, func(t *testing.T) {
			var conns atomic.Int32
			server := serve(t, countConns(plain, &conns), func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(make([]byte, c.body))
			})
			s := newSender(t)
			for range 5 {
				r := s.Send(background(), post(server.URL))
				wantSuccess(t, r)
				if want := min(c.body, 64<<10); len(r.Body) != want {
					t.Errorf("%d bytes of the body, want %d", len(r.Body), want)
				}
			}
			if n := conns.Load(); n != c.conns {
				t.Errorf("%d connections, want %d", n, c.conns)
			}
		})
	}
}

// An endpoint may close a kept connection at any time; that must not cost the
// attempt.
func TestConnectionClosedWhileIdle(t *testing.T) {
	requests := make(chan string, 10)
	addr := serveRaw(t, func(c *net.TCPConn, n int) {
		for i := 0; ; i++ {
			got := string(readRequest(c))
			if got == "" {
				return
			}
			requests <- got
			if n == 1 && i == 1 {
				return // the second request of the first connection gets no answer
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	s := newSender(t)
	wantSuccess(t, s.Send(background(), post("http://"+addr)))
	wantSuccess(t, s.Send(background(), post("http://"+addr)))
	s.Close()
	<-requests
	first, second := <-requests, <-requests
	if first != second {
		t.Errorf("the repeated request differs:\n%s\n%s", first, second)
	}
	if strings.Contains(first, "Idempotency-Key") {
		t.Errorf("a header that the manifest does not have:\n%s", first)
	}
}

func TestHTTP2(t *testing.T) {
	var conns atomic.Int32
	server := serve(t, countConns(http2, &conns), func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Webhook-Id") == "" {
			t.Error("no webhook-id")
		}
		fmt.Fprint(w, r.Proto)
		if r.URL.Path == "/flood" {
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}
	})
	s := newSender(t, trusting(server))
	for _, path := range []string{"/", "/flood", "/", "/flood", "/"} {
		r := s.Send(background(), post(server.URL+path))
		wantSuccess(t, r)
		if !strings.HasPrefix(string(r.Body), "HTTP/2.0") || len(r.Body) > 64<<10 {
			t.Errorf("%s: %d bytes, %.10q", path, len(r.Body), r.Body)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestSkipTLSVerify(t *testing.T) {
	server := serve(t, secure, func(http.ResponseWriter, *http.Request) {})
	s := newSender(t)
	skip := post(server.URL)
	skip.SkipTLSVerify = true
	wantSuccess(t, s.Send(background(), skip))
	// The connection that nobody verified is not used for others.
	wantFailure(t, s.Send(background(), post(server.URL)), hooks.ErrorTLS,
		"no secure connection to "+server.URL+": its certificate is signed by an unknown authority")
}

func TestTimeoutOfOneRequest(t *testing.T) {
	server := serve(t, plain, hang)
	o := post(server.URL)
	o.Timeout = brief
	wantFailure(t, newSender(t).Send(background(), o), hooks.ErrorTimeout, server.URL+" gave no answer within 150ms")
}

func TestContextEnds(t *testing.T) {
	t.Run("before the answer", func(t *testing.T) {
		ctx, cancel := context.WithCancel(background())
		server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
			cancel()
			hang(w, r)
		})
		r := newSender(t).Send(ctx, post(server.URL))
		wantFailure(t, r, hooks.ErrorTimeout, "stopped before "+server.URL+" answered")
	})
	t.Run("before the request", func(t *testing.T) {
		ctx, cancel := context.WithCancel(background())
		cancel()
		server := serve(t, plain, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
		r := newSender(t).Send(ctx, post(server.URL))
		wantFailure(t, r, hooks.ErrorTimeout, "stopped before "+server.URL+" answered")
	})
}

func TestUsableAfterClose(t *testing.T) {
	server := serve(t, plain, func(http.ResponseWriter, *http.Request) {})
	s := newSender(t)
	for range 2 {
		wantSuccess(t, s.Send(background(), post(server.URL)))
		s.Close()
		s.Close()
	}
}

func TestOptionsValidate(t *testing.T) {
	if err := (send.Options{}).Validate(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
	_, err := send.New(send.Options{
		EgressAllow:    []netip.Prefix{{}, netip.MustParsePrefix("::ffff:0:0/90"), netip.MustParsePrefix("10.1.2.3/8")},
		UserAgent:      "a\r\nb",
		Timeout:        -1,
		MaxIdlePerHost: -1,
	})
	want := `send: EgressAllow[0]: not a prefix; write one as 10.0.0.0/8 or fd00::/8
EgressAllow[1]: ::ffff:0.0.0.0/90 mixes IPv4 and IPv6; write one prefix for each
UserAgent: has a control character
Timeout: -1ns is negative; 0 means 15s
MaxIdlePerHost: -1 is negative; 0 means 256`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}
