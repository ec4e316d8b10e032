package send_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/send"
)

// public is an address that nobody has to open, and that no test connects to:
// the proxies here take it for that of a receiver on this machine.
const public = "93.184.216.34"

// A testProxy answers CONNECT with answer, 200 if that is 0, and then leads to
// the receiver at to, whatever address it was asked for.
type testProxy struct {
	*httptest.Server

	to     string
	answer func(target string) int

	mu       sync.Mutex
	connects []string // targets
	auth     []string // what Proxy-Authorization said
	tunnels  sync.WaitGroup
	down     flow // to the clients
}

// A flow is what has gone through tunnels one way, in all of them together.
type flow struct {
	mu          sync.Mutex
	changed     sync.Cond // with mu
	bytes, ends int
}

func (f *flow) add(bytes, ends int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes += bytes
	f.ends += ends
	f.changed.Broadcast()
}

// await returns when so many bytes have gone through and so many tunnels ended.
func (f *flow) await(bytes, ends int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.bytes < bytes || f.ends < ends {
		f.changed.Wait()
	}
}

// A counted writer tells the flow what has been written.
type counted struct {
	io.Writer
	flow *flow
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.flow.add(n, 0)
	return n, err
}

func newProxy(t testing.TB, start func(*httptest.Server), to string) *testProxy {
	t.Helper()
	p := &testProxy{to: to}
	p.down.changed.L = &p.down.mu
	p.Server = serve(t, start, p.connect)
	t.Cleanup(func() {
		p.mu.Lock() // whoever has been counted is waited for
		defer p.mu.Unlock()
		p.tunnels.Wait()
	})
	return p
}

func (p *testProxy) connect(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.tunnels.Add(1)
	defer p.tunnels.Done()
	p.connects = append(p.connects, r.Method+" "+r.RequestURI)
	p.auth = append(p.auth, r.Header.Get("Proxy-Authorization"))
	p.mu.Unlock()
	if p.answer != nil {
		if code := p.answer(r.RequestURI); code != http.StatusOK {
			w.WriteHeader(code)
			return
		}
	}
	far, err := net.Dial("tcp", p.to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	near, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	fmt.Fprint(near, "HTTP/1.1 200 Connection established\r\n\r\n")
	p.tunnels.Go(func() {
		defer far.Close()
		_, _ = io.Copy(far, near)
	})
	p.tunnels.Go(func() {
		_, _ = io.Copy(counted{near, &p.down}, far)
		near.Close()
		p.down.add(0, 1)
	})
}

// through has a Sender that nobody opened anything for use the proxy.
func through(proxy string, user *url.Userinfo) func(*send.Options) {
	return func(o *send.Options) {
		closed(o)
		u, err := url.Parse(proxy)
		if err != nil {
			panic(err)
		}
		u.User = user
		o.Proxy = u
	}
}

// trustingAll trusts those servers that have certificates.
func trustingAll(servers ...*httptest.Server) func(*send.Options) {
	return func(o *send.Options) {
		for _, s := range servers {
			if s.Certificate() != nil {
				trusting(s)(o)
			}
		}
	}
}

// A name that leads to a public address, and a certificate that httptest has.
const proxiedHost = "example.com"

func resolved(addresses ...string) func(*send.Options) {
	return resolver(func(int) []string { return addresses })
}

func hostOf(server *httptest.Server) string {
	_, rest, _ := strings.Cut(server.URL, "://")
	return rest
}

// TestProxy sends to both kinds of targets through both kinds of proxies.
func TestProxy(t *testing.T) {
	for _, c := range []struct {
		name          string
		proxy, target func(*httptest.Server)
		url           string
	}{
		{"http through http", plain, plain, "http://" + proxiedHost},
		{"https through http", plain, secure, "https://" + proxiedHost},
		{"http through https", secure, plain, "http://" + proxiedHost + ":8088"},
		{"https through https", secure, secure, "https://" + proxiedHost + ":8443"},
		{"HTTP/2", plain, http2, "https://" + proxiedHost},
		{"an address", plain, plain, "http://" + public + ":81"},
		{"an IPv6 address", plain, plain, "http://[2606:2800:220:1::1]"},
		{"an IPv4-mapped address", plain, plain, "http://[::ffff:" + public + "]:8080"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
				t.Setenv(name, "http://127.0.0.1:1")
			}
			target := serve(t, c.target, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Proxy-Authorization") != "" {
					t.Error("the target got the proxy's credentials")
				}
				fmt.Fprintf(w, "%s %s", r.Proto, r.Host)
			})
			p := newProxy(t, c.proxy, hostOf(target))
			s := newSender(t, resolved(public), trustingAll(target, p.Server), through(p.URL, url.UserPassword("us:er", "p@ss")))
			u, _ := url.Parse(c.url)
			for range 3 {
				r := s.Send(background(), post(c.url+"/secret-path"))
				wantSuccess(t, r)
				if proto, host, _ := strings.Cut(string(r.Body), " "); host != u.Host || (proto == "HTTP/2.0") != (c.name == "HTTP/2") {
					t.Errorf("the target saw %s", r.Body)
				}
			}
			s.Close()
			port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
			if u.Port() != "" {
				port = u.Port()
			}
			ip := public
			if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
				ip = addr.Unmap().String()
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if diff := cmp.Diff([]string{"CONNECT " + net.JoinHostPort(ip, port)}, p.connects); diff != "" {
				t.Errorf("the proxy was asked (-want +got):\n%s", diff)
			}
			if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("us:er:p@ss")); p.auth[0] != want {
				t.Errorf("Proxy-Authorization %q, want %q", p.auth[0], want)
			}
		})
	}
}

