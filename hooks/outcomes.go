package hooks

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// maxOutcomes bounds the outcomes that wait to be recorded; attempts that
	// end when there are so many keep their places.
	maxOutcomes = 1024

	// maxRecorded is how many outcomes are recorded at once.
	maxRecorded = 512

	// Most of what recording costs is the same for one outcome and for many.
	// After recordBusy or more of them, others are given recordPause to gather;
	// after fewer, none waits.
	recordBusy  = 16
	recordPause = 10 * time.Millisecond

	// maxJudges bounds the subscriptions that are judged at once.
	maxJudges = 64
)

// An outcome is what became of an attempt, on its way to the queue; the
// subscription is nil where it is gone.
type outcome struct {
	*Settlement
	sub   *active
	begun time.Time
}

// recordOutcomes records what attempts end in until the channel is closed.
func (e *Engine) recordOutcomes(ctx context.Context, outcomes <-chan outcome) {
	r := recorder{engine: e, outcomes: outcomes, judges: make(chan struct{}, maxJudges)}
	defer r.judging.Wait()
	for o := range outcomes {
		r.gather(o)
		r.record(ctx)
	}
}

type recorder struct {
	engine   *Engine
	outcomes <-chan outcome
	busy     bool // there were many the last time
	batch    []outcome
	stored   []Settlement // of batch
	judging  sync.WaitGroup
	judges   chan struct{} // has a place for each
}

// gather takes what there is and, where there is much, waits for more. Where
// others wait for an outcome, since they come after it in an order, it is not
// kept waiting.
func (r *recorder) gather(first outcome) {
	r.batch = append(r.batch[:0], first)
	var pause <-chan time.Time // nil: for nothing
	if r.busy {
		t := time.NewTimer(recordPause)
		defer t.Stop()
		pause = t.C
	}
	for len(r.batch) < maxRecorded {
		if r.batch[len(r.batch)-1].ordered() {
			pause = nil
		}
		o, ok := r.next(pause)
		if !ok {
			return
		}
		r.batch = append(r.batch, o)
	}
}

func (r *recorder) next(pause <-chan time.Time) (o outcome, ok bool) {
	if pause == nil {
		select {
		case o, ok = <-r.outcomes:
		default:
		}
		return o, ok
	}
	select {
	case o, ok = <-r.outcomes:
	case <-pause:
	}
	return o, ok
}

func (o outcome) ordered() bool { return o.sub != nil && o.sub.sub.Ordered }

// record records the batch and draws the conclusions.
func (r *recorder) record(ctx context.Context) {
	r.busy = len(r.batch) >= recordBusy
	r.stored = r.stored[:0]
	for _, o := range r.batch {
		r.stored = append(r.stored, *o.Settlement)
	}
	if r.engine.settle(ctx, r.stored) {
		for _, o := range r.batch {
			r.engine.tell(ctx, o.sub, o.Settlement, o.begun)
			r.judge(ctx, o)
		}
	}
	clear(r.batch)
	clear(r.stored)
}

// judge has a subscription judged whose attempt failed, beside the recording:
// it may take reading and writing.
func (r *recorder) judge(ctx context.Context, o outcome) {
	if o.sub == nil || !r.engine.suspect(o.sub.sub, o.Attempt) {
		return
	}
	r.judges <- struct{}{}
	r.judging.Go(func() {
		r.engine.judge(ctx, o.sub.sub, o.Attempt)
		<-r.judges
	})
}

// settle records outcomes, also while shutting down, and reports whether it did.
// It tries again until the queue takes them or the engine stops: an outcome that
// is lost means a delivery that is made twice.
func (e *Engine) settle(ctx context.Context, s []Settlement) bool {
	err := e.o.Queue.Settle(context.WithoutCancel(ctx), s...)
	if err != nil && e.recordable(ctx, err) {
		e.unsettled.Add(1)
		defer e.unsettled.Add(-1)
		e.log.Error("cannot record outcomes of deliveries; nothing is sent until they are recorded", "outcomes", len(s), "error", err)
		err = e.settleLater(ctx, s)
	}
	switch {
	case err == nil:
	case errors.Is(err, ErrNotFound):
		e.log.Error("cannot record the outcome of a delivery", "error", err)
	default:
		e.log.Error("cannot record outcomes of deliveries; they may be made again", "outcomes", len(s), "error", err)
		return false
	}
	return true
}

// recordable reports whether outcomes may yet be recorded after an error.
func (e *Engine) recordable(ctx context.Context, err error) bool {
	return !errors.Is(err, ErrNotFound) && ctx.Err() == nil
}

func (e *Engine) settleLater(ctx context.Context, s []Settlement) error {
	ids := make([]string, len(s))
	for i := range s {
		ids[i] = s[i].Claim.DeliveryID
	}
	again := time.NewTicker(queueRetry)
	defer again.Stop()
	for {
		select {
		case <-again.C:
		case <-ctx.Done():
		}
		// The leases must not end meanwhile; where they cannot be extended,
		// the worst is another attempt.
		_ = e.o.Queue.Extend(context.WithoutCancel(ctx), time.Now().Add(leaseMargin), ids...)
		err := e.o.Queue.Settle(context.WithoutCancel(ctx), s...)
		if err == nil || !e.recordable(ctx, err) {
			return err
		}
	}
}
