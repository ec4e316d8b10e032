package hooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// An Observer is told what happens, for metrics. Its methods are called often
// and from many goroutines.
type Observer interface {
	// EventsAccepted tells of n events from a source ("api" or a source's
	// kind) that took that long to be durable.
	EventsAccepted(source string, n int, took time.Duration)
	// AttemptMade tells of an attempt: class is empty on success. waited is
	// how long after its acceptance a delivery's first attempt began, negative
	// for a later one.
	AttemptMade(integration string, class ErrorClass, took, waited time.Duration)
	// DeliveryFinished tells of a delivery's final state.
	DeliveryFinished(integration string, state State)
}

// nobody observes nothing.
type nobody struct{}

func (nobody) EventsAccepted(string, int, time.Duration)                    {}
func (nobody) AttemptMade(string, ErrorClass, time.Duration, time.Duration) {}
func (nobody) DeliveryFinished(string, State)                               {}

// tell logs and counts an outcome that is recorded; a is nil where the
// subscription is gone.
func (e *Engine) tell(ctx context.Context, a *active, s *Settlement, begun time.Time) {
	e.logOutcome(ctx, s)
	if a == nil {
		return
	}
	if t := s.Attempt; t != nil {
		waited := time.Duration(-1)
		if s.Claim.Tries == 0 {
			waited = max(begun.Sub(s.Claim.Since), 0)
		}
		e.o.Observer.AttemptMade(a.sub.Integration, t.ErrorClass, t.Duration, waited)
	}
	if s.State.Final() {
		e.o.Observer.DeliveryFinished(a.sub.Integration, s.State)
	}
}

// suspect reports whether a subscription is to be judged after an attempt.
func (e *Engine) suspect(s *Subscription, t *Attempt) bool {
	return t != nil && t.ErrorClass != "" && e.lookup(s.ID) != nil && (t.StatusCode == statusGone || e.failing.due(s.ID, t.At))
}

// judge switches a subscription off whose endpoint says that it is gone, or has
// failed for long.
func (e *Engine) judge(ctx context.Context, s *Subscription, t *Attempt) {
	if t.StatusCode == statusGone {
		e.switchOff(ctx, s.ID, "its endpoint answered 410 Gone at "+at(t.At))
		return
	}
	status, err := e.o.Store.Status(ctx, s.ID)
	if err != nil {
		e.log.Error("cannot read a subscription's status", "subscription", s.ID, "error", err)
		return
	}
	if since := status.FailingSince; !since.IsZero() && t.At.Sub(since) >= e.o.FailingLimit {
		e.switchOff(ctx, s.ID, fmt.Sprintf("every attempt since %s has failed; the last: %s", at(since), t.Error))
	}
}

// switchOff switches a subscription off, for a reason that its status shows, and
// records that as an event.
func (e *Engine) switchOff(ctx context.Context, id, reason string) {
	for {
		s, err := e.Subscription(id)
		if err != nil || !s.On {
			return
		}
		s.On, s.OffReason = false, reason
		switch _, err = e.UpdateSubscription(context.WithoutCancel(ctx), Actor{}, *s); {
		case err == nil:
			e.log.Warn("subscription switched off", "subscription", id, "integration", s.Integration, "reason", reason)
			return
		case !errors.Is(err, ErrConflict):
			e.log.Error("cannot switch a subscription off", "subscription", id, "error", err)
			return
		}
	}
}

// logOutcome writes one line for a recorded outcome: a warning when something
// failed, else at debug level.
func (e *Engine) logOutcome(ctx context.Context, s *Settlement) {
	level := slog.LevelDebug
	if s.Attempt != nil && s.Attempt.ErrorClass != "" {
		level = slog.LevelWarn
	}
	if !e.log.Enabled(ctx, level) {
		return
	}
	fields := []slog.Attr{
		slog.String("state", string(s.State)), slog.String("delivery", s.Claim.DeliveryID),
		slog.String("event", EventIDOf(s.Claim.EventKey)), slog.String("subscription", s.Claim.SubscriptionID),
	}
	if s.Reason != "" {
		fields = append(fields, slog.String("reason", s.Reason))
	}
	if a := s.Attempt; a != nil {
		fields = append(fields, slog.Int("attempt", s.Claim.Attempts+1), slog.Int("status", a.StatusCode), slog.Duration("duration", a.Duration))
		if a.ErrorClass != "" {
			fields = append(fields, slog.String("class", string(a.ErrorClass)), slog.String("error", a.Error))
		}
		if !a.RetryAt.IsZero() {
			fields = append(fields, slog.Time("retryAt", a.RetryAt))
		}
	}
	e.log.LogAttrs(ctx, level, "delivery", fields...)
}
