package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What can be wrong with a request, wrapped with the reason.
var (
	ErrUnauthorized = errors.New("not authentic")      // answer 401
	ErrMalformed    = errors.New("cannot be read")     // answer 400
	ErrMediaType    = errors.New("format is not read") // answer 415
)

func unauthorized(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnauthorized, fmt.Sprintf(format, args...))
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

func notRead(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMediaType, fmt.Sprintf(format, args...))
}

// A scheme is one way to prove where a request comes from: it gives what was
// presented, and what must be presented with a given secret.
type scheme struct {
	presented func(*Request) []string                        // none when the request does not use the scheme
	expected  func(r *Request, secret string) (string, bool) // false when the secret cannot be used so
	missing   string                                         // what a request without it lacks
	dated     bool                                           // webhook-timestamp is signed
}

// timely compares the time that was signed with that of the arrival.
func (s scheme) timely(r *Request, tolerance time.Duration) error {
	if !s.dated || tolerance == 0 {
		return nil
	}
	seconds, err := strconv.ParseInt(r.header("webhook-timestamp"), 10, 64)
	if err != nil {
		return unauthorized("the webhook-timestamp header is no number of seconds")
	}
	if off := r.At.Sub(time.Unix(seconds, 0)).Abs(); off > tolerance {
		return unauthorized("it was signed %v before or after it arrived; %v are allowed", off.Round(time.Second), tolerance)
	}
	return nil
}

// Verify says whether a request comes from who knows one of the secrets. The
// error wraps ErrUnauthorized and says what is wrong, never what would be right.
func Verify(settings Settings, r *Request) error {
	s := settings.defaults()
	if s.Unsigned {
		return nil
	}
	system, known := systems[s.Kind]
	if !known || len(s.Secrets) == 0 {
		return unauthorized("the source has no secret yet; give it the one that the system signs with, or say that it is unsigned")
	}
	schemes := system.schemes
	if s.Header != "" {
		schemes = []scheme{staticHeader(s.Header)}
	}
	missing := make([]string, 0, len(schemes))
	for _, scheme := range schemes {
		presented := scheme.presented(r)
		if len(presented) == 0 {
			missing = append(missing, scheme.missing)
			continue
		}
		if matches(scheme, r, s.Secrets, presented) {
			return scheme.timely(r, s.Tolerance)
		}
		return unauthorized("the %s does not match; is the secret the same on both sides?", scheme.missing)
	}
	return unauthorized("there is no %s", strings.Join(missing, " or "))
}

// matches compares all that was presented with what each secret gives, in
// constant time.
func matches(s scheme, r *Request, secrets, presented []string) bool {
	const maxPresented = 16
	found := false
	for _, secret := range secrets {
		want, usable := s.expected(r, secret)
		if !usable {
			continue
		}
		for _, got := range presented[:min(len(presented), maxPresented)] {
			if hmac.Equal([]byte(got), []byte(want)) {
				found = true
			}
		}
	}
	return found
}

// one gives a header's value as what was presented.
func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// staticHeader is a header that carries the secret itself.
func staticHeader(name string) scheme {
	return scheme{
		presented: func(r *Request) []string { return one(r.header(name)) },
		expected:  func(_ *Request, secret string) (string, bool) { return secret, true },
		missing:   name + " header",
	}
}

// hexHMAC is an HMAC-SHA256 of the body in lower-case hex behind a prefix, keyed
// with the bytes of the secret.
func hexHMAC(name, prefix string) scheme {
	return scheme{
		presented: func(r *Request) []string { return one(r.header(name)) },
		expected: func(r *Request, secret string) (string, bool) {
			return prefix + hex.EncodeToString(sum([]byte(secret), r.Body)), true
		},
		missing: name + " header",
	}
}

// standardWebhooks is a signature of id, time and body in base64 (Standard
// Webhooks 1.0), with the key that a secret holds.
func standardWebhooks(key func(secret string) ([]byte, bool)) scheme {
	return scheme{
		presented: func(r *Request) []string { return strings.Fields(r.header("webhook-signature")) },
		expected: func(r *Request, secret string) (string, bool) {
			k, usable := key(secret)
			if !usable {
				return "", false
			}
			signed := r.header("webhook-id") + "." + r.header("webhook-timestamp") + "."
			return "v1," + base64.StdEncoding.EncodeToString(sum(k, []byte(signed), r.Body)), true
		},
		missing: "webhook-signature header",
		dated:   true,
	}
}

// rawKey uses a secret as it is, which GrowthBook does.
func rawKey(secret string) ([]byte, bool) { return []byte(secret), true }

// decodedKey reads a secret of Standard Webhooks: base64 behind whsec_, else the
// bytes of the text, as flaghook signs what it sends itself.
func decodedKey(secret string) ([]byte, bool) {
	encoded, prefixed := strings.CutPrefix(secret, "whsec_")
	if !prefixed {
		return []byte(secret), true
	}
	k, err := base64.StdEncoding.DecodeString(encoded)
	return k, err == nil && len(k) > 0
}

// bearer is the secret as a token (RFC 6750), in the Authorization header or in
// the query: CloudEvents' HTTP 1.1 web hooks, section 3, asks for both.
var bearer = scheme{
	presented: func(r *Request) []string {
		name, token, _ := strings.Cut(r.header("Authorization"), " ")
		if strings.EqualFold(name, "Bearer") {
			return one(strings.TrimSpace(token))
		}
		return one(r.Query.Get("access_token"))
	},
	expected: func(_ *Request, secret string) (string, bool) { return secret, true },
	missing:  "bearer token",
}

func sum(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}
