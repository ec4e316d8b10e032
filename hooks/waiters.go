package hooks

// waiters are subscriptions that wait for room, in the order in which they came.
type waiters struct{ list []*share }

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
	for i, s := range w.list[:n] {
		s.waiting = nil
		w.list[i] = nil
		ids = append(ids, s.id)
	}
	if w.list = w.list[n:]; len(w.list) == 0 {
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
