package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"time"
)

// A Statement allows or denies actions on resources; docs/policies.md describes
// the language. It has one of Resources and NotResources, and one of Actions
// and NotActions.
type Statement struct {
	Effect       string   `json:"effect"` // allow or deny
	Resources    []string `json:"resources,omitzero"`
	NotResources []string `json:"notResources,omitzero"`
	Actions      []string `json:"actions,omitzero"`
	NotActions   []string `json:"notActions,omitzero"`
}

// DeliverySettings are how a subscription is delivered to. In a NewSubscription
// what is zero is left to the server; in a Subscription all have their effective
// values.
type DeliverySettings struct {
	Ordered        bool     `json:"ordered,omitempty"`        // one after another, for one resource
	TimeoutSeconds int      `json:"timeoutSeconds,omitempty"` // of one attempt: 1 to 30
	MaxRetries     *int     `json:"maxRetries,omitempty"`     // after the first attempt: 0 to 100
	MaxElapsed     Duration `json:"maxElapsed,omitzero"`      // no attempt begins later than this after the acceptance
	RetryOn        string   `json:"retryOn,omitempty"`        // transient or non2xx
	SecretOverlap  Duration `json:"secretOverlap,omitzero"`   // how long an old secret signs beside a new one
}

// A Duration is a length of time that JSON has as text, such as "1h30m0s".
type Duration time.Duration

// String writes it as time.Duration does.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	t, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a length of time", shorten(text))
	}
	*d = Duration(t)
	return nil
}

// A NewSubscription is what an integration is subscribed with.
type NewSubscription struct {
	DeliverySettings

	Integration string         `json:"integration"` // its key
	Name        string         `json:"name"`
	Config      map[string]any `json:"config"` // the form variables
	Description string         `json:"description,omitempty"`
	Tags        []string       `json:"tags,omitempty"`
	On          *bool          `json:"on,omitempty"` // nil: on
	// Statements is the policy; nil: the integration's default policy, empty:
	// nothing.
	Statements []Statement `json:"statements,omitzero"`
}

// A Subscription is one admin's use of an integration.
type Subscription struct {
	Document
	DeliverySettings

	ID          string         `json:"_id"`
	Integration string         `json:"integration"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Config      map[string]any `json:"config"`     // secrets masked
	Statements  []Statement    `json:"statements"` // nil: the integration's default policy
	On          bool           `json:"on"`
	OffReason   string         `json:"offReason"` // why flaghook itself switched it off
	Tags        []string       `json:"tags"`
	Warnings    []string       `json:"warnings"` // what an admin should look at
	Status      Status         `json:"status"`
	Version     uint64         `json:"_version"`
	CreatedAt   time.Time      `json:"createdAt"`
	UpdatedAt   time.Time      `json:"updatedAt"`
}

// A Status sums up what became of a subscription's attempts.
type Status struct {
	SuccessCount int       `json:"successCount"`
	ErrorCount   int       `json:"errorCount"`
	LastSuccess  time.Time `json:"lastSuccess"`
	LastError    time.Time `json:"lastError"`
	FailingSince time.Time `json:"failingSince"` // zero when the last attempt succeeded
}

// A SubscriptionQuery chooses subscriptions.
type SubscriptionQuery struct {
	Paging

	Integration string // "" for all
}

// Subscriptions returns a page of the subscriptions, oldest first.
func (c *Client) Subscriptions(ctx context.Context, q SubscriptionQuery) (*Page[Subscription], error) {
	v := q.query()
	setText(v, "integration", q.Integration)
	return list[Subscription](ctx, c, get("subscriptions").with(v))
}

// AllSubscriptions goes through all pages.
func (c *Client) AllSubscriptions(ctx context.Context, q SubscriptionQuery) iter.Seq2[*Subscription, error] {
	return all(ctx, q.Paging, func(ctx context.Context, p Paging) (*Page[Subscription], error) {
		q.Paging = p
		return c.Subscriptions(ctx, q)
	})
}

// Subscription returns one.
func (c *Client) Subscription(ctx context.Context, id string) (*Subscription, error) {
	return one[Subscription](ctx, c, get("subscriptions", id))
}

// Subscribe makes a subscription.
func (c *Client) Subscribe(ctx context.Context, s NewSubscription) (*Subscription, error) {
	if s.Config == nil {
		s.Config = map[string]any{}
	}
	return one[Subscription](ctx, c, post(s, "subscriptions"))
}

// UpdateSubscription changes the members that changes has, as RFC 7396 merges
// them (null is the default), if the subscription still has that version; 0 is
// any. The error has status 412 where it has another.
func (c *Client) UpdateSubscription(ctx context.Context, id string, version uint64, changes map[string]any) (*Subscription, error) {
	k := at(http.MethodPatch, "subscriptions", id).ifMatch(version)
	k.header.Set("Content-Type", "application/merge-patch+json")
	k.body = changes
	return one[Subscription](ctx, c, k)
}

// A PatchOperation is one of a JSON Patch (RFC 6902).
type PatchOperation struct {
	Op    string          `json:"op"` // add, remove, replace, move, copy, test
	Path  string          `json:"path"`
	From  string          `json:"from,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
}

// PatchSubscription applies operations in turn, all or none, if the
// subscription still has that version; 0 is any.
func (c *Client) PatchSubscription(ctx context.Context, id string, version uint64, operations ...PatchOperation) (*Subscription, error) {
	k := at(http.MethodPatch, "subscriptions", id).ifMatch(version)
	if operations == nil {
		operations = []PatchOperation{}
	}
	k.body = operations
	return one[Subscription](ctx, c, k)
}

// DeleteSubscription removes one, with its delivery log, if it still has that
// version; 0 is any.
func (c *Client) DeleteSubscription(ctx context.Context, id string, version uint64) error {
	return c.do(ctx, at(http.MethodDelete, "subscriptions", id).ifMatch(version), nil)
}

// A Validation is what came of trying a subscription out.
type Validation struct {
	Document

	Delivery *Delivery        `json:"delivery"` // as it is logged
	Template string           `json:"template"` // its key; "" for a standard payload
	Skipped  string           `json:"skipped"`  // why nothing was sent
	Request  *ShownRequest    `json:"request"`  // nil when nothing was sent
	Response *ValidationReply `json:"response"` // nil when nothing was sent
}

// A ShownRequest is a request as it was or would be sent, secrets masked.
type ShownRequest struct {
	Method  string   `json:"method"`
	URL     string   `json:"url"`
	Headers []Header `json:"headers"`
	Body    string   `json:"body"`
}

// A Header is one of a request or an answer.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A ValidationReply is what the endpoint answered, or why it did not.
type ValidationReply struct {
	StatusCode int      `json:"statusCode"` // 0 when there was no answer
	Headers    []Header `json:"headers"`
	Body       string   `json:"body"`
	Error      string   `json:"error"`
	ErrorClass string   `json:"errorClass"` // "" on success
	DurationMs float64  `json:"durationMs"`
}

// ValidateSubscription sends a subscription's test request now, on or off. That
// the endpoint refuses it is no error: Response says so.
func (c *Client) ValidateSubscription(ctx context.Context, id string) (*Validation, error) {
	return one[Validation](ctx, c, post(nil, "subscriptions", id, "validate"))
}
