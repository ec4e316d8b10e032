package hooks

import "time"

// A pace lets something begin every so often, and some at once after a pause
// (the generic cell rate algorithm of ITU-T I.371, as a virtual schedule).
type pace struct {
	every time.Duration
	next  time.Time // when another may begin that nothing was saved for
}

// saved is how many may begin at once at most.
const saved = 16

// room is how many may begin now.
func (p *pace) room(now time.Time) int {
	if !p.next.After(now) {
		return saved
	}
	return max(saved-int((p.next.Sub(now)+p.every-1)/p.every), 0)
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

// ready is when half of what may be saved may begin, where nothing may now.
func (p *pace) ready() time.Time { return p.next.Add(-saved / 2 * p.every) }
