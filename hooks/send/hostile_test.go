package send_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/manifest"
)

// raw answers each connection with what f does to it, after the request.
func raw(f func(c *net.TCPConn)) func(testing.TB) string {
	return func(t testing.TB) string {
		return "http://" + serveRaw(t, func(c *net.TCPConn, _ int) {
			if readRequest(c) != nil {
				f(c)
			}
		})
	}
}

func text(s string) func(testing.TB) string {
	return raw(func(c *net.TCPConn) { io.WriteString(c, s) })
}

// byteByByte sends a text slowly, until the client hangs up.
func byteByByte(c *net.TCPConn, s string) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := range len(s) {
		<-tick.C
		if _, err := io.WriteString(c, s[n:n+1]); err != nil {
			return
		}
	}
}

func withTLS(change func(*tls.Config)) func(testing.TB) string {
	return func(t testing.TB) string {
		return serve(t, func(s *httptest.Server) {
			s.TLS = &tls.Config{}
			change(s.TLS)
			s.StartTLS()
		}, func(http.ResponseWriter, *http.Request) {}).URL
	}
}

// failures are receivers from which no answer can be had, by what comes of
// it. %s stands for scheme, host and port.
var failures = []struct {
	name  string
	start func(testing.TB) string // returns scheme, host and port
	class hooks.ErrorClass
	text  string
}{
	{"nobody listens", func(t testing.TB) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		return "http://" + l.Addr().String()
	}, hooks.ErrorConnect, "cannot connect to %s: connection refused"},
	{"hangs", func(t testing.TB) string { return serve(t, plain, hang).URL },
		hooks.ErrorTimeout, "%s gave no answer within 150ms"},
	{"reads nothing", func(t testing.TB) string {
		return "http://" + serveRaw(t, func(c *net.TCPConn, _ int) { untilClosed(c) })
	}, hooks.ErrorTimeout, "%s gave no answer within 150ms"},
	{"closes at once", raw(func(*net.TCPConn) {}), hooks.ErrorConnect, "no answer from %s: it closed the connection"},
	{"resets", raw(func(c *net.TCPConn) { c.SetLinger(0) }), hooks.ErrorConnect, "no answer from %s: connection reset by peer"},
	{"closes in the status line", text("HTTP/1.1 2"), hooks.ErrorConnect, "no answer from %s: its answer is not valid HTTP"},
	{"closes in the header", text("HTTP/1.1 200 OK\r\nContent-Le"), hooks.ErrorConnect, "no answer from %s: its answer is not valid HTTP"},
	{"hangs in the header", raw(func(c *net.TCPConn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Le")
		untilClosed(c)
	}), hooks.ErrorTimeout, "%s gave no answer within 150ms"},
	{"header byte by byte", raw(func(c *net.TCPConn) {
		byteByByte(c, "HTTP/1.1 200 OK\r\nX-Slow: "+strings.Repeat("x", 10_000)+"\r\n\r\n")
	}), hooks.ErrorTimeout, "%s gave no answer within 150ms"},
	{"speaks SSH", text("SSH-2.0-OpenSSH_9.9\r\n\r\n"), hooks.ErrorConnect, "no answer from %s: its answer is not valid HTTP"},
	{"garbage in the header", text("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"), hooks.ErrorConnect, "no answer from %s: its answer is not valid HTTP"},
	{"huge header", raw(func(c *net.TCPConn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Huge: ")
		io.WriteString(c, strings.Repeat("x", 1<<20))
	}), hooks.ErrorConnect, "no answer from %s: the header of its answer is longer than 64 KiB"},
	{"endless early hints", raw(func(c *net.TCPConn) {
		for {
			if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"); err != nil {
				return
			}
		}
	}), hooks.ErrorConnect, "no answer from %s: the header of its answer is longer than 64 KiB"},
	{"unknown authority", withTLS(func(*tls.Config) {}), hooks.ErrorTLS, "no secure connection to %s: its certificate is signed by an unknown authority"},
	{"old TLS", withTLS(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11; c.MinVersion = tls.VersionTLS10 }), hooks.ErrorTLS,
		"no secure connection to %s: it refused the handshake: protocol version not supported"},
	{"plain HTTP where TLS is expected", func(t testing.TB) string {
		return strings.Replace(serve(t, plain, hang).URL, "http:", "https:", 1)
	}, hooks.ErrorTLS, "no secure connection to %s: it does not speak TLS on this port; an http:// URL may be meant"},
	{"closes in the handshake", func(t testing.TB) string {
		return "https://" + serveRaw(t, func(c *net.TCPConn, _ int) { _, _ = c.Read(make([]byte, 9999)) })
	}, hooks.ErrorTLS, "no secure connection to %s: it closed the connection during the TLS handshake"},
	{"hangs in the handshake", func(t testing.TB) string {
		return "https://" + serveRaw(t, func(c *net.TCPConn, _ int) { untilClosed(c) })
	}, hooks.ErrorTimeout, "%s gave no answer within 150ms"},
	{"refused address", func(testing.TB) string { return "http://169.254.169.254" }, hooks.ErrorBlocked,
		"cannot send to %s: address 169.254.169.254 is refused: it is a cloud metadata address; start the server with --egress-allow 169.254.169.254/32 to permit it"},
	{"redirects", func(t testing.TB) string {
		return serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.RequestURI, http.StatusTemporaryRedirect)
		}).URL
	}, hooks.ErrorStatus, "%s answered 307 Temporary Redirect; redirects are not followed, so configure the address that it leads to"},
	{"switches protocols", raw(func(c *net.TCPConn) {
		io.WriteString(c, "HTTP/1.1 101 Whatever\r\nConnection: Upgrade\r\nUpgrade: acme\r\n\r\n")
		untilClosed(c)
	}), hooks.ErrorStatus, "%s answered 101 Switching Protocols"},
}

