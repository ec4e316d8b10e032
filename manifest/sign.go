package manifest

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks. The first carries the delivery's id and is
// sent with every request, signed or not.
const (
	HeaderWebhookID        = "webhook-id"
	HeaderWebhookTimestamp = "webhook-timestamp"
	HeaderWebhookSignature = "webhook-signature"
)

// A Signature is one way in which a request is signed. It has a secret, or two
// while one is being changed, so that receivers may change theirs when they
// like.
type Signature struct {
	// Standard makes the signature of Standard Webhooks; the other members but
	// Secrets then mean nothing.
	Standard  bool
	Header    string   // the header that carries the signature
	Prefix    string   // text in front of it
	Encoding  string   // EncodingHex, also if empty, or EncodingBase64
	Algorithm string   // AlgorithmSHA256, also if empty, or AlgorithmSHA512
	Secrets   []string // the new one first; an empty one signs nothing
}

// Sign returns the headers that prove who sent the request, in the order in
// which they are to be sent; some come more than once. They replace headers of
// the same name. They are made for one attempt: id is the delivery's, at is the
// attempt's time. What is signed are the exact bytes of Body.
//
// A Signature that is not Standard gives one header a secret. Standard ones give
// webhook-id, webhook-timestamp (Unix seconds) and webhook-signature, which lists
// "v1," and base64 of HMAC-SHA256 over "id.timestamp.body" for each secret, with
// a space between (Standard Webhooks 1.0.0, "Signature scheme").
func (r *Request) Sign(id string, at time.Time) []Header {
	var headers []Header
	for _, s := range r.Signatures {
		if s.Standard {
			headers = append(headers, s.standard(id, at, r.Body)...)
			continue
		}
		for _, secret := range s.Secrets {
			if secret != "" {
				headers = append(headers, Header{s.Header, s.hmac(secret, r.Body)})
			}
		}
	}
	return headers
}

// hmac is the value of the header that the manifest calls hmacSignature.
func (s *Signature) hmac(secret string, body []byte) string {
	function := sha256.New
	if s.Algorithm == AlgorithmSHA512 {
		function = sha512.New
	}
	sum := mac(function, []byte(secret), body)
	var space [2*sha512.Size + 32]byte // enough for a prefix that the schema lets through
	text := append(space[:0], s.Prefix...)
	if s.Encoding == EncodingBase64 {
		return string(base64.StdEncoding.AppendEncode(text, sum))
	}
	return string(hex.AppendEncode(text, sum))
}

func (s *Signature) standard(id string, at time.Time, body []byte) []Header {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	var list []byte
	for _, secret := range s.Secrets {
		key, err := StandardKey(secret)
		if err != nil || len(key) == 0 {
			continue // Check reports it
		}
		if list != nil {
			list = append(list, ' ')
		}
		sum := mac(sha256.New, key, []byte(id), dot, []byte(timestamp), dot, body)
		list = base64.StdEncoding.AppendEncode(append(list, "v1,"...), sum)
	}
	if list == nil {
		return nil
	}
	return []Header{{HeaderWebhookID, id}, {HeaderWebhookTimestamp, timestamp}, {HeaderWebhookSignature, string(list)}}
}

var dot = []byte(".")

func mac(function func() hash.Hash, key []byte, parts ...[]byte) []byte {
	h := hmac.New(function, key)
	for _, p := range parts {
		h.Write(p) // never fails
	}
	return h.Sum(nil)
}

const standardPrefix = "whsec_"

var errStandardSecret = errors.New("the secret begins with whsec_, and what follows is not base64; copy it again, whole")

// StandardKey returns the key that a secret of Standard Webhooks stands for.
// After whsec_ it is base64, as the reference libraries read it (NewWebhook in
// Go, Webhook in JavaScript and Python); an error says that it is not, without
// showing it. Any other secret is the key itself, byte for byte, for which these
// libraries have doors of their own (NewWebhookRaw, format "raw", bytes). They
// read a string without the prefix as base64 too. We do not: whether a
// passphrase is taken literally must not depend on its letters. A key in base64
// that lacks the prefix gets it.
func StandardKey(secret string) ([]byte, error) {
	text, prefixed := strings.CutPrefix(secret, standardPrefix)
	if !prefixed {
		return []byte(secret), nil
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) == 0 {
		return nil, errStandardSecret
	}
	return key, nil
}

// check reports what keeps a signature from being made.
func (s *Signature) check() error {
	if !s.Standard {
		if !validHeaderName(s.Header) {
			return fmt.Errorf("the signature's header has a name that HTTP cannot carry: %q", s.Header)
		}
		return checkHeader(Header{s.Header, s.Prefix})
	}
	for _, secret := range s.Secrets {
		if _, err := StandardKey(secret); err != nil {
			return fmt.Errorf("it cannot be signed: %w", err)
		}
	}
	return nil
}