// What the guard refuses the proxy is not asked for, be it the only address, and
// be the proxy itself at such an address.
func TestProxyIsNotAskedForRefusedAddresses(t *testing.T) {
	target := serve(t, plain, func(http.ResponseWriter, *http.Request) { t.Error("the target was reached") })
	p := newProxy(t, plain, hostOf(target))
	for url, address := range map[string]string{
		"http://169.254.169.254/":             "169.254.169.254",
		"https://10.0.0.1:8443":               "10.0.0.1",
		"http://[::ffff:127.0.0.1]":           "127.0.0.1",
		"http://127.0.0.1":                    "127.0.0.1",
		"https://internal.test.":              "192.168.1.1",
		"http://internal.test.:8080/":         "192.168.1.1",
		p.URL + "/":                           "127.0.0.1",
		"http://[64:ff9b::a9fe:a9fe]/latest/": "64:ff9b::a9fe:a9fe",
	} {
		r := newSender(t, resolved("192.168.1.1"), through(p.URL, nil)).Send(background(), post(url))
		if r.ErrorClass != hooks.ErrorBlocked || !strings.Contains(r.Error, ": address "+address+" is refused: ") {
			t.Errorf("%s: %q %s", url, r.ErrorClass, r.Error)
		}
	}
	wantFailure(t, newSender(t, resolved(), through(p.URL, nil)).Send(background(), post("https://nowhere.test.")), hooks.ErrorDNS,
		"cannot resolve the host of https://nowhere.test.: no such host; check the name in the configuration")
	if len(p.connects) != 0 {
		t.Errorf("the proxy was asked: %q", p.connects)
	}
}

