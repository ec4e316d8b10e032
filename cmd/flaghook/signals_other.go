//go:build !unix

package main

import "os"

// reloadSignals is nil, which never receives: there is no signal to reload by.
func reloadSignals() (signals <-chan os.Signal, stop func()) { return nil, func() {} }
