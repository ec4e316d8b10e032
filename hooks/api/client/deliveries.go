package client

import (
	"context"
	"iter"
	"strings"
	"time"
)

// A State says where a delivery stands.
type State string

// The states of a delivery.
const (
	StatePending   State = "pending"   // waits for its first or its next attempt
	StateDelivered State = "delivered" // the endpoint answered 2xx
	StateDead      State = "dead"      // given up; Delivery.Reason says why
	StateSkipped   State = "skipped"   // there was nothing to send
	StateCancelled State = "cancelled" // by hand, or its subscription was deleted
)

// A Delivery is one event for one subscription.
type Delivery struct {
	Document

	ID             string    `json:"_id"` // the webhook-id of its requests
	EventID        string    `json:"eventId"`
	SubscriptionID string    `json:"subscriptionId"`
	Replay         string    `json:"replay"` // the replay that made it, "" for none
	Held           bool      `json:"held"`   // it waits for an earlier one of the same resource
	State          State     `json:"state"`
	Reason         string    `json:"reason"` // why it is dead, skipped or cancelled
	CreatedAt      time.Time `json:"createdAt"`
	NextAttemptAt  time.Time `json:"nextAttemptAt"` // of a pending one
	FinishedAt     time.Time `json:"finishedAt"`    // of the others
	Attempts       []Attempt `json:"attempts"`      // oldest first
}

// An Attempt is one try of a delivery.
type Attempt struct {
	At         time.Time `json:"at"`
	DurationMs float64   `json:"durationMs"`
	StatusCode int       `json:"statusCode"` // 0 when there was no answer
	// ErrorClass is dns, connect, tls, timeout, status, render or blocked; ""
	// on success.
	ErrorClass      string    `json:"errorClass"`
	Error           string    `json:"error"`
	ResponseHeaders []Header  `json:"responseHeaders"`
	ResponseBody    string    `json:"responseBody"` // its start, for integrations that show it
	RetryAt         time.Time `json:"retryAt"`      // when the next one was planned for
}

// A DeliveryQuery chooses deliveries. They come newest first; of all
// subscriptions, subscription by subscription.
type DeliveryQuery struct {
	Paging

	SubscriptionID string    // "" for all
	EventID        string    // "" for all
	TokenID        string    // whose event EventID means, where several tokens have sent one; "" for the newest
	States         []State   // nil for all
	Since, Until   time.Time // accepted at or after Since and before Until; zero for no bound
}

// Deliveries returns a page of the delivery log. A page may have fewer items
// than there is room for, even none, and still a Next.
func (c *Client) Deliveries(ctx context.Context, q DeliveryQuery) (*Page[Delivery], error) {
	v := q.query()
	setText(v, "subscription", q.SubscriptionID)
	setText(v, "event", q.EventID)
	setText(v, "token", q.TokenID)
	states := make([]string, len(q.States))
	for i, s := range q.States {
		states[i] = string(s)
	}
	setText(v, "status", strings.Join(states, ","))
	setTime(v, "since", q.Since)
	setTime(v, "until", q.Until)
	return list[Delivery](ctx, c, get("deliveries").with(v))
}

// AllDeliveries goes through all pages.
func (c *Client) AllDeliveries(ctx context.Context, q DeliveryQuery) iter.Seq2[*Delivery, error] {
	return all(ctx, q.Paging, func(ctx context.Context, p Paging) (*Page[Delivery], error) {
		q.Paging = p
		return c.Deliveries(ctx, q)
	})
}

// Delivery returns one.
func (c *Client) Delivery(ctx context.Context, id string) (*Delivery, error) {
	return one[Delivery](ctx, c, get("deliveries", id))
}

// RetryDelivery makes a finished delivery due now. The error has status 409
// where its state does not allow that.
func (c *Client) RetryDelivery(ctx context.Context, id string) (*Delivery, error) {
	return one[Delivery](ctx, c, post(nil, "deliveries", id, "retry"))
}

// CancelDelivery ends a pending delivery. The error has status 409 where its
// state does not allow that.
func (c *Client) CancelDelivery(ctx context.Context, id string) (*Delivery, error) {
	return one[Delivery](ctx, c, post(nil, "deliveries", id, "cancel"))
}
