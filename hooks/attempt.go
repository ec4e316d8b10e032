package hooks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"time"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// maxLoggedBody bounds the part of an error answer that is kept, in bytes.
const maxLoggedBody = 4 << 10

// deliver takes one claim to an outcome, which goes to be recorded.
func (e *Engine) deliver(ctx context.Context, c claimed, outcomes chan<- outcome) {
	begun := time.Now()
	a := e.lookup(c.SubscriptionID)
	s, v := e.attempt(ctx, c, a, begun)
	if s != nil {
		// Before the place is given back: where the disk is slow, outcomes
		// cannot pile up.
		outcomes <- outcome{s, a, begun}
	}
	e.o.Queue.Resume(e.limits.end(c.place, v, time.Now())...)
	if a == nil {
		e.limits.forget(c.SubscriptionID)
	}
}

// attempt makes one try and says what became of it; nil when the claim was
// released or left to its lease. A panic ends the delivery and nothing else.
func (e *Engine) attempt(ctx context.Context, c claimed, a *active, start time.Time) (s *Settlement, v verdict) {
	defer func() {
		if p := recover(); p != nil {
			e.log.Error("panic while delivering", "delivery", c.DeliveryID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			s, v = failed(c.Claim, start, "an internal error; the server's log says what"), noVerdict
		}
	}()
	if a == nil {
		return &Settlement{Claim: c.Claim, State: StateCancelled, Reason: "the subscription was deleted"}, noVerdict
	}
	if !a.served() {
		e.release(ctx, c.Claim)
		return nil, noVerdict
	}
	event, err := e.event(ctx, c.Claim)
	switch {
	case err == nil:
	case errors.Is(err, ErrNotFound):
		return failed(c.Claim, start, "the event is no longer stored"), noVerdict
	case errors.Is(err, ErrDamagedEvent):
		e.log.Error("a stored event is damaged; its delivery is given up", "event", EventIDOf(c.EventKey), "delivery", c.DeliveryID, "error", err)
		return failed(c.Claim, start, err.Error()), noVerdict
	default:
		e.log.Error("cannot read an event; its delivery waits", "event", EventIDOf(c.EventKey), "error", err)
		return nil, noVerdict // the lease ends in time, which is the pause to make
	}
	out, s := e.outgoing(c.Claim, a, event.rendered, start)
	if s != nil {
		return s, noVerdict
	}
	ok, resumed := e.limits.at(c.place, hostOf(out.Request.URL), time.Now())
	if len(resumed) > 0 {
		e.o.Queue.Resume(resumed...)
	}
	if !ok {
		e.release(ctx, c.Claim)
		return nil, noVerdict
	}
	response := e.o.Sender.Send(ctx, out)
	if ctx.Err() != nil && response.StatusCode == 0 {
		e.release(ctx, c.Claim)
		return nil, noVerdict
	}
	return e.settlement(c.Claim, a, start, response), verdictOf(response)
}

// outgoing renders the request of a delivery, or gives the outcome of one that
// has none.
func (e *Engine) outgoing(c Claim, a *active, event *manifest.Event, start time.Time) (Outgoing, *Settlement) {
	rendered, err := a.integration.Render(event, manifest.RenderInput{
		Prepared: a.config, PreviousConfig: a.previous(start),
		Delivery: manifest.Delivery{ID: c.DeliveryID, Attempt: c.Attempts + 1},
	})
	if err != nil {
		return Outgoing{}, failed(c, start, err.Error())
	}
	if rendered.Request == nil {
		return Outgoing{}, &Settlement{Claim: c, State: StateSkipped, Reason: rendered.Skipped}
	}
	return e.addressed(a, c.DeliveryID, rendered.Request), nil
}

// addressed adds to a request how the subscription wants it sent.
func (e *Engine) addressed(a *active, deliveryID string, r *manifest.Request) Outgoing {
	out := Outgoing{
		DeliveryID: deliveryID, Request: r,
		Timeout: e.o.AttemptTimeout, SkipTLSVerify: a.skipTLSVerify, Secrets: a.secrets,
	}
	if n := a.sub.Delivery.TimeoutSeconds; n > 0 {
		out.Timeout = time.Duration(n) * time.Second
	}
	return out
}

// hostOf is the host and port of a URL, as far as they tell endpoints apart.
func hostOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return strings.ToLower(rest[strings.LastIndexByte(rest, '@')+1:])
}

func verdictOf(r Response) verdict {
	switch r.StatusCode {
	case 0:
		if r.Permanent {
			return noVerdict
		}
		return noAnswer
	case 429, 503:
		return pushedBack
	}
	return answered
}

// skipTLSVerify follows the form variable by which an integration offers it.
func skipTLSVerify(i *manifest.Integration, config render.Value) bool {
	const key = "skip-ca-verification"
	if v := i.Variable(key); v == nil || v.Type != manifest.TypeBoolean {
		return false
	}
	chosen := config.Get(key)
	return chosen.Kind() == render.KindBool && chosen.AsBool()
}

// attemptOf is an exchange as it is logged.
func attemptOf(a *active, start time.Time, r Response) *Attempt {
	try := &Attempt{
		At: start.UTC(), Duration: time.Since(start), StatusCode: r.StatusCode, ErrorClass: r.ErrorClass, Error: r.Error,
		ResponseHeaders: r.Header,
	}
	if hook := a.integration.Hook(); r.ErrorClass != "" && hook != nil && hook.IncludeErrorResponseBody {
		try.ResponseBody = string(r.Body[:min(len(r.Body), maxLoggedBody)])
	}
	return try
}

// settlement turns an answer into what is recorded.
func (e *Engine) settlement(c Claim, a *active, start time.Time, r Response) *Settlement {
	try := attemptOf(a, start, r)
	s := &Settlement{Claim: c, Attempt: try, State: StateDelivered}
	if r.ErrorClass == "" {
		return s
	}
	now := time.Now()
	policy := e.o.Retry.with(a.sub.Delivery)
	wait, again := policy.Next(c.Tries+1, now.Sub(c.Since), r.RetryAfter, rand.Float64())
	switch {
	case !retryable(r, a.sub.Delivery.RetryOn):
		s.State, s.Reason = StateDead, r.Error
	case !again:
		s.State, s.Reason = StateDead, givenUp(c.Tries+1, r.Error)
	default:
		s.State, s.RetryAt = StatePending, now.Add(wait).UTC()
		try.RetryAt = s.RetryAt
	}
	return s
}

// givenUp says why there is no further attempt.
func givenUp(attempts int, last string) string {
	if attempts == 1 {
		return "given up after 1 attempt: " + last
	}
	return fmt.Sprintf("given up after %d attempts; the last: %s", attempts, last)
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

// event is the queue's, else from the cache, else from the store.
func (e *Engine) event(ctx context.Context, c Claim) (*Event, error) {
	if c.Event != nil {
		return c.Event, nil
	}
	if event := e.events.get(c.EventKey); event != nil {
		return event, nil
	}
	if c.Stored == "" {
		stored, err := e.o.Store.Event(ctx, c.EventKey)
		if err != nil {
			return nil, err
		}
		e.share(stored.Event, stored.Matched)
		return stored.Event, nil
	}
	event := new(Event)
	if err := event.unmarshal(c.Stored); err != nil {
		return nil, err
	}
	e.share(event, c.Matched)
	return event, nil
}

// share caches an event for its other deliveries, if it has any.
func (e *Engine) share(event *Event, matched int) {
	if matched > 1 {
		e.events.put(event)
	}
}
