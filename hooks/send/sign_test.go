package send_test

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	reference "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/manifest"
)

// A receiver that verifies with the reference library takes each attempt, with
// the new secret and with the old one; and so does one that compares the HMAC.
func TestSignaturesOnTheWire(t *testing.T) {
	const now, old = "whsec_bmV3IHNlY3JldA==", "the old one"
	var arrived []http.Header
	server := serve(t, plain, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		for _, open := range []func() (*reference.Webhook, error){
			func() (*reference.Webhook, error) { return reference.NewWebhook(now) },
			func() (*reference.Webhook, error) { return reference.NewWebhookRaw([]byte(old)) },
		} {
			receiver, err := open()
			if err != nil {
				t.Error(err)
			} else if err := receiver.Verify(body, r.Header); err != nil {
				t.Errorf("%v: %v", err, r.Header)
			}
		}
		if want := []string{"sha256=" + send.Sign("new", body), "sha256=" + send.Sign("old", body)}; !slices.Equal(r.Header["X-Hub-Signature-256"], want) {
			t.Errorf("got %q, want %q", r.Header["X-Hub-Signature-256"], want)
		}
		arrived = append(arrived, r.Header)
	})
	o := post(server.URL)
	o.Request.Body = []byte("{\"text\": \"caf\u00e9\n\"}\n")
	o.Request.Headers = append(o.Request.Headers, // which ours replace
		manifest.Header{Name: "X-Hub-Signature-256", Value: "forged"}, manifest.Header{Name: "webhook-signature", Value: "v1,forged"},
		manifest.Header{Name: "Webhook-Timestamp", Value: "1"})
	o.Request.Signatures = []manifest.Signature{
		{Header: "x-hub-signature-256", Prefix: "sha256=", Secrets: []string{"new", "", "old"}},
		{Standard: true, Secrets: []string{now, old}},
	}
	before := time.Now().Unix()
	s := newSender(t)
	for range 2 {
		wantSuccess(t, s.Send(background(), o))
	}
	for _, h := range arrived {
		if stamp, err := strconv.ParseInt(h.Get("Webhook-Timestamp"), 10, 64); err != nil || stamp < before || stamp > time.Now().Unix() {
			t.Errorf("timestamp %q", h["Webhook-Timestamp"])
		}
		for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
			if len(h[name]) != 1 || strings.Contains(h.Get(name), "forged") {
				t.Errorf("%s: %q", name, h[name])
			}
		}
		if h.Get("Webhook-Id") != o.DeliveryID || strings.Count(h.Get("Webhook-Signature"), "v1,") != 2 {
			t.Errorf("%v", h)
		}
	}
	if len(arrived) != 2 {
		t.Errorf("%d requests", len(arrived))
	}
}

func TestSignaturesThatCannotBeMade(t *testing.T) {
	server := serve(t, plain, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	for want, change := range map[string]func(*hooks.Outgoing){
		"a request without a delivery's id cannot be signed as Standard Webhooks say": func(o *hooks.Outgoing) { o.DeliveryID = "" },
		"it cannot be signed: the secret begins with whsec_, and what follows is not base64; copy it again, whole": func(o *hooks.Outgoing) {
			o.Request.Signatures[0].Secrets = []string{"whsec_tok-secret"}
		},
		"the header X-Sum has a line break or another control character in its value": func(o *hooks.Outgoing) {
			o.Request.Signatures = []manifest.Signature{{Header: "X-Sum", Prefix: "a\r\nX-B: ", Secrets: []string{"s"}}}
		},
	} {
		o := post(server.URL)
		o.Request.Signatures = []manifest.Signature{{Standard: true, Secrets: []string{"secret"}}}
		change(&o)
		wantFailure(t, newSender(t).Send(background(), o), hooks.ErrorRender, "the request must not be sent as it is: "+want)
	}
}
