package api

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

func (a *API) deliveryRoutes() []route {
	return []route{
		{path: "/api/v1/deliveries", methods: map[string]method{"GET": {readers, a.listDeliveries}}},
		{path: "/api/v1/deliveries/{id}", methods: map[string]method{"GET": {readers, a.getDelivery}}},
		{path: "/api/v1/deliveries/{id}/retry", methods: map[string]method{"POST": {writers, a.retryDelivery}}},
		{path: "/api/v1/deliveries/{id}/cancel", methods: map[string]method{"POST": {writers, a.cancelDelivery}}},
		{path: "/api/v1/subscriptions/{id}/deliveries", methods: map[string]method{"GET": {readers, a.listSubscriptionDeliveries}}},
	}
}

// deliveryJSON is a delivery as it is shown: as hooks has it, and each
// attempt's duration in milliseconds too.
type deliveryJSON struct {
	*hooks.Delivery
	Attempts []attemptJSON `json:"attempts"` // instead of Delivery's
}

type attemptJSON struct {
	hooks.Attempt
	DurationMs float64 `json:"durationMs"` // to the microsecond
}

func showDelivery(d *hooks.Delivery) deliveryJSON {
	attempts := make([]attemptJSON, len(d.Attempts))
	for i, t := range d.Attempts {
		attempts[i] = attemptJSON{Attempt: t, DurationMs: millis(t.Duration)}
	}
	return deliveryJSON{Delivery: d, Attempts: attempts}
}

// millis is a duration in milliseconds, to the microsecond.
func millis(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

// GET /api/v1/subscriptions/{id}/deliveries
func (a *API) listSubscriptionDeliveries(r *request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	if _, err := a.engine.Subscription(id); err != nil {
		return answer{}, err // else one that does not exist would look like one without deliveries
	}
	return a.deliveries(r, id, "")
}

// GET /api/v1/deliveries?subscription={id}&event={id}&token={id}&status=dead,pending&since&until
func (a *API) listDeliveries(r *request) (answer, error) {
	q := queryOf(r)
	subscription, key := q.text("subscription"), ""
	if subscription != "" {
		if _, err := a.engine.Subscription(subscription); err != nil {
			return answer{}, err
		}
	}
	if id := q.text("event"); id != "" {
		if !idForm.MatchString(id) {
			return answer{}, fail(kindNotFound, "there is no event of this id")
		}
		key = q.eventKey(id)
		if err := q.err(); err != nil {
			return answer{}, err
		}
		event, err := a.engine.Event(r.Context(), key)
		if err != nil {
			return answer{}, err
		}
		key = event.Key()
	} else if q.text("token") != "" {
		return answer{}, invalid(detail{Attribute: "token", Reason: "it says whose event is meant; give event as well"})
	}
	return a.deliveries(r, subscription, key)
}

// deliveries lists those that the query and the arguments, both or either,
// choose.
func (a *API) deliveries(r *request, subscriptionID, eventKey string) (answer, error) {
	q := queryOf(r)
	name := append(q.filters("deliveries", "status", "since", "until"), subscriptionID, eventKey)
	found := hooks.DeliveryQuery{
		SubscriptionID: subscriptionID, EventKey: eventKey, States: q.states(),
		Since: q.time("since"), Until: q.time("until"), Before: q.cursor(a, name...), Limit: q.limit(),
	}
	if err := q.err(); err != nil {
		return answer{}, err
	}
	page, err := a.engine.Deliveries(r.Context(), found)
	if err != nil {
		return answer{}, err
	}
	items := make([]deliveryJSON, len(page.Items))
	for i, d := range page.Items {
		items[i] = showDelivery(d)
	}
	return answer{body: list[deliveryJSON]{Items: items, Next: a.next(page.Cursor, name...)}}, nil
}

var states = []hooks.State{hooks.StatePending, hooks.StateDelivered, hooks.StateDead, hooks.StateSkipped, hooks.StateCancelled}

// states reads status, which names states with commas between; nil for all.
func (q *query) states() []hooks.State {
	text := q.text("status")
	if text == "" {
		return nil
	}
	var chosen []hooks.State
	for name := range strings.SplitSeq(text, ",") {
		if s := hooks.State(name); !slices.Contains(states, s) {
			q.fail("status", "it can be pending, delivered, dead, skipped and cancelled, with commas between")
			return nil
		} else if !slices.Contains(chosen, s) {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// GET /api/v1/deliveries/{id}
func (a *API) getDelivery(r *request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	d, err := a.engine.Delivery(r.Context(), id)
	if err != nil {
		return answer{}, err
	}
	return answer{body: showDelivery(d)}, nil
}

// POST /api/v1/deliveries/{id}/retry
func (a *API) retryDelivery(r *request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	changed, err := a.engine.Retry(r.Context(), id)
	if err == nil && !changed {
		err = fail(kindConflict, "the delivery is pending or delivered; only one that is dead, skipped or cancelled can be tried again")
	}
	if err != nil {
		return answer{}, err
	}
	return a.getDelivery(r)
}

// POST /api/v1/deliveries/{id}/cancel
func (a *API) cancelDelivery(r *request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	changed, err := a.engine.Cancel(r.Context(), id)
	if err == nil && !changed {
		err = fail(kindConflict, "the delivery is finished; only a pending one can be cancelled")
	}
	if err != nil {
		return answer{}, err
	}
	return a.getDelivery(r)
}
