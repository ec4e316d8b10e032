package hooks

import "sync"

// eventCache keeps the events that are being delivered, so that all
// subscriptions share one parsed event and the bodies it has rendered. The
// oldest go first when it is full.
type eventCache struct {
	mu     sync.Mutex
	events map[string]*Event
	order  []string // oldest first
	bytes  int
	limit  int
}

func newEventCache(limit int) *eventCache {
	return &eventCache{events: make(map[string]*Event), limit: limit}
}

func (c *eventCache) get(id string) *Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.events[id]
}

func (c *eventCache) put(e *Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.events[e.id]; ok {
		return
	}
	c.events[e.id] = e
	c.order = append(c.order, e.id)
	c.bytes += e.size
	for c.bytes > c.limit && len(c.order) > 1 {
		oldest := c.order[0]
		c.order = c.order[1:]
		c.bytes -= c.events[oldest].size
		delete(c.events, oldest)
	}
}