func TestFailures(t *testing.T) {
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			origin := f.start(t)
			s := newSender(t)
			o := post(origin + "/path")
			if f.class == hooks.ErrorTimeout {
				o.Timeout = brief
			}
			wantFailure(t, s.Send(background(), o), f.class, strings.ReplaceAll(f.text, "%s", origin))
		})
	}
}

// Nothing of a request may come back in an error but scheme and host, whatever
// the receiver does, quoting the request included.
func TestErrorsKeepSecrets(t *testing.T) {
	secrets := []string{"tok-path", "tok-query", "tok-user", "tok-pass", "tok-header", "tok-hmac", "tok-body", "tok-fragment"}
	secretive := func(origin string) hooks.Outgoing {
		scheme, host, _ := strings.Cut(origin, "://")
		o := post(scheme + "://tok-user:tok-pass@" + host + "/tok-path?q=tok-query#tok-fragment")
		o.Request.Headers = append(o.Request.Headers, manifest.Header{Name: "X-Api-Key", Value: "tok-header"})
		o.Request.Signatures = []manifest.Signature{{Header: "X-Signature", Secrets: []string{"tok-hmac"}}}
		o.Request.Body = []byte(`{"a":"tok-body"}`)
		o.Timeout = brief
		return o
	}
	echo := func(format string) func(testing.TB) string {
		return func(t testing.TB) string {
			return "http://" + serveRaw(t, func(c *net.TCPConn, _ int) {
				got := strings.NewReplacer("\r", " ", "\n", " ").Replace(string(readRequest(c)))
				fmt.Fprintf(c, format, got)
			})
		}
	}
	starts := map[string]func(testing.TB) string{
		"quotes in garbage":         echo("%s\r\n\r\n"),
		"quotes in the version":     echo("HTTP/%s 200 OK\r\n\r\n"),
		"quotes in the status":      echo("HTTP/1.1 4%s\r\n\r\n"),
		"quotes in the reason":      echo("HTTP/1.1 404 %s\r\nContent-Length: 0\r\n\r\n"),
		"quotes in a header":        echo("HTTP/1.1 500 no\r\n%s\r\n\r\n"),
		"quotes in the location":    echo("HTTP/1.1 302 no\r\nLocation: http://a/%s\r\nContent-Length: 0\r\n\r\n"),
		"quotes in Content-Length":  echo("HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n"),
		"quotes in the coding":      echo("HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n"),
		"quotes in the retry-after": echo("HTTP/1.1 503 no\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n"),
	}
	for _, f := range failures {
		starts[f.name] = f.start
	}
	check := func(t *testing.T, s *send.Sender, o hooks.Outgoing) {
		r := s.Send(background(), o)
		if r.ErrorClass == "" {
			t.Errorf("no failure: %+v", r)
		}
		for _, secret := range append(secrets, send.Sign("tok-hmac", o.Request.Body)) {
			if strings.Contains(r.Error, secret) || strings.Contains(r.Error, url.QueryEscape(secret)) {
				t.Errorf("the error holds %s: %s", secret, r.Error)
			}
		}
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin := start(t)
			check(t, newSender(t), secretive(origin))
		})
	}
	for name, change := range map[string]func(*manifest.Request){
		"no such host":  func(r *manifest.Request) { r.URL = strings.Replace(r.URL, "127.0.0.1", "no-such-host.invalid", 1) },
		"port":          func(r *manifest.Request) { r.URL = strings.Replace(r.URL, "127.0.0.1", "127.0.0.1:99999", 1) },
		"escape":        func(r *manifest.Request) { r.URL += "%zz" },
		"escaped host":  func(r *manifest.Request) { r.URL = strings.Replace(r.URL, "127.0.0.1", "%zz", 1) },
		"control":       func(r *manifest.Request) { r.URL += "\x01" },
		"scheme":        func(r *manifest.Request) { r.URL = "ftp" + strings.TrimPrefix(r.URL, "http") },
		"header":        func(r *manifest.Request) { r.Headers[1].Value += "\r\n" },
		"method":        func(r *manifest.Request) { r.Method = "A B" },
		"signature":     func(r *manifest.Request) { r.Signatures[0].Header = "" },
		"no host":       func(r *manifest.Request) { r.URL = "http:///tok-path?tok-query" },
		"not a version": func(r *manifest.Request) { r.URL = strings.Replace(r.URL, "127.0.0.1", "[::1", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := secretive("http://127.0.0.1")
			change(o.Request)
			check(t, newSender(t), o)
		})
	}
}

