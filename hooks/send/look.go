package send

import (
	"net"
	"time"
)

// beneath returns the connection under all layers of TLS.
func beneath(c net.Conn) net.Conn {
	for {
		layer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c
		}
		c = layer.NetConn()
	}
}

// glance is how long a look takes at a connection that can be looked at only by
// reading.
const glance = time.Millisecond

// silent reports whether nothing has come on an idle connection: neither bytes
// nor its end. It does not wait where there is a socket to look at. Otherwise
// (systems other than Unix, connections within this process) it reads, for a
// moment.
func (c *conn) silent() bool {
	if c.socket != nil {
		return c.socket.silent()
	}
	return c.readsNothing(time.Now().Add(glance))
}

// drained reports whether nothing that came lies in a layer of TLS, where no look
// at the socket would find it. A read with a deadline in the past takes what is
// there, and nothing from the socket.
func (c *conn) drained() bool {
	return !c.layered || c.readsNothing(longAgo)
}

func (c *conn) readsNothing(until time.Time) bool {
	if c.net.SetReadDeadline(until) != nil {
		return false
	}
	var b [1]byte
	n, err := c.net.Read(b[:])
	return n == 0 && isTimeout(err)
}
