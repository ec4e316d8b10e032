package hooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
)

// Options configure an Engine. Store, Queue, Sender and Catalog are required.
type Options struct {
	Store   Store
	Queue   Queue
	Sender  Sender
	Catalog *manifest.Catalog

	Logger *slog.Logger // default: slog.Default()

	// Concurrency bounds the attempts under way at once (default 512), and
	// SubscriptionConcurrency those of one subscription (default 32), so
	// that an endpoint that hangs holds up only its own.
	Concurrency             int
	SubscriptionConcurrency int

	AttemptTimeout time.Duration // default 15 s, for one HTTP exchange
	Retry          RetryPolicy   // default DefaultRetryPolicy

	// ShutdownGrace is how long Run lets attempts under way finish once its
	// context has ended (default 20 s); those left then are released and
	// are claimed again after the next start.
	ShutdownGrace time.Duration
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Concurrency == 0 {
		o.Concurrency = 512
	}
	if o.SubscriptionConcurrency == 0 {
		o.SubscriptionConcurrency = 32
	}
	if o.AttemptTimeout == 0 {
		o.AttemptTimeout = 15 * time.Second
	}
	if o.Retry == (RetryPolicy{}) {
		o.Retry = DefaultRetryPolicy
	}
	if o.ShutdownGrace == 0 {
		o.ShutdownGrace = 20 * time.Second
	}
}

// Validate names the first option that is missing or makes no sense.
func (o *Options) Validate() error {
	switch {
	case o.Store == nil:
		return errors.New("hooks.Options: Store is required, for instance from bolt.Open")
	case o.Queue == nil:
		return errors.New("hooks.Options: Queue is required, for instance from bolt.Open")
	case o.Sender == nil:
		return errors.New("hooks.Options: Sender is required, for instance from send.New")
	case o.Catalog == nil:
		return errors.New("hooks.Options: Catalog is required, for instance from manifest.Load")
	case o.Concurrency < 0 || o.SubscriptionConcurrency < 0:
		return errors.New("hooks.Options: Concurrency and SubscriptionConcurrency must be positive, or 0 for their defaults")
	case o.AttemptTimeout < 0 || o.ShutdownGrace < 0:
		return errors.New("hooks.Options: AttemptTimeout and ShutdownGrace must be positive, or 0 for their defaults")
	case o.Retry != (RetryPolicy{}) && (o.Retry.MaxAttempts < 1 || o.Retry.Base < 0 || o.Retry.Factor < 1 || o.Retry.Cap < o.Retry.Base):
		return errors.New("hooks.Options: Retry needs MaxAttempts of 1 or more, a Factor of 1 or more, and Base at most Cap")
	}
	return nil
}

// An Engine carries events to the subscriptions that want them. Publish and
// the subscription methods work at once; deliveries are made while Run runs.
// All methods are safe for concurrent use.
type Engine struct {
	o      Options
	log    *slog.Logger
	events *eventCache
	freed  chan struct{} // signalled when a subscription may have capacity again

	mu   sync.RWMutex
	subs map[string]*active

	// index has the policies of the subscriptions that are on. It changes under
	// mu, with subs, and is read without.
	index policy.Index

	load load
	// unsettled counts the outcomes that the queue did not take; while there
	// is one, nothing is claimed.
	unsettled atomic.Int64
	refused   atomic.Int64 // when the storage refused events last, in Unix nanoseconds
}

// maxCachedEvents bounds the memory of the events that are kept for sharing, in
// bytes.
const maxCachedEvents = 16 << 20

// New makes an Engine and loads the subscriptions. A subscription whose
// integration the catalog does not have is kept, and its deliveries wait.
func New(ctx context.Context, o Options) (*Engine, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.setDefaults()
	e := &Engine{
		o: o, log: o.Logger,
		events: newEventCache(maxCachedEvents),
		freed:  make(chan struct{}, 1),
		subs:   make(map[string]*active),
		load:   newLoad(o.SubscriptionConcurrency),
	}
	stored, err := o.Store.Subscriptions(ctx)
	if err != nil {
		return nil, fmt.Errorf("load subscriptions: %w", err)
	}
	for _, s := range stored {
		a := e.activate(s)
		if a.problem != "" {
			e.log.Warn("subscription is not served", "subscription", s.ID, "integration", s.Integration, "reason", a.problem)
		}
		e.subs[s.ID] = a
	}
	e.index.PutAll(func(yield func(string, *policy.Policy) bool) {
		for id, a := range e.subs {
			if a.listens() && !yield(id, a.policy) {
				return
			}
		}
	})
	return e, nil
}

// Catalog is the catalog that the engine renders with.
func (e *Engine) Catalog() *manifest.Catalog { return e.o.Catalog }

// Publish makes events durable together with one delivery for each
// subscription whose policy lets them through: all of them or, on an error,
// none. See Queue.Accept for the errors. The receipts are in the order of the
// events.
func (e *Engine) Publish(ctx context.Context, events ...*Event) ([]Receipt, error) {
	batch := make([]Accepted, len(events))
	for i, event := range events {
		batch[i] = Accepted{Event: event, SubscriptionIDs: e.match(event)}
	}
	receipts, err := e.o.Queue.Accept(ctx, batch)
	if errors.Is(err, ErrUnavailable) {
		e.refused.Store(time.Now().UnixNano())
	}
	if err != nil {
		return nil, fmt.Errorf("accept events: %w", err)
	}
	for i, r := range receipts {
		// What is cached must be what is stored: a duplicate may have been
		// given another time.
		if !r.Duplicate && len(batch[i].SubscriptionIDs) > 0 {
			e.events.put(events[i])
		}
	}
	return receipts, nil
}

// unreadyAfter is how long a refusal of the storage counts against Ready when
// nothing has been tried since.
const unreadyAfter = 10 * time.Second

// Ready says why events are probably not accepted now, nil when they are: the
// storage refused some a moment ago, or does not take outcomes.
func (e *Engine) Ready() error {
	switch {
	case e.unsettled.Load() > 0:
		return fmt.Errorf("outcomes cannot be recorded: %w", ErrUnavailable)
	case time.Since(time.Unix(0, e.refused.Load())) < unreadyAfter:
		return fmt.Errorf("events were refused in the last %v: %w", unreadyAfter, ErrUnavailable)
	}
	return nil
}

// match lists the subscriptions that an event goes to, in no particular order.
func (e *Engine) match(event *Event) []string { return e.index.Match(event.accesses) }

// Event returns a stored event or ErrNotFound.
func (e *Engine) Event(ctx context.Context, id string) (*StoredEvent, error) {
	return e.o.Store.Event(ctx, id)
}

// Deliveries lists a subscription's deliveries; see Store.Deliveries.
func (e *Engine) Deliveries(ctx context.Context, q DeliveryQuery) (DeliveryPage, error) {
	return e.o.Store.Deliveries(ctx, q)
}

// Delivery returns one delivery or ErrNotFound.
func (e *Engine) Delivery(ctx context.Context, id string) (*Delivery, error) {
	return e.o.Store.Delivery(ctx, id)
}

// Status sums up a subscription's attempts.
func (e *Engine) Status(ctx context.Context, subscriptionID string) (Status, error) {
	return e.o.Store.Status(ctx, subscriptionID)
}