// A 2xx counts when its header is there, whatever becomes of its body.
func TestBodiesThatDoNotEnd(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc"
	for name, f := range map[string]func(c *net.TCPConn){
		"hangs":  func(c *net.TCPConn) { io.WriteString(c, head); untilClosed(c) },
		"closes": func(c *net.TCPConn) { io.WriteString(c, head) },
		"chunks that break off": func(c *net.TCPConn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz")
		},
		"byte by byte": func(c *net.TCPConn) {
			io.WriteString(c, head)
			byteByByte(c, strings.Repeat(".", 997))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := post(raw(f)(t))
			o.Timeout = brief
			start := time.Now()
			r := newSender(t).Send(background(), o)
			wantSuccess(t, r)
			if d := time.Since(start); d > 20*brief { // the body alone would take ten seconds
				t.Errorf("it took %s", d)
			}
			if !strings.HasPrefix(string(r.Body), "abc") {
				t.Errorf("body %q", r.Body)
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(background(), brief)
		defer cancel()
		wantSuccess(t, newSender(t).Send(ctx, post(raw(func(c *net.TCPConn) { io.WriteString(c, head); untilClosed(c) })(t))))
	})
}

func TestAnswerOfOneGigabyte(t *testing.T) {
	var sent atomic.Int64
	server := serve(t, plain, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(1<<30))
		w.Header().Set("Content-Encoding", "gzip") // it is not unpacked either
		for range 1 << 14 {
			n, err := w.Write(make([]byte, 64<<10))
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	r := newSender(t).Send(background(), post(server.URL))
	server.Close() // waits for the handler
	wantSuccess(t, r)
	if len(r.Body) != 64<<10 {
		t.Errorf("%d bytes kept", len(r.Body))
	}
	if n := sent.Load(); n > 64<<20 { // the kernel's buffers take some
		t.Errorf("%d bytes taken from the receiver", n)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var requests atomic.Int32
	server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.Redirect(w, r, "/again", http.StatusFound)
	})
	if r := newSender(t).Send(background(), post(server.URL)); r.StatusCode != 302 {
		t.Errorf("got %+v", r)
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestCertificates(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name     string
		notAfter time.Time
		host     string
		want     string // "" is success
	}{
		{"good", now.Add(time.Hour), "127.0.0.1", ""},
		{"expired", now.Add(-time.Hour), "127.0.0.1", "its certificate has expired or is not valid yet"},
		{"of another host", now.Add(time.Hour), "localhost", "its certificate is for another host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			certificate, pool := newCertificate(t, c.notAfter)
			address := withTLS(func(config *tls.Config) { config.Certificates = []tls.Certificate{certificate} })(t)
			address = strings.Replace(address, "127.0.0.1", c.host, 1)
			s := newSender(t, func(o *send.Options) { o.RootCAs = pool })
			r := s.Send(background(), post(address))
			if c.want == "" {
				wantSuccess(t, r)
				return
			}
			wantFailure(t, r, hooks.ErrorTLS, "no secure connection to "+address+": "+c.want)
		})
	}
}

// newCertificate makes a certificate for 127.0.0.1 that signs itself.
func newCertificate(t *testing.T, notAfter time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: notAfter.Add(-48 * time.Hour), NotAfter: notAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// FuzzAnswer lets a receiver answer anything at all.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nabc", "HTTP/1.0 200\n\nbody", "HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 x\r\nRetry-After: 9\r\n\r\n", "HTTP/1.1 429 x\r\nRetry-After: -1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n", "HTTP/1.1 999 x\r\n\r\n", "HTTP/1.1 000 x\r\n\r\n",
		"HTTP/1.1 500 x\r\nX-Echo: s3cret czNjcmV0\r\nX-\xe9: \xff\r\n\r\n{\"token\":\"s3cret\"}",
	} {
		f.Add([]byte(seed))
	}
	answer := make(chan []byte, 1)
	address := serveRaw(f, func(c *net.TCPConn, _ int) {
		readRequest(c)
		_, _ = c.Write(<-answer)
	})
	s := newSender(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		answer <- b
		o := post("http://" + address)
		o.Secrets = []string{"s3cret", "abc"}
		r := s.Send(background(), o)
		s.Close() // one connection an answer
		for _, h := range r.Header {
			if strings.Contains(h.Value, "s3cret") || len(h.Name) > 128 || len(h.Value) > 512 {
				t.Errorf("%+v", h)
			}
		}
		if strings.Contains(string(r.Body), "s3cret") || len(r.Header) > 32 {
			t.Errorf("%+v", r)
		}
		if success := r.StatusCode >= 200 && r.StatusCode <= 299; success != (r.ErrorClass == "") || success != (r.Error == "") {
			t.Errorf("%+v", r)
		}
		if len(r.Body) > 64<<10 || r.RetryAfter < 0 || r.RetryAfter > 24*time.Hour || r.Permanent {
			t.Errorf("%+v", r)
		}
	})
}
