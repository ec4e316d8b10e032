//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// publishers are the clients. Each event is posted until a 202, and not once
// more after that.
type publishers struct {
	clients sync.WaitGroup
	ctx     context.Context

	mu    sync.Mutex
	next  int
	limit int // of next: some events are kept for the time after the kill
	acked map[string]bool
	to    *child
	more  chan struct{} // closed and replaced when any of these has changed
}

func newPublishers(t *testing.T, c *child) *publishers {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	p := &publishers{ctx: ctx, limit: crashEvents * 3 / 4, acked: make(map[string]bool), to: c, more: make(chan struct{})}
	for range crashClients {
		p.clients.Go(func() { p.run(t) })
	}
	t.Cleanup(func() {
		cancel()
		p.clients.Wait()
	})
	return p
}

func (p *publishers) run(t *testing.T) {
	for id := p.take(); id != ""; id = p.take() {
		var down *child // what did not answer
		for posted := false; !posted; {
			c, err := p.target(down)
			if err != nil {
				return // the test has failed and says so
			}
			status, answer, err := c.request("POST", c.api+"/api/v1/events", []byte(testEvent(id)))
			switch {
			case err != nil:
				down = c
			case status != http.StatusAccepted:
				t.Errorf("event %s: %d %s", id, status, answer)
				return
			default:
				posted = true
				p.change(func() { p.acked[id] = true })
			}
		}
	}
}

// take gives an event's id to a client, "" when there are no more.
func (p *publishers) take() string {
	for {
		p.mu.Lock()
		if p.next < p.limit {
			p.next++
			defer p.mu.Unlock()
			return fmt.Sprintf("event-%d", p.next)
		}
		limit, more := p.limit, p.more
		p.mu.Unlock()
		if limit == crashEvents {
			return ""
		}
		select {
		case <-more:
		case <-p.ctx.Done():
			return ""
		}
	}
}

// target is the server to post to; not the one that is down, which the test
// has killed.
func (p *publishers) target(down *child) (*child, error) {
	for {
		p.mu.Lock()
		to, more := p.to, p.more
		p.mu.Unlock()
		if to != down {
			return to, nil
		}
		select {
		case <-more:
		case <-p.ctx.Done():
			return nil, p.ctx.Err()
		}
	}
}

func (p *publishers) change(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
	close(p.more)
	p.more = make(chan struct{})
}

// moveTo sends the clients to the server that follows the killed one.
func (p *publishers) moveTo(c *child) {
	p.change(func() { p.to, p.limit = c, crashEvents })
}

func (p *publishers) ackedCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.acked)
}

// waitAcked returns when n events have been answered with 202.
func (p *publishers) waitAcked(t *testing.T, n int) {
	t.Helper()
	for {
		p.mu.Lock()
		acked, more := len(p.acked), p.more
		p.mu.Unlock()
		if acked >= n {
			return
		}
		select {
		case <-more:
		case <-p.ctx.Done():
			t.Fatalf("%d of %d events were accepted in time", acked, n)
		}
	}
}

// ids are those of the events that were answered with 202.
func (p *publishers) ids() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.acked))
}

// A countingReceiver keeps of each request its event's id, and whether it was
// signed.
type countingReceiver struct {
	server *httptest.Server
	resume func() // ends the stall
	stall  chan struct{}

	mu      sync.Mutex
	times   map[string]int // by event id
	invalid []string       // what came without a valid signature
	more    chan struct{}  // closed and replaced when a request has arrived
}

// stallAfter is how many requests are answered before a stall: enough for a
// file with deliveries done, under way and waiting.
const stallAfter = 200

func newCountingReceiver(t *testing.T, stall bool) *countingReceiver {
	r := &countingReceiver{stall: make(chan struct{}), times: make(map[string]int), more: make(chan struct{})}
	r.resume = sync.OnceFunc(func() { close(r.stall) })
	if !stall {
		r.resume()
	}
	r.server = httptest.NewServer(r)
	t.Cleanup(func() {
		r.resume()
		r.server.Close()
	})
	return r
}

func (r *countingReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err != nil {
		return // it did not arrive
	}
	var event struct {
		ID string `json:"_id"`
	}
	ok := json.Unmarshal(body, &event) == nil && signed(req.Header, body)
	r.mu.Lock()
	if ok {
		r.times[event.ID]++
	} else {
		r.invalid = append(r.invalid, fmt.Sprintf("%v %s", req.Header, body))
	}
	arrived := len(r.times)
	close(r.more)
	r.more = make(chan struct{})
	r.mu.Unlock()
	if arrived > stallAfter {
		<-r.stall
	}
}

func (r *countingReceiver) distinct() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.times)
}

func (r *countingReceiver) unsigned() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.invalid
}

// waitFor returns when all these events have arrived at least once.
func (r *countingReceiver) waitFor(t *testing.T, ids []string) {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		r.mu.Lock()
		more := r.more
		ids = slices.DeleteFunc(ids, func(id string) bool { return r.times[id] > 0 })
		r.mu.Unlock()
		if len(ids) == 0 {
			return
		}
		select {
		case <-more:
		case <-timeout.C:
			t.Fatalf("%d events that were answered with 202 have not arrived, %s among them", len(ids), ids[0])
		}
	}
}
