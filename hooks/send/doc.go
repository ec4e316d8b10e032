// Package send holds what happens between a rendered request and the network:
// the HTTP [Sender] with its signatures, its guard against forbidden addresses
// and its limits on what an endpoint may do to us.
//
// # What goes out
//
// The manifest's headers, webhook-id, User-Agent (the manifest's own if it has
// one) and the signatures, made anew for each attempt. Headers that belong to the connection are left out,
// because HTTP/1.1 and HTTP/2 frame messages themselves (RFC 9110, section
// 7.6.1): Connection, Content-Length, Expect, Host, HTTP2-Settings,
// Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding and Upgrade.
// Names are sent in their canonical form, which receivers must read without
// regard to case (RFC 9110, section 5.1). User and password in a URL become
// basic authentication unless the manifest has an Authorization header.
//
// # Where it may go
//
// Every address that a connection is made to is checked after the name was
// resolved, so a name that changes its answer gains nothing. Anything but the
// public Internet is refused until Options.EgressAllow opens it. All ports are
// allowed: collectors listen on many (Splunk's on 8088), and what a port could
// protect is behind the refused addresses already. Redirects are answers like
// any other. No proxy is taken from the environment; through the proxy of
// Options.Proxy the Sender asks for addresses that it has resolved and checked
// itself, for http as for https, so that a proxy inside opens nothing inside.
//
// # What counts
//
// The status counts as soon as the answer's header has arrived in time, even
// if its body breaks off or does not end before the timeout: an endpoint that
// said 2xx has the delivery, and sending it again would only double it.
//
// A kept connection that the endpoint closes under a request, before a byte of an
// answer, is replaced at once, and the request is sent again, once,
// within the same attempt. Receivers tell such doubles by the webhook-id, as with
// any delivery that is made at least once.
//
// # How it goes
//
// HTTP/1.1, with TLS and without, is this package's own: one exchange at a time
// on a connection, in the goroutine of the caller, parsed by [http.ReadResponse].
// HTTP/2, where the TLS handshake chose it, is net/http's.
//
// A connection is used again only if both sides agree on where it stands: the
// request was written whole, the answer was read to its end and nothing came
// behind it, neither side asked for the end (Connection: close, 101, HTTP/1.0
// without keep-alive), and nothing has come while it was idle. So an answer that
// nobody asked for, such as a 408 of a proxy that is about to close, is not taken
// for that to the next request, if it has come by the time that this goes out.
//
// # What is kept of an answer
//
// The start of its body, and of its header what is fit for a log. An endpoint
// may send a request back, or parts of it; the values of Outgoing.Secrets are
// hidden in what is kept, as they are and as they are written in URLs, JSON, HTML
// and base64. That is a help against accidents. An endpoint that wants to show
// its own secret will find a way.
//
// # What a program has to see to
//
// net/http writes to the standard logger (package log) when the peer of an HTTP/2
// connection breaks the rules, and with GODEBUG=http2debug whatever goes over such
// a connection, secrets too: a program that uses this package should discard what
// that logger gets (log.SetOutput) and log by another.
package send
