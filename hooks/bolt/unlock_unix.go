//go:build unix && !solaris && !aix

package bolt

import (
	"os"
	"syscall"
)

// letGo closes a file that bbolt can no longer close. The lock goes first: it
// belongs to the open file, which the mapping that bbolt leaves keeps open.
func letGo(f *os.File) error {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	return f.Close()
}
