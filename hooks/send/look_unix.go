//go:build unix

package send

import (
	"net"
	"syscall"
)

// A socket is looked at without reading from it.
type socket struct {
	raw  syscall.RawConn
	peek func(fd uintptr) // kept, since each new one would be allocated
	err  error            // of the latest peek
}

// newSocket returns nil for a connection that has no socket.
func newSocket(c net.Conn) *socket {
	of, ok := beneath(c).(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := of.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{raw: raw}
	s.peek = func(fd uintptr) {
		var b [1]byte
		_, _, s.err = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK) // sockets of package net do not block
	}
	return s
}

// silent reports whether nothing has come. Control pays no regard to deadlines.
func (s *socket) silent() bool {
	for {
		if s.raw.Control(s.peek) != nil {
			return false
		}
		if s.err != syscall.EINTR { //nolint:errorlint // as package syscall returns it
			return s.err == syscall.EAGAIN //nolint:errorlint // likewise
		}
	}
}
