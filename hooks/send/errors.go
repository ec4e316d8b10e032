package send

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"syscall"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// What net/http and the TLS stack say is never passed on: it may quote the
// URL, or the peer, who may quote our request. The texts below are our own,
// with the origin as the only thing taken from the request.

// A failure is an exchange that gave no answer.
type failure struct {
	err     error
	origin  string
	timeout time.Duration // of the exchange
	stopped bool          // the caller's context ended
	expired bool          // the timeout passed
}

func (f failure) response() hooks.Response {
	class, text := f.classify()
	return hooks.Response{ErrorClass: class, Error: text}
}

func (f failure) classify() (hooks.ErrorClass, string) {
	var (
		refused   *refusedError
		dns       *net.DNSError
		handshake *handshakeError
		proxy     *proxyError
	)
	err, origin := f.err, f.origin
	switch {
	case f.stopped:
		return hooks.ErrorTimeout, "stopped before " + origin + " answered"
	case errors.As(err, &refused) && !refused.tried:
		return hooks.ErrorBlocked, fmt.Sprintf("cannot send to %s: %s", origin, refused)
	case errors.As(err, &refused):
		return hooks.ErrorConnect, fmt.Sprintf("cannot connect to %s: of its addresses, some could not be reached, and %s", origin, refused)
	case f.expired:
		return hooks.ErrorTimeout, fmt.Sprintf("%s gave no answer within %s", origin, f.timeout)
	case errors.As(err, &proxy) && proxy.timeout:
		return hooks.ErrorTimeout, fmt.Sprintf("cannot connect to %s within %s: %s", origin, dialTimeout, proxy)
	case errors.As(err, &proxy):
		return hooks.ErrorConnect, fmt.Sprintf("cannot connect to %s: %s", origin, proxy)
	case errors.As(err, &dns):
		return hooks.ErrorDNS, fmt.Sprintf("cannot resolve the host of %s: %s", origin, dnsReason(dns))
	case errors.As(err, &handshake) && isTimeout(err):
		return hooks.ErrorTimeout, fmt.Sprintf("the TLS handshake with %s was not done in time", origin)
	case errors.As(err, &handshake):
		return hooks.ErrorTLS, fmt.Sprintf("no secure connection to %s: %s", origin, tlsReason(handshake.err))
	case isTimeout(err):
		return hooks.ErrorTimeout, fmt.Sprintf("cannot connect to %s: not connected within %s", origin, dialTimeout)
	case isDial(err):
		return hooks.ErrorConnect, fmt.Sprintf("cannot connect to %s: %s", origin, brokenReason(err))
	}
	return hooks.ErrorConnect, fmt.Sprintf("no answer from %s: %s", origin, brokenReason(err))
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func dnsReason(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return "no such host; check the name in the configuration"
	case err.IsTimeout:
		return "the name server did not answer in time"
	}
	return "the name server gave no usable answer"
}

func tlsReason(err error) string {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     *net.OpError
	)
	switch {
	case errors.As(err, &authority):
		return "its certificate is signed by an unknown authority"
	case errors.As(err, &host):
		return "its certificate is for another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet"
	case errors.As(err, &invalid):
		return "its certificate is not valid"
	case errors.As(err, &record):
		return "it does not speak TLS on this port; an http:// URL may be meant"
	case errors.As(err, &alert) && alert.Op == "remote error": // a number that crypto/tls has words for
		return "it refused the handshake: " + strings.TrimPrefix(alert.Err.Error(), "tls: ")
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "it closed the connection during the TLS handshake"
	}
	return "the TLS handshake failed"
}

// brokenReason finds words for a connection that was not made or that broke.
// net/http has no types for most of these; its texts serve to choose ours
// only, and an unknown one gets the last.
func brokenReason(err error) string {
	var (
		errno syscall.Errno
		proto textproto.ProtocolError
	)
	text := err.Error()
	switch {
	case errors.As(err, &errno):
		return errno.Error()
	case strings.Contains(text, "response headers exceeded"), strings.Contains(text, "header list larger"):
		return fmt.Sprintf("the header of its answer is longer than %d KiB", maxHeader>>10)
	case strings.Contains(text, "malformed"), errors.As(err, &proto):
		return "its answer is not valid HTTP"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(text, "server closed"):
		return "it closed the connection"
	}
	return "the connection broke"
}

// statusText explains an answer that is not 2xx. The reason phrase is the
// standard's, not the peer's.
func statusText(origin string, code int) string {
	text := fmt.Sprintf("%s answered %d", origin, code)
	if reason := http.StatusText(code); reason != "" {
		text += " " + reason
	}
	switch {
	case code >= 300 && code < 400:
		text += "; redirects are not followed, so configure the address that it leads to"
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		text += "; check the credentials in the configuration"
	case code == http.StatusNotFound, code == http.StatusGone:
		text += "; check the address in the configuration"
	}
	return text
}
