//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/flaghook/flaghook/hooks/hookstest"
)

// TestFailingFsync lets the disk refuse to make a commit durable, by way of
// strace: nobody knows then what it holds. The event is answered with 503, the
// server stops accepting and ends with an error; after the next start all that
// was answered with 202 is delivered.
func TestFailingFsync(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("this test makes fdatasync fail by way of strace, which is not installed")
	}
	tool := hookstest.NewReceiver(t)
	tool.Respond(hookstest.Sequence(hookstest.Reply{Hang: true})) // all that is accepted is still to be delivered
	data := dataDir(t)
	wrapper := []string{strace, "-D", "-f", "--seccomp-bpf", "-o", filepath.Join(t.TempDir(), "trace"),
		"-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=40+"}
	args := append(slices.Clone(loopback), "--log-level", "info", "--shutdown-timeout", "1s")
	c := startUnder(t, wrapper, []string{"FLAGHOOK_ADMIN_TOKEN=" + testToken}, serveArgs(data, args...)...)
	c.serving()
	c.subscribe(tool.URL())

	var accepted []string
	refused := 0
	for n := range 200 {
		id := fmt.Sprintf("e%d", n)
		status, answer, err := c.request("POST", c.api+"/api/v1/events", []byte(testEvent(id)))
		switch {
		case err != nil: // it has ended
		case status == http.StatusAccepted && refused == 0:
			accepted = append(accepted, id)
			continue
		case status == http.StatusServiceUnavailable:
			refused++
			continue
		default:
			t.Fatalf("event %s: %d %s after %d refusals", id, status, answer, refused)
		}
		break
	}
	if refused == 0 || len(accepted) == 0 {
		t.Fatalf("%d events were accepted and %d refused; both should have happened", len(accepted), refused)
	}
	if code := c.exit(); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}

	checkFile(t, filepath.Join(data, "flaghook.db"))
	tool.Respond(hookstest.Sequence())
	before := len(tool.Requests())
	startServer(t, data, args...)
	missing := make(map[string]bool)
	for _, id := range accepted {
		missing[id] = true
	}
	for n := 1; len(missing) > 0; n++ { // what was refused may be stored all the same
		var event struct {
			ID string `json:"_id"`
		}
		r := wait(t, tool, before+n)[before+n-1]
		if err := json.Unmarshal(r.Body, &event); err != nil {
			t.Fatal(err)
		}
		delete(missing, event.ID)
	}
}
