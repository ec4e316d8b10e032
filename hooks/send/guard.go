package send

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"code.dny.dev/ssrf"
)

// azureWireServer hands out machine configuration to any process on an Azure
// machine, like 169.254.169.254 does, yet it lies among public addresses.
var azureWireServer = netip.MustParsePrefix("168.63.129.16/32")

// A guard decides which addresses may be connected to.
type guard struct {
	guardian *ssrf.Guardian
}

func newGuard(allow []netip.Prefix) *guard {
	var v4, v6 []netip.Prefix
	for _, p := range allow {
		if p = unmapPrefix(p); p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return &guard{ssrf.New(
		ssrf.WithAnyPort(),
		ssrf.WithAllowedV4Prefixes(v4...),
		ssrf.WithAllowedV6Prefixes(v6...),
		ssrf.WithDeniedV4Prefixes(azureWireServer),
	)}
}

// unmapPrefix turns a prefix of IPv4-mapped IPv6 addresses into one of IPv4
// addresses: that is what such addresses are compared as.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// A refusal is an address that must not be connected to.
type refusal struct {
	addr netip.Addr
	kind string         // what it is: "a loopback address"
	open []netip.Prefix // what EgressAllow would have to hold
}

// check returns nil when addr may be connected to. IPv4-mapped addresses are
// taken as the IPv4 addresses that they lead to. An address of the NAT64
// prefix (RFC 6052) leads to an IPv4 address too, so opening that prefix, as
// IPv6-only networks need, opens only what is open there.
func (g *guard) check(addr netip.Addr) *refusal {
	addr = addr.Unmap().WithZone("")
	var open []netip.Prefix
	kind := ""
	if g.guardian.SafeAddr(addr) != nil {
		kind = kindOf(addr)
		open = append(open, netip.PrefixFrom(addr, addr.BitLen()))
	}
	if ssrf.IPv6NAT64Prefix.Contains(addr) {
		b := addr.As16()
		v4 := netip.AddrFrom4([4]byte(b[12:]))
		if g.guardian.SafeAddr(v4) != nil {
			kind = fmt.Sprintf("a NAT64 address that leads to %s, %s", v4, kindOf(v4))
			open = append(open, netip.PrefixFrom(v4, 32))
		}
	}
	if open == nil {
		return nil
	}
	return &refusal{addr: addr, kind: kind, open: open}
}

// kinds name ranges for people; the first that holds an address counts.
var kinds = []struct {
	prefix netip.Prefix
	name   string
}{
	{netip.MustParsePrefix("169.254.169.254/32"), "a cloud metadata address"},
	{netip.MustParsePrefix("169.254.170.2/32"), "a cloud metadata address"}, // Amazon ECS credentials
	{netip.MustParsePrefix("100.100.100.200/32"), "a cloud metadata address"},
	{netip.MustParsePrefix("192.0.0.192/32"), "a cloud metadata address"},
	{netip.MustParsePrefix("fd00:ec2::/32"), "a cloud metadata address"},
	{netip.MustParsePrefix("fd20:ce::254/128"), "a cloud metadata address"},
	{azureWireServer, "a cloud metadata address"},
	{netip.MustParsePrefix("0.0.0.0/8"), "an address of this machine"},
	{netip.MustParsePrefix("::/128"), "an address of this machine"},
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address"},
	{netip.MustParsePrefix("::1/128"), "a loopback address"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private address"},
	{netip.MustParsePrefix("172.16.0.0/12"), "a private address"},
	{netip.MustParsePrefix("192.168.0.0/16"), "a private address"},
	{netip.MustParsePrefix("fc00::/7"), "a private address"},
	{netip.MustParsePrefix("100.64.0.0/10"), "a carrier-grade NAT address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address"},
	{netip.MustParsePrefix("255.255.255.255/32"), "a broadcast address"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address"},
	{netip.MustParsePrefix("ff00::/8"), "a multicast address"},
	{netip.MustParsePrefix("192.0.2.0/24"), "a documentation address"},
	{netip.MustParsePrefix("198.51.100.0/24"), "a documentation address"},
	{netip.MustParsePrefix("203.0.113.0/24"), "a documentation address"},
	{netip.MustParsePrefix("2001:db8::/32"), "a documentation address"},
	{netip.MustParsePrefix("3fff::/20"), "a documentation address"},
	{ssrf.IPv6NAT64Prefix, "a NAT64 address"},
	{netip.MustParsePrefix("2002::/16"), "a 6to4 address"},
}

func kindOf(addr netip.Addr) string {
	for _, k := range kinds {
		if k.prefix.Contains(addr) {
			return k.name
		}
	}
	return "a special-purpose address"
}

// maxRefusalsShown bounds a message: a name may have very many addresses.
const maxRefusalsShown = 4

// A refusedError says that no connection was made because addresses are
// refused.
type refusedError struct {
	refusals []*refusal
	tried    bool // the name had other addresses, which could not be reached
}

func (e *refusedError) Error() string {
	shown := e.refusals[:min(len(e.refusals), maxRefusalsShown)]
	var flags []string
	for _, r := range shown {
		for _, p := range r.open {
			if f := "--egress-allow " + p.String(); !slices.Contains(flags, f) {
				flags = append(flags, f)
			}
		}
	}
	var b strings.Builder
	if len(e.refusals) == 1 {
		fmt.Fprintf(&b, "address %s is refused: it is %s", shown[0].addr, shown[0].kind)
	} else {
		b.WriteString("addresses ")
		for i, r := range shown {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%s (%s)", r.addr, r.kind)
		}
		if more := len(e.refusals) - len(shown); more > 0 {
			fmt.Fprintf(&b, " and %d more", more)
		}
		b.WriteString(" are refused")
	}
	pronoun := "it"
	if len(e.refusals) > 1 {
		pronoun = "them"
	}
	fmt.Fprintf(&b, "; start the server with %s to permit %s", strings.Join(flags, " "), pronoun)
	return b.String()
}
