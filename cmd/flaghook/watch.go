package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// watchEvery is how often watched files are looked at. A save shows within the
// blink of an eye, and looking at a folder takes some microseconds.
const watchEvery = 150 * time.Millisecond

// maxWatched bounds the files that are looked at.
const maxWatched = 2000

// watchPreview shows a preview, and again when a file that it is made of has
// changed, until the context ends.
func watchPreview(cmd *cobra.Command, name string, o previewOptions) error {
	folder, err := locate(name, o.dirs)
	if err != nil {
		return err
	}
	if folder == "" {
		if _, _, err := findIntegration(name, o.dirs); err != nil {
			return err
		}
		return usagef("%s is part of this program and never changes; --watch needs a folder, such as ./%s", name, name)
	}
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return usagef("cannot watch %s: it is no folder", folder)
	}
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	files := func() uint64 { return fingerprint(folder, o.event) }
	watch(cmd.Context(), ticker.C, files, func(again bool) {
		out := cmd.OutOrStdout()
		switch {
		case terminal(out):
			fmt.Fprint(out, "\x1b[H\x1b[2J\x1b[3J") // home, wipe the screen and what was scrolled out of it
		case again:
			fmt.Fprintln(out)
		}
		if err := o.show(cmd, name); err != nil {
			// The next save may put it right.
			var exit *exitError
			if !errors.As(err, &exit) || exit.err != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "flaghook: %v\n", err)
			}
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "watching %s; ^C ends\n", folder)
	})
	return nil
}

// watch calls show, and then again at each tick that finds another state. It
// returns when the context ends.
func watch(ctx context.Context, ticks <-chan time.Time, state func() uint64, show func(again bool)) {
	last := state()
	show(false)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		if now := state(); now != last {
			last = now
			show(true)
		}
	}
}

// fingerprint tells one state of a folder and of a file ("" for none) from
// another, by names, sizes and times. What cannot be read has a state too.
func fingerprint(folder, file string) uint64 {
	h := fnv.New64a()
	note := func(name string) {
		info, err := os.Stat(name)
		if err != nil {
			fmt.Fprintln(h, name, "?")
			return
		}
		fmt.Fprintln(h, name, info.Size(), info.ModTime().UnixNano(), info.Mode())
	}
	left := maxWatched
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if left--; left < 0 {
			return fs.SkipAll
		}
		if err != nil {
			return nil //nolint:nilerr // a file that vanishes meanwhile is a change, not a failure
		}
		if d.IsDir() {
			if base := d.Name(); name != folder && (base == "testdata" || base == ".git") {
				return fs.SkipDir
			}
			return nil // its files say all
		}
		note(name)
		return nil
	})
	if err != nil {
		fmt.Fprintln(h, err)
	}
	if file != "" {
		note(file)
	}
	return h.Sum64()
}
