//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks/hookstest"
)

// wait returns the first n requests of a receiver.
func wait(t *testing.T, r *hookstest.Receiver, n int) []hookstest.Recorded {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	all, err := r.Wait(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// signed reports whether a request carries the signature by testSecret.
func signed(header http.Header, body []byte) bool {
	h := hmac.New(sha256.New, []byte(testSecret))
	h.Write(body)
	return header.Get("X-LD-Signature") == hex.EncodeToString(h.Sum(nil))
}

// The main job: subscribe, send an event, the tool receives it, the log has it.
func TestServe(t *testing.T) {
	receiver := hookstest.NewReceiver(t)
	c := startServer(t, dataDir(t), loopback...)
	sub := c.subscribe(receiver.URL() + "/" + pathSecret)
	c.publish("e1")

	got := wait(t, receiver, 1)[0]
	if got.Method != "POST" || got.Path != "/"+pathSecret || !signed(got.Header, got.Body) {
		t.Errorf("arrived: %s %s %v", got.Method, got.Path, got.Header)
	}
	var body struct {
		ID    string `json:"_id"`
		Title string `json:"title"`
	}
	if err := json.Unmarshal(got.Body, &body); err != nil || body.ID != "e1" {
		t.Errorf("body: %v in %s", err, got.Body)
	}
	if v := got.Header.Get("User-Agent"); !strings.HasPrefix(v, "flaghook/") {
		t.Errorf("User-Agent %q, want flaghook/VERSION", v)
	}
	c.logged("msg=delivery", "state=delivered")
	all := c.deliveries(sub)
	if len(all) != 1 || all[0].EventID != "e1" || all[0].State != "delivered" || len(all[0].Attempts) != 1 || all[0].Attempts[0].StatusCode != 200 {
		t.Errorf("delivery log: %+v", all)
	} else if id := got.Header.Get("Webhook-Id"); id != all[0].ID {
		t.Errorf("webhook-id %q, want %q", id, all[0].ID)
	}

	// The same event once more is no second delivery.
	status, answer := c.call("POST", "/api/v1/events", testEvent("e1"))
	if status != http.StatusAccepted || !strings.Contains(string(answer), `"duplicate":true`) {
		t.Errorf("a repeated event: %d %s", status, answer)
	}
	c.stop()
	if n := len(receiver.Requests()); n != 1 {
		t.Errorf("%d requests arrived, want 1", n)
	}
}

func TestServeHealth(t *testing.T) {
	c := startServer(t, dataDir(t))
	c.token = ""
	for _, at := range []string{c.api, c.ops} {
		for _, path := range []string{"/healthz", "/readyz"} {
			status, answer, err := c.request("GET", at+path, nil)
			if err != nil || status != http.StatusOK || strings.TrimSpace(string(answer)) != `{"status":"ok"}` {
				t.Errorf("GET %s: %d %s %v", at+path, status, answer, err)
			}
		}
	}
	// Nothing else without a token, and nothing else at all for operators.
	if status, _, err := c.request("GET", c.api+"/api/v1/catalog", nil); err != nil || status != http.StatusUnauthorized {
		t.Errorf("the catalog without a token: %d %v", status, err)
	}
	c.token = testToken
	if status, _, err := c.request("GET", c.ops+"/api/v1/catalog", nil); err != nil || status != http.StatusNotFound {
		t.Errorf("the catalog at the operators' address: %d %v", status, err)
	}
}

// Without a token in the environment or a file of the admin's, one is made,
// kept and never shown.
func TestServeKeepsToken(t *testing.T) {
	data := dataDir(t)
	file := filepath.Join(data, "admin.token")
	var first string
	for _, made := range []bool{true, false} {
		c := start(t, nil, serveArgs(data)...)
		c.logged("admin token", "file="+file, fmt.Sprintf("made=%v", made))
		c.serving()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c.token = strings.TrimSpace(string(text)) // also: must not be in the log
		if len(c.token) < 32 {
			t.Fatalf("the token has %d characters", len(c.token))
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("token file: %v %v, want mode 0600", info.Mode(), err)
		}
		if first == "" {
			first = c.token
		} else if c.token != first {
			t.Error("the second start made another token")
		}
		var catalog any
		c.get("/api/v1/catalog", &catalog)
		c.stop()
	}
	if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data directory: %v %v, want mode 0700", info.Mode(), err)
	}
}

func TestServeTokenFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("  "+testToken+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := dataDir(t)
	// The flag goes before the environment.
	c := start(t, []string{"FLAGHOOK_ADMIN_TOKEN=another"}, serveArgs(data, "--admin-token-file", file)...)
	c.serving()
	var catalog any
	c.get("/api/v1/catalog", &catalog)
	c.token = "another"
	if status, _ := c.call("GET", "/api/v1/catalog", nil); status != http.StatusUnauthorized {
		t.Errorf("with the environment's token: %d, want 401", status)
	}
	c.token = testToken
	if _, err := os.Stat(filepath.Join(data, "admin.token")); !os.IsNotExist(err) {
		t.Errorf("a token was made all the same: %v", err)
	}
}

// Settings come from the environment too.
func TestServeEnvironment(t *testing.T) {
	receiver := hookstest.NewReceiver(t)
	c := start(t, []string{
		"FLAGHOOK_ADDR=127.0.0.1:0", "FLAGHOOK_OPS_ADDR=127.0.0.1:0", "FLAGHOOK_DATA=" + dataDir(t),
		"FLAGHOOK_ADMIN_TOKEN=" + testToken, "FLAGHOOK_EGRESS_ALLOW=10.0.0.0/8,127.0.0.1", "FLAGHOOK_SHUTDOWN_TIMEOUT=5s",
	}, "serve")
	c.serving()
	c.subscribe(receiver.URL())
	c.publish("e1")
	wait(t, receiver, 1)
	c.stop()
}

// SIGTERM lets an attempt under way finish; its outcome is kept.
func TestServeFinishesAttempt(t *testing.T) {
	receiver := hookstest.NewReceiver(t)
	held := make(chan struct{})
	receiver.Respond(func(int, *http.Request) hookstest.Reply {
		<-held
		return hookstest.Reply{}
	})
	data := dataDir(t)
	c := startServer(t, data, loopback...)
	sub := c.subscribe(receiver.URL())
	c.publish("e1")
	wait(t, receiver, 1)
	c.signal(os.Interrupt) // as good as SIGTERM
	c.logged("msg=stopping")
	close(held)
	if code := c.exit(); code != 0 {
		t.Fatalf("exit code %d, want 0", code)
	}
	c.logged("msg=stopped")

	c = startServer(t, data, loopback...)
	if all := c.deliveries(sub); len(all) != 1 || all[0].State != "delivered" {
		t.Errorf("after the restart: %+v", all)
	}
	c.stop()
	if n := len(receiver.Requests()); n != 1 {
		t.Errorf("%d requests arrived, want 1", n)
	}
}

// An attempt that does not finish in time is released and made again after the
// next start.
func TestServeReleasesAttempt(t *testing.T) {
	receiver := hookstest.NewReceiver(t)
	receiver.Respond(func(n int, _ *http.Request) hookstest.Reply { return hookstest.Reply{Hang: n == 0} })
	data := dataDir(t)
	c := startServer(t, data, append(loopback, "--shutdown-timeout", "500ms")...)
	sub := c.subscribe(receiver.URL())
	c.publish("e1")
	wait(t, receiver, 1)
	began := time.Now()
	c.stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %s", took)
	}

	c = startServer(t, data, loopback...)
	got := wait(t, receiver, 2)
	if a, b := got[0].Header.Get("Webhook-Id"), got[1].Header.Get("Webhook-Id"); a != b || a == "" {
		t.Errorf("webhook-ids %q and %q, want the same", a, b)
	}
	c.logged("msg=delivery", "state=delivered")
	if all := c.deliveries(sub); len(all) != 1 || all[0].State != "delivered" {
		t.Errorf("after the restart: %+v", all)
	}
}

