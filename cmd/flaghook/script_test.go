package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flaghook/flaghook/hooks/hookstest"
)

// TestScripts runs the commands as people do: each file in testdata/script is a
// session at a shell, in an empty folder that holds a copy of testdata/tools.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Values[toolKey{}] = &tool{}
			env.Values[serverKey{}] = &scriptedServer{}
			return os.CopyFS(filepath.Join(env.WorkDir, "tools"), os.DirFS(filepath.Join("testdata", "tools")))
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" { // may read everything
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"ends":     ends,
			"nothing":  nothing,
			"receiver": receiver(t),
			"arrived":  arrived,
			"server":   scriptServer,
			"capture":  capture,
			"until":    until,
			"receives": receives,
		},
	})
}

// exits CODE COMMAND... runs a command, which must end with that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// ends TEXT says what standard output must end with, byte for byte: \n in TEXT
// is a line feed. Neither cmp nor stdout can tell that one is missing.
func ends(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] ends TEXT")
	}
	want := strings.ReplaceAll(args[0], `\n`, "\n")
	out := ts.ReadFile("stdout")
	if strings.HasSuffix(out, want) == neg {
		ts.Fatalf("the output is %q", out)
	}
}

// nothing PATTERN says that no file matches.
func nothing(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: nothing PATTERN")
	}
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(found) > 0 {
		ts.Fatalf("there are %v", found)
	}
}

// A tool is the other end of a script's requests, once it has called receiver.
type tool struct{ *hookstest.Receiver }

type toolKey struct{}

// receiver starts a local receiver whose URL is $RECEIVER from then on.
func receiver(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) > 0 {
			ts.Fatalf("usage: receiver")
		}
		r := hookstest.NewReceiver(t)
		ts.Defer(r.Close)
		ts.Setenv("RECEIVER", r.URL())
		ts.Value(toolKey{}).(*tool).Receiver = r
	}
}

// arrived FILE compares the request that arrived last with the one that preview
// --format json wrote to FILE.
func arrived(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: arrived FILE")
	}
	var want struct{ Request previewRequest }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &want))
	all := ts.Value(toolKey{}).(*tool).Requests()
	if len(all) == 0 {
		ts.Fatalf("nothing has arrived")
	}
	got := all[len(all)-1]
	url := strings.TrimPrefix(*want.Request.URL, ts.Getenv("RECEIVER"))
	if diff := cmp.Diff([]string{*want.Request.Method, url, want.Request.Body}, []string{got.Method, got.Path, string(got.Body)}); diff != "" {
		ts.Fatalf("method, path and body (-preview +arrived):\n%s", diff)
	}
	for _, h := range want.Request.Headers {
		if v := got.Header.Get(h.Name); v != h.Value {
			ts.Fatalf("header %s arrived as %q; preview shows %q", h.Name, v, h.Value)
		}
	}
}
