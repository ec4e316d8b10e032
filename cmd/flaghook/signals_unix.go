//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// A write past a limit on the file's size comes back as an error, which is
// answered with 503; the signal would end the process instead.
func init() { signal.Ignore(syscall.SIGXFSZ) }

// reloadSignals receives SIGHUP until stop is called.
func reloadSignals() (signals <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}
