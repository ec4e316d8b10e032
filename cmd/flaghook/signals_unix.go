//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// A write past a limit on the file's size comes back as an error, which is
// answered with 503; the signal would end the process instead.
func init() { signal.Ignore(syscall.SIGXFSZ) }
