package hooks

import (
	"context"
	"sync"
	"time"
)

// leaseMargin is how much longer than an attempt a claimed delivery is the
// engine's, so that a lease ends only when something went wrong.
const leaseMargin = 2 * time.Minute

// queueRetry is the pause after the queue failed to answer.
const queueRetry = time.Second

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
		switch {
		case e.unsettled.Load() > 0:
			next = time.Now().Add(queueRetry)
		case free > 0:
			var err error
			claims, next, err = e.o.Queue.Claim(ctx, ClaimOptions{Max: free, Lease: e.o.AttemptTimeout + leaseMargin, Capacity: e.capacity})
			if err != nil && ctx.Err() == nil {
				e.log.Error("cannot claim deliveries", "error", err)
				next = time.Now().Add(queueRetry)
			}
		}
		for _, c := range claims {
			slots <- struct{}{}
			e.load.begin(c.SubscriptionID)
			workers.Go(func() {
				e.deliver(attempts, c)
				<-slots
				e.signalFreed()
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
	return e.load.free(id)
}