// A name that changes its address between two connections is judged anew, and the
// proxy gets the address that was judged.
func TestProxyAndNameThatChangesItsAddress(t *testing.T) {
	target := serve(t, plain, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	p := newProxy(t, plain, hostOf(target))
	s := newSender(t, through(p.URL, nil), resolver(func(n int) []string {
		if n == 1 {
			return []string{public}
		}
		return []string{"127.0.0.1"}
	}))
	wantSuccess(t, s.Send(background(), post("http://rebind.test.")))
	wantFailure(t, s.Send(background(), post("http://rebind.test.")), hooks.ErrorBlocked, "cannot send to http://rebind.test."+
		": address 127.0.0.1 is refused: it is a loopback address; start the server with --egress-allow 127.0.0.1/32 to permit it")
	if diff := cmp.Diff([]string{"CONNECT " + public + ":80"}, p.connects); diff != "" {
		t.Error(diff)
	}
}

// Of several addresses the refused ones are left out, and the next is tried
// where the proxy cannot reach one.
func TestProxyAndSeveralAddresses(t *testing.T) {
	target := serve(t, plain, func(http.ResponseWriter, *http.Request) {})
	p := newProxy(t, plain, hostOf(target))
	p.answer = func(target string) int {
		if strings.HasPrefix(target, public) {
			return http.StatusBadGateway
		}
		return http.StatusOK
	}
	s := newSender(t, through(p.URL, nil), resolved("10.0.0.1", public, "93.184.216.35"))
	wantSuccess(t, s.Send(background(), post("http://many.test.")))
	if diff := cmp.Diff([]string{"CONNECT " + public + ":80", "CONNECT 93.184.216.35:80"}, p.connects); diff != "" {
		t.Error(diff)
	}
	p.connects = nil
	wantFailure(t, newSender(t, through(p.URL, nil), resolved(public, public, public, public, public, public)).Send(background(), post("http://many.test.")), hooks.ErrorConnect,
		"cannot connect to http://many.test.: the egress proxy answered 502 Bad Gateway; it could not connect to this address")
	if len(p.connects) > 4 {
		t.Errorf("the proxy was asked %d times", len(p.connects))
	}
}

// A 2xx to CONNECT has no body, whatever it says (RFC 9110, section 9.3.6), and
// that of another answer is not waited for.
func TestProxyAnswersWithBodies(t *testing.T) {
	const refused = "cannot connect to http://" + public + ": the egress proxy answered 407 Proxy Authentication Required; check the user and password of --egress-proxy"
	for head, want := range map[string]string{
		"200 OK": "", "200 OK\r\nContent-Length: 0": "", "200 OK\r\nContent-Length: 9": "", "200 OK\r\nTransfer-Encoding: chunked": "",
		"407 No\r\nContent-Length: 9": refused, "407 No\r\nTransfer-Encoding: chunked": refused,
	} {
		t.Run(head, func(t *testing.T) {
			address := serveRaw(t, func(c *net.TCPConn, _ int) {
				readHead(c)
				io.WriteString(c, "HTTP/1.1 "+head+"\r\n\r\n")
				if len(readRequest(c)) > 0 {
					io.WriteString(c, second)
				}
				untilClosed(c)
			})
			s := newSender(t, through("http://"+address, nil))
			within(t, patience/3, func() {
				r := s.Send(background(), post("http://"+public))
				if want != "" {
					wantFailure(t, r, hooks.ErrorConnect, want)
				} else if wantSuccess(t, r); string(r.Body) != "second" {
					t.Errorf("got %q", r.Body)
				}
			})
			s.Close() // before the proxy, which waits for the end
		})
	}
}

// Whatever the proxy does, the text is plain and holds neither its credentials
// nor more of the endpoint than scheme and host.
func TestProxyFailures(t *testing.T) {
	answer := func(code int) func(testing.TB) string {
		return func(t testing.TB) string {
			p := newProxy(t, plain, "")
			p.answer = func(string) int { return code }
			return p.URL
		}
	}
	bare := func(f func(c *net.TCPConn)) func(testing.TB) string {
		return func(t testing.TB) string {
			return "http://" + serveRaw(t, func(c *net.TCPConn, _ int) {
				buf := make([]byte, 4096)
				if n, _ := c.Read(buf); n > 0 {
					f(c)
				}
			})
		}
	}
	for _, c := range []struct {
		name  string
		start func(testing.TB) string
		class hooks.ErrorClass
		text  string
	}{
		{"407", answer(407), hooks.ErrorConnect, "the egress proxy answered 407 Proxy Authentication Required; check the user and password of --egress-proxy"},
		{"403", answer(403), hooks.ErrorConnect, "the egress proxy answered 403 Forbidden; its rules do not let this address through"},
		{"405", answer(405), hooks.ErrorConnect, "the egress proxy answered 405 Method Not Allowed"},
		{"503", answer(503), hooks.ErrorConnect, "the egress proxy answered 503 Service Unavailable; it could not connect to this address"},
		{"302", answer(302), hooks.ErrorConnect, "the egress proxy answered 302 Found"},
		{"nobody listens", func(t testing.TB) string { return "http://" + unusedAddress(t) }, hooks.ErrorConnect,
			"the egress proxy cannot be reached: connection refused"},
		{"no such host", func(testing.TB) string { return "http://proxy.invalid.:3128" }, hooks.ErrorConnect,
			"the egress proxy cannot be reached: its name cannot be resolved"},
		{"closes", bare(func(*net.TCPConn) {}), hooks.ErrorConnect, "the egress proxy gave no answer: it closed the connection"},
		{"resets", bare(func(c *net.TCPConn) { c.SetLinger(0) }), hooks.ErrorConnect, "the egress proxy gave no answer: connection reset by peer"},
		{"garbage", bare(func(c *net.TCPConn) { io.WriteString(c, "SSH-2.0-OpenSSH_9.9\r\n\r\n") }), hooks.ErrorConnect,
			"the egress proxy gave no answer: its answer is not valid HTTP"},
		{"endless header", bare(func(c *net.TCPConn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := io.WriteString(c, "X-Huge: "+strings.Repeat("x", 1024)+"\r\n"); err != nil {
					return
				}
			}
		}), hooks.ErrorConnect, "the egress proxy gave no answer: it closed the connection"},
		{"quotes the request", bare(func(c *net.TCPConn) {
			io.WriteString(c, "HTTP/1.1 407 Basic dG9rLXVzZXI6dG9rLXBhc3M= tok-pass\r\nContent-Length: 0\r\n\r\n")
		}), hooks.ErrorConnect, "the egress proxy answered 407 Proxy Authentication Required; check the user and password of --egress-proxy"},
		{"speaks TLS nobody trusts", func(t testing.TB) string { return newProxy(t, secure, "").URL }, hooks.ErrorConnect,
			"no secure connection to the egress proxy: its certificate is signed by an unknown authority"},
		{"speaks no TLS", func(t testing.TB) string { return strings.Replace(newProxy(t, plain, "").URL, "http:", "https:", 1) }, hooks.ErrorConnect,
			"no secure connection to the egress proxy: it does not speak TLS on this port; an http:// URL may be meant"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const endpoint = "https://" + public
			s := newSender(t, resolved(), through(c.start(t), url.UserPassword("tok-user", "tok-pass")))
			o := post(endpoint + "/tok-path")
			o.SkipTLSVerify = true // is for the endpoint's certificate, not for the proxy's
			r := s.Send(background(), o)
			wantFailure(t, r, c.class, "cannot connect to "+endpoint+": "+c.text)
		})
	}
	t.Run("hangs", func(t *testing.T) {
		t.Parallel()
		for _, hangs := range []func(c *net.TCPConn){
			func(c *net.TCPConn) { untilClosed(c) },
			func(c *net.TCPConn) { io.WriteString(c, "HTTP/1.1 200 O"); untilClosed(c) },
		} {
			o := post("https://" + public)
			o.Timeout = brief
			s := newSender(t, resolved(), through(bare(hangs)(t), nil))
			wantFailure(t, s.Send(background(), o), hooks.ErrorTimeout, "https://"+public+" gave no answer within 150ms")
		}
	})
}

