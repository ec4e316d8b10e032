package send

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// maxAtOnce is how long a request, head and body, may be to be written before
	// the answer is read: what a connection takes that nothing waits in, whether
	// the peer reads or not. A longer one is written beside the reading, or it and
	// an endpoint that answers early and at length would wait for each other.
	maxAtOnce = 16 << 10

	// linger is how long an answer is waited for that may have come before the
	// writing failed.
	linger = time.Second

	// maxOverlap is how long the rest of a request may take to be written behind
	// the end of its answer.
	maxOverlap = 50 * time.Millisecond
)

// An answer is one whose head has arrived.
type answer struct {
	*http.Response

	cancel context.CancelFunc // of HTTP/2; nil means HTTP/1.1, which has the rest

	conn   *conn
	pool   *pool
	epoch  int64       // of the pool, when the attempt began
	stop   func() bool // ends the watch over the context; nil without one
	upload *upload     // nil when the request has been written
	broken bool        // the request could not be written
}

// exchange sends a request and reads the head of its answer, within the
// deadline and while ctx lasts. The connection is the answer's then, or, with an
// error, closed.
func (c *conn) exchange(ctx context.Context, r *request, deadline time.Time) (*answer, error) {
	if err := c.begin(r.method, deadline); err != nil {
		c.abort()
		return nil, err
	}
	a := &answer{conn: c}
	if ctx.Done() != nil {
		a.stop = context.AfterFunc(ctx, func() { c.net.SetDeadline(longAgo) }) //nolint:errcheck // then it is closed already
	}
	written := a.write(ctx, r)
	a.broken = written != nil
	var err error
	if a.Response, err = c.readHead(); err != nil { //nolint:bodyclose // release takes its place
		a.release(false)
		if a.upload != nil {
			written = a.upload.err
		}
		if written != nil && isTimeout(err) { // the timeout of linger says nothing
			err = written
		}
		return nil, err
	}
	return a, nil
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// write writes the request or, if it is a long one, begins to.
func (a *answer) write(ctx context.Context, r *request) error {
	buffer := buffers.Get().(*[]byte)
	head := r.appendHead((*buffer)[:0])
	if len(head)+len(r.body) > maxAtOnce {
		a.upload = startUpload(ctx, a.conn, head, r.body)
		return nil // the buffer is the upload's
	}
	head = append(head, r.body...)
	_, err := a.conn.net.Write(head)
	*buffer = head
	buffers.Put(buffer)
	if err != nil {
		a.conn.waitForLast(ctx, err)
	}
	return err
}

// waitForLast bounds the reading of an answer that may have come before the writing
// ended with err. It takes back no deadline that an end of ctx has set: that end
// comes before its deadline.
func (c *conn) waitForLast(ctx context.Context, err error) {
	if isTimeout(err) {
		return
	}
	if until := time.Now().Add(linger); until.Before(c.deadline) {
		_ = c.net.SetReadDeadline(until) // an error comes from the reading as well
	}
	if ctx.Err() != nil {
		_ = c.net.SetReadDeadline(longAgo)
	}
}

// An upload is the writing of a long request.
type upload struct {
	done chan struct{}
	err  error // when done
}

func startUpload(ctx context.Context, c *conn, parts ...[]byte) *upload {
	u := &upload{done: make(chan struct{})}
	go func() {
		defer close(u.done)
		all := net.Buffers(parts)
		if _, u.err = all.WriteTo(c.net); u.err != nil {
			c.waitForLast(ctx, u.err)
		}
	}()
	return u
}

// finish waits for the end of the writing, not for long, and reports whether all
// was written.
func (u *upload) finish(c net.Conn) bool {
	if c.SetWriteDeadline(time.Now().Add(maxOverlap)) != nil {
		return false
	}
	<-u.done
	return u.err == nil
}

// release ends the use of an answer; ended says that its body was read to the
// end. The connection is kept for others if nothing speaks against it.
func (a *answer) release(ended bool) {
	if a.cancel != nil {
		a.Body.Close()
		a.cancel()
		return
	}
	c := a.conn
	kept := ended && !a.broken && a.reusable() &&
		(a.upload == nil || a.upload.finish(c.net)) &&
		(a.stop == nil || a.stop()) &&
		c.drained()
	if kept {
		a.pool.put(c, a.epoch)
		return
	}
	if a.stop != nil {
		a.stop()
	}
	c.abort()
	if a.upload != nil {
		<-a.upload.done // the body is the caller's again
	}
}

// reusable reports whether the answer leaves its connection in a state that both
// sides agree on. What came behind an answer is no answer to another request.
func (a *answer) reusable() bool {
	return !a.Close && a.ProtoMajor == 1 && a.StatusCode != http.StatusSwitchingProtocols && a.conn.reader.Buffered() == 0
}
