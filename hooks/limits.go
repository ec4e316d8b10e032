package hooks

import (
	"container/list"
	"runtime"
	"sync"
	"time"
)

const (
	// slowAfter is when an attempt without an answer counts as slow, and
	// silentAfter when one does that ends without.
	slowAfter   = 2 * time.Second
	silentAfter = 500 * time.Millisecond

	// doubtfulPerProcessor is how many attempts that are not quick may begin in a
	// second, for each processor. One takes about 100 µs where its connection is
	// new, from here to the end.
	doubtfulPerProcessor = 2000
	doubtfulAtOnce       = 16 // and so many at once, after a pause
)

// limits decides how many attempts may be under way: of a subscription, to a
// host, and in all.
//
// A subscription's share begins at one attempt, doubles with each answer up to
// the limit, and falls to one when an attempt gets none. What keeps endpoints
// that hang, however many, from holding up the others is that places are of
// three kinds, that those of the quick are for nobody else, and that attempts of
// the other kinds begin at a pace that leaves the others most of the processors.
//
// Whoever finds no room is remembered where it was missing, and is told when
// there is some.
type limits struct {
	perSubscription, perHost int
	total                    int
	doubtfulPlaces           int // for attempts that are not quick

	mu    sync.Mutex
	subs  map[string]*share
	hosts map[string]*hostLoad
	young fifo // attempts under way that are not slow yet, oldest first

	// unattended are hosts for which somebody waits whom no end of an attempt may
	// tell of room, and when to look at them again. None of these times is before
	// attendAt.
	unattended map[string]time.Time
	attendAt   time.Time

	known time.Time     // what again said last
	wake  chan struct{} // has an element when again would say an earlier time

	pools    [kinds]pool
	pace     pace // of attempts that are not quick
	promised promises
	rounds   uint64 // of claims
	waited   uint64 // how many have waited

	hostFreely int           // attempts to one host from which on fresh ones keep its pace
	hostEvery  time.Duration // of that pace
}

// kind is what an attempt is thought to be.
type kind uint8

const (
	quick kind = iota // of a subscription whose last attempt was
	fresh             // of one that was never answered
	slow              // of one whose last attempt was slow, or slow itself
	kinds
)

// A pool is what there is of places of one kind. Attempts that turn out slow
// take places of that kind, be there room or not.
type pool struct {
	places, underWay int
	waiters          waiters
}

// A share is what one subscription has.
type share struct {
	id       string
	underWay int
	allowed  int
	answered bool // at least one attempt was
	slow     bool // the last one was slow
	host     string

	waiting *waiters      // where it waits for room, nil when it does not
	element *list.Element // of that list
	since   uint64        // which of all that have waited it is, until it has found room; 0 for none
}

// stop takes a share out of the list in which it waits, if it is in one.
func (s *share) stop() {
	if s.waiting != nil {
		s.waiting.remove(s)
	}
}

func (s *share) kind() kind {
	switch {
	case s.slow:
		return slow
	case !s.answered:
		return fresh
	}
	return quick
}

// promises are the places of each kind that free has spoken of since the last
// round began: none of the claims that come of it has taken its place yet.
type promises [kinds]int

// An attemptPlace is what an attempt under way holds.
type attemptPlace struct {
	share      *share
	host       string
	began      time.Time
	kind       kind
	paced      bool          // it has taken its turn in limits.pace
	prev, next *attemptPlace // in limits.young
}

// newLimits keeps a quarter of all places for the quick, and lets the fresh and
// the slow have half of the rest each.
func newLimits(o *Options) *limits {
	l := &limits{
		perSubscription: o.SubscriptionConcurrency, perHost: o.HostConcurrency, total: o.Concurrency,
		subs: make(map[string]*share), hosts: make(map[string]*hostLoad),
		unattended: make(map[string]time.Time), wake: make(chan struct{}, 1),
		pace:       pace{every: time.Second / time.Duration(doubtfulPerProcessor*runtime.GOMAXPROCS(0)), saved: doubtfulAtOnce},
		hostFreely: max(o.HostConcurrency/4, 1),
		hostEvery:  max(o.AttemptTimeout/time.Duration(max(o.HostConcurrency/2, 1)), 1),
	}
	l.pools[quick].places = max(l.total/4, 1)
	l.doubtfulPlaces = max(l.total-l.pools[quick].places, 1)
	l.pools[fresh].places = max(l.doubtfulPlaces/2, 1)
	l.pools[slow].places = max(l.doubtfulPlaces/2, 1)
	return l
}

func (l *limits) share(id string) *share {
	s := l.subs[id]
	if s == nil {
		s = &share{id: id, allowed: 1}
		l.subs[id] = s
	}
	return s
}

// free is how many more attempts a subscription may begin now. Where it is 0 for
// want of places that others hold, the subscription is among those that are told
// of some later.
func (l *limits) free(id string, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.age(now)
	s := l.share(id)
	n := s.allowed - s.underWay
	if n <= 0 {
		s.stop() // its own next end resumes it
		return 0
	}
	k := s.kind()
	room, where := l.room(k, l.promised, now), &l.pools[k].waiters
	if h := l.hosts[s.host]; h != nil {
		if left := l.hostRoom(h, k, h.promisedIn(l.rounds), now); left < room {
			if left <= 0 {
				l.waitFor(s, h, now)
				return 0
			}
			room, where = left, &h.waiters[k]
		}
	}
	if room <= 0 {
		l.wait(s, where)
		return 0
	}
	s.stop()
	if waiting := where.len(); waiting > 0 {
		room = max(1, room/(waiting+1)) // leave some for them
	}
	n = min(n, room)
	l.promise(s, n)
	return n
}

