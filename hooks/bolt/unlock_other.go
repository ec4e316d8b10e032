//go:build !unix || solaris || aix

package bolt

import "os"

// letGo closes a file that bbolt can no longer close.
func letGo(f *os.File) error { return f.Close() }
