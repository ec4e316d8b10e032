package hooks

// waiters are subscriptions that wait for room. The last that came and the first
// take turns: so who comes after many that will not answer need not wait for all
// of them, and nobody waits for ever.
type waiters struct {
	list  []*share // in the order in which they came
	first bool     // it is the first one's turn
}

func (w *waiters) len() int { return len(w.list) }

func (w *waiters) add(s *share) {
	if s.waiting == nil { // where it waits already, it is found, too
		s.waiting = w
		w.list = append(w.list, s)
	}
}

// take appends the ids of the first n.
func (w *waiters) take(n int, ids []string) []string {
	n = min(n, len(w.list))
	if n <= 0 {
		return ids
	}
	for range n {
		end := len(w.list) - 1
		s := w.list[end]
		if w.first {
			s = w.list[0]
			w.list[0], w.list = nil, w.list[1:]
		} else {
			w.list[end], w.list = nil, w.list[:end]
		}
		w.first = !w.first
		s.waiting = nil
		ids = append(ids, s.id)
	}
	if len(w.list) == 0 {
		w.list = nil
	}
	return ids
}

// fifo is a list of attempts in the order of their beginning.
type fifo struct{ first, last *attemptPlace }

func (f *fifo) push(p *attemptPlace) {
	p.prev = f.last
	if f.last != nil {
		f.last.next = p
	} else {
		f.first = p
	}
	f.last = p
}

func (f *fifo) remove(p *attemptPlace) {
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		f.first = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		f.last = p.prev
	}
	p.prev, p.next = nil, nil
}
