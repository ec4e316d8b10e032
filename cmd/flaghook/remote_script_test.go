package main

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/manifest"
)

// scriptServer starts a server in this process, on the folder that FLAGHOOK_DATA
// names, else data, and points the commands to it; "server stop" stops it.
func scriptServer(ts *testscript.TestScript, neg bool, args []string) {
	running := ts.Value(serverKey{}).(*scriptedServer)
	switch {
	case neg || len(args) > 1 || len(args) == 1 && args[0] != "stop":
		ts.Fatalf("usage: server [stop]")
	case len(args) == 1:
		ts.Check(running.end())
		return
	}
	url, stop, err := serveHere(ts.MkAbs(cmp.Or(ts.Getenv("FLAGHOOK_DATA"), "data")))
	ts.Check(err)
	running.stop = stop
	ts.Defer(func() { ts.Check(running.end()) })
	ts.Setenv("FLAGHOOK_SERVER", url)
	ts.Setenv("FLAGHOOK_TOKEN", hereToken)
}

// hereToken is the admin token of servers in this process.
const hereToken = "admin-token-of-a-server-here"

// serveHere starts a server in this process, with the embedded catalog and
// loopback open, and says where it listens and how it is stopped.
func serveHere(dataDir string) (url string, stop func() error, err error) {
	load := func(*manifest.Catalog) (*manifest.Catalog, []manifest.Finding, error) {
		catalog, findings := manifest.Load(integrations.FS())
		return catalog, findings, nil
	}
	catalog, _, err := load(nil)
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s, err := newServer(ctx, serverConfig{
		Addr: "127.0.0.1:0", DataDir: dataDir, Catalog: catalog, LoadCatalog: load, AdminToken: hereToken,
		EgressAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Logger:      slog.New(slog.DiscardHandler), ShutdownTimeout: 5 * time.Second,
	})
	if err != nil {
		cancel()
		return "", nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	return s.url(), func() error {
		cancel()
		return <-ended
	}, nil
}

// A scriptedServer is a script's server, once it has called server.
type scriptedServer struct{ stop func() error }

type serverKey struct{}

// end stops the server, if it runs.
func (s *scriptedServer) end() error {
	if s.stop == nil {
		return nil
	}
	stop := s.stop
	s.stop = nil
	return stop()
}

// capture VAR REGEXP sets a variable to what the expression's only group matches
// of standard output.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture VAR REGEXP")
	}
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("nothing matches %s in:\n%s", args[1], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], found[1])
}

// scriptPatience bounds a wait of until.
const scriptPatience = 30 * time.Second

// until REGEXP COMMAND... runs a command again and again until its standard
// output matches: what a server does in the background takes its time.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP COMMAND...")
	}
	want := regexp.MustCompile("(?m)" + args[0])
	for deadline := time.Now().Add(scriptPatience); ; {
		ts.Check(ts.Exec(args[1], args[2:]...))
		out := ts.ReadFile("stdout")
		if want.MatchString(out) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("within %s nothing matched %s; last:\n%s", scriptPatience, args[0], out)
		}
	}
}

// receives N waits until N requests have arrived, and writes the last one's body
// to the file "arrived".
func receives(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || len(args[0]) != 1 {
		ts.Fatalf("usage: receives N, from 1 to 9")
	}
	n := int(args[0][0] - '0')
	ctx, cancel := context.WithTimeout(context.Background(), scriptPatience)
	defer cancel()
	all, err := ts.Value(toolKey{}).(*tool).Wait(ctx, n)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("arrived"), all[n-1].Body, 0o600))
}
