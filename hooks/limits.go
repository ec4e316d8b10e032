package hooks

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// slowAfter is when an attempt without an answer counts as slow.
const slowAfter = 2 * time.Second

// limits decides how many attempts may be under way: of a subscription, to a
// host, and in all.
//
// A subscription's share begins at one attempt, doubles with each answer up to
// the limit, and falls to one when an attempt gets none. What keeps endpoints
// that hang, however many, from holding up the others is that places are taken
// from two pools: an attempt that is quick so far has one of the quick pool's,
// and gives it back when it turns out slow; a subscription whose last attempt
// was slow begins the next in the slow pool. Those that have never been
// answered may not fill the quick pool.
//
// Whoever finds no room is remembered where it was missing, and is told by
// release when there is some.
type limits struct {
	perSubscription, perHost int
	quickPool, newPool       int // places for quick attempts, and those of them for subscriptions without an answer yet
	slowPool                 int // places at which a slow subscription may begin another attempt
	total                    int

	mu    sync.Mutex
	subs  map[string]*share
	hosts map[string]*hostLoad
	// unattended are hosts with room that somebody who waits for it was not told
	// of, by name.
	unattended map[string]struct{}
	young      fifo // attempts under way that are not slow yet, oldest first

	underWay, quick, fresh, slow int // attempts under way; fresh are of quick
	promised                     promises
	rounds                       uint64 // of claims

	quickWaiters, newWaiters, slowWaiters waiters
}

// A share is what one subscription has.
type share struct {
	id       string
	underWay int
	allowed  int
	answered bool // at least one attempt was
	slow     bool // the last one was slow
	host     string
	waiting  *waiters // where it waits for room, nil when it does not
}

type hostLoad struct {
	underWay int
	promised int // in the round of that number, as in promises
	round    uint64
	waiters  waiters
}

// taken is how many places are spoken for.
func (h *hostLoad) taken(round uint64) int {
	if h.round != round {
		return h.underWay
	}
	return h.underWay + h.promised
}

// promises are the places that free has spoken of since the last round began:
// none of the claims that come of it has taken its place yet.
type promises struct{ quick, fresh, slow int }

// An attemptPlace is what an attempt under way holds.
type attemptPlace struct {
	share      *share
	host       string
	began      time.Time
	slow       bool // it holds a place of the slow pool
	fresh      bool
	prev, next *attemptPlace // in limits.young
}

func newLimits(o *Options) *limits {
	quick := max(o.Concurrency/4, 1)
	return &limits{
		perSubscription: o.SubscriptionConcurrency, perHost: o.HostConcurrency,
		quickPool: quick, newPool: max(quick*3/4, 1), slowPool: max(o.Concurrency/2, 1), total: o.Concurrency,
		subs: make(map[string]*share), hosts: make(map[string]*hostLoad), unattended: make(map[string]struct{}),
	}
}

func (l *limits) share(id string) *share {
	s := l.subs[id]
	if s == nil {
		s = &share{id: id, allowed: 1}
		l.subs[id] = s
	}
	return s
}

func (l *limits) host(name string) *hostLoad {
	h := l.hosts[name]
	if h == nil {
		h = &hostLoad{}
		l.hosts[name] = h
	}
	return h
}

// free is how many more attempts a subscription may begin now. Where it is 0 for
// want of places that others hold, the subscription is among those that release
// tells of.
func (l *limits) free(id string, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.age(now)
	s := l.share(id)
	n := s.allowed - s.underWay
	if n <= 0 {
		return 0 // its own next end resumes it
	}
	room, where := l.roomFor(s)
	h := l.hosts[s.host]
	if h != nil {
		if left := l.hostLimit(s) - h.taken(l.rounds); left < room {
			room, where = left, &h.waiters
		}
	}
	if room <= 0 {
		where.add(s)
		if h != nil && where == &h.waiters && h.underWay < l.hostLimit(s) { // what others are promised they may not take
			l.unattended[s.host] = struct{}{}
		}
		return 0
	}
	if waiting := where.len(); waiting > 0 {
		room = max(1, room/(waiting+1)) // leave some for them
	}
	n = min(n, room)
	l.promise(s, n)
	return n
}

func (l *limits) promise(s *share, n int) {
	if h := l.hosts[s.host]; h != nil {
		if h.round != l.rounds {
			h.round, h.promised = l.rounds, 0
		}
		h.promised += n
	}
	if s.slow {
		l.promised.slow += n
		return
	}
	l.promised.quick += n
	if !s.answered {
		l.promised.fresh += n
	}
}

// roomFor is the room in the pools for a subscription, and where it waits.
func (l *limits) roomFor(s *share) (int, *waiters) {
	left := l.total - l.underWay - l.promised.quick - l.promised.slow
	if s.slow {
		return min(l.slowPool-l.slow-l.promised.slow, left), &l.slowWaiters
	}
	room := min(l.quickPool-l.quick-l.promised.quick, left)
	if !s.answered {
		return min(room, l.newPool-l.fresh-l.promised.fresh), &l.newWaiters
	}
	return room, &l.quickWaiters
}