// Two servers on one data directory would send everything twice.
func TestServeDataInUse(t *testing.T) {
	data := dataDir(t)
	startServer(t, data)
	second := start(t, nil, serveArgs(data)...)
	began := time.Now()
	if code := second.exit(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the refusal took %s", took)
	}
	if text := second.log.text(); !strings.Contains(text, "in use by another process") || !strings.Contains(text, data) {
		t.Errorf("the refusal: %s", text)
	}
}

// A folder with an error is left out and named; the others serve.
func TestServeBadIntegration(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "tools"))); err != nil {
		t.Fatal(err)
	}
	c := startServer(t, dataDir(t), "--integrations", dir)
	for _, finding := range []string{`manifest.json:3:3: error: unknown property`, `manifest.json:13:23: error: the icon`} {
		c.logged("level=ERROR", "integration left out", filepath.Join(dir, "broken"), finding)
	}
	_, answer := c.call("GET", "/api/v1/catalog", nil)
	for _, key := range []string{"acme", "slack", "webhook"} {
		if !bytes.Contains(answer, []byte(`"`+key+`"`)) {
			t.Errorf("the catalog lacks %s: %s", key, answer)
		}
	}
	if status, answer := c.call("POST", "/api/v2/integrations/broken", `{"name": "x", "config": {}}`); status != http.StatusNotFound {
		t.Errorf("subscribing to what was left out: %d %s", status, answer)
	}
	if status, answer := c.call("POST", "/api/v2/integrations/acme", map[string]any{
		"name": "x", "config": map[string]any{"base-url": "https://acme.example", "apiKey": testSecret},
	}); status != http.StatusCreated {
		t.Errorf("subscribing to what serves: %d %s", status, answer)
	}
}
