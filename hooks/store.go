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
	ErrUnavailable = errors.New("storage is unavailable")          // nothing was stored; try again later
	ErrBacklog     = errors.New("too many deliveries are waiting") // nothing was stored; try again later

	// ErrDamagedEvent says that a stored event is not what was stored.
	ErrDamagedEvent = errors.New("the stored event is damaged")
)

// An EventConflictError says that an event id is taken by another event.
type EventConflictError struct{ EventID string }

func (e *EventConflictError) Error() string {
	return fmt.Sprintf("event %s exists already with other content; send it under an id of its own", e.EventID)
}

// A TooManyError says that a batch makes more deliveries than may ever wait. It is
// an ErrBacklog that no waiting helps against.
type TooManyError struct{ Deliveries, Max int }

func (e *TooManyError) Error() string {
	return fmt.Sprintf("it makes %d deliveries, and no more than %d may wait; send fewer events at once, or have the limit raised", e.Deliveries, e.Max)
}

// Is reports whether target is ErrBacklog.
func (*TooManyError) Is(target error) bool { return target == ErrBacklog }

// Store keeps subscriptions and other records, and answers questions about what
// is kept. All methods are safe for concurrent use; what they return belongs to
// the caller.
type Store interface {
	Records

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

	// Event returns the stored event of a key (Event.Key) or, for a bare id
	// that is no key, the newest in any scope that has it; ErrNotFound when
	// there is none.
	Event(ctx context.Context, key string) (*StoredEvent, error)
	// Events lists events, the last accepted first.
	Events(ctx context.Context, q EventQuery) (EventPage, error)

	// Deliveries lists deliveries; see DeliveryQuery for the order.
	Deliveries(ctx context.Context, q DeliveryQuery) (DeliveryPage, error)
	// Delivery returns one by id or ErrNotFound.
	Delivery(ctx context.Context, id string) (*Delivery, error)
}

// Records keeps small versioned documents of a few kinds (tokens, sources,
// jobs, last states), each under an id of 1 to 512 bytes. What is kept may
// hold secrets: a backend encrypts it at rest where it encrypts at all.
type Records interface {
	// PutRecord stores r durably. It must have Version one above the stored
	// one (1 when new), else the error is ErrConflict; Version 0 stores
	// whatever is there, as one above that.
	PutRecord(ctx context.Context, kind string, r Record) error
	// DeleteRecord removes one; ErrNotFound when there is none.
	DeleteRecord(ctx context.Context, kind, id string) error
	// Record returns one or ErrNotFound.
	Record(ctx context.Context, kind, id string) (Record, error)
	// Records lists those of a kind whose ids come after one, in the order of
	// their ids (by bytes), at most limit (1 to 1000).
	Records(ctx context.Context, kind, after string, limit int) ([]Record, error)
}

// A Record is a document of which the backend knows no more than its version.
type Record struct {
	ID      string
	Version uint64
	Data    []byte
}

// A StoredEvent is an event with what happened when it was accepted.
type StoredEvent struct {
	*Event
	AcceptedAt time.Time
	Matched    int // how many subscriptions it went to
}

// An EventQuery chooses events.
type EventQuery struct {
	Since, Until time.Time // accepted at or after Since and before Until; zero for no bound
	Ascending    bool      // the first accepted first
	Before       string    // "" or the Cursor of the last page
	Limit        int       // 1 to 1000
}

// An EventPage is one page of a list of events. It may be shorter than Limit
// and still have a Cursor: a backend reads a bounded number of bytes a call.
type EventPage struct {
	Items   []*StoredEvent
	Damaged []string // keys of events that would be among the items; see ErrDamagedEvent
	Cursor  string   // where the next page goes on; "" at the end
}

// A DeliveryQuery chooses deliveries: of a subscription, newest first; of an
// event, by subscription; of neither, subscription by subscription, the oldest
// subscription first and its newest delivery first. A page may be shorter than
// Limit, even empty, and still have a Cursor: a backend looks at a bounded
// number of deliveries a call.
type DeliveryQuery struct {
	SubscriptionID string    // "" for all
	EventKey       string    // Event.Key, "" for all
	States         []State   // nil for all
	Since, Until   time.Time // accepted at or after Since and before Until; zero for no bound
	Before         string    // "" or the Cursor of the last page
	Limit          int       // 1 to 1000
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
	// Ordered are those among SubscriptionIDs whose deliveries for one
	// resource (Event.Resource) are claimed one after another, in the order of
	// acceptance: the next when the one before has its final state.
	Ordered []string
	// Replay, an id, makes new deliveries of an event that is stored already,
	// with the same content: it is not stored again, their ids differ from
	// those of its other deliveries, they carry the mark, and they stand
	// outside of any order. What the same replay has made of the event before
	// is not made again.
	Replay string
	// Outcome is what came of the deliveries before they were stored: they
	// are finished from the start. Nil: they wait for their first attempt.
	Outcome *Settlement
}