// The endpoint's certificate is verified for its name, though the proxy is asked
// for an address.
func TestProxyAndCertificates(t *testing.T) {
	target := serve(t, secure, func(http.ResponseWriter, *http.Request) {})
	p := newProxy(t, plain, hostOf(target))
	trusted := newSender(t, resolved(public), trusting(target), through(p.URL, nil))
	wantSuccess(t, trusted.Send(background(), post("https://"+proxiedHost)))
	wantFailure(t, trusted.Send(background(), post("https://other.test.")), hooks.ErrorTLS,
		"no secure connection to https://other.test.: its certificate is for another host")
	unknown := newSender(t, resolved(public), through(p.URL, nil))
	wantFailure(t, unknown.Send(background(), post("https://"+proxiedHost)), hooks.ErrorTLS,
		"no secure connection to https://"+proxiedHost+": its certificate is signed by an unknown authority")
	skip := post("https://other.test.")
	skip.SkipTLSVerify = true
	wantSuccess(t, unknown.Send(background(), skip))
}

func TestProxyOptions(t *testing.T) {
	for raw, want := range map[string]string{
		"http://proxy.test:3128": "", "https://u:p@proxy.test/": "", "http://[::1]:8080": "",
		"socks5://u:tok-pass@proxy.test":   "send: Proxy: it must be an http:// or https:// URL with a host, such as http://proxy.example:3128",
		"//u:tok-pass@proxy.test":          "send: Proxy: it must be an http:// or https:// URL with a host, such as http://proxy.example:3128",
		"http://":                          "send: Proxy: it must be an http:// or https:// URL with a host, such as http://proxy.example:3128",
		"http://u:tok-pass@proxy.test/a":   "send: Proxy: it must have neither a path nor a query; write http://proxy.example:3128",
		"http://proxy.test?token=tok-pass": "send: Proxy: it must have neither a path nor a query; write http://proxy.example:3128",
		"http://proxy.test/#fragment":      "send: Proxy: it must have neither a path nor a query; write http://proxy.example:3128",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if _, err := send.New(send.Options{Proxy: u}); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

// unusedAddress is one that nobody listens on.
func unusedAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}
