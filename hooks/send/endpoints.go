package send

import "sync"

// maxKnown bounds a set of endpoints. One that is not in it, although it should
// be, costs a handshake.
const maxKnown = 4096

// endpoints is a set that is safe for concurrent use. The zero value is empty.
type endpoints struct {
	mu  sync.RWMutex
	set map[endpoint]struct{}
}

func (e *endpoints) has(at endpoint) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	_, ok := e.set[at]
	return ok
}

// add adds one, if need be in the place of any other.
func (e *endpoints) add(at endpoint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.set == nil {
		e.set = map[endpoint]struct{}{}
	}
	for other := range e.set {
		if len(e.set) < maxKnown {
			break
		}
		delete(e.set, other)
	}
	e.set[at] = struct{}{}
}

func (e *endpoints) remove(at endpoint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.set, at)
}
