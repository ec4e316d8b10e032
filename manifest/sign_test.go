package manifest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	reference "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// signingHook signs in both ways.
const signingHook = `{"endpoint": {"url": "https://acme.example/in", "method": "POST",
  "hmacSignature": {"headerName": "X-Sum", "hmacSecretFormVariableKey": "secret", "prefix": "sha256="},
  "standardWebhooks": {"secretFormVariableKey": "standard"}}, "templates": {"default": "body.txt"}}`

const signingVariables = `"formVariables": [
  {"key": "secret", "name": "S", "type": "string", "description": "Secret.", "isSecret": true, "isOptional": true, "defaultValue": ""},
  {"key": "standard", "name": "S", "type": "string", "description": "Secret.", "isSecret": true, "isOptional": true, "defaultValue": ""}]`

func signing(t testing.TB) *manifest.Integration {
	return mustLoad(t, files("manifest.json", hookWith(signingHook, signingVariables), "body.txt", "what do ya want for nothing?"))
}

// rendered is the request for a config, and for the one before, if any.
func rendered(t testing.TB, i *manifest.Integration, config, previous string) *manifest.Request {
	t.Helper()
	in := manifest.RenderInput{Config: parse(t, config)}
	if previous != "" {
		in.PreviousConfig = parse(t, previous)
	}
	out, err := i.Render(event(t, sampleContext), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Request
}

func TestHMACSignature(t *testing.T) {
	// RFC 4231, test case 2.
	const (
		sum256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
		sum512 = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
	)
	for _, c := range []struct{ name, keys, want string }{
		{"as LaunchDarkly", ``, sum256},
		{"as GitHub", `, "prefix": "sha256="`, "sha256=" + sum256},
		{"said outright", `, "encoding": "hex", "algorithm": "sha256"`, sum256},
		{"base64", `, "encoding": "base64"`, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="},
		{"sha512", `, "algorithm": "sha512"`, sum512},
		{"all", `, "algorithm": "sha512", "encoding": "base64", "prefix": "v0:"`,
			"v0:Fkt6e/z4GeLjlfvnO1bgo4e9ZCIugx/WECcM1+olBVSXWL91wFqZSm0DT2X48Ob9yuqxo01Ka0tjbgcKOLznNw=="},
	} {
		t.Run(c.name, func(t *testing.T) {
			hook := strings.Replace(signingHook, `, "prefix": "sha256="`, c.keys, 1)
			i := mustLoad(t, files("manifest.json", hookWith(hook, signingVariables), "body.txt", "what do ya want for nothing?"))
			got := rendered(t, i, `{"secret": "Jefe"}`, "").Sign("id", time.Unix(1, 0))
			if diff := cmp.Diff([]manifest.Header{{Name: "X-Sum", Value: c.want}}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// While a secret is changed, both the new and the old one sign.
func TestRotation(t *testing.T) {
	i := signing(t)
	for _, c := range []struct {
		name, config, previous string
		want                   [][]string // secrets by signature; the standard one is the last
	}{
		{"nothing to sign with", `{}`, "", nil},
		{"empty", `{"secret": "", "standard": ""}`, `{}`, nil},
		{"both signatures", `{"secret": "a", "standard": "b"}`, "", [][]string{{"a"}, {"b"}}},
		{"the same before", `{"secret": "a", "standard": "b"}`, `{"secret": "a", "standard": "b"}`, [][]string{{"a"}, {"b"}}},
		{"none before", `{"secret": "a"}`, `{"standard": ""}`, [][]string{{"a"}}},
		{"another before", `{"secret": "a", "standard": "b"}`, `{"secret": "old", "standard": "older"}`, [][]string{{"a", "old"}, {"b", "older"}}},
		{"one of them changed", `{"secret": "a", "standard": "b"}`, `{"secret": "a", "standard": "older"}`, [][]string{{"a"}, {"b", "older"}}},
		{"taken away", `{"secret": ""}`, `{"secret": "old"}`, [][]string{{"old"}}},
		{"null before", `{"secret": "a"}`, `{"secret": null}`, [][]string{{"a"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rendered(t, i, c.config, c.previous)
			var got [][]string
			for _, s := range r.Signatures {
				got = append(got, s.Secrets)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if r.URL != "https://acme.example/in" || string(r.Body) != "what do ya want for nothing?" {
				t.Error("the previous config changed the request")
			}
		})
	}
	got := rendered(t, i, `{"secret": "new"}`, `{"secret": "Jefe"}`).Sign("id", time.Unix(1, 0))
	if len(got) != 2 || got[0].Name != "X-Sum" || got[1] != (manifest.Header{Name: "X-Sum", Value: "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"}) {
		t.Errorf("one header a secret, the new one first: %v", got)
	}
}

// verifies asks the reference library whether it takes the headers.
func verifies(secret string, body []byte, headers []manifest.Header) error {
	h := http.Header{}
	for _, x := range headers {
		h.Add(x.Name, x.Value)
	}
	receiver, err := reference.NewWebhookRaw([]byte(secret))
	if strings.HasPrefix(secret, "whsec_") {
		receiver, err = reference.NewWebhook(secret)
	}
	if err != nil {
		return err
	}
	return receiver.Verify(body, h)
}

// What the receivers of Standard Webhooks use to verify takes our signatures,
// with the new secret and with the old one, and no others.
func TestStandardWebhooks(t *testing.T) {
	i := signing(t)
	const id = "0123456789abcdef0123456789abcdef"
	secret := rapid.Custom(func(t *rapid.T) string {
		raw := rapid.SliceOfN(rapid.Byte(), 1, 64).Draw(t, "key")
		if rapid.Bool().Draw(t, "prefixed") {
			return "whsec_" + base64.StdEncoding.EncodeToString(raw)
		}
		return rapid.StringMatching(`[ -~é]{1,40}`).Draw(t, "text")
	})
	config := func(secret string) string {
		return string(render.Object(render.Member{Key: "standard", Value: render.String(secret)}).AppendJSON(nil))
	}
	rapid.Check(t, func(rt *rapid.T) {
		now, old, other := secret.Draw(rt, "now"), secret.Draw(rt, "old"), "whsec_b3RoZXIgc2VjcmV0"
		for _, s := range []string{now, old} {
			if strings.HasPrefix(s, "whsec_") && i.CheckConfig(parse(t, config(s))) != nil {
				rt.Skip("a text that only looks like a key")
			}
		}
		r := rendered(t, i, config(now), config(old))
		at := time.Now()
		headers := r.Sign(id, at)
		if slices.ContainsFunc(headers, func(h manifest.Header) bool { return strings.ContainsAny(h.Value, "\r\n") }) {
			rt.Fatalf("line breaks: %q", headers)
		}
		for _, s := range []string{now, old} {
			if err := verifies(s, r.Body, headers); err != nil {
				rt.Errorf("%q: %v of %v", s, err, headers)
			}
		}
		if verifies(other, r.Body, headers) == nil || verifies(now, append([]byte("x"), r.Body...), headers) == nil ||
			verifies(now, r.Body, r.Sign(id, at.Add(-6*time.Minute))) == nil {
			rt.Error("the library takes what it should not")
		}
	})
}

// The headers are those of the specification, to the byte.
func TestStandardWebhooksHeaders(t *testing.T) {
	r := rendered(t, signing(t), `{"standard": "whsec_bmV3"}`, `{"standard": "old"}`)
	sum := func(key string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte("msg_1.1769860800.what do ya want for nothing?"))
		return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	want := []manifest.Header{{Name: "webhook-id", Value: "msg_1"}, {Name: "webhook-timestamp", Value: "1769860800"},
		{Name: "webhook-signature", Value: sum("new") + " " + sum("old")}}
	if diff := cmp.Diff(want, r.Sign("msg_1", time.Unix(1769860800, 999_999_999))); diff != "" {
		t.Error(diff)
	}
}

func TestStandardKey(t *testing.T) {
	for secret, want := range map[string]string{
		"whsec_aGVsbG8=": "hello", "aGVsbG8=": "aGVsbG8=", "": "", "WHSEC_aGVsbG8=": "WHSEC_aGVsbG8=", "pass phrase": "pass phrase",
	} {
		if got, err := manifest.StandardKey(secret); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v; want %q", secret, got, err, want)
		}
	}
	i := signing(t)
	for _, secret := range []string{"whsec_", "whsec_aGVsbG8", "whsec_not base64!", "whsec_aGVs-G8="} {
		if _, err := manifest.StandardKey(secret); err == nil {
			t.Errorf("%q is a key", secret)
		}
		config := parse(t, `{"standard": "`+secret+`"}`)
		const want = "config: standard: the secret begins with whsec_, and what follows is not base64; copy it again, whole"
		if err := i.CheckConfig(config); err == nil || err.Error() != want {
			t.Errorf("%q: %v", secret, err)
		}
		if err := rendered(t, i, `{"standard": "`+secret+`"}`, "").Check(); err == nil {
			t.Errorf("%q is sent", secret)
		}
		if err := i.CheckConfig(parse(t, `{"secret": "`+secret+`"}`)); err != nil {
			t.Errorf("hmacSignature takes any secret: %v", err)
		}
	}
}
