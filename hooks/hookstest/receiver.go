package hookstest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// A Receiver is an HTTP server on the loopback interface that records every
// request and answers as it is told; at first with 200 and an empty body. All
// methods are safe for concurrent use.
type Receiver struct {
	server *httptest.Server
	done   chan struct{} // closed by Close: ends what hangs

	mu       sync.Mutex
	requests []Recorded
	arrived  chan struct{} // closed and replaced when a request has arrived
	respond  func(n int, r *http.Request) Reply
	closing  sync.Once
}

// Recorded is a request as it arrived.
type Recorded struct {
	Method string
	Path   string // with the query
	Header http.Header
	Body   []byte // at most MaxRecordedBody
	At     time.Time
}

// MaxRecordedBody bounds what is kept of a request's body, in bytes.
const MaxRecordedBody = 2 << 20

// A Reply is what a Receiver does about one request. The zero Reply is 200 with
// an empty body. Delay comes first; then the first of Hang, Reset and Raw that
// is set, else an HTTP answer.
type Reply struct {
	Status int // default 200
	Header http.Header
	Body   string

	Delay time.Duration // wait before answering
	Hang  bool          // never answer: hold the connection until Close, or until the client leaves
	Reset bool          // break the connection with a TCP reset
	// Raw is written to the connection as it is, which is then closed:
	// garbage, or an answer that ends amid its headers.
	Raw string
	// Drip is the pause between the bytes of Body, each sent on its own.
	Drip time.Duration
	// Filler is how many bytes of 'x' follow Body.
	Filler int64
}

// Status answers with a status code and nothing else.
func Status(code int) Reply { return Reply{Status: code} }

// Redirect answers 302 and points to another URL.
func Redirect(to string) Reply {
	return Reply{Status: http.StatusFound, Header: http.Header{"Location": {to}}}
}

// Sequence answers the first request with the first reply, and so on; those
// that come after the last reply get it too.
func Sequence(replies ...Reply) func(n int, r *http.Request) Reply {
	return func(n int, _ *http.Request) Reply {
		if len(replies) == 0 {
			return Reply{}
		}
		return replies[min(n, len(replies)-1)]
	}
}

// NewReceiver starts a Receiver and closes it when the test ends.
func NewReceiver(t testing.TB) *Receiver {
	r := &Receiver{
		done:    make(chan struct{}),
		arrived: make(chan struct{}),
		respond: Sequence(),
	}
	r.server = httptest.NewUnstartedServer(http.HandlerFunc(r.serve))
	// What a handler says about a connection that it broke is no news.
	r.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	r.server.Start()
	t.Cleanup(r.Close)
	return r
}

// URL is where the Receiver listens: http://127.0.0.1:PORT, without a path.
func (r *Receiver) URL() string { return r.server.URL }

// Respond sets what answers from now on. n counts the requests from 0, since
// the start of the Receiver; the body of req has been read already.
func (r *Receiver) Respond(respond func(n int, req *http.Request) Reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.respond = respond
}

// Requests returns those that have arrived, in the order of arrival.
func (r *Receiver) Requests() []Recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Wait returns the requests as soon as there are n of them; when ctx ends
// before that, those that there are, and an error.
func (r *Receiver) Wait(ctx context.Context, n int) ([]Recorded, error) {
	for {
		r.mu.Lock()
		requests, arrived := slices.Clone(r.requests), r.arrived
		r.mu.Unlock()
		if len(requests) >= n {
			return requests, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return requests, fmt.Errorf("%d of %d requests have arrived: %w", len(requests), n, ctx.Err())
		}
	}
}

// Close ends what hangs and stops the server. It may be called again.
func (r *Receiver) Close() {
	r.closing.Do(func() {
		close(r.done)
		r.server.CloseClientConnections()
		r.server.Close()
	})
}

func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) {
	at := time.Now()
	body, err := io.ReadAll(io.LimitReader(req.Body, MaxRecordedBody))
	if err != nil {
		return // it did not arrive
	}
	r.mu.Lock()
	n := len(r.requests)
	r.requests = append(r.requests, Recorded{
		Method: req.Method, Path: req.URL.RequestURI(), Header: req.Header.Clone(), Body: bytes.Clone(body), At: at,
	})
	close(r.arrived)
	r.arrived = make(chan struct{})
	respond := r.respond
	r.mu.Unlock()
	r.answer(w, req, respond(n, req))
}

func (r *Receiver) answer(w http.ResponseWriter, req *http.Request, reply Reply) {
	if reply.Delay > 0 && !r.pause(req, reply.Delay) {
		panic(http.ErrAbortHandler) // no answer at all
	}
	switch {
	case reply.Hang:
		r.hang(req)
	case reply.Reset, reply.Raw != "":
		breakOff(w, reply)
	default:
		r.write(w, req, reply)
	}
}

// hang returns when the Receiver is closed or the client has left.
func (r *Receiver) hang(req *http.Request) {
	select {
	case <-r.done:
	case <-req.Context().Done():
	}
	panic(http.ErrAbortHandler) // else net/http would answer now
}

// pause reports false when the wait was cut short.
func (r *Receiver) pause(req *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.done:
	case <-req.Context().Done():
	}
	return false
}

// breakOff ends the connection, by a reset or after raw bytes.
func breakOff(w http.ResponseWriter, reply Reply) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if reply.Reset {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // close sends a reset instead of a goodbye
		}
		return
	}
	_, _ = io.WriteString(conn, reply.Raw) // the client may have left
}

func (r *Receiver) write(w http.ResponseWriter, req *http.Request, reply Reply) {
	for name, values := range reply.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if reply.Filler > 0 && w.Header().Get("Content-Length") == "" {
		w.Header().Set("Content-Length", strconv.FormatInt(int64(len(reply.Body))+reply.Filler, 10))
	}
	if reply.Status != 0 {
		w.WriteHeader(reply.Status)
	}
	if reply.Drip > 0 {
		for i := range len(reply.Body) {
			if _, err := io.WriteString(w, reply.Body[i:i+1]); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
			if !r.pause(req, reply.Drip) {
				return
			}
		}
	} else if _, err := io.WriteString(w, reply.Body); err != nil {
		return
	}
	_, _ = io.Copy(w, io.LimitReader(filler{}, reply.Filler)) // until the client has had enough
}

// filler reads as 'x' without end.
type filler struct{}

func (filler) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
