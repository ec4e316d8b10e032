package hooks

import (
	"context"
	"errors"
)

// stepJob counts what a job has to do, or does a page of it. A step that is
// repeated does nothing twice.
func (e *Engine) stepJob(ctx context.Context, j *Job) error {
	a := e.lookup(j.SubscriptionID)
	if a == nil {
		return errors.New("the subscription was deleted")
	}
	work := e.deliveriesJob
	if j.Kind == JobReplay {
		work = e.replayJob
	}
	if !j.Counted {
		count := *j
		j.Left = 0 // of a count that broke off
		for {
			n, next, err := work(ctx, &count, a, true)
			if err != nil {
				return err
			}
			j.Left += n
			if count.Cursor = next; next == "" {
				j.Counted = true
				return nil
			}
		}
	}
	n, next, err := work(ctx, j, a, false)
	if err != nil {
		return err
	}
	j.Left = max(j.Left-n, 0)
	if j.Cursor = next; next == "" {
		j.State, j.Left = JobDone, 0
	}
	return nil
}

// deliveriesJob retries or cancels a page of deliveries, or only counts them. It
// returns how many there were and where to go on, "" at the end.
func (e *Engine) deliveriesJob(ctx context.Context, j *Job, _ *active, counting bool) (int, string, error) {
	state := StateDead
	if j.Kind == JobCancel {
		state = StatePending
	}
	page, err := e.o.Store.Deliveries(ctx, DeliveryQuery{
		SubscriptionID: j.SubscriptionID, States: []State{state}, Since: j.Since, Until: j.Until, Before: j.Cursor, Limit: j.page,
	})
	if err != nil || counting || len(page.Items) == 0 {
		return len(page.Items), page.Cursor, err
	}
	ids := make([]string, len(page.Items))
	for i, d := range page.Items {
		ids[i] = d.ID
	}
	var changed int
	if j.Kind == JobCancel {
		changed, err = e.o.Queue.Cancel(ctx, cancelReason, ids...)
	} else {
		changed, err = e.o.Queue.Revive(ctx, ids...)
	}
	if err != nil {
		return 0, "", err
	}
	j.Done += changed
	j.Failed += len(ids) - changed
	return len(ids), page.Cursor, nil
}

// cancelReason is what a delivery says that an admin cancelled.
const cancelReason = "it was cancelled by hand"

// replayJob delivers a page of events again, the oldest first.
func (e *Engine) replayJob(ctx context.Context, j *Job, a *active, counting bool) (int, string, error) {
	page, err := e.Events(ctx, EventQuery{Since: j.Since, Until: j.Until, Ascending: true, Before: j.Cursor, Limit: j.page})
	if err != nil {
		return 0, "", err
	}
	var batch []Accepted
	for _, stored := range page.Items {
		if a.policy != nil && a.policy.Allows(stored.Accesses()) && hears(a.sub, stored.Event) {
			batch = append(batch, Accepted{Event: stored.Event, SubscriptionIDs: []string{j.SubscriptionID}, Replay: j.ID})
		}
	}
	n := len(batch) + len(page.Damaged)
	if counting {
		return n, page.Cursor, nil
	}
	if len(batch) > 0 {
		receipts, err := e.o.Queue.Accept(ctx, batch)
		if err != nil {
			return 0, "", err
		}
		for _, r := range receipts {
			j.Done += r.Matched
		}
	}
	j.Failed += len(page.Damaged)
	return n, page.Cursor, nil
}

// Retry makes a dead, skipped or cancelled delivery due now, with its id; false
// when it is in another state. ErrNotFound when there is none.
func (e *Engine) Retry(ctx context.Context, deliveryID string) (bool, error) {
	if _, err := e.o.Store.Delivery(ctx, deliveryID); err != nil {
		return false, err
	}
	n, err := e.o.Queue.Revive(ctx, deliveryID)
	return n == 1, err
}

// Cancel cancels a pending delivery; false when it is in another state.
// ErrNotFound when there is none. An attempt under way may still arrive.
func (e *Engine) Cancel(ctx context.Context, deliveryID string) (bool, error) {
	if _, err := e.o.Store.Delivery(ctx, deliveryID); err != nil {
		return false, err
	}
	n, err := e.o.Queue.Cancel(ctx, cancelReason, deliveryID)
	return n == 1, err
}

// Replay delivers one stored event again: to the subscriptions of the ids or,
// without any, to those whose policy lets it through now. It returns the mark of
// the new deliveries and how many there are; ErrNotFound when there is no such
// event or subscription.
func (e *Engine) Replay(ctx context.Context, eventKey string, subscriptionIDs ...string) (replay string, n int, err error) {
	stored, err := e.o.Store.Event(ctx, eventKey)
	if err != nil {
		return "", 0, err
	}
	for _, id := range subscriptionIDs {
		if _, err := e.Subscription(id); err != nil {
			return "", 0, err
		}
	}
	if len(subscriptionIDs) == 0 {
		subscriptionIDs = e.route(stored.Event, "").SubscriptionIDs
	}
	replay = NewID()
	receipts, err := e.o.Queue.Accept(ctx, []Accepted{{Event: stored.Event, SubscriptionIDs: subscriptionIDs, Replay: replay}})
	if err != nil {
		return "", 0, err
	}
	return replay, receipts[0].Matched, nil
}
