//go:build linux || darwin

package bolt_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
)

// Tests in this file run themselves again in a child process, which finds the
// path of its file in the environment and prints the ids of the events that
// were accepted, one "accepted ID" a line.

const fullFile = "FLAGHOOK_TEST_FULL_FILE"

func child(test, variable, path string) *exec.Cmd {
	c := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	c.Env = append(os.Environ(), variable+"="+path)
	return c
}

// acceptedIn lists the ids in what a child printed. A last line that was cut
// short does not count.
func acceptedIn(out string) (ids []string) {
	for line := range strings.Lines(out) {
		if id, ok := strings.CutPrefix(line, "accepted "); ok && strings.HasSuffix(id, "\n") {
			ids = append(ids, strings.TrimSpace(id))
		}
	}
	return ids
}

// TestFullDisk fills a file in a child process that may not let it grow, and
// then looks at what the child was promised.
func TestFullDisk(t *testing.T) {
	if path := os.Getenv(fullFile); path != "" {
		fillUp(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "flaghook.db")
	out, err := child("TestFullDisk", fullFile, path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkFile(t, path)
	db := openAt(t, path)
	promised := acceptedIn(string(out))
	for _, id := range promised {
		if _, err := db.Event(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if len(promised) == 0 {
		t.Errorf("the child accepted nothing:\n%s", out)
	}
	if err := accept(t, db, "with-room-again", "a"); err != nil {
		t.Error(err)
	}
}

// fillUp is the child. When the file cannot grow, Accept says so each time, and
// the DB goes on reading and takes what fits.
func fillUp(t *testing.T, path string) {
	signal.Ignore(syscall.SIGXFSZ) // so that the limit is an error, as a full disk is
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	subscribe(t, db, "a")
	limit := syscall.Rlimit{Cur: 20 << 20, Max: 20 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("x", 500<<10)
	refused := 0
	for i := 0; refused < 5; i++ {
		if i == 200 {
			t.Fatal("the limit is not felt")
		}
		e := bigEvent(t, fmt.Sprintf("e%d", i), big)
		_, err := db.Accept(t.Context(), []hooks.Accepted{{Event: e, SubscriptionIDs: []string{"a"}}})
		switch {
		case err == nil:
			fmt.Printf("accepted %s\n", e.ID())
		case !errors.Is(err, hooks.ErrUnavailable):
			t.Fatalf("event %d: %v, want ErrUnavailable", i, err)
		default:
			refused++
		}
	}
	if err := db.Err(); err != nil {
		t.Fatalf("it failed for good: %v", err)
	}
	if _, err := db.Event(t.Context(), "e0"); err != nil {
		t.Fatal(err)
	}
}

const killedFile = "FLAGHOOK_TEST_KILLED_FILE"

// TestKill kills a child that accepts, delivers and retries, with kill -9 and
// several times over: the file stays whole, what was promised is there, and
// all that was not delivered can be claimed.
func TestKill(t *testing.T) {
	if path := os.Getenv(killedFile); path != "" {
		workUntilKilled(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "flaghook.db")
	var promised []string
	for round := range 4 {
		c := child("TestKill", killedFile, path)
		pipe, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		lines := bufio.NewScanner(pipe)
		for n := 0; lines.Scan(); n++ {
			out.WriteString(lines.Text() + "\n")
			if n == 200+137*round {
				c.Process.Kill()
			}
		}
		c.Wait()
		ids := acceptedIn(out.String())
		if len(ids) < 200 {
			t.Fatalf("the child accepted %d events:\n%s", len(ids), &out)
		}
		promised = append(promised, ids...)
		checkFile(t, path)
	}
	db := openAt(t, path)
	claims, _, err := db.Claim(t.Context(), hooks.ClaimOptions{Max: 1 << 20, Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	claimable := make(map[string]bool)
	for _, c := range claims {
		claimable[c.DeliveryID] = true
	}
	for _, id := range promised {
		d, err := db.Delivery(t.Context(), hooks.DeliveryID(id, "a", ""))
		if err != nil {
			t.Error(err)
		} else if d.State.Final() == claimable[d.ID] {
			t.Errorf("delivery %+v, claimable: %v", d, claimable[d.ID])
		}
	}
}

func workUntilKilled(t *testing.T, path string) {
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := db.Subscriptions(t.Context()); err == nil && len(list) == 0 {
		subscribe(t, db, "a")
	}
	for range 8 {
		go func() {
			for {
				id := hooks.NewID()
				if err := accept(t, db, id, "a"); err != nil {
					panic(err)
				}
				fmt.Printf("accepted %s\n", id)
			}
		}()
	}
	for {
		claims, _, err := db.Claim(t.Context(), hooks.ClaimOptions{Max: 10, Lease: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range claims {
			s := hooks.Settlement{Claim: c, State: hooks.StateDelivered, Attempt: &hooks.Attempt{At: time.Now(), StatusCode: 200}}
			if i%3 == 0 {
				s.State, s.RetryAt = hooks.StatePending, time.Now()
			}
			if err := db.Settle(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
}
