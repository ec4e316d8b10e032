//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// SIGHUP and the API read the integration folders again. A folder with an error
// leaves what it was.
func TestServeReloadsCatalog(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "acme", manifestFile)
	if err := os.CopyFS(filepath.Join(dir, "acme"), os.DirFS(filepath.Join("testdata", "tools", "acme"))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rename := func(name string) {
		t.Helper()
		changed := bytes.Replace(text, []byte(`"name": "Acme"`), []byte(`"name": "`+name+`"`), 1)
		if bytes.Equal(changed, text) {
			t.Fatal("the manifest has another name")
		}
		if err := os.WriteFile(file, changed, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := startServer(t, dataDir(t), "--integrations", dir)
	want := func(name string) {
		t.Helper()
		var item struct{ Name string }
		if c.get("/api/v1/catalog/acme", &item); item.Name != name {
			t.Errorf("acme is called %q, want %q", item.Name, name)
		}
	}
	rename("Acme II")
	want("Acme")
	c.signal(syscall.SIGHUP)
	c.logged("catalog reloaded", "findings=0")
	want("Acme II")

	if err := os.WriteFile(file, []byte(`{"name":`), 0o600); err != nil {
		t.Fatal(err)
	}
	status, answer := c.call("POST", "/api/v1/catalog/reload", nil)
	var done struct {
		Loaded   int
		Findings []struct{ Path, Severity, Rule string }
	}
	if err := json.Unmarshal(answer, &done); err != nil || status != http.StatusOK || done.Loaded < 2 || len(done.Findings) != 1 || done.Findings[0].Path != file {
		t.Errorf("reload: %d %s", status, answer)
	}
	want("Acme II")

	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if status, answer := c.call("POST", "/api/v1/catalog/reload", nil); status != http.StatusInternalServerError {
		t.Errorf("reload of nothing: %d %s", status, answer)
	}
	want("Acme II")
	c.stop()
}

func TestServeRateLimit(t *testing.T) {
	c := startServer(t, dataDir(t), "--rate-limit", "2")
	refused := 0
	for range 20 {
		if status, _ := c.call("GET", "/api/v1/catalog/webhook", nil); status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("20 requests at once were all answered")
	}
}

// Requests whose headers or bodies are too large are refused before anything
// looks at them.
func TestServeLimits(t *testing.T) {
	c := startServer(t, dataDir(t))
	if status, answer := c.call("POST", "/api/v1/events", `"`+strings.Repeat("x", 1<<20)+`"`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of 1 MiB: %d %s", status, answer)
	}
	c.token = strings.Repeat("x", 100<<10)
	status, _, err := c.request("GET", c.api+"/api/v1/catalog", nil)
	if err != nil || status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 100 KiB: %d %v", status, err)
	}
	c.token = testToken
}
