package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xeipuuv/gojsonschema"

	"github.com/flaghook/flaghook/hooks/api"
	"github.com/flaghook/flaghook/manifest"
)

// openAPI is what these tests read of the description.
type openAPI struct {
	OpenAPI    string
	Tags       []struct{ Name string }
	Paths      map[string]map[string]operation
	Components map[string]any
}

type operation struct {
	OperationID string `json:"operationId"`
	Summary     string
	Tags        []string
	Parameters  []parameter
	RequestBody *body
	Responses   map[string]body
	Security    []any
	Roles       []string `json:"x-roles"`
}

type parameter struct {
	Ref     string `json:"$ref"`
	Name    string
	In      string
	Example any
}

type body struct {
	Ref     string `json:"$ref"`
	Content map[string]struct {
		Schema   any
		Examples map[string]struct{ Value any }
	}
}

func describeServer(t testing.TB, s *server) *openAPI {
	t.Helper()
	got := s.do("GET", "/api/v1/openapi.json", "", "Authorization", "").want(200)
	if ct := got.header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type %q", ct)
	}
	doc := &openAPI{}
	if err := json.Unmarshal([]byte(got.body), doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// resolve follows a reference to a component.
func resolve[T any](t testing.TB, doc *openAPI, ref string, v *T) {
	t.Helper()
	if ref == "" {
		return
	}
	parts := strings.Split(strings.TrimPrefix(ref, "#/components/"), "/")
	kind, _ := doc.Components[parts[0]].(map[string]any)
	found, ok := kind[parts[len(parts)-1]]
	if !ok || len(parts) != 2 {
		t.Fatalf("%s leads nowhere", ref)
	}
	data, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// conforms checks JSON against a schema of the description.
func conforms(t testing.TB, doc *openAPI, what string, schema any, data string) {
	t.Helper()
	root := map[string]any{"allOf": []any{schema}, "components": doc.Components}
	result, err := gojsonschema.Validate(gojsonschema.NewGoLoader(root), gojsonschema.NewStringLoader(data))
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	for _, e := range result.Errors() {
		t.Errorf("%s: %s\nin %s", what, e, data)
	}
}

func TestOpenAPI(t *testing.T) {
	doc := describeServer(t, startListening(t))
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("openapi %q", doc.OpenAPI)
	}
	var tags []string
	for _, tag := range doc.Tags {
		tags = append(tags, tag.Name)
	}
	seen := map[string]bool{}
	for path, item := range doc.Paths {
		for name, op := range item {
			what := name + " " + path
			if op.OperationID == "" || seen[op.OperationID] {
				t.Errorf("%s: operationId %q is missing or there twice", what, op.OperationID)
			}
			seen[op.OperationID] = true
			if op.Summary == "" || len(op.Tags) != 1 || !slices.Contains(tags, op.Tags[0]) {
				t.Errorf("%s: summary %q, tags %v", what, op.Summary, op.Tags)
			}
			if public := op.Security != nil; public == (len(op.Roles) > 0) {
				t.Errorf("%s: roles %v", what, op.Roles)
			}
			inPath := strings.Count(path, "{")
			for _, p := range op.Parameters {
				resolve(t, doc, p.Ref, &p)
				if p.In == "path" && strings.Contains(path, "{"+p.Name+"}") {
					inPath--
				}
			}
			if inPath != 0 {
				t.Errorf("%s: its path's parameters are not described", what)
			}
		}
	}
}

// TestOpenAPIRoles: what x-roles says is what tokens meet.
func TestOpenAPIRoles(t *testing.T) {
	s := startListening(t, exampleOptions)
	doc := describeServer(t, s)
	tokens := map[string]string{}
	for _, role := range []string{"admin", "writer", "reader", "sender"} {
		tokens[role] = s.token(role, "")
	}
	for path, item := range doc.Paths {
		for name, op := range item {
			if op.Security != nil {
				continue
			}
			method := strings.ToUpper(name)
			target := strings.NewReplacer("{id}", "nobody", "{key}", "nobody", "{shape}", "none").Replace(path)
			s.do(method, target, "", "Authorization", "").wantRefused(401, "unauthorized")
			for role, token := range tokens {
				got := s.do(method, target, "", "Authorization", "", "Authorization", token)
				if allowed := slices.Contains(op.Roles, role); (got.status == 403) == allowed {
					t.Errorf("%s %s for a %s: status %d, though x-roles is %v", method, path, role, got.status, op.Roles)
				}
			}
		}
	}
}

// exampleOptions let every call succeed.
func exampleOptions(o *api.Options) {
	o.Reload = func(context.Context) (int, []manifest.Finding, error) {
		return 1, []manifest.Finding{{Severity: manifest.SeverityError, Path: "a/manifest.json", Line: 1, Column: 1, Message: "m", Rule: "json"}}, nil
	}
	o.Backup = func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "the whole store")
		return err
	}
}

// examples is a server on which every example of the description succeeds.
type examples struct {
	*server
	ids map[string]string // what {id} stands for, by the beginning of a path
}

