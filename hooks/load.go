package hooks

import "sync"

// firstShare is how many attempts a subscription may have at once before any
// of them has been answered.
const firstShare = 4

// load counts the attempts under way by subscription, and adapts how many a
// subscription may have: its share doubles with each answer up to the limit and
// falls to one when an attempt gets no answer. So endpoints that hang, however
// many, hold few of the places that all share.
type load struct {
	limit int

	mu   sync.Mutex
	subs map[string]*share
}

type share struct{ underWay, allowed int }

func newLoad(limit int) load { return load{limit: limit, subs: make(map[string]*share)} }

// share finds a subscription's; the caller holds the lock.
func (l *load) share(id string) *share {
	s := l.subs[id]
	if s == nil {
		s = &share{allowed: min(firstShare, l.limit)}
		l.subs[id] = s
	}
	return s
}

// free is how many more attempts a subscription may have now.
func (l *load) free(id string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.share(id)
	return s.allowed - s.underWay
}

// begin counts an attempt.
func (l *load) begin(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.share(id).underWay++
}

// end counts it off; answered says whether the endpoint said anything.
func (l *load) end(id string, answered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.subs[id]
	if s == nil { // it was deleted meanwhile
		return
	}
	s.underWay--
	if answered {
		s.allowed = min(2*s.allowed, l.limit)
	} else {
		s.allowed = 1
	}
}

// forget drops what is known of a deleted subscription.
func (l *load) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.subs, id)
}
