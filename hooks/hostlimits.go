package hooks

import "time"

// lookAgain is when a host is looked at again whose room some were told of while
// others wait.
const lookAgain = 10 * time.Millisecond

// A hostLoad is what a host has to do. Attempts of each kind leave some of its
// places for the others. Beyond a quarter of them the fresh begin at a pace that
// would take an attempt's timeout to fill what they may have: so a subscription of
// which nothing is known gets its turn soon also beside many, at the same host,
// that hang.
type hostLoad struct {
	name     string
	underWay int
	doubtful int // of them, those that are not quick
	pace     pace
	promised promises // in the round of that number
	round    uint64
	waiters  [kinds]waiters
}

// unused reports whether there is nothing to remember.
func (h *hostLoad) unused() bool {
	return h.underWay == 0 && h.waiters[quick].len()+h.waiters[fresh].len()+h.waiters[slow].len() == 0
}

func (l *limits) host(name string) *hostLoad {
	h := l.hosts[name]
	if h == nil {
		h = &hostLoad{name: name, pace: pace{every: l.hostEvery, saved: 1}}
		l.hosts[name] = h
	}
	return h
}

// promisedIn is what was promised in a round.
func (h *hostLoad) promisedIn(round uint64) promises {
	if h.round != round {
		return promises{}
	}
	return h.promised
}

func (h *hostLoad) promise(round uint64, k kind, n int) {
	h.round, h.promised = round, h.promisedIn(round)
	h.promised[k] += n
}

// hostPlaces is how many attempts of a kind may begin at a host beside those under
// way and those that are promised, were there no pace. The slow may have half of its
// places, together with the fresh three quarters; the quick all, and three quarters
// while others wait.
func (l *limits) hostPlaces(h *hostLoad, k kind, promised promises) int {
	doubtful := h.doubtful + promised[fresh] + promised[slow]
	others := h.underWay - h.doubtful + promised[quick]
	room := l.perHost - doubtful - others
	most := max(l.perHost-l.hostFreely, 1)
	switch k {
	case slow:
		return min(room, max(l.perHost/2, 1)-doubtful)
	case fresh:
		return min(room, most-doubtful)
	}
	if h.waiters[fresh].len()+h.waiters[slow].len() > 0 {
		return min(room, most-others)
	}
	return room
}

// hostRoom is how many may begin now.
func (l *limits) hostRoom(h *hostLoad, k kind, promised promises, now time.Time) int {
	room := l.hostPlaces(h, k, promised)
	if k != fresh {
		return room
	}
	return min(room, max(l.hostFreely-h.doubtful, 0)+h.pace.room(now)-promised[fresh]-promised[slow])
}

// enter takes a place at a host.
func (l *limits) enter(p *attemptPlace, h *hostLoad, now time.Time) {
	p.host, p.share.since = h.name, 0
	h.underWay++
	if p.kind == fresh && h.doubtful >= l.hostFreely {
		h.pace.begin(now)
	}
	if p.kind != quick {
		h.doubtful++
	}
}

// at says to which host the attempt goes; false when the host has as many as it
// may have. The subscription then waits for that host. The ids are of
// subscriptions that may have room now.
func (l *limits) at(p *attemptPlace, host string, now time.Time) (ok bool, resumed []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.host == host {
		return true, nil
	}
	defer l.nudge(now)
	resumed = l.leaveHost(p, now, nil)
	p.share.host = host
	h := l.host(host)
	if l.hostRoom(h, p.kind, promises{}, now) <= 0 {
		l.waitFor(p.share, h, now)
		if p.paced {
			l.pace.take()
		}
		return false, resumed
	}
	l.enter(p, h, now)
	return true, resumed
}

// waitFor has a subscription wait for room at a host.
func (l *limits) waitFor(s *share, h *hostLoad, now time.Time) {
	k := s.kind()
	l.wait(s, &h.waiters[k])
	switch {
	case l.hostRoom(h, k, promises{}, now) > 0: // what others are promised they may not take
		l.attend(h, now)
	case l.hostPlaces(h, k, promises{}) > 0:
		l.attend(h, h.pace.ready())
	}
}

// attend has a host looked at again.
func (l *limits) attend(h *hostLoad, at time.Time) {
	if len(l.unattended) == 0 || at.Before(l.attendAt) {
		l.attendAt = at
	}
	if old, ok := l.unattended[h.name]; !ok || at.Before(old) {
		l.unattended[h.name] = at
	}
}

// leaveHost gives back the place at a host and adds the ids of those who wait
// for it.
func (l *limits) leaveHost(p *attemptPlace, now time.Time, ids []string) []string {
	if p.host == "" {
		return ids
	}
	h := l.hosts[p.host]
	p.host = ""
	h.underWay--
	if p.kind != quick {
		h.doubtful--
	}
	return l.tell(h, now, ids)
}

// tell adds the ids of those who wait for the room that a host has. Where no end of
// an attempt would tell the others, it is looked at again.
func (l *limits) tell(h *hostLoad, now time.Time, ids []string) []string {
	for k := range kinds {
		room := l.hostRoom(h, k, promises{}, now)
		ids = h.waiters[k].take(room, ids)
		switch {
		case h.waiters[k].len() == 0:
		case h.underWay == 0:
			l.attend(h, now)
		case room > 0: // those who were told may have no use for it
			l.attend(h, now.Add(lookAgain))
		case l.hostPlaces(h, k, promises{}) > 0:
			l.attend(h, h.pace.ready())
		}
	}
	if h.unused() {
		delete(l.hosts, h.name)
	}
	return ids
}

// tellUnattended makes up for what those that wait for hosts were not told. For
// some it may have to be done again in the next round.
func (l *limits) tellUnattended(now time.Time) (ids []string) {
	if len(l.unattended) == 0 || l.attendAt.After(now) {
		return nil
	}
	var due []*hostLoad
	l.attendAt = time.Time{}
	for name, at := range l.unattended {
		if at.After(now) {
			l.attendAt = earlier(l.attendAt, at)
			continue
		}
		delete(l.unattended, name)
		if h := l.hosts[name]; h != nil {
			due = append(due, h)
		}
	}
	for _, h := range due {
		ids = l.tell(h, now, ids)
	}
	return ids
}
