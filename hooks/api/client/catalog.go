package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// An Integration is a tool that can be subscribed. JSON has all that the server
// tells of it; of a single one that is also its manifest, samples and README.
type Integration struct {
	Document

	Key           string         `json:"key"`
	Name          string         `json:"name"`
	Version       string         `json:"version"`
	Overview      string         `json:"overview"`
	Categories    []string       `json:"categories"`
	FormVariables []FormVariable `json:"formVariables"`
	Subscribable  bool           `json:"subscribable"`
	Reason        string         `json:"reason"` // why it cannot be subscribed
}

// A FormVariable is one setting of a subscription's config.
type FormVariable struct {
	Key           string          `json:"key"`
	Type          string          `json:"type"` // string, uri, boolean, enum, ...
	Name          string          `json:"name"`
	Description   string          `json:"description"`
	IsSecret      bool            `json:"isSecret"`
	IsOptional    bool            `json:"isOptional"`
	AllowedValues []string        `json:"allowedValues"`
	DefaultValue  json.RawMessage `json:"defaultValue"`
}

// Catalog returns a page of the integrations, by key.
func (c *Client) Catalog(ctx context.Context, p Paging) (*Page[Integration], error) {
	return list[Integration](ctx, c, get("catalog").with(p.query()))
}

// Integration returns one.
func (c *Client) Integration(ctx context.Context, key string) (*Integration, error) {
	return one[Integration](ctx, c, get("catalog", key))
}

// Icon returns an icon of an integration, an SVG image: square or horizontal.
// Show it as an image, never inside a page of your own: it comes from whoever
// wrote the folder.
func (c *Client) Icon(ctx context.Context, key, shape string) ([]byte, error) {
	k := get("catalog", key, "icons", shape)
	k.header.Set("Accept", "image/svg+xml")
	var icon []byte
	err := c.exchange(ctx, k, func(r *http.Response) (err error) {
		icon, err = readBounded(r.Body, maxIcon)
		return err
	})
	return icon, err
}

// maxIcon bounds an icon in bytes.
const maxIcon = 4 << 20

// A Reload says what the catalog is after it was read anew.
type Reload struct {
	Document

	Loaded   int               `json:"loaded"`   // how many integrations there are
	Findings []json.RawMessage `json:"findings"` // what is wrong with folders
}

// ReloadCatalog makes the server read its integration folders anew.
func (c *Client) ReloadCatalog(ctx context.Context) (*Reload, error) {
	return one[Reload](ctx, c, post(nil, "catalog", "reload"))
}

// A PreviewRequest asks for a request as it would be sent. It has one of Sample,
// Event and Context.
type PreviewRequest struct {
	Config   map[string]any  `json:"config,omitempty"`
	Sample   string          `json:"sample,omitempty"`  // the name of a sample event
	Event    json.RawMessage `json:"event,omitempty"`   // an event, as Publish takes it
	Context  json.RawMessage `json:"context,omitempty"` // what templates see, untouched
	Template string          `json:"template,omitempty"`
	Strict   bool            `json:"strict,omitempty"`
}

// A Preview is a request as it would be sent; nothing is sent.
type Preview struct {
	Document

	Integration string          `json:"integration"`
	Template    string          `json:"template"` // "" for a standard payload
	Event       json.RawMessage `json:"event"`
	Request     *ShownRequest   `json:"request"` // nil when nothing would be sent
	Reason      string          `json:"reason"`  // why nothing would be sent
	Warnings    []string        `json:"warnings"`
}

// Preview renders an integration's request.
func (c *Client) Preview(ctx context.Context, key string, p PreviewRequest) (*Preview, error) {
	return one[Preview](ctx, c, post(p, "catalog", key, "preview"))
}
