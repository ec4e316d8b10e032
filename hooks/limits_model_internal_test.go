package hooks

import (
	"cmp"
	"fmt"
	"math/rand"
	"slices"
	"testing"
	"time"
)

// A model is Run and a queue as bolt has it, in a time of their own, around real
// limits.
type model struct {
	t     *testing.T
	seed  int
	r     *rand.Rand
	o     Options
	l     *limits
	now   time.Time
	subs  []*modelSub
	ring  []*modelSub // as the queue's
	ready bool        // the queue's signal
	wake  time.Time   // of Run, zero when only a signal wakes it
	later []modelEvent

	rounds, idle int // of claims, and those of them in which nothing was claimed
	claimed      int
	hosts        map[string]int // exchanges
	underWay     int
	busy         time.Time
	lag          int // µs
}

type modelEvent struct {
	at time.Time
	do func()
}

type modelSub struct {
	id             string
	hosts          []string // where deliveries go, in turn
	due, sent      int
	inRing, parked bool
	gone           bool
	behave         int
	roomSince      time.Time // it has work and room, and is told of neither
}

func (m *model) after(d time.Duration, do func()) {
	m.later = append(m.later, modelEvent{m.now.Add(d), do})
}

func (m *model) activate(s *modelSub) {
	if !s.inRing && !s.parked {
		s.inRing = true
		m.ring = append(m.ring, s)
	}
}

func (m *model) park(s *modelSub) {
	m.deactivate(s)
	s.parked = true
}

func (m *model) deactivate(s *modelSub) {
	s.inRing = false
	if i := slices.Index(m.ring, s); i >= 0 {
		m.ring = slices.Delete(m.ring, i, i+1)
	}
}

func (m *model) resume(ids []string) {
	for _, id := range ids {
		i, _ := slices.BinarySearchFunc(m.subs, id, func(s *modelSub, id string) int { return cmp.Compare(s.id, id) })
		if s := m.subs[i]; s.parked {
			s.parked = false
			m.activate(s)
			m.ready = true
		}
	}
}

func (m *model) arrive(s *modelSub, n int) {
	if s.gone {
		return
	}
	s.due += n
	m.activate(s)
	m.ready = true
}

// drop is what becomes of a deleted one in the queue and the limits.
func (m *model) drop(s *modelSub) {
	s.gone, s.due, s.parked = true, 0, false
	m.deactivate(s)
	m.l.forget(s.id)
}

// round is a turn of Run's loop.
func (m *model) round() {
	m.rounds++
	m.resume(m.l.round(m.now))
	var claims []*modelSub
	room := map[*modelSub]int{}
	roomOf := func(s *modelSub) int {
		if _, ok := room[s]; !ok {
			room[s] = m.l.free(s.id, m.now)
		}
		return room[s]
	}
	for around, again := len(m.ring), 0; len(claims) < maxClaims && around+again > 0; {
		if around > 0 {
			around--
		} else {
			again--
		}
		s := m.ring[0]
		if roomOf(s) <= 0 {
			m.park(s)
			continue
		}
		n := min(room[s], s.due, max(maxClaims/len(m.ring), 1), 16, maxClaims-len(claims))
		m.deactivate(s)
		for range n {
			claims = append(claims, s)
		}
		s.due -= n
		room[s] -= n
		switch {
		case s.due == 0:
		case room[s] > 0:
			m.activate(s)
			again++
		default:
			s.parked = true
		}
	}
	for _, s := range claims {
		p := m.l.begin(s.id, m.now)
		m.underWay++
		m.after(time.Duration(m.r.Intn(500))*time.Microsecond, func() { m.deliver(s, p) })
	}
	m.claimed += len(claims)
	m.wake = m.l.again(m.now)
	if len(claims) > 0 {
		m.wake = m.now
	} else {
		m.idle++
	}
}

func (m *model) deliver(s *modelSub, p *attemptPlace) {
	if s.gone {
		m.finish(s, p, noVerdict, "")
		m.l.forget(s.id)
		return
	}
	host := s.hosts[s.sent%len(s.hosts)]
	ok, resumed := m.l.at(p, host, m.now)
	m.resume(resumed)
	m.nudge()
	if !ok {
		m.arrive(s, 1)
		m.finish(s, p, noVerdict, "")
		return
	}
	s.sent++
	if m.hosts[host]++; m.hosts[host] > m.o.HostConcurrency {
		m.t.Fatalf("seed %d: %d at %s", m.seed, m.hosts[host], host)
	}
	if m.underWay > m.o.Concurrency {
		m.t.Fatalf("seed %d: %d under way", m.seed, m.underWay)
	}
	took, v := time.Duration(1+m.r.Intn(200))*time.Millisecond, answered
	behave := s.behave
	if behave == 6 {
		behave = m.r.Intn(6)
	}
	switch behave {
	case 1: // slow
		took += 3 * time.Second
	case 2:
		took, v = m.o.AttemptTimeout, noAnswer
	case 3: // refuses
		took, v = 0, noAnswer
	case 4:
		v = pushedBack
	case 5: // nothing to send
		took, v = 0, noVerdict
	}
	if took > m.o.AttemptTimeout {
		took, v = m.o.AttemptTimeout, noAnswer
	}
	m.after(took, func() {
		if v == noAnswer && m.r.Intn(2) == 0 {
			m.after(time.Second, func() { m.arrive(s, 1) }) // tries again
		}
		m.finish(s, p, v, host)
		if s.gone {
			m.l.forget(s.id)
		}
	})
}

