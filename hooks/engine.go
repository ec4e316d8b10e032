package hooks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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

	Logger   *slog.Logger // default: slog.Default()
	Observer Observer     // default: nobody

	// Concurrency bounds the attempts under way at once (default 4096); a
	// quarter of it is for those that are quick. SubscriptionConcurrency
	// bounds those of one subscription (default 32), HostConcurrency those to
	// one host and port (default 256).
	Concurrency             int
	SubscriptionConcurrency int
	HostConcurrency         int

	AttemptTimeout time.Duration // default DefaultTimeout, for one HTTP exchange; at most MaxTimeout
	Retry          RetryPolicy   // default DefaultRetryPolicy

	// RequireHTTPS refuses subscriptions whose endpoint is http://.
	RequireHTTPS bool

	// FailingLimit is how long all attempts of a subscription may fail before
	// it is switched off (default 5 days).
	FailingLimit time.Duration

	// ShutdownGrace is how long Run lets attempts under way finish once its
	// context has ended (default 20 s); those left then are released and
	// are claimed again after the next start.
	ShutdownGrace time.Duration
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	o.Concurrency = cmp.Or(o.Concurrency, 4096)
	o.SubscriptionConcurrency = cmp.Or(o.SubscriptionConcurrency, 32)
	o.HostConcurrency = cmp.Or(o.HostConcurrency, 256)
	o.AttemptTimeout = cmp.Or(o.AttemptTimeout, DefaultTimeout)
	o.Retry = cmp.Or(o.Retry, DefaultRetryPolicy)
	o.FailingLimit = cmp.Or(o.FailingLimit, 5*24*time.Hour)
	o.ShutdownGrace = cmp.Or(o.ShutdownGrace, 20*time.Second)
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
	case o.Concurrency < 0 || o.SubscriptionConcurrency < 0 || o.HostConcurrency < 0:
		return errors.New("hooks.Options: Concurrency, SubscriptionConcurrency and HostConcurrency must be positive, or 0 for their defaults")
	case o.AttemptTimeout < 0 || o.AttemptTimeout > MaxTimeout:
		return fmt.Errorf("hooks.Options: AttemptTimeout must be positive and at most %v, or 0 for its default", MaxTimeout)
	case o.ShutdownGrace < 0 || o.FailingLimit < 0:
		return errors.New("hooks.Options: ShutdownGrace and FailingLimit must be positive, or 0 for their defaults")
	case o.Retry != (RetryPolicy{}) && (o.Retry.MaxAttempts < 1 || o.Retry.Base < 0 || o.Retry.Factor < 1 || o.Retry.Cap < o.Retry.Base || o.Retry.MaxElapsed < 0):
		return errors.New("hooks.Options: Retry needs MaxAttempts of 1 or more, a Factor of 1 or more, Base at most Cap, and no negative MaxElapsed")
	}
	return nil
}

// An Engine carries events to the subscriptions that want them. Publish and
// the subscription methods work at once; deliveries are made while Run runs.
// All methods are safe for concurrent use.
type Engine struct {
	o       Options
	log     *slog.Logger
	catalog atomic.Pointer[manifest.Catalog]
	events  *eventCache
	tokens  *Tokens

	mu   sync.RWMutex
	subs map[string]*active

	// index has the policies of the subscriptions that are on. It changes under
	// mu, with subs, and is read without.
	index policy.Index

	limits  *limits
	failing failing
	jobs    jobs
	ordered atomic.Int64 // how many subscriptions want order
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
		events:  newEventCache(maxCachedEvents),
		subs:    make(map[string]*active),
		limits:  newLimits(&o),
		failing: newFailing(), jobs: newJobs(),
	}
	e.catalog.Store(o.Catalog)
	var err error
	if e.tokens, err = loadTokens(ctx, e); err != nil {
		return nil, err
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
		e.countOrdered(nil, a)
	}
	e.index.PutAll(func(yield func(string, *policy.Policy) bool) {
		for id, a := range e.subs {
			if a.listens() && !yield(id, a.policy) {
				return
			}
		}
	})
	if err := e.recordMissed(ctx, stored); err != nil {
		return nil, err
	}
	return e, nil
}

