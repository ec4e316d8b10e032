package send_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/send"
)

// closed is a Sender as a server has it that nobody opened anything for.
func closed(o *send.Options) { o.EgressAllow = nil }

func TestRefusedAddresses(t *testing.T) {
	s := newSender(t, closed)
	for host, address := range map[string]string{
		"127.0.0.1": "127.0.0.1", "127.0.0.1:8088": "127.0.0.1", "10.0.0.1": "10.0.0.1", "172.16.0.1": "172.16.0.1",
		"192.168.0.1:6379": "192.168.0.1", "100.64.0.1": "100.64.0.1", "169.254.169.254": "169.254.169.254",
		"0.0.0.0": "0.0.0.0", "224.0.0.1": "224.0.0.1", "168.63.129.16": "168.63.129.16", "255.255.255.255": "255.255.255.255",
		"[::ffff:127.0.0.1]": "127.0.0.1", "[::ffff:a9fe:a9fe]:80": "169.254.169.254",
	} {
		for _, scheme := range []string{"http", "https"} {
			r := s.Send(background(), post(scheme+"://"+host+"/path"))
			prefix := fmt.Sprintf("cannot send to %s://%s: address %s is refused: it is ", scheme, host, address)
			suffix := fmt.Sprintf("; start the server with --egress-allow %s/32 to permit it", address)
			if r.ErrorClass != hooks.ErrorBlocked || r.Permanent || !strings.HasPrefix(r.Error, prefix) || !strings.HasSuffix(r.Error, suffix) {
				t.Errorf("%s://%s: %q %s", scheme, host, r.ErrorClass, r.Error)
			}
		}
	}
}

func TestRefusedIPv6(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6, whose sockets the guard would see")
	}
	defer l.Close()
	s := newSender(t, closed)
	for _, host := range []string{"::1", "fe80::1", "fd00:ec2::254", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1"} {
		r := s.Send(background(), post("http://["+host+"]/"))
		if r.ErrorClass != hooks.ErrorBlocked || !strings.Contains(r.Error, "address "+host+" is refused: ") || !strings.Contains(r.Error, "--egress-allow "+host+"/128 ") {
			t.Errorf("%s: %q %s", host, r.ErrorClass, r.Error)
		}
	}
}

// Other ways to write 127.0.0.1 are names to some resolvers and addresses to
// others; they reach it with none.
func TestRefusedSpellings(t *testing.T) {
	var requests atomic.Int32
	server := serve(t, plain, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	s := newSender(t, closed)
	for _, host := range []string{"localhost", "LOCALHOST.", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.0.1.", "%31%32%37.0.0.1", "①②⑦.0.0.1", "0"} {
		o := post("http://" + host + ":" + port)
		o.Timeout = brief
		if r := s.Send(background(), o); r.ErrorClass == "" || r.StatusCode != 0 {
			t.Errorf("%s: %+v", host, r)
		}
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// resolver answers the queries for the addresses of any name, the n-th (from
// 1) with those of answer(n); none means that there is no such name.
func resolver(answer func(n int) []string) func(*send.Options) {
	var queries atomic.Int32
	respond := func(q []byte) []byte {
		end := 12 + bytes.IndexByte(q[12:], 0) + 5 // one question: name, type, class (RFC 1035, section 4.1)
		kind := binary.BigEndian.Uint16(q[end-4:])
		r := bytes.Clone(q[:end])
		r[2], r[3] = 0x81, 0x80        // an answer, recursion available
		copy(r[6:12], make([]byte, 6)) // no records but the question
		const a, aaaa = 1, 28
		n := int(queries.Load())
		if kind == a {
			n = int(queries.Add(1))
		}
		addresses := answer(max(n, 1))
		if len(addresses) == 0 {
			r[3] |= 3 // no such name
		}
		for _, s := range addresses {
			ip := netip.MustParseAddr(s)
			if ip.Is4() != (kind == a) || kind != a && kind != aaaa {
				continue
			}
			r[7]++
			r = append(r, 0xc0, 12, byte(kind>>8), byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(ip.BitLen()/8))
			r = append(r, ip.AsSlice()...)
		}
		return r
	}
	return func(o *send.Options) {
		o.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() { // a stream: messages after their length
				defer server.Close()
				var size [2]byte
				for {
					if _, err := io.ReadFull(server, size[:]); err != nil {
						return
					}
					q := make([]byte, binary.BigEndian.Uint16(size[:]))
					if _, err := io.ReadFull(server, q); err != nil {
						return
					}
					r := respond(q)
					if _, err := server.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(r))), r...)); err != nil {
						return
					}
				}
			}()
			return client, nil
		}}
	}
}

// A name may lead to a permitted address when it is first looked at and to
// another later: each connection is judged by what it connects to.
func TestNameThatChangesItsAddress(t *testing.T) {
	server := serve(t, plain, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	s := newSender(t, resolver(func(n int) []string {
		if n == 1 {
			return []string{"127.0.0.1"}
		}
		return []string{"169.254.169.254"}
	}))
	o := post("http://rebind.test.:" + port)
	wantSuccess(t, s.Send(background(), o))
	wantFailure(t, s.Send(background(), o), hooks.ErrorBlocked, "cannot send to http://rebind.test.:"+port+
		": address 169.254.169.254 is refused: it is a cloud metadata address; start the server with --egress-allow 169.254.169.254/32 to permit it")
}

func TestNameWithSeveralAddresses(t *testing.T) {
	server := serve(t, plain, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	unused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	unused.Close()
	_, deadPort, _ := net.SplitHostPort(unused.Addr().String())
	both := resolver(func(int) []string { return []string{"10.0.0.1", "127.0.0.1"} })

	t.Run("all refused", func(t *testing.T) {
		r := newSender(t, both, closed).Send(background(), post("http://two.test."))
		if r.ErrorClass != hooks.ErrorBlocked || !strings.Contains(r.Error, "--egress-allow 10.0.0.1/32") || !strings.Contains(r.Error, "--egress-allow 127.0.0.1/32") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("one permitted", func(t *testing.T) {
		wantSuccess(t, newSender(t, both).Send(background(), post("http://two.test.:"+port)))
	})
	t.Run("the permitted one does not listen", func(t *testing.T) {
		wantFailure(t, newSender(t, both).Send(background(), post("http://two.test.:"+deadPort)), hooks.ErrorConnect,
			"cannot connect to http://two.test.:"+deadPort+": of its addresses, some could not be reached, and address 10.0.0.1 is refused: "+
				"it is a private address; start the server with --egress-allow 10.0.0.1/32 to permit it")
	})
}

func TestNoSuchHost(t *testing.T) {
	s := newSender(t, resolver(func(int) []string { return nil }))
	wantFailure(t, s.Send(background(), post("https://nowhere.test./secret")), hooks.ErrorDNS,
		"cannot resolve the host of https://nowhere.test.: no such host; check the name in the configuration")
}

func TestNoProxyFromTheEnvironment(t *testing.T) {
	proxy := serve(t, plain, func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") })
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	server := serve(t, plain, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	// By a name, since net/http never takes a proxy to loopback addresses.
	s := newSender(t, resolver(func(int) []string { return []string{"127.0.0.1"} }))
	wantSuccess(t, s.Send(background(), post("http://receiver.test.:"+port)))
}
