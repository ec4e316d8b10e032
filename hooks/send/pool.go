package send

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sweepEvery is how often idle connections are looked at, so that those that the
// peer has closed do not wait for the idleTimeout.
const sweepEvery = 15 * time.Second

// A pool keeps idle connections. The one that became idle last is taken first, so
// that those beyond the need grow old. No goroutine waits on any of them.
type pool struct {
	perEndpoint int

	// epoch counts the calls of closeIdle. A connection that was taken or made
	// before the latest is not kept.
	epoch atomic.Int64

	mu    sync.Mutex
	idle  map[endpoint][]*conn // each in the order in which they became idle
	count int                  // in idle
	timer *time.Timer          // nil until first needed
	armed bool                 // it will call sweep
}

func newPool(perEndpoint int) *pool {
	return &pool{perEndpoint: perEndpoint, idle: map[endpoint][]*conn{}}
}

// take returns a connection on which nothing has come since it became idle; nil
// if there is none.
func (p *pool) take(at endpoint) *conn {
	for {
		c := p.pop(at)
		if c == nil {
			return nil
		}
		if time.Since(c.since) < idleTimeout && c.silent() {
			return c
		}
		c.abort() // not close: nobody waits here until the peer reads
	}
}

func (p *pool) pop(at endpoint) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	conns := p.idle[at]
	if len(conns) == 0 {
		return nil
	}
	c := conns[len(conns)-1]
	conns[len(conns)-1] = nil
	p.idle[at] = conns[:len(conns)-1]
	p.count--
	return c
}

// put keeps a connection whose use began in the epoch, or closes it.
func (p *pool) put(c *conn, epoch int64) {
	if surplus := p.push(c, epoch); surplus != nil {
		surplus.close()
	}
}

// push returns a connection for which there is no room.
func (p *pool) push(c *conn, epoch int64) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	conns := p.idle[c.at]
	if epoch != p.epoch.Load() || len(conns) >= p.perEndpoint {
		return c
	}
	c.since = time.Now()
	p.idle[c.at] = append(conns, c)
	p.count++
	if !p.armed {
		p.arm(sweepEvery)
	}
	if p.count > maxIdle {
		return p.longestIdle()
	}
	return nil
}

// longestIdle takes the connection out that has been idle for the longest. It
// looks at one an endpoint, and only where endpoints are many.
func (p *pool) longestIdle() *conn {
	var oldest *conn
	for _, conns := range p.idle {
		if len(conns) > 0 && (oldest == nil || conns[0].since.Before(oldest.since)) {
			oldest = conns[0]
		}
	}
	p.idle[oldest.at] = slices.Delete(p.idle[oldest.at], 0, 1)
	p.count--
	return oldest
}

// arm has sweep called after d.
func (p *pool) arm(d time.Duration) {
	p.armed = true
	if p.timer == nil {
		p.timer = time.AfterFunc(d, p.sweep)
		return
	}
	p.timer.Reset(d)
}

// sweep closes the connections that are too old or that something came on, and
// goes on later if there are others.
func (p *pool) sweep() {
	var closing []*conn
	p.mu.Lock()
	now, next := time.Now(), sweepEvery
	for at, conns := range p.idle {
		conns = slices.DeleteFunc(conns, func(c *conn) bool {
			left := idleTimeout - now.Sub(c.since)
			if left <= 0 || c.socket != nil && !c.socket.silent() {
				closing = append(closing, c)
				return true
			}
			next = min(next, left)
			return false
		})
		p.idle[at] = conns
		if len(conns) == 0 {
			delete(p.idle, at)
		}
	}
	p.count -= len(closing)
	p.armed = false
	if p.count > 0 {
		p.arm(next)
	}
	p.mu.Unlock()
	for _, c := range closing {
		c.close()
	}
}

// closeIdle closes what is idle; what is in use now will be closed behind its
// use.
func (p *pool) closeIdle() {
	p.mu.Lock()
	p.epoch.Add(1)
	idle := p.idle
	p.idle, p.count, p.armed = map[endpoint][]*conn{}, 0, false
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	for _, conns := range idle {
		for _, c := range conns {
			c.close()
		}
	}
}
