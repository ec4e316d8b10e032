package manifest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// Signers that many goroutines share make the signatures that one made for the
// purpose makes, whatever they signed before.
func TestSharedSigners(t *testing.T) {
	mac := func(algorithm, key, text string) []byte {
		h := hmac.New(sha256.New, []byte(key))
		if algorithm == AlgorithmSHA512 {
			h = hmac.New(sha512.New, []byte(key))
		}
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	long := strings.Repeat("k", 200) // longer than a block: hashed first (RFC 2104)
	whsec := "whsec_" + base64.StdEncoding.EncodeToString([]byte("a key"))
	shared := []Signature{
		{Header: "X-A", Secrets: []string{"new", "old"}},
		{Header: "X-B", Prefix: "sha512=", Algorithm: AlgorithmSHA512, Encoding: EncodingBase64, Secrets: []string{"", long}},
		{Header: "X-C", Algorithm: AlgorithmSHA512, Secrets: []string{"s"}},
		{Standard: true, Secrets: []string{whsec, "plain"}},
	}
	for n := range shared {
		shared[n].signers = shared[n].newSigners()
	}
	var signing sync.WaitGroup
	for g := range 8 {
		signing.Go(func() {
			for n := range 300 {
				body := strings.Repeat(fmt.Sprint(g, n), n)
				id, at := fmt.Sprintf("id%d", g), time.Unix(int64(n), 0)
				r := &Request{Method: "POST", URL: "https://example.com", Body: []byte(body), Signatures: shared}
				if err := r.Check(); err != nil {
					t.Error(err)
				}
				signed := fmt.Sprintf("%s.%d.%s", id, n, body)
				want := []Header{
					{"X-A", hex.EncodeToString(mac("", "new", body))},
					{"X-A", hex.EncodeToString(mac("", "old", body))},
					{"X-B", "sha512=" + base64.StdEncoding.EncodeToString(mac(AlgorithmSHA512, long, body))},
					{"X-C", hex.EncodeToString(mac(AlgorithmSHA512, "s", body))},
					{HeaderWebhookID, id}, {HeaderWebhookTimestamp, fmt.Sprint(n)},
					{HeaderWebhookSignature, "v1," + base64.StdEncoding.EncodeToString(mac("", "a key", signed)) +
						" v1," + base64.StdEncoding.EncodeToString(mac("", "plain", signed))},
				}
				if got := r.Sign(id, at); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("got  %v\nwant %v", got, want)
				}
				if !bytes.Equal(r.Body, []byte(body)) {
					t.Error("the body has changed")
				}
			}
		})
	}
	signing.Wait()
}
