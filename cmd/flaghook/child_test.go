//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of these tests; none of them should come near it.
const patience = 30 * time.Second

// What must never be in a log.
const (
	testToken  = "test-token-Zk3vQ8xw"
	testSecret = "config-secret-Jx7Rm2Tn"
	pathSecret = "path-secret-Qb5Yd9Lc"
)

// A child is a flaghook of its own process.
type child struct {
	t        testing.TB
	cmd      *exec.Cmd
	log      *lines // its standard error
	exited   chan struct{}
	api, ops string // where it listens, once serving has returned
	token    string
}

// start runs flaghook with these arguments, and with these variables beside
// the token. It is killed when the test ends, and its log must hold no secret.
func start(t testing.TB, env []string, args ...string) *child {
	t.Helper()
	return startUnder(t, nil, env, args...)
}

// startUnder runs it by way of another program, which must turn into it.
func startUnder(t testing.TB, wrapper, env []string, args ...string) *child {
	t.Helper()
	program, err := exec.LookPath("flaghook")
	if err != nil {
		t.Fatal(err)
	}
	line := append(append(slices.Clone(wrapper), program), args...)
	c := &child{t: t, cmd: exec.Command(line[0], line[1:]...), log: newLines(), exited: make(chan struct{}), token: testToken}
	c.cmd.Dir = t.TempDir()
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FLAGHOOK_") {
			c.cmd.Env = append(c.cmd.Env, v)
		}
	}
	c.cmd.Env = append(c.cmd.Env, env...)
	c.cmd.Stderr = c.log
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = c.cmd.Wait() // ProcessState has the outcome
		close(c.exited)
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill() // most have ended
		<-c.exited
		for _, secret := range []string{c.token, testSecret, pathSecret} {
			if strings.Contains(c.log.text(), secret) {
				t.Errorf("the log holds the secret %q", secret)
			}
		}
		if strings.Contains(c.log.text(), "DATA RACE") || strings.Contains(c.log.text(), "panic") {
			t.Error("the server has a data race or has panicked")
		}
		if t.Failed() {
			t.Logf("log of flaghook %s:\n%s", strings.Join(args, " "), c.log.text())
		}
	})
	return c
}

// serveArgs are those of a server on free ports.
func serveArgs(data string, more ...string) []string {
	return append([]string{"serve", "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0", "--data", data, "--log-level", "debug"}, more...)
}

// startServer starts a server that knows testToken and waits until it serves.
func startServer(t testing.TB, data string, more ...string) *child {
	t.Helper()
	c := start(t, []string{"FLAGHOOK_ADMIN_TOKEN=" + testToken}, serveArgs(data, more...)...)
	c.serving()
	return c
}

// loopback opens the receivers of these tests.
var loopback = []string{"--egress-allow", "127.0.0.0/8"}

var servingAt = regexp.MustCompile(`msg=serving api=(\S+) ops=(\S+)`)

// serving waits until the server listens, and learns where.
func (c *child) serving() {
	c.t.Helper()
	m := servingAt.FindStringSubmatch(c.logged("msg=serving"))
	if m == nil {
		c.t.Fatal("the log does not say where the server listens")
	}
	c.api, c.ops = m[1], m[2]
}

// logged waits for a line of the log that holds all of these texts.
func (c *child) logged(texts ...string) string {
	c.t.Helper()
	line, err := c.log.wait(c.exited, texts)
	if err != nil {
		c.t.Fatal(err)
	}
	return line
}

// exit waits for the end and returns the exit code, -1 after a signal.
func (c *child) exit() int {
	c.t.Helper()
	select {
	case <-c.exited:
		return c.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		c.t.Fatalf("flaghook did not end within %s", patience)
		return 0
	}
}

func (c *child) signal(s os.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// stop ends the server as an operator does; it must end well.
func (c *child) stop() {
	c.t.Helper()
	c.signal(syscall.SIGTERM)
	if code := c.exit(); code != 0 {
		c.t.Fatalf("exit code %d after SIGTERM, want 0", code)
	}
}

// call makes a REST call; body is nil, JSON text or a value to encode.
func (c *child) call(method, path string, body any) (status int, answer []byte) {
	c.t.Helper()
	var data []byte
	switch b := body.(type) {
	case nil:
	case string:
		data = []byte(b)
	default:
		var err error
		if data, err = json.Marshal(body); err != nil {
			c.t.Fatal(err)
		}
	}
	status, answer, err := c.request(method, c.api+path, data)
	if err != nil {
		c.t.Fatal(err)
	}
	return status, answer
}

// request is call for any address and any goroutine.
func (c *child) request(method, url string, body []byte) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", c.token)
	}
	res, err := httpClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(res.Body, 4<<20))
	return res.StatusCode, answer, err
}

var httpClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// get reads a JSON answer of 200 into v.
func (c *child) get(path string, v any) {
	c.t.Helper()
	status, answer := c.call("GET", path, nil)
	if status != http.StatusOK {
		c.t.Fatalf("GET %s: %d %s", path, status, answer)
	}
	if err := json.Unmarshal(answer, v); err != nil {
		c.t.Fatalf("GET %s: %v in %s", path, err, answer)
	}
}

// subscribe makes a webhook subscription that is signed with testSecret, and
// returns its id.
func (c *child) subscribe(url string) string {
	c.t.Helper()
	return c.subscribeTo(url, "proj/*:env/production:flag/*")
}

// subscribeTo is subscribe for events about a resource.
func (c *child) subscribeTo(url, resource string) string {
	c.t.Helper()
	status, answer := c.call("POST", "/api/v2/integrations/webhook", map[string]any{
		"name": "test", "on": true, "config": map[string]any{"url": url, "secret": testSecret},
		"statements": []any{map[string]any{"effect": "allow", "resources": []string{resource}, "actions": []string{"*"}}},
	})
	var made struct {
		ID string `json:"_id"`
	}
	if err := json.Unmarshal(answer, &made); status != http.StatusCreated || err != nil || made.ID == "" {
		c.t.Fatalf("subscribe: %d %s", status, answer)
	}
	if strings.Contains(string(answer), testSecret) {
		c.t.Errorf("the answer shows the secret: %s", answer)
	}
	return made.ID
}

// testEvent is an event that those subscriptions want, with an id of its own.
func testEvent(id string) string {
	return fmt.Sprintf(`{"id": %q, "action": "updateOn", "resource": "proj/web:env/production:flag/checkout", "member": {"email": "ann@example.com"}}`, id)
}

// publish posts one such event.
func (c *child) publish(id string) {
	c.t.Helper()
	status, answer := c.call("POST", "/api/v1/events", testEvent(id))
	if want := fmt.Sprintf(`{"items":[{"id":%q,"matched":1}]}`, id); status != http.StatusAccepted || strings.TrimSpace(string(answer)) != want {
		c.t.Fatalf("publish: %d %s, want 202 %s", status, answer, want)
	}
}

// deliveryView is what these tests look at of a delivery.
type deliveryView struct {
	ID       string `json:"_id"`
	EventID  string `json:"eventId"`
	State    string `json:"state"`
	Reason   string `json:"reason"`
	Attempts []struct {
		StatusCode int    `json:"statusCode"`
		ErrorClass string `json:"errorClass"`
		Error      string `json:"error"`
	} `json:"attempts"`
}

func (c *child) deliveries(subscription string) []deliveryView {
	c.t.Helper()
	var page struct{ Items []deliveryView }
	c.get("/api/v1/subscriptions/"+subscription+"/deliveries", &page)
	return page.Items
}

// dataDir is a data directory that is not made yet.
func dataDir(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "data")
}