func (m *model) finish(s *modelSub, p *attemptPlace, v verdict, host string) {
	if host != "" {
		m.hosts[host]--
	}
	m.underWay--
	m.resume(m.l.end(p, v, m.now))
	m.nudge()
}

func (m *model) nudge() {
	select {
	case <-m.l.wake:
		m.ready = true
	default:
	}
}

// hasRoom says what free would, and changes nothing.
func (m *model) hasRoom(s *modelSub) bool {
	w := m.l.subs[s.id]
	if w == nil {
		return true
	}
	h := m.l.hosts[w.host]
	return w.allowed > w.underWay && m.l.room(w.kind(), promises{}, m.now) > 0 && (h == nil || m.l.hostRoom(h, w.kind(), promises{}, m.now) > 0)
}

// check fails when somebody has had work and room for long, and Run sleeps.
func (m *model) check(patience time.Duration) {
	for _, s := range m.subs {
		switch {
		case m.ready || m.busy.After(m.now) || !m.wake.IsZero() && !m.wake.After(m.now) || !s.parked || s.due == 0 || !m.hasRoom(s):
			s.roomSince = time.Time{}
		case s.roomSince.IsZero():
			s.roomSince = m.now
		case m.now.Sub(s.roomSince) > patience && m.l.subs[s.id].underWay == 0: // else it is resumed when an attempt of its ends
			m.t.Fatalf("seed %d: %s has work and room, and is not told, at %s", m.seed, s.id, m.now.Sub(time.Unix(0, 0)))
		}
	}
}

func (m *model) run(patience time.Duration) {
	still, at := 0, m.now
	for {
		if due := m.ready || !m.wake.IsZero() && !m.wake.After(m.now); due && !m.busy.After(m.now) {
			was := m.claimed
			m.ready = false
			m.round()
			if still++; m.claimed > was || m.now.After(at) {
				still, at = 0, m.now
			}
			if still > 3*len(m.subs)+10 {
				m.t.Fatalf("seed %d: Run turns at %s", m.seed, m.now.Sub(time.Unix(0, 0)))
			}
			if m.lag > 0 {
				m.busy = m.now.Add(time.Duration(m.r.Intn(m.lag)) * time.Microsecond)
			}
			continue
		}
		m.check(patience)
		i := -1
		for j := range m.later {
			if i < 0 || m.later[j].at.Before(m.later[i].at) {
				i = j
			}
		}
		wake := m.wake
		if m.ready {
			wake = m.busy
		}
		if !wake.IsZero() && wake.Before(m.busy) {
			wake = m.busy
		}
		switch {
		case i >= 0 && (wake.IsZero() || !wake.Before(m.later[i].at)):
			e := m.later[i]
			m.later = slices.Delete(m.later, i, i+1)
			m.now = e.at
			e.do()
		case !wake.IsZero():
			m.now = wake
		default:
			for _, s := range m.subs {
				if s.due > 0 {
					m.t.Fatalf("seed %d: %s waits for ever with %d deliveries, since %s", m.seed, s.id, s.due, m.now.Sub(time.Unix(0, 0)))
				}
			}
			return
		}
	}
}

func newModel(t *testing.T, seed int) *model {
	r := rand.New(rand.NewSource(int64(seed)))
	one := func(of ...int) int { return of[r.Intn(len(of))] }
	m := &model{
		t: t, seed: seed, r: r, now: time.Unix(0, 0), hosts: map[string]int{},
		o: Options{
			Concurrency: one(1, 2, 3, 8, 20, 60), HostConcurrency: one(1, 2, 3, 4, 8, 30), SubscriptionConcurrency: one(1, 2, 8, 32),
			AttemptTimeout: time.Duration(one(1, 500, 5000, 15000)) * time.Millisecond,
		},
	}
	m.l = newLimits(&m.o)
	gone := r.Intn(3) * r.Intn(5)
	arrivals := 1 + r.Intn(6)
	m.lag = one(0, 0, 1000, 20000, 300000)
	maxDue := 1 + r.Intn(10)
	hosts, moves, behaves := 1+r.Intn(4), r.Intn(3) == 0, r.Intn(4)
	for i := range 2 + r.Intn(40) {
		s := &modelSub{id: fmt.Sprintf("s%02d", i)}
		for range 1 + r.Intn(2) {
			s.hosts = append(s.hosts, fmt.Sprint("h", r.Intn(hosts)))
		}
		if !moves {
			s.hosts = s.hosts[:1]
		}
		if s.behave = r.Intn(7); r.Intn(4) < behaves {
			s.behave = 0
		}
		m.subs = append(m.subs, s)
	}
	for _, s := range m.subs {
		for range 1 + r.Intn(arrivals) {
			m.after(time.Duration(r.Intn(10000))*time.Millisecond, func() { m.arrive(s, 1+r.Intn(maxDue)) })
		}
		if r.Intn(10) < gone {
			m.after(time.Duration(r.Intn(10000))*time.Millisecond, func() { m.drop(s) })
		}
	}
	return m
}

// TestNobodyWaitsInVain: whatever endpoints do, whoever has work and room for it
// is told so, and Run does not turn for nothing.
func TestNobodyWaitsInVain(t *testing.T) {
	for seed := range 600 {
		m := newModel(t, seed)
		m.run(100 * time.Millisecond)
		if took := m.now.Sub(time.Unix(0, 0)); m.idle > 3*m.claimed+int(took/time.Millisecond) {
			t.Errorf("seed %d: %d rounds, %d of them for nothing, for %d claims in %s", seed, m.rounds, m.idle, m.claimed, took)
		}
	}
}
