package hooks

import "time"

// A pace lets something begin every so often, and some at once after a pause
// (the generic cell rate algorithm of ITU-T I.371, as a virtual schedule).
type pace struct {
	every time.Duration
	saved int       // how many may begin at once at most
	next  time.Time // when one may begin that is not of these
}

// room is how many may begin now.
func (p *pace) room(now time.Time) int {
	if !p.next.After(now) {
		return p.saved
	}
	return max(p.saved-int((p.next.Sub(now)+p.every-1)/p.every), 0)
}

// begin counts one that begins.
func (p *pace) begin(now time.Time) {
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(p.every)
}

// take takes back one that did not begin after all.
func (p *pace) take() { p.next = p.next.Add(-p.every) }

// ready is when half of those that are saved may begin, where none may now.
func (p *pace) ready() time.Time { return p.next.Add(-time.Duration(p.saved/2) * p.every) }
