package hooks

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Errors that Store and Queue return, wrapped with what they were about.
var (
	ErrNotFound    = errors.New("not found")
	ErrConflict    = errors.New("changed by somebody else meanwhile")
	ErrUnavailable = errors.New("storage is unavailable") // nothing was stored; try again later
)

// An EventConflictError says that an event id is taken by another event.
type EventConflictError struct{ EventID string }

func (e *EventConflictError) Error() string {
	return fmt.Sprintf("event %s exists already with other content; send it under an id of its own", e.EventID)
}

// Store keeps subscriptions and answers questions about what is kept. All
// methods are safe for concurrent use; what they return belongs to the caller.
type Store interface {
	// PutSubscription stores s durably. It must have Version one above the
	// stored one (1 when new), else the error is ErrConflict.
	PutSubscription(ctx context.Context, s *Subscription) error
	// DeleteSubscription removes it, with its status and delivery log;
	// ErrNotFound when there is none.
	DeleteSubscription(ctx context.Context, id string) error
	// Subscriptions returns all, oldest first (by id).
	Subscriptions(ctx context.Context) ([]*Subscription, error)
	// Status is that of one subscription; the zero Status when it has none.
	Status(ctx context.Context, subscriptionID string) (Status, error)

	// Event returns the stored event or ErrNotFound.
	Event(ctx context.Context, id string) (*Event, error)
	// Deliveries lists a subscription's, newest first, at most limit (1 to
	// 1000) of them; before is "" or the Cursor of the last page.
	Deliveries(ctx context.Context, subscriptionID, before string, limit int) (DeliveryPage, error)
	// Delivery returns one by id or ErrNotFound.
	Delivery(ctx context.Context, id string) (*Delivery, error)
}

// A DeliveryPage is one page of a list of deliveries.
type DeliveryPage struct {
	Items  []*Delivery
	Cursor string // where the next page goes on; "" at the end
}

// Accepted is an event with the subscriptions that it goes to.
type Accepted struct {
	Event           *Event
	SubscriptionIDs []string // may be empty: the event is kept all the same
}

// A Receipt says what Accept did with one event.
type Receipt struct {
	EventID   string
	Matched   int  // how many deliveries it has
	Duplicate bool // it was there already, with the same content: nothing new was queued
}

// Queue holds the deliveries that wait for an attempt. All methods are safe
// for concurrent use. The interface has no transactions, so that a log such as
// NATS JetStream can stand behind it: a backend without them may store the
// event first and expand its deliveries idempotently after a crash, their ids
// being derived (DeliveryID).
type Queue interface {
	// Accept stores the batch and its deliveries; when it returns nil, a
	// kill -9 or a power cut loses none of them. All of the batch is stored
	// or none. The error is *EventConflictError when an id is taken by an
	// event with another Digest (in the store or in the batch), and wraps
	// ErrUnavailable when the commit failed.
	Accept(ctx context.Context, batch []Accepted) ([]Receipt, error)

	// Claim leases deliveries that are due, fairly across subscriptions, and
	// returns at once. A leased delivery is not claimed again until it is
	// settled or released or its lease ends. It returns also the earliest
	// time at which a pending delivery that is not due now falls due (zero:
	// none known).
	Claim(ctx context.Context, o ClaimOptions) ([]Claim, time.Time, error)

	// Ready receives a value after deliveries may have become claimable by
	// Accept, Release or Settle. It never blocks the sender.
	Ready() <-chan struct{}

	// Settle records the outcome of an attempt and ends the lease. Once it
	// returns, the outcome is stored; it may be lost in a crash before that,
	// and the delivery is then claimed again (delivery is at least once).
	Settle(ctx context.Context, s Settlement) error

	// Release ends leases without an outcome: the deliveries are due again.
	Release(ctx context.Context, deliveryIDs ...string) error
}

// ClaimOptions bound one Claim.
type ClaimOptions struct {
	Max   int           // at most this many, 1 or more
	Lease time.Duration // how long they are the claimer's
	// Capacity says how many more deliveries of a subscription may be
	// claimed now; 0 leaves it alone (it is off, or at its limit). It is
	// called without locks held that it could need, and must not call the
	// queue.
	Capacity func(subscriptionID string) int
}

// A Claim is a leased delivery.
type Claim struct {
	DeliveryID     string
	EventID        string
	SubscriptionID string
	Attempts       int       // how many attempts it has had
	CreatedAt      time.Time // when it was accepted
}

// A Settlement is what became of a claimed delivery.
type Settlement struct {
	Claim   Claim
	Attempt *Attempt  // nil when no attempt was made (skipped, cancelled)
	State   State     // StatePending: again at RetryAt
	Reason  string    // for dead, skipped and cancelled
	RetryAt time.Time // for StatePending
}
