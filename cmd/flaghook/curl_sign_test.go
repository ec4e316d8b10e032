package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/flaghook/flaghook/hooks/hookstest"
	"github.com/flaghook/flaghook/manifest"
)

// signedManifest is an integration that signs in every way, and sends the id of
// the delivery.
const signedManifest = `{
  "name": "Signed", "version": "1.0.0",
  "overview": "Sends signed changes.",
  "description": "Sends every change of a flag with signatures that somebody verifies.",
  "author": "flaghook", "supportEmail": "support@flaghook.example",
  "links": {"site": "https://acme.example", "privacyPolicy": "https://acme.example/privacy"},
  "categories": ["notifications"],
  "icons": {"square": "icon.svg", "horizontal": "icon.svg"},
  "formVariables": [
    {"key": "url", "name": "U", "type": "uri", "description": "Where to."},
    {"key": "text", "name": "T", "type": "string", "description": "A part of the body."},
    {"key": "secret", "name": "S", "type": "string", "description": "Signs.", "isSecret": true},
    {"key": "standard", "name": "S", "type": "string", "description": "Signs too.", "isSecret": true}
  ],
  "capabilities": {"auditLogEventsHook": {
    "endpoint": {"url": "{{url}}?id={{queryEncode delivery.id}}", "method": "POST",
      "headers": [{"name": "X-Attempt", "value": "{{delivery.attempt}} of {{delivery.id}}"}],
      "hmacSignature": {"headerName": "X-Sum", "hmacSecretFormVariableKey": "secret", "prefix": "sha512=", "encoding": "base64", "algorithm": "sha512"},
      "standardWebhooks": {"secretFormVariableKey": "standard"}},
    "templates": {"default": "body.txt"}
  }}
}`

// signedFolder writes it with a body, and returns where.
func signedFolder(t *testing.T, body string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "signed")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"manifest.json": signedManifest, "body.txt": body,
		"icon.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// checkSigned verifies a request as a receiver does.
func checkSigned(t *testing.T, h http.Header, body []byte, secret, standard string) {
	t.Helper()
	receiver, err := standardwebhooks.NewWebhookRaw([]byte(standard))
	if strings.HasPrefix(standard, "whsec_") {
		receiver, err = standardwebhooks.NewWebhook(standard)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Verify(body, h); err != nil {
		t.Errorf("Standard Webhooks: %v: %v", err, h)
	}
	by := manifest.Signature{Header: "X-Sum", Prefix: "sha512=", Encoding: manifest.EncodingBase64, Algorithm: manifest.AlgorithmSHA512, Secrets: []string{secret}}
	request := manifest.Request{Body: body, Signatures: []manifest.Signature{by}}
	if want := request.Sign("", time.Time{})[0].Value; h.Get("X-Sum") != want {
		t.Errorf("X-Sum is %q, want %q", h.Get("X-Sum"), want)
	}
}

// What curl prints signs as receivers want it, whoever knows the secrets.
func TestCurlSigns(t *testing.T) {
	for _, program := range []string{"sh", "curl", "openssl", "sed", "od", "tr", "date"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: the commands were not run", program)
		}
	}
	for name, body := range map[string]string{"plain": "{{{key}}}\n", "with a variable": "{{{formVariables.text}}}", "streamed": "\x01{{{key}}}"} {
		for _, standard := range []string{"whsec_AAECAwQFBgcICQoLDA0ODw==", awkward, "a"} {
			for _, set := range []bool{true, false} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					dir := signedFolder(t, body)
					receiver := hookstest.NewReceiver(t)
					defer receiver.Close()
					args, env := []string{"curl", dir, "--set", "url=" + receiver.URL() + "/in"}, os.Environ()
					if set {
						args = append(args, "--set", "secret="+awkward, "--set", "standard="+standard)
					} else {
						env = append(env, "SECRET="+awkward, "STANDARD="+standard)
					}
					cmd := exec.CommandContext(t.Context(), "sh", "-c", flaghook(t, args...))
					cmd.Env = slices.Concat(env, []string{"TEXT=it's text", "CURL_HOME=" + t.TempDir(), "HOME=" + t.TempDir()})
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Fatalf("%v\n%s", err, out)
					}
					all := receiver.Requests()
					if len(all) != 1 {
						t.Fatalf("%d requests arrived", len(all))
					}
					got := all[0]
					checkSigned(t, got.Header, got.Body, awkward, standard)
					id := got.Header.Get("Webhook-Id")
					if len(id) != 32 || got.Path != "/in?id="+id || got.Header.Get("X-Attempt") != "1 of "+id {
						t.Errorf("id %q, path %s, attempt %q", id, got.Path, got.Header.Get("X-Attempt"))
					}
				})
			}
		}
	}
}

// Without secrets the command signs nothing, as production does.
func TestCurlWithoutSecrets(t *testing.T) {
	script := flaghook(t, "curl", signedFolder(t, "x"), "--set", "url=https://acme.example", "--set", "secret=", "--set", "standard=", "--set", "delivery.id=d1")
	want := `curl --globoff --request POST 'https://acme.example?id=d1' \
  --header 'X-Attempt: 1 of d1' \
  --header 'Content-Type: text/plain; charset=utf-8' \
  --data-raw 'x'
`
	if script != want {
		t.Errorf("got %s", script)
	}
}

// A preview signs as for an attempt at its time, with a made-up id.
func TestPreviewSigns(t *testing.T) {
	var shown struct{ Request previewRequest }
	out := flaghook(t, "preview", signedFolder(t, "{{{key}}}"), "--format", "json", "--set", "url=https://acme.example", "--set", "secret=s", "--set", "standard=whsec_bmV3")
	if err := json.Unmarshal([]byte(out), &shown); err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	for _, x := range shown.Request.Headers {
		h.Add(x.Name, x.Value)
	}
	checkSigned(t, h, []byte(shown.Request.Body), "s", "whsec_bmV3")
	if h.Get("Webhook-Id") != "$DELIVERY_ID" || h.Get("X-Attempt") != "1 of $DELIVERY_ID" {
		t.Errorf("%v", h)
	}
	at := flaghook(t, "preview", signedFolder(t, "x"), "--set", "standard=s", "--at", "2026-01-31T12:00:00Z")
	if !strings.Contains(at, "\nwebhook-timestamp: 1769860800\n") {
		t.Errorf("the time is not that of --at:\n%s", at)
	}
}
