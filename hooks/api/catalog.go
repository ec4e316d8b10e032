package api

import (
	"net/http"
	"net/url"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// catalogItem is an integration as the catalog lists it: what an admin needs to
// choose and subscribe it.
type catalogItem struct {
	Key           string             `json:"key"`
	Name          string             `json:"name"`
	Version       string             `json:"version"`
	Overview      string             `json:"overview"`
	Description   string             `json:"description"`
	Categories    []string           `json:"categories"`
	FormVariables []formVariable     `json:"formVariables"`
	Subscribable  bool               `json:"subscribable"`
	Reason        string             `json:"reason,omitempty"` // why it cannot be subscribed
	RequiresOAuth bool               `json:"requiresOAuth"`
	Links         manifest.Links     `json:"links"`
	SelfLinks     render.Value       `json:"_links"`
	Manifest      *manifest.Manifest `json:"manifest,omitempty"` // of a single one only
}

// formVariable is one setting of a subscription's config.
type formVariable struct {
	Key           string            `json:"key"`
	Type          string            `json:"type"`
	Name          string            `json:"name"`
	Description   string            `json:"description"`
	Placeholder   string            `json:"placeholder,omitempty"`
	IsSecret      bool              `json:"isSecret"`
	IsOptional    bool              `json:"isOptional"`
	AllowedValues []string          `json:"allowedValues,omitempty"`
	DefaultValue  render.Value      `json:"defaultValue,omitzero"`
	Options       []manifest.Option `json:"multiselectOptions,omitempty"`
}

// GET /api/v1/catalog, by key. It is as long as the folders on disk are many,
// so it has no pages.
func (a *API) listCatalog(r *http.Request) (answer, error) {
	items := []catalogItem{}
	for _, i := range a.engine.Catalog().All() {
		items = append(items, showIntegration(r, i))
	}
	return answer{body: map[string]any{"items": items}}, nil
}

// GET /api/v1/catalog/{key} adds the manifest.
func (a *API) getCatalogItem(r *http.Request) (answer, error) {
	key := pathVar(r, "key")
	catalog := a.engine.Catalog()
	i, ok := catalog.Get(key)
	if !ok {
		return answer{}, &hooks.UnknownIntegrationError{Key: key, Nearest: catalog.Nearest(key)}
	}
	item := showIntegration(r, i)
	item.Manifest = &i.Manifest
	return answer{body: item}, nil
}

func showIntegration(r *http.Request, i *manifest.Integration) catalogItem {
	m := &i.Manifest
	item := catalogItem{
		Key: i.Key, Name: m.Name, Version: m.Version, Overview: m.Overview, Description: m.Description,
		Categories: m.Categories, RequiresOAuth: m.RequiresOAuth, Links: m.Links, Subscribable: true,
		FormVariables: make([]formVariable, len(m.FormVariables)),
		SelfLinks:     render.Object(link("self", linkBase(r)+"/api/v1/catalog/"+url.PathEscape(i.Key))),
	}
	if item.Categories == nil {
		item.Categories = []string{}
	}
	if err := i.Subscribable(); err != nil {
		item.Subscribable, item.Reason = false, err.Error()
	}
	for n, v := range m.FormVariables {
		item.FormVariables[n] = formVariable{
			Key: v.Key, Type: v.Type, Name: v.Name, Description: v.Description, Placeholder: v.Placeholder,
			IsSecret: v.IsSecret, IsOptional: v.IsOptional, AllowedValues: v.AllowedValues, DefaultValue: v.DefaultValue,
			Options: v.MultiselectOptions,
		}
	}
	return item
}