// Tokens are those that clients of the API have.
func (e *Engine) Tokens() *Tokens { return e.tokens }

// Catalog is the catalog that the engine renders with.
func (e *Engine) Catalog() *manifest.Catalog { return e.catalog.Load() }

// SetCatalog replaces the catalog; subscriptions are served by the new one from
// then on, and attempts under way end with the old one.
func (e *Engine) SetCatalog(c *manifest.Catalog) {
	e.mu.Lock()
	e.catalog.Store(c)
	ids := make([]string, 0, len(e.subs))
	for id, a := range e.subs {
		a = e.activate(a.sub)
		e.subs[id] = a
		e.listen(id, a)
		ids = append(ids, id)
	}
	e.mu.Unlock()
	e.events.clear() // with the bodies that the old templates rendered
	e.o.Queue.Resume(ids...)
}

// countOrdered keeps count of the subscriptions that want order, when one takes
// the place of another; either may be nil.
func (e *Engine) countOrdered(old, now *active) {
	if old != nil && old.sub.Ordered {
		e.ordered.Add(-1)
	}
	if now != nil && now.sub.Ordered {
		e.ordered.Add(1)
	}
}

// listen keeps the index of policies in step; the caller holds the lock.
func (e *Engine) listen(id string, a *active) {
	if a.listens() {
		e.index.Put(id, a.policy)
	} else {
		e.index.Delete(id)
	}
}

// Publish makes events durable together with one delivery for each
// subscription whose policy lets them through: all of them or, on an error,
// none. See Queue.Accept for the errors. The receipts are in the order of the
// events. source is where they come from, for the Observer.
func (e *Engine) Publish(ctx context.Context, source string, events ...*Event) ([]Receipt, error) {
	return e.publish(ctx, source, "", events...)
}

// publish leaves out the subscription of an id.
func (e *Engine) publish(ctx context.Context, source, except string, events ...*Event) ([]Receipt, error) {
	batch := make([]Accepted, len(events))
	for i, event := range events {
		batch[i] = e.route(event, except)
	}
	start := time.Now()
	receipts, err := e.o.Queue.Accept(ctx, batch)
	if errors.Is(err, ErrUnavailable) {
		e.refused.Store(time.Now().UnixNano())
	}
	if err != nil {
		return nil, fmt.Errorf("accept events: %w", err)
	}
	for i, event := range events {
		// What is cached must be what is stored: a duplicate may have been
		// given another time.
		if !receipts[i].Duplicate {
			e.share(event, receipts[i].Matched)
		}
	}
	e.o.Observer.EventsAccepted(source, len(events), time.Since(start))
	return receipts, nil
}

// route finds the subscriptions that an event goes to, in no particular order.
func (e *Engine) route(event *Event, except string) Accepted {
	a := Accepted{Event: event, SubscriptionIDs: e.match(event)}
	if !event.isOwn() && except == "" && e.ordered.Load() == 0 {
		return a
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	a.SubscriptionIDs = slices.DeleteFunc(a.SubscriptionIDs, func(id string) bool {
		s := e.subs[id]
		return id == except || s == nil || !hears(s.sub, event)
	})
	for _, id := range a.SubscriptionIDs {
		if s := e.subs[id]; s != nil && s.sub.Ordered {
			a.Ordered = append(a.Ordered, id)
		}
	}
	return a
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

// match asks the policies.
func (e *Engine) match(event *Event) []string { return e.index.Match(event.Accesses()) }

// Event returns a stored event or ErrNotFound.
func (e *Engine) Event(ctx context.Context, id string) (*StoredEvent, error) {
	return e.o.Store.Event(ctx, id)
}

// Events lists stored events; see Store.Events.
func (e *Engine) Events(ctx context.Context, q EventQuery) (EventPage, error) {
	page, err := e.o.Store.Events(ctx, q)
	if len(page.Damaged) > 0 {
		e.log.Error("stored events are damaged; a list is without them", "events", page.Damaged)
	}
	return page, err
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
