package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// catalogItem is an integration as the catalog lists it: what an admin needs to
// choose and subscribe it.
type catalogItem struct {
	Key           string         `json:"key"`
	Name          string         `json:"name"`
	Version       string         `json:"version"`
	Overview      string         `json:"overview"`
	Description   string         `json:"description"`
	Categories    []string       `json:"categories"`
	FormVariables []formVariable `json:"formVariables"`
	Subscribable  bool           `json:"subscribable"`
	Reason        string         `json:"reason,omitempty"` // why it cannot be subscribed
	RequiresOAuth bool           `json:"requiresOAuth"`
	Links         manifest.Links `json:"links"`
	SelfLinks     render.Value   `json:"_links"`

	// Of a single one only.
	Manifest *manifest.Manifest `json:"manifest,omitempty"`
	Samples  []sampleJSON       `json:"samples,omitempty"`
	Readme   string             `json:"readme,omitempty"` // README.md, Markdown
}

// sampleJSON names an event to preview with.
type sampleJSON struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
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

func (a *API) catalogRoutes() []route {
	return []route{
		{path: catalogPath, methods: map[string]method{"GET": {readers, a.listCatalog}}},
		{path: catalogPath + "/reload", methods: map[string]method{"POST": {writers, a.reloadCatalog}}},
		{path: catalogPath + "/{key}", methods: map[string]method{"GET": {readers, a.getCatalogItem}}},
		{path: catalogPath + "/{key}/icons/{shape}", methods: map[string]method{"GET": {readers, a.getIcon}}},
		{path: catalogPath + "/{key}/preview", methods: map[string]method{"POST": {readers, a.preview}}},
	}
}

const catalogPath = "/api/v1/catalog"

// GET /api/v1/catalog, by key. It is as long as the folders on disk are many, so
// it has pages only for who asks for a limit.
func (a *API) listCatalog(r *request) (answer, error) {
	all := a.engine.Catalog().All()
	q := queryOf(r)
	after, limit := q.cursor(a, "catalog"), len(all)
	if q.text("limit") != "" {
		limit = q.limit()
	}
	if err := q.err(); err != nil {
		return answer{}, err
	}
	page := list[catalogItem]{Items: []catalogItem{}}
	for _, i := range all {
		switch n := len(page.Items); {
		case i.Key <= after: // no key is empty
		case n == limit:
			page.Next = a.next(page.Items[n-1].Key, "catalog")
			return answer{body: page}, nil
		default:
			page.Items = append(page.Items, showIntegration(r, i))
		}
	}
	return answer{body: page}, nil
}

// GET /api/v1/catalog/{key} adds manifest, samples and README. An integration
// whose key is "reload" could not be asked for; there is none.
func (a *API) getCatalogItem(r *request) (answer, error) {
	i, err := a.catalogEntry(r)
	if err != nil {
		return answer{}, err
	}
	item := showIntegration(r, i)
	item.Manifest, item.Readme = &i.Manifest, i.Readme()
	if item.Samples, err = samples(); err != nil {
		return answer{}, err
	}
	return answer{body: item}, nil
}

// catalogEntry finds the integration that the path names.
func (a *API) catalogEntry(r *request) (*manifest.Integration, error) {
	key := pathVar(r, "key")
	i, ok := a.engine.Catalog().Get(key)
	if !ok {
		return nil, a.unknownIntegration(key)
	}
	return i, nil
}

// unknownIntegration says that there is none of a key, and always which come
// nearest.
func (a *API) unknownIntegration(key string) error {
	catalog := a.engine.Catalog()
	near, closest := catalog.Nearest(key), catalog.Closest(key)
	if len(near) > 0 || len(closest) == 0 {
		return &hooks.UnknownIntegrationError{Key: key, Nearest: near}
	}
	return fail(kindNotFound, "there is no integration %q; the nearest in the catalog are %s", shownKey(key), strings.Join(closest, ", "))
}

// subscribable finds an integration that can be subscribed; else the error is a
// fault or *hooks.UnknownIntegrationError.
func (a *API) subscribable(key string) (*manifest.Integration, error) {
	if _, known := a.engine.Catalog().Get(key); !known {
		return nil, a.unknownIntegration(key)
	}
	return a.engine.Integration(key)
}

// samples lists the sample events.
var samples = sync.OnceValues(func() ([]sampleJSON, error) {
	var all []sampleJSON
	for _, name := range schemas.SampleNames() {
		doc, err := sample(name)
		if err != nil {
			return nil, err
		}
		all = append(all, sampleJSON{Name: name, Kind: doc.Get("kind").AsString()})
	}
	return all, nil
})

// sample reads a sample event; undefined when there is none of that name.
func sample(name string) (render.Value, error) {
	data, ok := schemas.Sample(name)
	if !ok {
		return render.Value{}, nil
	}
	doc, err := render.ParseJSON(data)
	if err != nil {
		return render.Value{}, fmt.Errorf("sample %s: %w", name, err)
	}
	return doc, nil
}

// GET /api/v1/catalog/{key}/icons/{shape} gives an SVG file in which nothing can
// run or be loaded, since folders come from anywhere.
func (a *API) getIcon(r *request) (answer, error) {
	i, err := a.catalogEntry(r)
	if err != nil {
		return answer{}, err
	}
	icon := i.Icon(pathVar(r, "shape"))
	if icon == nil {
		return answer{}, fail(kindNotFound, "there is no such icon; there are square and horizontal")
	}
	return answer{stream: func(w http.ResponseWriter) error {
		h := w.Header()
		h.Set("Content-Type", "image/svg+xml")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'")
		h.Set("Cache-Control", "private, max-age=300")
		_, _ = w.Write(icon) // an error means that the client is gone
		return nil
	}}, nil
}

// reloaded is what came of a reload.
type reloaded struct {
	Loaded   int           `json:"loaded"` // how many integrations there are now
	Findings []findingJSON `json:"findings"`
}

// findingJSON is one problem of an integration folder.
type findingJSON struct {
	Path     string            `json:"path"`
	Line     int               `json:"line"`
	Column   int               `json:"column"`
	Severity manifest.Severity `json:"severity"`
	Message  string            `json:"message"`
	Remedy   string            `json:"remedy,omitempty"`
	Rule     string            `json:"rule"`
}

// POST /api/v1/catalog/reload reads the integration folders again. A folder with
// an error leaves its integration as it was.
func (a *API) reloadCatalog(r *request) (answer, error) {
	if a.o.Reload == nil {
		return answer{}, fail(kindNotFound, "this server has no integration folders to read again")
	}
	n, findings, err := a.o.Reload(r.Context())
	if err != nil {
		return answer{}, err
	}
	done := reloaded{Loaded: n, Findings: make([]findingJSON, len(findings))}
	for i, f := range findings {
		done.Findings[i] = findingJSON{Path: f.Path, Line: f.Line, Column: f.Column, Severity: f.Severity, Message: f.Message, Remedy: f.Remedy, Rule: f.Rule}
	}
	return answer{body: done}, nil
}

func showIntegration(r *request, i *manifest.Integration) catalogItem {
	m := &i.Manifest
	item := catalogItem{
		Key: i.Key, Name: m.Name, Version: m.Version, Overview: m.Overview, Description: m.Description,
		Categories: m.Categories, RequiresOAuth: m.RequiresOAuth, Links: m.Links, Subscribable: true,
		FormVariables: make([]formVariable, len(m.FormVariables)),
		SelfLinks:     render.Object(link("self", linkBase(r)+catalogPath+"/"+url.PathEscape(i.Key))),
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
