//go:build !unix

package send

import "net"

// A socket is looked at on Unix only.
type socket struct{}

func newSocket(net.Conn) *socket { return nil }

func (*socket) silent() bool { return false }
