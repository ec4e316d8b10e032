package hooks

import (
	"context"
	"runtime"
	"sync"
	"time"
)

const (
	// leaseMargin is how much longer than an attempt a claimed delivery is the
	// engine's, so that a lease ends only when something went wrong.
	leaseMargin = 2 * time.Minute

	// queueRetry is the pause after the queue failed to answer.
	queueRetry = time.Second

	// maxClaims is how many deliveries are claimed at once.
	maxClaims = 256

	// idleWorkers is how many goroutines wait for another attempt.
	idleWorkers = 512
)

// Run delivers until ctx ends, then lets the attempts under way finish for at
// most Options.ShutdownGrace, releases the rest, and returns nil. Call it once.
func (e *Engine) Run(ctx context.Context) error {
	// Attempts outlive ctx by the grace.
	attempts, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	var background, recording sync.WaitGroup
	background.Go(func() { e.runJobs(ctx) })
	outcomes := make(chan outcome, maxOutcomes)
	recording.Go(func() { e.recordOutcomes(attempts, outcomes) })
	w := workers{claims: make(chan claimed), idle: make(chan struct{}, idleWorkers), do: func(c claimed) { e.deliver(attempts, c, outcomes) }}

	for ctx.Err() == nil {
		claims, next := e.claim(ctx)
		now := time.Now()
		for _, c := range claims {
			w.give(claimed{c, e.limits.begin(c.SubscriptionID, now)})
		}
		if len(claims) == 0 {
			e.wait(ctx, next)
			// Whoever is about to end an attempt may do so first: one claim for
			// many costs little more than one for each.
			runtime.Gosched()
		}
	}
	grace := time.AfterFunc(e.o.ShutdownGrace, abort)
	defer grace.Stop()
	w.stop()
	close(outcomes)
	recording.Wait()
	background.Wait()
	return nil
}

// claim takes what may be attempted now, or says when to look again.
func (e *Engine) claim(ctx context.Context) ([]Claim, time.Time) {
	if e.unsettled.Load() > 0 {
		return nil, time.Now().Add(queueRetry)
	}
	if resumed := e.limits.round(time.Now()); len(resumed) > 0 {
		e.o.Queue.Resume(resumed...)
	}
	claims, next, err := e.o.Queue.Claim(ctx, ClaimOptions{Max: maxClaims, Lease: MaxTimeout + leaseMargin, Capacity: e.capacity})
	if err != nil && ctx.Err() == nil {
		e.log.Error("cannot claim deliveries", "error", err)
		return nil, time.Now().Add(queueRetry)
	}
	if again := e.limits.again(time.Now()); !again.IsZero() && (next.IsZero() || again.Before(next)) {
		next = again
	}
	return claims, next
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
	case <-e.limits.wake:
	case <-due:
	}
}

// capacity is how many more attempts a subscription may have now. One that is
// gone has its deliveries claimed all the same, to be settled as cancelled.
func (e *Engine) capacity(id string) int {
	a := e.lookup(id)
	if a != nil && !a.served() {
		return 0
	}
	return e.limits.free(id, time.Now())
}

// claimed is a delivery on its way to an attempt.
type claimed struct {
	Claim
	place *attemptPlace
}

// workers are the goroutines that make attempts. Some stay when they are done,
// since a stack that has grown to what an exchange takes is worth keeping.
type workers struct {
	claims  chan claimed
	idle    chan struct{} // has a place for each that waits
	do      func(claimed)
	running sync.WaitGroup
}

// give hands a claim to a worker that waits, or to a new one. How many there
// are at most, the engine's limits decide.
func (w *workers) give(c claimed) {
	select {
	case w.claims <- c:
	default:
		w.running.Go(func() { w.work(c) })
	}
}

func (w *workers) work(c claimed) {
	for {
		w.do(c)
		select {
		case w.idle <- struct{}{}:
		default:
			return
		}
		next, more := <-w.claims
		<-w.idle
		if !more {
			return
		}
		c = next
	}
}

// stop waits for the workers.
func (w *workers) stop() {
	close(w.claims)
	w.running.Wait()
}