// begin takes a place for a claimed delivery, where there is room also at the
// host that the subscription's last attempt went to.
func (l *limits) begin(id string, now time.Time) *attemptPlace {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.share(id)
	p := &attemptPlace{share: s, began: now, slow: s.slow, fresh: !s.answered && !s.slow}
	s.underWay++
	l.underWay++
	if s.host != "" {
		if h := l.host(s.host); h.underWay < l.hostLimit(s) { // else at will see whether there is room by then
			p.host = s.host
			h.underWay++
		}
	}
	if p.slow {
		l.slow++
	} else {
		l.quick++
		l.young.push(p)
	}
	if p.fresh {
		l.fresh++
	}
	return p
}

// hostLimit is how many attempts may be under way to a host for a subscription
// to begin another: where its endpoint is known to hang, or not known at all, it
// leaves some for those that are quick.
func (l *limits) hostLimit(s *share) int {
	switch {
	case s.slow:
		return max(l.perHost/2, 1)
	case !s.answered:
		return max(l.perHost*3/4, 1)
	}
	return l.perHost
}

// at says to which host the attempt goes; false when the host has as many as it
// may have. The subscription then waits for that host. The ids are of
// subscriptions that may have room now.
func (l *limits) at(p *attemptPlace, host string) (ok bool, resumed []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.host == host {
		return true, nil
	}
	resumed = l.leaveHost(p, nil)
	p.share.host = host
	h := l.host(host)
	if h.underWay >= l.hostLimit(p.share) {
		h.waiters.add(p.share)
		return false, resumed
	}
	p.host = host
	h.underWay++
	return true, resumed
}

// leaveHost gives back the place at a host and adds the ids of those who wait
// for it.
func (l *limits) leaveHost(p *attemptPlace, ids []string) []string {
	if p.host == "" {
		return ids
	}
	host := p.host
	p.host = ""
	l.hosts[host].underWay--
	return l.tell(host, ids)
}

// tell adds the ids of those who wait for the room that a host has. They may have
// no use for it: where no attempt is under way, whose end would tell more of them,
// the next round does.
func (l *limits) tell(host string, ids []string) []string {
	h := l.hosts[host]
	ids = h.waiters.take(l.perHost-h.underWay, ids)
	switch {
	case h.underWay > 0:
	case h.waiters.len() > 0:
		l.unattended[host] = struct{}{}
	default:
		delete(l.hosts, host)
	}
	return ids
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
	s := p.share
	took := now.Sub(p.began)
	l.underWay--
	s.underWay--
	l.leave(p)
	if p.slow {
		l.slow--
	}
	switch v {
	case answered:
		s.allowed, s.answered = min(2*s.allowed, l.perSubscription), true
		s.slow = took >= slowAfter
	case pushedBack:
		s.allowed, s.answered = max(s.allowed/2, 1), true
		s.slow = took >= slowAfter
	case noAnswer:
		s.allowed = 1
		s.slow = s.slow || took >= slowAfter
	case noVerdict:
	}
	l.age(now)
	return l.release(p, append(make([]string, 0, 4), s.id))
}

// leave takes an attempt out of the quick pool.
func (l *limits) leave(p *attemptPlace) {
	if !p.slow {
		l.quick--
		l.young.remove(p)
	}
	if p.fresh {
		p.fresh = false
		l.fresh--
	}
}

// age moves attempts that have become slow to the slow pool.
func (l *limits) age(now time.Time) {
	for p := l.young.first; p != nil && now.Sub(p.began) >= slowAfter; p = l.young.first {
		l.leave(p)
		p.slow = true
		l.slow++
		p.share.slow, p.share.allowed = true, 1
	}
}

// release finds who waits for what is free now; p was given back.
func (l *limits) release(p *attemptPlace, ids []string) []string {
	return l.releasePools(l.leaveHost(p, ids))
}

// A pool is the room that there is for those who wait for it.
type pool struct {
	room    int
	waiters *waiters
}

func (l *limits) pools() [3]pool {
	total := l.total - l.underWay
	quick := min(l.quickPool-l.quick, total)
	return [...]pool{
		{quick, &l.quickWaiters},
		{min(quick, l.newPool-l.fresh), &l.newWaiters},
		{min(l.slowPool-l.slow, total), &l.slowWaiters},
	}
}

func (l *limits) releasePools(ids []string) []string {
	for _, p := range l.pools() {
		ids = p.waiters.take(p.room, ids)
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
	return l.releasePools(l.tellUnattended())
}

// tellUnattended makes up for what those that wait for hosts were not told. For
// some it may have to be done again in the next round.
func (l *limits) tellUnattended() (ids []string) {
	if len(l.unattended) == 0 {
		return nil
	}
	hosts := slices.Collect(maps.Keys(l.unattended))
	clear(l.unattended)
	for _, host := range hosts {
		if l.hosts[host] != nil {
			ids = l.tell(host, ids)
		}
	}
	return ids
}

// again is when those that wait for room should be looked at again: now where there
// is room, else when the next attempt becomes slow; zero when nobody waits, or an
// end of an attempt will tell them.
func (l *limits) again(now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.unattended) > 0 {
		return now
	}
	for _, p := range l.pools() {
		if p.room > 0 && p.waiters.len() > 0 {
			return now
		}
	}
	if p := l.young.first; p != nil && l.quickWaiters.len()+l.newWaiters.len() > 0 {
		return p.began.Add(slowAfter)
	}
	return time.Time{}
}

// forget drops what is known of a deleted subscription.
func (l *limits) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.subs, id)
}
