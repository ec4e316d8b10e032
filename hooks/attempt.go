package hooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// maxLoggedBody bounds the part of an error answer that is kept, in bytes.
const maxLoggedBody = 4 << 10

// deliver takes one claim to an outcome and records it.
func (e *Engine) deliver(ctx context.Context, c Claim) {
	s := e.attempt(ctx, c)
	// The subscription's share is free before the outcome is on the disk; the
	// place among all attempts is not, so that outcomes cannot pile up.
	e.load.end(c.SubscriptionID, s != nil && (s.Attempt == nil || s.Attempt.StatusCode != 0))
	e.signalFreed()
	if s != nil && e.settle(ctx, *s) {
		e.logOutcome(ctx, s)
	}
}

// settle records an outcome, also while shutting down. It tries again until the
// queue takes it or the engine stops: an outcome that is lost means a delivery
// that is made twice.
func (e *Engine) settle(ctx context.Context, s Settlement) bool {
	failed := false
	for {
		err := e.o.Queue.Settle(context.WithoutCancel(ctx), s)
		if failed && (err == nil || ctx.Err() != nil) {
			e.unsettled.Add(-1)
		}
		if err == nil {
			return true
		}
		if errors.Is(err, ErrNotFound) || ctx.Err() != nil {
			e.log.Error("cannot record the outcome of a delivery; it may be made again", "delivery", s.Claim.DeliveryID, "error", err)
			return false
		}
		if !failed {
			failed = true
			e.unsettled.Add(1)
			e.log.Error("cannot record the outcome of a delivery; nothing is sent until it is recorded", "delivery", s.Claim.DeliveryID, "error", err)
		}
		select {
		case <-time.After(queueRetry):
		case <-ctx.Done():
		}
	}
}

// logOutcome writes one line for a recorded outcome: a warning when something
// failed, else at debug level.
func (e *Engine) logOutcome(ctx context.Context, s *Settlement) {
	level := slog.LevelDebug
	fields := []slog.Attr{
		slog.String("state", string(s.State)), slog.String("delivery", s.Claim.DeliveryID),
		slog.String("event", s.Claim.EventID), slog.String("subscription", s.Claim.SubscriptionID),
	}
	if s.Reason != "" {
		fields = append(fields, slog.String("reason", s.Reason))
	}
	if a := s.Attempt; a != nil {
		fields = append(fields, slog.Int("attempt", s.Claim.Attempts+1), slog.Int("status", a.StatusCode), slog.Duration("duration", a.Duration))
		if a.ErrorClass != "" {
			level = slog.LevelWarn
			fields = append(fields, slog.String("class", string(a.ErrorClass)), slog.String("error", a.Error))
		}
		if !a.RetryAt.IsZero() {
			fields = append(fields, slog.Time("retryAt", a.RetryAt))
		}
	}
	e.log.LogAttrs(ctx, level, "delivery", fields...)
}

// attempt makes one try and says what became of it; nil when the claim was
// released or left to its lease. A panic ends the delivery and nothing else.
func (e *Engine) attempt(ctx context.Context, c Claim) (s *Settlement) {
	start := time.Now()
	defer func() {
		if p := recover(); p != nil {
			e.log.Error("panic while delivering", "delivery", c.DeliveryID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			s = failed(c, start, "an internal error; the server's log says what")
		}
	}()
	a := e.lookup(c.SubscriptionID)
	if a == nil {
		return &Settlement{Claim: c, State: StateCancelled, Reason: "the subscription was deleted"}
	}
	if !a.sub.On || a.problem != "" {
		e.release(ctx, c)
		return nil
	}
	event, err := e.event(ctx, c.EventID)
	if errors.Is(err, ErrNotFound) {
		return failed(c, start, "the event is no longer stored")
	}
	if err != nil {
		e.log.Error("cannot read an event; its delivery waits", "event", c.EventID, "error", err)
		return nil // the lease ends in time, which is the pause to make
	}
	rendered, err := a.integration.Render(event.rendered, manifest.RenderInput{
		Config: a.sub.Config, Delivery: manifest.Delivery{ID: c.DeliveryID, Attempt: c.Attempts + 1},
	})
	if err != nil {
		return failed(c, start, err.Error())
	}
	if rendered.Request == nil {
		return &Settlement{Claim: c, State: StateSkipped, Reason: rendered.Skipped}
	}
	response := e.o.Sender.Send(ctx, Outgoing{
		DeliveryID: c.DeliveryID, Request: rendered.Request,
		Timeout: e.o.AttemptTimeout, SkipTLSVerify: skipTLSVerify(a),
		Secrets: a.integration.SecretValues(a.sub.Config),
	})
	if ctx.Err() != nil && response.StatusCode == 0 {
		e.release(ctx, c)
		return nil
	}
	return e.outcome(c, a, start, response)
}

// skipTLSVerify follows the form variable by which an integration offers it.
func skipTLSVerify(a *active) bool {
	const key = "skip-ca-verification"
	for _, v := range a.integration.Manifest.FormVariables {
		if v.Key == key && v.Type == "boolean" {
			chosen := a.sub.Config.Get(key)
			return chosen.Kind() == render.KindBool && chosen.AsBool()
		}
	}
	return false
}

// outcome turns an answer into what is recorded.
func (e *Engine) outcome(c Claim, a *active, start time.Time, r Response) *Settlement {
	try := &Attempt{At: start.UTC(), Duration: time.Since(start), StatusCode: r.StatusCode, ErrorClass: r.ErrorClass, Error: r.Error}
	s := &Settlement{Claim: c, Attempt: try, State: StateDelivered}
	if r.ErrorClass == "" {
		return s
	}
	if hook := a.integration.Hook(); hook != nil && hook.IncludeErrorResponseBody {
		try.ResponseBody = string(r.Body[:min(len(r.Body), maxLoggedBody)])
	}
	wait, again := e.o.Retry.Next(c.Attempts+1, r.RetryAfter, rand.Float64())
	switch {
	case !retryable(r):
		s.State, s.Reason = StateDead, r.Error
	case !again:
		s.State, s.Reason = StateDead, fmt.Sprintf("given up after %d attempts; the last: %s", c.Attempts+1, r.Error)
	default:
		s.State, s.RetryAt = StatePending, time.Now().Add(wait).UTC()
		try.RetryAt = s.RetryAt
	}
	return s
}

// failed is a delivery that died without an exchange.
func failed(c Claim, start time.Time, reason string) *Settlement {
	try := &Attempt{At: start.UTC(), Duration: time.Since(start), ErrorClass: ErrorRender, Error: reason}
	return &Settlement{Claim: c, Attempt: try, State: StateDead, Reason: reason}
}

func (e *Engine) release(ctx context.Context, c Claim) {
	if err := e.o.Queue.Release(context.WithoutCancel(ctx), c.DeliveryID); err != nil {
		e.log.Error("cannot release a delivery; it waits until its lease ends", "delivery", c.DeliveryID, "error", err)
	}
}

// event is from the cache, else from the store.
func (e *Engine) event(ctx context.Context, id string) (*Event, error) {
	if event := e.events.get(id); event != nil {
		return event, nil
	}
	event, err := e.o.Store.Event(ctx, id)
	if err == nil {
		e.events.put(event)
	}
	return event, err
}
