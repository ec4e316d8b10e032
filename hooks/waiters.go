package hooks

import "container/list"

// waiters are subscriptions that wait for room. The last that came and the first
// take turns: so who comes after many that will not answer need not wait for all
// of them, and nobody waits for ever.
type waiters struct {
	list  list.List // of *share, by since
	first bool      // it is the first one's turn
}

func (w *waiters) len() int { return w.list.Len() }

// add has a subscription wait here, and nowhere else.
func (w *waiters) add(s *share) {
	if s.waiting == w {
		return
	}
	s.stop()
	s.waiting = w
	for e := w.list.Back(); e != nil; e = e.Prev() {
		if e.Value.(*share).since < s.since {
			s.element = w.list.InsertAfter(s, e)
			return
		}
	}
	s.element = w.list.PushFront(s)
}

func (w *waiters) remove(s *share) {
	w.list.Remove(s.element)
	s.waiting, s.element = nil, nil
}

// take appends the ids of n whose turn it is, who wait no longer.
func (w *waiters) take(n int, ids []string) []string {
	for ; n > 0 && w.len() > 0; n-- {
		e := w.list.Back()
		if w.first {
			e = w.list.Front()
		}
		w.first = !w.first
		s := e.Value.(*share)
		w.remove(s)
		ids = append(ids, s.id)
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