func startExamples(t testing.TB) *examples {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	t.Cleanup(receiver.Close)
	s := startListening(t, exampleOptions)
	hook := s.do("POST", "/api/v1/subscriptions", `{"integration": "webhook", "name": "hook", "config": {"url": "`+receiver.URL+`", "secret": "`+secret+`"}, "tags": []}`).want(201).id()
	slack := s.do("POST", "/api/v2/integrations/slack", `{"name": "slack", "config": {"url": "`+receiver.URL+`"}}`).want(201).id()
	send := func(id string) string { // the delivery to the webhook
		s.do("POST", "/api/v1/events", `{"id": "`+id+`", "action": "updateOn", "resource": "proj/web:env/production:flag/checkout"}`).want(202)
		items := s.do("GET", "/api/v1/deliveries?subscription="+hook+"&event="+id, "").want(200).json()["items"].([]any)
		return items[0].(map[string]any)["_id"].(string)
	}
	pending, cancelled := send("sent-first"), send("sent-second")
	s.do("POST", "/api/v1/deliveries/"+cancelled+"/cancel", "").want(200)
	made := s.do("POST", "/api/v1/tokens", `{"name": "made", "role": "reader"}`).want(201).id()
	source := s.do("POST", "/api/v1/sources", `{"name": "GrowthBook", "kind": "growthbook", "secret": "`+secret+`"}`).want(201).id()
	unsigned, _ := s.do("POST", "/api/v1/sources", `{"name": "GrowthBook", "kind": "growthbook", "unsigned": true}`).want(201).json()["path"].(string)
	job := s.do("POST", "/api/v1/subscriptions/"+hook+"/retry", "").want(202).id()
	return &examples{server: s, ids: map[string]string{
		"/api/v1/events/": "sent-first", "/api/v2/auditlog/": "sent-first",
		"/api/v1/subscriptions/": hook, "/api/v2/webhooks/": hook, "/api/v2/integrations/": slack,
		"/api/v1/deliveries/": pending, "/api/v1/deliveries/{id}/retry": cancelled,
		"/api/v1/jobs/": job, "/api/v1/tokens/": made,
		"/api/v1/sources/": source, "/in/": strings.TrimPrefix(unsigned, "/in/growthbook/"),
	}}
}

// target is the path with its parameters filled in, and the query of the
// examples.
func (e *examples) target(t testing.TB, doc *openAPI, path string, op operation) (target string, header []string) {
	id, longest := "", 0
	for prefix, value := range e.ids {
		if strings.HasPrefix(path, prefix) && len(prefix) > longest {
			id, longest = value, len(prefix)
		}
	}
	query := url.Values{}
	target = strings.NewReplacer("{id}", id, "{key}", "slack").Replace(path)
	for _, p := range op.Parameters {
		resolve(t, doc, p.Ref, &p)
		if p.Example == nil {
			continue
		}
		value := fmt.Sprint(p.Example)
		if number, ok := p.Example.(float64); ok {
			value = strconv.FormatFloat(number, 'f', -1, 64)
		}
		switch p.In {
		case "query":
			query.Set(p.Name, value)
		case "header":
			header = append(header, p.Name, value)
		case "path":
			target = strings.ReplaceAll(target, "{"+p.Name+"}", value)
		}
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	return target, header
}

// TestOpenAPIExamples sends every example of the description to a server, and
// holds what it answers against the description.
func TestOpenAPIExamples(t *testing.T) {
	doc := describeServer(t, startListening(t))
	for path, item := range doc.Paths {
		for name, op := range item {
			var requests body
			if op.RequestBody != nil {
				requests = *op.RequestBody
				resolve(t, doc, requests.Ref, &requests)
			}
			if op.RequestBody == nil {
				t.Run(op.OperationID, func(t *testing.T) { sendExample(t, doc, strings.ToUpper(name), path, op, "", "") })
				continue
			}
			for mediaType, content := range requests.Content {
				if len(content.Examples) == 0 {
					t.Errorf("%s: no example as %s", op.OperationID, mediaType)
				}
				for title, example := range content.Examples {
					t.Run(op.OperationID+"/"+title, func(t *testing.T) {
						text, isText := example.Value.(string)
						if !isText {
							data, err := json.Marshal(example.Value)
							if err != nil {
								t.Fatal(err)
							}
							text = string(data)
							conforms(t, doc, "the example", content.Schema, text)
						}
						sendExample(t, doc, strings.ToUpper(name), path, op, mediaType, text)
					})
				}
			}
		}
	}
}

func sendExample(t *testing.T, doc *openAPI, method, path string, op operation, mediaType, text string) {
	t.Helper()
	t.Parallel()
	e := startExamples(t)
	target, header := e.target(t, doc, path, op)
	if mediaType != "" {
		header = append(header, "Content-Type", "", "Content-Type", mediaType)
	}
	got := e.do(method, target, text, header...)
	want, ok := op.Responses[strconv.Itoa(got.status)]
	if !ok || got.status > 299 {
		t.Fatalf("%s %s: %d %s, which is not what it promises", method, target, got.status, got.body)
	}
	resolve(t, doc, want.Ref, &want)
	answered, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	content, ok := want.Content[answered]
	switch {
	case len(want.Content) == 0 && got.body == "":
	case !ok:
		t.Errorf("%s %s: it answers with %q", method, target, answered)
	case answered == "application/json":
		conforms(t, doc, method+" "+target, content.Schema, got.body)
	case got.body == "":
		t.Errorf("%s %s: an empty answer", method, target)
	}
	if strings.Contains(got.body, secret) && !strings.HasPrefix(path, "/api/v2/webhooks") {
		t.Errorf("%s %s shows a secret: %s", method, target, got.body)
	}
}
