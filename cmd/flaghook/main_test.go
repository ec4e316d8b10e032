package main

import (
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the outputs that scripts compare with")

// TestMain puts a program "flaghook" on the PATH of scripts and of the tests
// that start servers: this very binary, which is main when called by that name.
func TestMain(m *testing.M) {
	if os.Getenv("GORACE") == "" {
		os.Setenv("GORACE", "atexit_sleep_ms=10") // else the race detector adds a second to every command
	}
	testscript.Main(m, map[string]func(){"flaghook": main})
}
