package send

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestGuardRefuses(t *testing.T) {
	g := newGuard(nil)
	for address, kind := range map[string]string{
		"0.0.0.0": "an address of this machine", "0.1.2.3": "an address of this machine", "::": "an address of this machine",
		"127.0.0.1": "a loopback address", "127.255.255.254": "a loopback address", "::1": "a loopback address",
		"::ffff:127.0.0.1": "a loopback address", "::ffff:7f00:1": "a loopback address",
		"10.0.0.1": "a private address", "172.16.0.1": "a private address", "172.31.255.255": "a private address",
		"192.168.1.1": "a private address", "::ffff:192.168.1.1": "a private address", "fd12:3456::1": "a private address", "fc00::1": "a private address",
		"100.64.0.1": "a carrier-grade NAT address", "100.127.255.255": "a carrier-grade NAT address",
		"169.254.1.1": "a link-local address", "fe80::1": "a link-local address", "fe80::1%eth0": "a link-local address",
		"169.254.169.254": "a cloud metadata address", "::ffff:169.254.169.254": "a cloud metadata address", "169.254.170.2": "a cloud metadata address",
		"168.63.129.16": "a cloud metadata address", "100.100.100.200": "a cloud metadata address", "192.0.0.192": "a cloud metadata address",
		"fd00:ec2::254": "a cloud metadata address", "fd20:ce::254": "a cloud metadata address",
		"224.0.0.1": "a multicast address", "ff02::1": "a multicast address", "255.255.255.255": "a broadcast address",
		"192.0.2.1": "a documentation address", "2001:db8::1": "a documentation address", "3fff::1": "a documentation address",
		"198.18.0.1": "a special-purpose address", "240.0.0.1": "a special-purpose address", "192.88.99.1": "a special-purpose address",
		"2001::1": "a special-purpose address", "::127.0.0.1": "a special-purpose address", "fec0::1": "a special-purpose address",
		"64:ff9b:1::7f00:1": "a special-purpose address", "2002:7f00:1::": "a 6to4 address",
		"64:ff9b::808:808":   "a NAT64 address",
		"64:ff9b::7f00:1":    "a NAT64 address that leads to 127.0.0.1, a loopback address",
		"64:ff9b::a9fe:a9fe": "a NAT64 address that leads to 169.254.169.254, a cloud metadata address",
	} {
		if r := g.check(netip.MustParseAddr(address)); r == nil {
			t.Errorf("%s is let through", address)
		} else if r.kind != kind {
			t.Errorf("%s is %s, want %s", address, r.kind, kind)
		}
	}
}

func TestGuardPermits(t *testing.T) {
	for _, c := range []struct{ address, allow string }{
		{"8.8.8.8", ""}, {"1.1.1.1", ""}, {"172.32.0.1", ""}, {"100.128.0.1", ""}, {"2606:4700::1111", ""}, {"::ffff:8.8.8.8", ""},
		{"127.0.0.1", "127.0.0.0/8"}, {"::ffff:127.0.0.1", "127.0.0.0/8"}, {"127.0.0.1", "::ffff:127.0.0.0/104"},
		{"10.9.8.7", "10.1.2.3/8"}, {"::1", "::1/128"}, {"fe80::1%eth0", "fe80::/10"}, {"168.63.129.16", "168.63.129.16/32"},
		{"64:ff9b::808:808", "64:ff9b::/96"}, {"64:ff9b::7f00:1", "64:ff9b::/96 127.0.0.1/32"},
		{"169.254.169.254", "0.0.0.0/0"}, {"fd00::1", "::/0"},
	} {
		var allow []netip.Prefix
		for _, p := range strings.Fields(c.allow) {
			allow = append(allow, netip.MustParsePrefix(p))
		}
		if r := newGuard(allow).check(netip.MustParseAddr(c.address)); r != nil {
			t.Errorf("%s is refused with %q: %s", c.address, c.allow, r.kind)
		}
	}
}

// The prefixes that open a family or NAT64 open nothing else on the way.
func TestGuardOpensNoMoreThanAsked(t *testing.T) {
	for _, c := range []struct{ address, allow string }{
		{"127.0.0.1", "::/0"}, {"::ffff:127.0.0.1", "::/0"}, {"::1", "0.0.0.0/0"}, {"127.0.0.2", "127.0.0.1/32"},
		{"64:ff9b::7f00:1", "64:ff9b::/96"}, {"64:ff9b::a9fe:a9fe", "::/0"}, {"64:ff9b::808:808", "0.0.0.0/0"},
	} {
		if newGuard([]netip.Prefix{netip.MustParsePrefix(c.allow)}).check(netip.MustParseAddr(c.address)) == nil {
			t.Errorf("%s is let through with %s", c.address, c.allow)
		}
	}
}

// The flags of a refusal are exact: with them the address is let through, and
// with any of them missing it is not.
func TestRefusalNamesWhatOpens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefixes := make([]netip.Prefix, len(kinds))
		for i, k := range kinds {
			prefixes[i] = k.prefix
		}
		p := rapid.SampledFrom(prefixes).Draw(t, "prefix")
		b := p.Addr().AsSlice()
		noise := rapid.SliceOfN(rapid.Byte(), len(b), len(b)).Draw(t, "noise")
		for i := range b { // random bits after the prefix's
			keep := min(max(p.Bits()-8*i, 0), 8)
			mask := byte(0xff) << (8 - keep)
			b[i] = b[i]&mask | noise[i]&^mask
		}
		addr, _ := netip.AddrFromSlice(b)
		r := newGuard(nil).check(addr)
		if r == nil {
			t.Fatalf("%s is let through", addr)
		}
		if again := newGuard(r.open).check(addr); again != nil {
			t.Fatalf("%s is refused with %v", addr, r.open)
		}
		for i := range r.open {
			if newGuard(slices.Delete(slices.Clone(r.open), i, i+1)).check(addr) == nil {
				t.Fatalf("%s does not need %s", addr, r.open[i])
			}
		}
		if addr.Is4() {
			mapped := newGuard(nil).check(netip.AddrFrom16(addr.As16()))
			if mapped == nil || mapped.kind != r.kind {
				t.Fatalf("%s mapped is judged otherwise", addr)
			}
		}
	})
}

func TestRefusedErrorText(t *testing.T) {
	g := newGuard(nil)
	e := &refusedError{}
	for _, c := range []struct{ address, want string }{
		{"127.0.0.1", "address 127.0.0.1 is refused: it is a loopback address; start the server with --egress-allow 127.0.0.1/32 to permit it"},
		{"::1", "addresses 127.0.0.1 (a loopback address), ::1 (a loopback address) are refused; start the server with --egress-allow 127.0.0.1/32 --egress-allow ::1/128 to permit them"},
		{"10.0.0.1", ""}, {"10.0.0.2", ""}, {"10.0.0.3", ""},
		{"10.0.0.4", "addresses 127.0.0.1 (a loopback address), ::1 (a loopback address), 10.0.0.1 (a private address), 10.0.0.2 (a private address) and 2 more are refused; start the server with --egress-allow 127.0.0.1/32 --egress-allow ::1/128 --egress-allow 10.0.0.1/32 --egress-allow 10.0.0.2/32 to permit them"},
	} {
		e.refusals = append(e.refusals, g.check(netip.MustParseAddr(c.address)))
		if got := e.Error(); c.want != "" && got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
