package bolt

import "sync"

// maxPlaces bounds the places that are remembered.
const maxPlaces = 8192

// places remembers where deliveries are, the latest ones. The zero value is
// ready to use, and safe for concurrent use.
type places struct {
	mu   sync.Mutex
	byID map[rawID]place
	ring []rawID // as they came
	next int     // the oldest in ring, when it is full
}

func (m *places) get(id rawID) (place, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.byID[id]
	return p, ok
}

func (m *places) put(id rawID, p place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.byID[id]; ok {
		m.byID[id] = p
		return
	}
	if m.byID == nil {
		m.byID = make(map[rawID]place)
	}
	if len(m.ring) < maxPlaces {
		m.ring = append(m.ring, id)
	} else {
		delete(m.byID, m.ring[m.next])
		m.ring[m.next] = id
		m.next = (m.next + 1) % maxPlaces
	}
	m.byID[id] = p
}
