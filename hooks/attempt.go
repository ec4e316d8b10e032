package hooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// maxLoggedBody bounds the part of an error answer that is kept, in bytes.
const maxLoggedBody = 4 << 10

// deliver takes one claim to an outcome. attempted is called once, as soon as
// the exchange with the endpoint is over: the place of this attempt is free
// before its outcome has reached the disk.
func (e *Engine) deliver(ctx context.Context, c Claim, attempted func()) {
	s := e.attempt(ctx, c)
	attempted()
	if s == nil {
		return
	}
	// The outcome of a finished attempt is kept even while shutting down.
	if err := e.o.Queue.Settle(context.WithoutCancel(ctx), *s); err != nil {
		e.log.Error("cannot record the outcome of a delivery; it will be made again", "delivery", c.DeliveryID, "error", err)
		return
	}
	e.logOutcome(ctx, s)
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
// released or left to its lease.
func (e *Engine) attempt(ctx context.Context, c Claim) *Settlement {
	a := e.lookup(c.SubscriptionID)
	if a == nil {
		return &Settlement{Claim: c, State: StateCancelled, Reason: "the subscription was deleted"}
	}
	if !a.sub.On || a.problem != "" {
		e.release(ctx, c)
		return nil
	}
	start := time.Now()
	event, err := e.event(ctx, c.EventID)
	if errors.Is(err, ErrNotFound) {
		return failed(c, start, "the event is no longer stored")
	}
	if err != nil {
		e.log.Error("cannot read an event; its delivery waits", "event", c.EventID, "error", err)
		return nil // the lease ends in time, which is the pause to make
	}
	rendered, err := a.integration.Render(event.rendered, manifest.RenderInput{Config: a.sub.Config})
	if err != nil {
		return failed(c, start, err.Error())
	}
	if rendered.Request == nil {
		return &Settlement{Claim: c, State: StateSkipped, Reason: rendered.Skipped}
	}
	response := e.o.Sender.Send(ctx, Outgoing{
		DeliveryID: c.DeliveryID, Request: rendered.Request,
		Timeout: e.o.AttemptTimeout, SkipTLSVerify: skipTLSVerify(a),
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
