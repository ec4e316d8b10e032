//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// write puts a text into a file, below folders that need not be there.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWatchShowsEveryChangeOnce(t *testing.T) {
	dir, event := t.TempDir(), filepath.Join(t.TempDir(), "event.json")
	template := filepath.Join(dir, "templates", "a.hbs")
	write(t, template, "a")
	ctx, stop := context.WithCancel(t.Context())
	ticks, states, shown, ended := make(chan time.Time), make(chan uint64), make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(ended)
		watch(ctx, ticks, func() uint64 { return <-states }, func(again bool) { shown <- again })
	}()
	states <- fingerprint(dir, event)
	if again := <-shown; again {
		t.Error("the first time counts as a change")
	}
	// A tick is taken only when the one before has been dealt with, so a
	// second one, of the same state, waits for the first.
	tick := func() {
		now := fingerprint(dir, event)
		for range 2 {
			ticks <- time.Time{}
			states <- now
		}
	}
	expect := func(what string, want bool) {
		t.Helper()
		tick()
		select {
		case <-shown:
			if !want {
				t.Errorf("%s: shown again", what)
			}
		default:
			if want {
				t.Errorf("%s: not shown", what)
			}
		}
	}
	expect("nothing", false)
	write(t, template, "ab")
	expect("a template", true)
	expect("nothing more", false)
	write(t, filepath.Join(dir, "manifest.json"), "{}")
	expect("a new file", true)
	write(t, event, "{}")
	expect("the event", true)
	write(t, filepath.Join(dir, "testdata", "a.json"), "{}")
	expect("a golden", false)
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(template, later, later); err != nil {
		t.Fatal(err)
	}
	expect("a save without a change of size", true)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	expect("everything is gone", true)
	stop()
	<-ended
}

// TestPreviewWatch saves a template while it is watched: first a better one,
// then one with an error, then a good one again.
func TestPreviewWatch(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "acme")
	if err := os.CopyFS(folder, os.DirFS(filepath.Join("testdata", "tools", "acme"))); err != nil {
		t.Fatal(err)
	}
	template := filepath.Join(folder, "templates", "flag.json.hbs")
	ctx, stop := context.WithCancel(t.Context())
	out, errs, ended, code := newLines(), newLines(), make(chan struct{}), -1
	go func() {
		defer close(ended)
		code = run(ctx, []string{"preview", folder, "--watch", "--set", "base-url=https://acme.example"}, nil, out, errs)
	}()
	wait := func(l *lines, text string) {
		t.Helper()
		if _, err := l.wait(ended, []string{text}); err != nil {
			t.Fatalf("%v\n%s\n%s", err, out.text(), errs.text())
		}
	}
	wait(out, `{ "flag": "Checkout redesign", `)
	write(t, template, `{ "better": "{{{key}}}" }`)
	wait(out, `{ "better": "checkout-redesign" }`)
	write(t, template, `{ "broken": {{{key}} }`)
	wait(errs, "templates/flag.json.hbs:1:")
	write(t, template, `{ "good": "{{{key}}}" }`)
	wait(out, `{ "good": "checkout-redesign" }`)
	stop()
	<-ended
	if code != exitOK {
		t.Errorf("exit code %d\n%s", code, errs.text())
	}
}
