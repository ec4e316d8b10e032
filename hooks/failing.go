package hooks

import (
	"sync"
	"time"
)

// failingCheck is how often the status of a subscription that fails is looked
// at.
const failingCheck = 10 * time.Minute

// failing remembers when the status of a subscription was last looked at.
type failing struct {
	mu     sync.Mutex
	looked map[string]time.Time
}

func newFailing() failing { return failing{looked: make(map[string]time.Time)} }

// due reports whether it is time to look at it again.
func (f *failing) due(id string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if last, ok := f.looked[id]; ok && now.Sub(last) < failingCheck {
		return false
	}
	f.looked[id] = now
	return true
}

func (f *failing) forget(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.looked, id)
}
