package hooks

import "time"

// A hostLoad is what a host has to do. Attempts that are not quick may not fill
// it, and beyond a quarter of its places they begin at a pace that would take
// until they time out to fill what they may: so a subscription of which nothing
// is known gets its turn soon also beside many, at the same host, that hang.
type hostLoad struct {
	name     string
	underWay int
	doubtful int // of them, those that are not quick
	pace     pace
	promised int // in the round of that number, as in promises
	round    uint64
	waiters  [kinds]waiters
}

func (l *limits) host(name string) *hostLoad {
	h := l.hosts[name]
	if h == nil {
		h = &hostLoad{name: name, pace: pace{every: l.hostEvery, saved: 1}}
		l.hosts[name] = h
	}
	return h
}

// promisedIn is how many places were promised in a round.
func (h *hostLoad) promisedIn(round uint64) int {
	if h.round != round {
		return 0
	}
	return h.promised
}

func (h *hostLoad) promise(round uint64, n int) {
	h.round, h.promised = round, h.promisedIn(round)+n
}

// hostLimit is how many attempts may be under way to a host for one of a kind to
// begin.
func (l *limits) hostLimit(k kind) int {
	switch k {
	case slow:
		return max(l.perHost/2, 1)
	case fresh:
		return max(l.perHost*3/4, 1)
	}
	return l.perHost
}

// hostRoom is how many attempts of a kind may begin at a host beside those under
// way.
func (l *limits) hostRoom(h *hostLoad, k kind, now time.Time) int {
	room := l.hostLimit(k) - h.underWay
	if k == quick {
		return room
	}
	return min(room, max(l.hostFreely-h.doubtful, 0)+h.pace.room(now))
}

// enter takes a place at a host.
func (l *limits) enter(p *attemptPlace, h *hostLoad, now time.Time) {
	p.host = h.name
	h.underWay++
	if p.kind == quick {
		return
	}
	if h.doubtful >= l.hostFreely {
		h.pace.begin(now)
	}
	h.doubtful++
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
	resumed = l.leaveHost(p, now, nil)
	p.share.host = host
	h := l.host(host)
	if l.hostRoom(h, p.kind, now) <= 0 {
		l.waitFor(p.share, h, now)
		if p.kind != quick {
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
	h.waiters[k].add(s)
	switch {
	case l.hostRoom(h, k, now) > 0: // what others are promised they may not take
		l.attend(h, now)
	case h.underWay < l.hostLimit(k):
		l.attend(h, h.pace.ready())
	}
}

// attend has a host looked at again.
func (l *limits) attend(h *hostLoad, at time.Time) {
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

// tell adds the ids of those who wait for the room that a host has. They may have
// no use for it: where no end of an attempt would tell others of it, the next
// round does.
func (l *limits) tell(h *hostLoad, now time.Time, ids []string) []string {
	waiting := false
	for k := range kinds {
		ids = h.waiters[k].take(l.hostRoom(h, k, now), ids)
		if h.waiters[k].len() == 0 {
			continue
		}
		waiting = true
		switch {
		case h.underWay == 0:
			l.attend(h, now)
		case k != quick && h.underWay < l.hostLimit(k):
			l.attend(h, h.pace.ready())
		}
	}
	if h.underWay == 0 && !waiting {
		delete(l.hosts, h.name)
	}
	return ids
}

// tellUnattended makes up for what those that wait for hosts were not told. For
// some it may have to be done again in the next round.
func (l *limits) tellUnattended(now time.Time) (ids []string) {
	for name, at := range l.unattended {
		if at.After(now) {
			continue
		}
		delete(l.unattended, name)
		if h := l.hosts[name]; h != nil {
			ids = l.tell(h, now, ids)
		}
	}
	return ids
}