// wait puts a share where it has found no room. Who waited elsewhere before keeps
// the turn of that time.
func (l *limits) wait(s *share, where *waiters) {
	if s.since == 0 {
		l.waited++
		s.since = l.waited
	}
	where.add(s)
}

func (l *limits) promise(s *share, n int) {
	if h := l.hosts[s.host]; h != nil {
		h.promise(l.rounds, s.kind(), n)
	}
	l.promised[s.kind()] += n
}

// room is how many attempts of a kind may begin beside those under way and
// those that are promised.
func (l *limits) room(k kind, promised promises, now time.Time) int {
	taken := func(k kind) int { return l.pools[k].underWay + promised[k] }
	doubtful := taken(fresh) + taken(slow)
	room := min(l.pools[k].places-taken(k), l.total-doubtful-taken(quick))
	if k == quick {
		return room
	}
	return min(room, l.doubtfulPlaces-doubtful, l.pace.room(now)-promised[fresh]-promised[slow])
}

// begin takes a place for a claimed delivery, where there is room also at the
// host that the subscription's last attempt went to.
func (l *limits) begin(id string, now time.Time) *attemptPlace {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.share(id)
	p := &attemptPlace{share: s, began: now, kind: s.kind()}
	s.underWay++
	l.pools[p.kind].underWay++
	if s.host != "" {
		if h := l.host(s.host); l.hostRoom(h, p.kind, promises{}, now) > 0 { // else at will see whether there is room by then
			l.enter(p, h, now)
		}
	}
	if p.kind != slow {
		l.young.push(p)
	}
	if p.kind != quick {
		l.pace.begin(now)
		p.paced = true
	}
	return p
}

// verdict is what an attempt tells of its endpoint.
type verdict uint8

const (
	noVerdict  verdict = iota // nothing was sent, or it does not count
	answered                  // the endpoint said something
	pushedBack                // it said that it has too much to do
	noAnswer
)

// end gives a place back and returns the subscriptions that may have room now.
func (l *limits) end(p *attemptPlace, v verdict, now time.Time) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.nudge(now)
	s := p.share
	took := now.Sub(p.began)
	s.underWay--
	l.leave(p)
	switch v {
	case answered:
		s.allowed, s.answered = min(2*s.allowed, l.perSubscription), true
		s.slow = took >= slowAfter
	case pushedBack:
		s.allowed, s.answered = max(s.allowed/2, 1), true
		s.slow = took >= slowAfter
	case noAnswer:
		s.allowed = 1
		s.slow = s.slow || took >= silentAfter
	case noVerdict:
	}
	l.age(now)
	return l.releasePools(now, l.leaveHost(p, now, append(make([]string, 0, 4), s.id)))
}

// leave gives back the place of an attempt in its pool.
func (l *limits) leave(p *attemptPlace) {
	l.pools[p.kind].underWay--
	if p.kind != slow {
		l.young.remove(p)
	}
}

// age moves attempts that have become slow to the pool of these.
func (l *limits) age(now time.Time) {
	for p := l.young.first; p != nil && now.Sub(p.began) >= slowAfter; p = l.young.first {
		l.leave(p)
		if p.kind == quick && p.host != "" {
			l.hosts[p.host].doubtful++
		}
		p.kind = slow
		l.pools[slow].underWay++
		p.share.slow, p.share.allowed = true, 1
	}
}

// releasePools adds the ids of those who wait for places that are free now.
func (l *limits) releasePools(now time.Time, ids []string) []string {
	for k := range kinds {
		ids = l.pools[k].waiters.take(l.room(k, promises{}, now), ids)
	}
	return ids
}

// round begins a round of claims, in which free speaks of no place twice. It
// returns the subscriptions that have room since attempts became slow, or since
// others had no use for it.
func (l *limits) round(now time.Time) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.promised = promises{}
	l.rounds++
	l.age(now)
	return l.releasePools(now, l.tellUnattended(now))
}

// again is when those that wait for room should be looked at again: now where there
// is room, else when the next attempt becomes slow or the pace lets some begin; zero
// when nobody waits, or an end of an attempt will tell them. Where that time comes to
// be an earlier one, wake says so.
func (l *limits) again(now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known = l.next(now)
	return l.known
}

func (l *limits) next(now time.Time) (next time.Time) {
	if len(l.unattended) > 0 {
		next = l.attendAt
	}
	for k := range kinds {
		if l.pools[k].waiters.len() == 0 {
			continue
		}
		if l.room(k, promises{}, now) > 0 {
			return now
		}
		if p := l.young.first; p != nil && k != slow {
			next = earlier(next, p.began.Add(slowAfter))
		}
		if k != quick && l.pace.room(now) == 0 {
			next = earlier(next, l.pace.ready())
		}
	}
	return next
}

// nudge wakes whoever would look at those that wait later than they should be.
func (l *limits) nudge(now time.Time) {
	next := l.next(now)
	if next.IsZero() || !l.known.IsZero() && !next.Before(l.known) {
		return
	}
	l.known = next
	select {
	case l.wake <- struct{}{}:
	default: // it will wake
	}
}

// earlier is the first of two times, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// forget drops what is known of a deleted subscription.
func (l *limits) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.subs[id]
	if s == nil {
		return
	}
	delete(l.subs, id)
	s.stop()
	if h := l.hosts[s.host]; h != nil && h.unused() {
		delete(l.hosts, s.host)
	}
}
