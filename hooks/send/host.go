package send

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// locate returns where the connections to a URL lead, and what its requests say
// in Host: the URL's host as it is written, with its port if it names one.
func locate(u *url.URL) (endpoint, string, error) {
	secure := u.Scheme == "https"
	name, host := u.Hostname(), u.Host
	if !ascii(host) {
		var err error
		if name, host, err = asciiHost(u.Host); err != nil {
			return endpoint{}, "", err
		}
	}
	port := u.Port()
	if port == "" {
		port = defaultPorts[u.Scheme]
	}
	return endpoint{secure, net.JoinHostPort(name, port)}, withoutZone(host), nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// withoutZone takes the zone out of an IPv6 address in brackets: it means
// something on this machine alone (RFC 6874, section 1).
func withoutZone(host string) string {
	end := strings.LastIndexByte(host, ']')
	if end < 0 {
		return host
	}
	zone := strings.LastIndexByte(host[:end], '%')
	if zone < 0 {
		return host
	}
	return host[:zone] + host[end:]
}

var errNotDialed = errors.New("not dialed")

// asciiHost returns a host that is not ASCII as it is looked up and as it stands
// in Host (RFC 5891). The standard library keeps its tables for that to itself, but
// net/http tells a dialer the former and writes the latter.
func asciiHost(host string) (name, header string, err error) {
	unusable := errors.New("the URL's host is not one a name can have")
	u := &url.URL{Scheme: "http", Host: host}
	addr := ""
	transport := &http.Transport{DialContext: func(_ context.Context, _, a string) (net.Conn, error) {
		addr = a
		return nil, errNotDialed
	}}
	res, err := transport.RoundTrip(&http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}})
	if err == nil {
		res.Body.Close() // which never is: the dialer made no connection
	}
	if name, _, err = net.SplitHostPort(addr); err != nil {
		return "", "", unusable
	}
	var head bytes.Buffer
	if err := (&http.Request{Method: http.MethodGet, URL: u}).Write(&head); err != nil {
		return "", "", unusable
	}
	_, rest, _ := strings.Cut(head.String(), "\r\nHost: ")
	header, _, _ = strings.Cut(rest, "\r\n")
	return name, header, nil
}
