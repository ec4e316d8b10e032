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
	"sync"
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

	signers []*signer // of Secrets; nil: they are made each time
}

// A signer makes HMACs with one secret, whose share in them is computed once.
type signer struct{ macs sync.Pool }

func newSigner(function func() hash.Hash, key []byte) *signer {
	return &signer{sync.Pool{New: func() any { return hmac.New(function, key) }}}
}

// append appends the HMAC of some texts, one after the other.
func (s *signer) append(dst []byte, texts ...[]byte) []byte {
	mac := s.macs.Get().(hash.Hash)
	defer s.macs.Put(mac)
	mac.Reset()
	for _, text := range texts {
		mac.Write(text) // never fails
	}
	return mac.Sum(dst)
}

// newSigners makes the signers of Secrets, nil for one that signs nothing.
func (s *Signature) newSigners() []*signer {
	signers := make([]*signer, len(s.Secrets))
	for i, secret := range s.Secrets {
		key, function := []byte(secret), sha256.New
		switch {
		case s.Standard:
			key, _ = StandardKey(secret) // Check reports what is none
		case s.Algorithm == AlgorithmSHA512:
			function = sha512.New
		}
		if len(key) > 0 {
			signers[i] = newSigner(function, key)
		}
	}
	return signers
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
	for n := range r.Signatures {
		s := &r.Signatures[n]
		signers := s.signers
		if signers == nil {
			signers = s.newSigners()
		}
		if s.Standard {
			headers = append(headers, standardHeaders(signers, id, at, r.Body)...)
			continue
		}
		for _, by := range signers {
			if by != nil {
				headers = append(headers, Header{s.Header, s.text(by, r.Body)})
			}
		}
	}
	return headers
}

// text is the value of the header that the manifest calls hmacSignature.
func (s *Signature) text(by *signer, body []byte) string {
	var sum [sha512.Size]byte
	var space [2*sha512.Size + 32]byte // enough for a prefix that the schema lets through
	text := append(space[:0], s.Prefix...)
	if s.Encoding == EncodingBase64 {
		return string(base64.StdEncoding.AppendEncode(text, by.append(sum[:0], body)))
	}
	return string(hex.AppendEncode(text, by.append(sum[:0], body)))
}

func standardHeaders(signers []*signer, id string, at time.Time, body []byte) []Header {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	head := []byte(id + "." + timestamp + ".")
	var list []byte
	for _, by := range signers {
		if by == nil {
			continue
		}
		if list != nil {
			list = append(list, ' ')
		}
		list = base64.StdEncoding.AppendEncode(append(list, "v1,"...), by.append(nil, head, body))
	}
	if list == nil {
		return nil
	}
	return []Header{{HeaderWebhookID, id}, {HeaderWebhookTimestamp, timestamp}, {HeaderWebhookSignature, string(list)}}
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
	for n, secret := range s.Secrets {
		if n < len(s.signers) && s.signers[n] != nil {
			continue // it could be made of the secret
		}
		if _, err := StandardKey(secret); err != nil {
			return fmt.Errorf("it cannot be signed: %w", err)
		}
	}
	return nil
}
