package bolt

import (
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// Deliveries that were accepted a moment ago are mostly claimed at once. So that
// this takes no reading, each subscription has a window: the first of what it has
// due, as the writer handed it over after the commit or as a claim read ahead. A
// window is never needed, the file knows all that is in it, and whatever could
// make it wrong empties it.
const (
	maxWindow      = 1024     // deliveries in the window of one subscription
	maxAhead       = 64       // deliveries read ahead into the window of one subscription
	maxWindows     = 16 << 10 // in all windows
	maxWindowBytes = 2 << 20  // of events in all windows, as they are in the file; in memory they take several times as much
)

// A pending delivery is one in a window.
type pending struct {
	seq     uint64
	id      string // of the delivery
	key     string // of the event
	replay  string
	created int64
	event   *hooks.Event // of a delivery that was accepted; nil where there is no room
	stored  string       // the event of one that was read ahead; "" where there is no room
	matched int          // to how many subscriptions it went
	size    int          // of the event in the file, its deliveries sharing it
}

// A window is the part of a subscription that is about its window.
type window struct {
	queue []pending
	// whole says that the window has all that the subscription has due and not
	// leased; else there is more in the file, after what is in the window.
	whole bool
	// seen is the transaction up to which the file was read to make it whole.
	seen int
}

// admit adds a new delivery, of that transaction, to the window where that is
// possible.
func (q *queue) admit(s *subscription, p pending, tx int) {
	if !s.window.whole || tx <= s.window.seen {
		return
	}
	if len(s.window.queue) == maxWindow || q.windowed == maxWindows {
		s.window.whole = false
		return
	}
	if q.windowBytes+p.size > maxWindowBytes {
		p.event, p.size = nil, 0
	}
	q.push(s, p)
}

func (q *queue) push(s *subscription, p pending) {
	q.windowed++
	q.windowBytes += p.size
	s.window.queue = append(s.window.queue, p)
}

// take takes the first of a window that is not empty.
func (q *queue) take(s *subscription) pending {
	p := s.window.queue[0]
	s.window.queue[0] = pending{}
	if s.window.queue = s.window.queue[1:]; len(s.window.queue) == 0 {
		s.window.queue = nil
	}
	q.windowed--
	q.windowBytes -= p.size
	return p
}

// spoil empties a window after something happened that it does not follow: the
// next claim reads the file.
func (q *queue) spoil(s *subscription) {
	for len(s.window.queue) > 0 {
		q.take(s)
	}
	s.window.whole = false
}

// spoilParked empties the windows of those that wait for capacity, when the room
// is needed for others.
func (q *queue) spoilParked() {
	if q.windowed < maxWindows && q.windowBytes < maxWindowBytes {
		return
	}
	for _, s := range q.parked {
		q.spoil(s)
	}
}

// claim names a delivery of a window for its claimer.
func (p *pending) claim(subscriptionID string) hooks.Claim {
	created := time.Unix(0, p.created).UTC()
	return hooks.Claim{
		DeliveryID: p.id, EventKey: p.key, SubscriptionID: subscriptionID, Event: p.event, Stored: p.stored, Matched: p.matched, Replay: p.replay,
		CreatedAt: created, Since: created,
	}
}
