//go:build unix

package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/flaghook/flaghook/hooks/hookstest"
)

// sources runs `flaghook sources` against a server.
func (c *child) sources(wantCode int, args ...string) string {
	c.t.Helper()
	var out, errs bytes.Buffer
	code := run(c.t.Context(), append([]string{"sources"}, append(args, "--server", c.api, "--token", c.token)...), strings.NewReader(""), &out, &errs)
	if code != wantCode {
		c.t.Fatalf("flaghook sources %v: exit code %d, want %d: %s%s", args, code, wantCode, &out, &errs)
	}
	return out.String() + errs.String()
}

// fromFlipt posts a body as Flipt does.
func (c *child) fromFlipt(url, body string) (int, map[string]any) {
	c.t.Helper()
	mac := hmac.New(sha256.New, []byte(testSecret))
	mac.Write([]byte(body))
	req, err := http.NewRequestWithContext(c.t.Context(), "POST", url, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("X-Flipt-Webhook-Signature", hex.EncodeToString(mac.Sum(nil)))
	res, err := httpClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		c.t.Fatal(err)
	}
	return res.StatusCode, answer
}

// A flag system is pointed at the server by one command, and a tool hears of its
// changes: also when the server is killed the moment it has answered.
func TestSources(t *testing.T) {
	receiver := hookstest.NewReceiver(t)
	data := dataDir(t)
	secretFile := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte(testSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := startServer(t, data, loopback...)
	c.subscribe(receiver.URL() + "/" + pathSecret)
	var made struct {
		ID   string `json:"_id"`
		URL  string `json:"url"`
		Path string `json:"path"`
	}
	text := c.sources(0, "add", "flipt", "--name", "Flipt of the shop", "--secret-file", secretFile, "--format", "json")
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.URL != c.api+made.Path {
		t.Fatalf("%v: %s", err, text)
	}
	body := `{"version":"0.2","type":"flag","action":"updated","metadata":{"actor":{"authentication":"none"}},"payload":{"key":"f","name":"F","enabled":true,"namespace_key":"web"},"timestamp":"2026-03-02T09:20:41Z","status":"success"}`
	status, first := c.fromFlipt(made.URL, body)
	c.signal(syscall.SIGKILL)
	c.exit()
	if status != http.StatusOK || first["status"] != "accepted" {
		t.Fatalf("%d %v", status, first)
	}

	c = startServer(t, data, loopback...)
	url := c.api + made.Path
	if status, again := c.fromFlipt(url, body); status != http.StatusOK || again["status"] != "duplicate" || again["events"].([]any)[0] != first["events"].([]any)[0] {
		t.Errorf("after a kill: %d %v, first %v", status, again, first)
	}
	if got := wait(t, receiver, 1)[0]; !strings.Contains(string(got.Body), `turned on the flag F in `) {
		t.Errorf("arrived: %s", got.Body)
	}
	if status, _ := c.call("POST", made.Path, body); status != http.StatusUnauthorized {
		t.Errorf("without a signature: %d", status)
	}
	for _, want := range []string{"Flipt of the shop", "flipt"} {
		if list := c.sources(0, "list"); !strings.Contains(list, want) {
			t.Errorf("list without %q:\n%s", want, list)
		}
	}
	shown := c.sources(0, "show", made.ID)
	for _, want := range []string{url, "signing_secret", "401", "X-Flipt-Webhook-Signature"} {
		if !strings.Contains(shown, want) {
			t.Errorf("show without %q:\n%s", want, shown)
		}
	}
	c.sources(0, "set", made.ID, "--secret", "another-secret", "--keep")
	if status, _ := c.fromFlipt(url, body); status != http.StatusOK {
		t.Errorf("with the kept secret: %d", status)
	}
	c.sources(0, "set", made.ID, "--secret", "another-secret")
	if status, _ := c.fromFlipt(url, body); status != http.StatusUnauthorized {
		t.Errorf("with the old secret: %d", status)
	}
	c.sources(0, "set", made.ID, "--off")
	if status, _ := c.fromFlipt(url, body); status != http.StatusForbidden {
		t.Errorf("switched off: %d", status)
	}
	c.sources(2, "set", made.ID)
	c.sources(2, "add", "toggles")
	c.sources(0, "remove", made.ID)
	c.sources(1, "show", made.ID)
	if text := c.sources(0, "add", "growthbook"); !strings.Contains(text, "no secret yet") || !strings.Contains(text, "/in/growthbook/") {
		t.Errorf("add: %s", text)
	}
	c.stop()
}