// A Receipt says what Accept did with one event.
type Receipt struct {
	EventID   string
	Matched   int  // how many deliveries it has; of a replay, that the replay has made
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
	// or none. The error is *EventConflictError when a key is taken by an
	// event with another Digest (in the store or in the batch), wraps
	// ErrNotFound when an event to replay is not stored (any more), wraps
	// ErrBacklog when more deliveries wait than the backend takes (being a
	// *TooManyError when the batch alone makes more), and ErrUnavailable when
	// the commit failed. Keys are remembered as long as
	// their events are kept, and at least 24 hours.
	Accept(ctx context.Context, batch []Accepted) ([]Receipt, error)

	// Claim leases deliveries that are due, fairly across subscriptions, and
	// returns at once. A leased delivery is not claimed again until it is
	// settled or released or its lease ends. It returns also the earliest
	// time at which a pending delivery that is not due now falls due (zero:
	// none known).
	Claim(ctx context.Context, o ClaimOptions) ([]Claim, time.Time, error)

	// Resume says that Capacity may be above 0 again for these subscriptions.
	// Those for which it was 0, or was used up, are passed over until then.
	Resume(subscriptionIDs ...string)

	// Ready receives a value after deliveries may have become claimable by
	// Accept, Release, Resume, Revive or Settle. It never blocks the sender.
	Ready() <-chan struct{}

	// Settle records the outcomes of attempts and ends their leases. Once it
	// returns, they are stored; one may be lost in a crash before that, and
	// the delivery is then claimed again (delivery is at least once). Each
	// outcome stands for itself: the error wraps ErrNotFound when a delivery
	// does not exist, and the others are recorded all the same. With
	// ErrUnavailable none is, and all may be settled again.
	Settle(ctx context.Context, outcomes ...Settlement) error

	// Extend makes the leases of these deliveries end at a later time; it
	// makes none end earlier, and leaves alone what is not leased.
	Extend(ctx context.Context, until time.Time, deliveryIDs ...string) error

	// Release ends leases without an outcome: the deliveries are due again.
	Release(ctx context.Context, deliveryIDs ...string) error

	// Revive makes dead, skipped or cancelled deliveries due now; they keep
	// their ids and attempts, and Claim.Tries counts anew. Cancel makes
	// pending ones cancelled, for a reason; one that is being attempted may
	// still arrive. Both return how many they changed; others, and those
	// that do not exist, are left alone.
	Revive(ctx context.Context, deliveryIDs ...string) (int, error)
	Cancel(ctx context.Context, reason string, deliveryIDs ...string) (int, error)

	// Stats counts what waits. It is cheap enough for a scrape of metrics.
	Stats(ctx context.Context) (QueueStats, error)
}

// QueueStats counts the deliveries without a final state.
type QueueStats struct {
	Fresh  int       // wait for their first attempt
	Retry  int       // wait for another attempt
	Held   int       // wait for an earlier one of the same resource
	Leased int       // of Fresh and Retry: an attempt is under way
	Oldest time.Time // when the oldest of them was accepted, about; zero when there is none
}

// ClaimOptions bound one Claim.
type ClaimOptions struct {
	Max   int           // at most this many, 1 or more
	Lease time.Duration // how long they are the claimer's
	// Capacity says how many more deliveries of a subscription may be
	// claimed now; 0 leaves it alone until Resume (it is off, or at its
	// limit). It is called without locks held that it could need, and must
	// not call the queue.
	Capacity func(subscriptionID string) int
}

// A Claim is a leased delivery.
type Claim struct {
	DeliveryID     string
	EventKey       string // Event.Key
	SubscriptionID string
	Event          *Event    // where the queue has it at hand; else it is in the Store
	Stored         string    // the same as Event.MarshalBinary gives it, where the queue has that at hand
	Matched        int       // to how many subscriptions the event went, where the queue has that at hand
	Replay         string    // the replay that made it, "" for none
	Attempts       int       // how many attempts it has had
	Tries          int       // how many since it was accepted or, later, revived
	CreatedAt      time.Time // when it was accepted
	Since          time.Time // when it was accepted or, later, revived
}

// A Settlement is what became of a claimed delivery.
type Settlement struct {
	Claim   Claim
	Attempt *Attempt  // nil when no attempt was made (skipped, cancelled)
	State   State     // StatePending: again at RetryAt
	Reason  string    // for dead, skipped and cancelled
	RetryAt time.Time // for StatePending
}
