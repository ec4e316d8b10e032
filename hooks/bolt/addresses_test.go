//go:build linux

package bolt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

const scarceFile = "FLAGHOOK_TEST_SCARCE_FILE"

// TestFewAddresses opens a file in a child process that may not map as much as a
// file is mapped to where it can be (as under ulimit -v).
func TestFewAddresses(t *testing.T) {
	path := os.Getenv(scarceFile)
	if path == "" {
		out, err := child("TestFewAddresses", scarceFile, filepath.Join(t.TempDir(), "flaghook.db")).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages uint64
	fmt.Sscan(string(statm), &pages)
	limit := pages*uint64(os.Getpagesize()) + 2<<30
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
	db := openAt(t, path)
	subscribe(t, db, "a")
	mustAccept(t, db, "e1", "a")
}
