package hooks

import "sync"

// eventCache keeps the events that were accepted or read last, so that all
// subscriptions share one parsed event and the bodies it has rendered. The
// oldest go first when it is full.
type eventCache struct {
	mu     sync.Mutex
	events map[string]cachedEvent
	order  []string // oldest first
	bytes  int      // by cost
	limit  int
}

type cachedEvent struct {
	*Event
	cost int
}

// cost estimates what an event takes in memory, in bytes: its document, what
// policies see of it, and the texts made from it, of which there are seldom more
// than two shapes and a body. BenchmarkHeldEvent tells what it takes.
func (e *Event) cost() int {
	cost := 1<<10 + e.doc.Memory() + 3*e.doc.Size()
	for _, a := range e.Accesses() {
		cost += 128 + 128*len(a.Resource.Segments)
	}
	return cost
}

func newEventCache(limit int) *eventCache {
	return &eventCache{events: make(map[string]cachedEvent), limit: limit}
}

func (c *eventCache) get(key string) *Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.events[key].Event
}

func (c *eventCache) put(e *Event) {
	added := cachedEvent{e, e.cost()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.events[e.Key()]; ok {
		return
	}
	c.events[e.Key()] = added
	c.order = append(c.order, e.Key())
	c.bytes += added.cost
	for c.bytes > c.limit && len(c.order) > 1 {
		oldest := c.order[0]
		c.order = c.order[1:]
		c.bytes -= c.events[oldest].cost
		delete(c.events, oldest)
	}
}

// clear forgets all.
func (c *eventCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.events)
	c.order, c.bytes = nil, 0
}
