package hooks

import (
	"slices"
	"time"

	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// A Subscription is one admin's use of an integration.
type Subscription struct {
	ID          string       `json:"_id"`
	Integration string       `json:"kind"` // the integration's key
	Name        string       `json:"name"`
	Description string       `json:"description,omitempty"`
	Config      render.Value `json:"config"` // an object: the form variables as they were given, secrets in clear
	// Statements is the policy as it was given. Nil means the integration's
	// default policy; empty matches nothing.
	Statements []policy.Statement `json:"statements,omitzero"`
	On         bool               `json:"on"`
	Tags       []string           `json:"tags"`
	// Ordered: deliveries for one resource go out in the order of acceptance.
	// It counts for the events that are accepted from then on.
	Ordered  bool             `json:"ordered,omitempty"`
	Delivery DeliverySettings `json:"delivery,omitzero"`

	// PreviousSecrets are the secret form variables as they were before the
	// last change of one that signs: until PreviousUntil both sign.
	PreviousSecrets render.Value `json:"previousSecrets,omitzero"`
	PreviousUntil   time.Time    `json:"previousUntil,omitzero"`

	// OffReason is why flaghook itself switched the subscription off, "" when
	// it did not; switching it on again clears it.
	OffReason string `json:"offReason,omitempty"`

	Version   uint64    `json:"version"` // 1 when created, one more at every change
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// clone copies what a caller could change in place; values are immutable.
func (s *Subscription) clone() *Subscription {
	c := *s
	c.Tags = slices.Clone(s.Tags)
	c.Statements = slices.Clone(s.Statements)
	return &c
}
