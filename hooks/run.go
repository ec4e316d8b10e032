package hooks

import (
	"context"
	"sync"
	"time"
)

// claimLease is how long a claimed delivery is the engine's: longer than any
// attempt, so that a lease ends only when something went wrong.
const claimLease = 2 * time.Minute

// claimRetry is the pause after the queue failed to answer.
const claimRetry = time.Second

// Run delivers until ctx ends, then lets the attempts under way finish for at
// most Options.ShutdownGrace, releases the rest, and returns nil. Call it once.
func (e *Engine) Run(ctx context.Context) error {
	// Attempts outlive ctx by the grace.
	attempts, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	slots := make(chan struct{}, e.o.Concurrency)
	var workers sync.WaitGroup

	for ctx.Err() == nil {
		free := cap(slots) - len(slots)
		var claims []Claim
		var next time.Time
		if free > 0 {
			var err error
			claims, next, err = e.o.Queue.Claim(ctx, ClaimOptions{Max: free, Lease: claimLease, Capacity: e.capacity})
			if err != nil && ctx.Err() == nil {
				e.log.Error("cannot claim deliveries", "error", err)
				next = time.Now().Add(claimRetry)
			}
		}
		for _, c := range claims {
			slots <- struct{}{}
			e.inFlight.add(c.SubscriptionID, 1)
			workers.Go(func() {
				e.deliver(attempts, c, func() {
					e.inFlight.add(c.SubscriptionID, -1)
					<-slots
					e.signalFreed()
				})
			})
		}
		if len(claims) == 0 {
			e.wait(ctx, next)
		}
	}
	grace := time.AfterFunc(e.o.ShutdownGrace, abort)
	defer grace.Stop()
	workers.Wait()
	return nil
}

// wait returns when there may be something to claim.
func (e *Engine) wait(ctx context.Context, next time.Time) {
	var due <-chan time.Time
	if !next.IsZero() {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ctx.Done():
	case <-e.o.Queue.Ready():
	case <-e.freed:
	case <-due:
	}
}

// signalFreed wakes Run; one signal is enough for any number of reasons.
func (e *Engine) signalFreed() {
	select {
	case e.freed <- struct{}{}:
	default:
	}
}

// capacity is how many more attempts a subscription may have now. One that is
// gone has its deliveries claimed all the same, to be settled as cancelled.
func (e *Engine) capacity(id string) int {
	a := e.lookup(id)
	if a != nil && (!a.sub.On || a.problem != "") {
		return 0
	}
	return e.o.SubscriptionConcurrency - e.inFlight.of(id)
}

// inFlight counts the attempts under way by subscription.
type inFlight struct {
	mu sync.Mutex
	n  map[string]int
}

func (f *inFlight) add(id string, d int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n[id] += d; f.n[id] == 0 {
		delete(f.n, id)
	}
}

func (f *inFlight) of(id string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n[id]
}
