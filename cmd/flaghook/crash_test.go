//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"
)

const (
	crashEvents  = 2000
	crashClients = 32
)

// TestCrash kills the server with SIGKILL amid 2,000 events from 32 clients and
// starts it again on the same data: every event that was answered with 202
// arrives, signed, and the file is whole. FLAGHOOK_CRASH_ROUNDS sets how often.
func TestCrash(t *testing.T) {
	rounds := 3
	if text := os.Getenv("FLAGHOOK_CRASH_ROUNDS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil || rounds < 1 {
			t.Fatalf("FLAGHOOK_CRASH_ROUNDS=%s: it must be a number of rounds", text)
		}
	}
	for round := range rounds {
		t.Run(strconv.Itoa(round), func(t *testing.T) {
			crash(t, crashRound{
				killAfter: stallAfter + 2*crashClients + round*617%900,
				// Else nearly all may have been delivered when the kill comes.
				stall: round%2 == 0,
			})
		})
	}
}

type crashRound struct {
	killAfter int  // 202s before the kill
	stall     bool // the receiver answers only a few requests before the kill
}

func crash(t *testing.T, round crashRound) {
	data := dataDir(t)
	file := filepath.Join(data, "flaghook.db")
	tool := newCountingReceiver(t, round.stall)
	args := append(slices.Clone(loopback), "--log-level", "info")

	c := startServer(t, data, args...)
	c.subscribe(tool.server.URL)
	p := newPublishers(t, c)
	p.waitAcked(t, round.killAfter)
	c.signal(syscall.SIGKILL)
	if code := c.exit(); code != -1 {
		t.Fatalf("exit code %d, want a death by the signal", code)
	}
	acked, arrived := p.ackedCount(), tool.distinct()
	t.Logf("killed when %d events had been answered with 202 and %d had arrived", acked, arrived)
	if round.stall && arrived >= acked {
		t.Fatalf("the kill came too late: all %d accepted events had arrived", arrived)
	}
	checkFile(t, file) // as the crash has left it
	tool.resume()

	c = startServer(t, data, args...)
	p.moveTo(c)
	p.waitAcked(t, crashEvents)
	tool.waitFor(t, p.ids())
	c.stop()
	checkFile(t, file)
	if unsigned := tool.unsigned(); len(unsigned) > 0 {
		t.Errorf("%d requests without a valid signature, the first: %s", len(unsigned), unsigned[0])
	}
}

// checkFile runs bbolt's own check on a file that nobody has open.
func checkFile(t *testing.T, file string) {
	t.Helper()
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{ReadOnly: true, Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		var all []error
		for err := range tx.Check() {
			all = append(all, err)
		}
		return errors.Join(all...)
	})
	if err != nil {
		t.Errorf("the file is damaged: %v", err)
	}
}
