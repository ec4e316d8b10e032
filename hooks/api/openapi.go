package api

import (
	"embed"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/hooks/source"
	"github.com/flaghook/flaghook/render"
)

// descriptions are the parts of the OpenAPI description, a part for each group of
// routes. base.json is the frame; the others add tags, paths and components.
//
//go:embed openapi/*.json
var descriptions embed.FS

// describe makes the OpenAPI description of routes: the parts put together, and
// in each operation what the route knows: the roles that may make the call, and
// how it is refused. An operation without a route, or the other way round, is an
// error.
func describe(routes []route, publicURL string) ([]byte, error) {
	doc, err := joinDescriptions()
	if err != nil {
		return nil, err
	}
	paths := doc.Get("paths")
	var all []render.Member
	for _, rt := range routes {
		item := paths.Get(rt.path)
		described := 0
		for name, m := range rt.methods {
			if name == source.MethodPurge {
				continue // OpenAPI has no place for it
			}
			described++
			key := strings.ToLower(name)
			op := item.Get(key)
			if !op.IsDefined() {
				return nil, fmt.Errorf("openapi: %s %s is not described", name, rt.path)
			}
			item = item.With(key, describeOperation(op, rt.public, m.audience))
		}
		if item.Len() != described {
			return nil, fmt.Errorf("openapi: %s has operations that are not served", rt.path)
		}
		all = append(all, render.Member{Key: rt.path, Value: item})
		paths = paths.With(rt.path, render.Value{})
	}
	for unserved := range paths.Members() {
		return nil, fmt.Errorf("openapi: %s is not served", unserved)
	}
	if publicURL != "" {
		server := render.Object(render.Member{Key: "url", Value: render.String(strings.TrimSuffix(publicURL, "/"))})
		doc = doc.With("servers", render.Array(server))
	}
	return doc.With("paths", render.Object(all...)).AppendJSON(nil), nil
}

// joinDescriptions puts the parts together; no two may have a member of one name.
func joinDescriptions() (render.Value, error) {
	doc, err := readDescription("openapi/base.json")
	if err != nil {
		return doc, err
	}
	files, err := descriptions.ReadDir("openapi")
	if err != nil {
		return doc, fmt.Errorf("openapi: %w", err)
	}
	for _, f := range files {
		if f.Name() == "base.json" {
			continue
		}
		part, err := readDescription(path.Join("openapi", f.Name()))
		if err != nil {
			return doc, err
		}
		tags := slices.Collect(doc.Get("tags").Items())
		doc = doc.With("tags", render.Array(slices.AppendSeq(tags, part.Get("tags").Items())...))
		doc = doc.With("paths", join(doc.Get("paths"), part.Get("paths")))
		components := doc.Get("components")
		for kind, members := range part.Get("components").Members() {
			components = components.With(kind, join(components.Get(kind), members))
		}
		doc = doc.With("components", components)
	}
	return doc, nil
}

func readDescription(file string) (render.Value, error) {
	data, err := descriptions.ReadFile(file)
	if err != nil {
		return render.Value{}, fmt.Errorf("openapi: %w", err)
	}
	doc, err := render.ParseJSON(data)
	if err != nil {
		return render.Value{}, fmt.Errorf("openapi: %s: %w", file, err)
	}
	return doc, nil
}

// join adds members to an object.
func join(to, more render.Value) render.Value {
	var all []render.Member
	for _, v := range []render.Value{to, more} {
		for key, member := range v.Members() {
			all = append(all, render.Member{Key: key, Value: member})
		}
	}
	return render.Object(all...)
}

// describeOperation adds what holds for all operations.
func describeOperation(op render.Value, public bool, to audience) render.Value {
	answers := op.Get("responses")
	for _, a := range [][2]string{{"4XX", "Refused"}, {"5XX", "Failed"}} {
		if !answers.Has(a[0]) {
			answers = answers.With(a[0], render.Object(render.Member{Key: "$ref", Value: render.String("#/components/responses/" + a[1])}))
		}
	}
	op = op.With("responses", answers)
	if public {
		return op.With("security", render.Array())
	}
	roles := make([]render.Value, 0, len(to))
	for _, role := range to.roles() {
		roles = append(roles, render.String(string(role)))
	}
	return op.With("x-roles", render.Array(roles...))
}

// GET /api/v1/openapi.json
func (a *API) getOpenAPI(*request) (answer, error) {
	return answer{stream: func(w http.ResponseWriter) error {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(a.openAPI) // an error means that the client is gone
		return nil
	}}, nil
}
