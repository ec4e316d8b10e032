package client

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// A NewSource is what a source is made with.
type NewSource struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // flipt, flagsmith, goflagship, launchdarkly, unleash, growthbook, cloudevents
	// Secret is what the system signs with, or sends. Without one every
	// request is refused, unless Unsigned is set; some systems make it once
	// they have the address.
	Secret       string   `json:"secret,omitempty"`
	Unsigned     bool     `json:"unsigned,omitempty"`
	Header       string   `json:"header,omitempty"` // carries the secret as it is, in place of a signature
	Project      string   `json:"project,omitempty"`
	Environments []string `json:"environments,omitempty"`
	BaseURL      string   `json:"base_url,omitempty"` // where the system's own pages begin
}

// A Source is a flag system that sends its webhooks to flaghook.
type Source struct {
	Document

	ID           string       `json:"_id"`
	Name         string       `json:"name"`
	Kind         string       `json:"kind"`
	On           bool         `json:"on"`
	Secrets      []string     `json:"secrets"` // masked
	Unsigned     bool         `json:"unsigned"`
	Project      string       `json:"project"`
	Environments []string     `json:"environments"`
	Path         string       `json:"path"` // where the system sends to; empty for readers
	URL          string       `json:"url"`
	Snippet      string       `json:"snippet"` // how the system is set up
	Status       SourceStatus `json:"status"`
	Version      uint64       `json:"_version"`
	CreatedAt    time.Time    `json:"createdAt"`
}

// A SourceStatus counts what came from a source.
type SourceStatus struct {
	Accepted       int64           `json:"accepted"` // requests that gave events
	Events         int64           `json:"events"`
	Duplicates     int64           `json:"duplicates"`
	Suppressed     int64           `json:"suppressed"`
	Refused        int64           `json:"refused"`
	LastEventAt    time.Time       `json:"lastEventAt"`
	LastSuppressed string          `json:"lastSuppressed"`
	Refusals       []SourceRefusal `json:"refusals"` // the last ones, newest first
}

// A SourceRefusal is a request that was not taken, and why.
type SourceRefusal struct {
	At     time.Time `json:"at"`
	Status int       `json:"status"`
	Reason string    `json:"reason"`
}

// CreateSource makes a source.
func (c *Client) CreateSource(ctx context.Context, s NewSource) (*Source, error) {
	return one[Source](ctx, c, post(s, "sources"))
}

// Sources returns a page of the sources.
func (c *Client) Sources(ctx context.Context, p Paging) (*Page[Source], error) {
	return list[Source](ctx, c, get("sources").with(p.query()))
}

// AllSources goes through all pages.
func (c *Client) AllSources(ctx context.Context, p Paging) iter.Seq2[*Source, error] {
	return all(ctx, p, c.Sources)
}

// Source returns one.
func (c *Client) Source(ctx context.Context, id string) (*Source, error) {
	return one[Source](ctx, c, get("sources", id))
}

// PatchSource changes the members that a value has, as encoding/json writes it.
func (c *Client) PatchSource(ctx context.Context, id string, change any) (*Source, error) {
	k := at(http.MethodPatch, "sources", id)
	k.body = change
	k.header.Set("Content-Type", "application/merge-patch+json")
	return one[Source](ctx, c, k)
}

// DeleteSource removes a source; its events stay.
func (c *Client) DeleteSource(ctx context.Context, id string) error {
	return c.do(ctx, at(http.MethodDelete, "sources", id), nil)
}
