package source_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/source"
	"github.com/flaghook/flaghook/render"
)

var testNow = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// A fixture is one system's folder in testdata: exact bodies, what they are
// signed with, and what they become.
type fixture struct {
	kind     source.Kind
	settings source.Settings
	cases    []struct {
		BodyFile string            `json:"body_file"`
		Events   []json.RawMessage `json:"events"`
	}
	signatures, negatives []signature
	headers               map[string]map[string]string // of CloudEvents, by body
}

type signature struct {
	BodyFile     string            `json:"body_file"`
	Secret       string            `json:"secret"`
	Header       string            `json:"header"`
	Value        string            `json:"value"`
	ExtraHeaders map[string]string `json:"extra_headers"`
	Reason       string            `json:"reason"`
}

func readFixture(t testing.TB, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", path))
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func fixtures(t testing.TB) []*fixture {
	t.Helper()
	var all []*fixture
	for _, kind := range source.Kinds() {
		f := &fixture{kind: kind, headers: map[string]map[string]string{}}
		var expected struct {
			Config struct {
				Project      string   `json:"project"`
				Environments []string `json:"environments"`
				Drop         bool     `json:"suppress_audit_feature_state"`
			} `json:"source_config"`
			Cases json.RawMessage `json:"cases"`
		}
		readFixture(t, string(kind)+"/expected.json", &expected)
		if err := json.Unmarshal(expected.Cases, &f.cases); err != nil {
			t.Fatal(err)
		}
		f.settings = source.Settings{
			ID: "src1", Kind: kind, Project: expected.Config.Project, Environments: expected.Config.Environments,
			DropDuplicates: expected.Config.Drop, Unsigned: true,
		}
		readFixture(t, string(kind)+"/signatures.json", &f.signatures)
		readFixture(t, string(kind)+"/signatures_invalid.json", &f.negatives)
		if kind == source.CloudEvents {
			var requests []struct {
				BodyFile string            `json:"body_file"`
				Headers  map[string]string `json:"headers"`
			}
			readFixture(t, "cloudevents/requests.json", &requests)
			for _, r := range requests {
				f.headers[r.BodyFile] = r.Headers
			}
		}
		all = append(all, f)
	}
	return all
}

func (f *fixture) request(t testing.TB, body string) *source.Request {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", string(f.kind), body))
	if err != nil {
		t.Fatal(err)
	}
	r := &source.Request{Method: http.MethodPost, Header: http.Header{}, Query: url.Values{}, Body: data}
	for name, value := range f.headers[body] {
		r.Header.Set(name, value)
	}
	return r
}

// signed gives the request and the settings of a source with the signature's
// secret.
func (f *fixture) signed(t testing.TB, s signature) (source.Settings, *source.Request) {
	r := f.request(t, s.BodyFile)
	r.Header.Set(s.Header, s.Value)
	for name, value := range s.ExtraHeaders {
		r.Header.Set(name, value)
	}
	settings := f.settings
	settings.Unsigned, settings.Secrets = false, []string{s.Secret}
	if f.kind == source.Unleash {
		settings.Header = s.Header
	}
	return settings, r
}

// outgoing are signatures of what systems send that are no sources.
var outgoing = map[string]bool{"OUTGOING.sentry_change_tracking.json": true}

func TestSignatures(t *testing.T) {
	for _, f := range fixtures(t) {
		checked := 0
		for _, s := range f.signatures {
			if outgoing[s.BodyFile] {
				continue
			}
			settings, r := f.signed(t, s)
			if err := settings.Validate(); err != nil {
				t.Fatal(err)
			}
			if err := source.Verify(settings, r); err != nil {
				t.Errorf("%s/%s: %v", f.kind, s.BodyFile, err)
			}
			rotated := settings
			rotated.Secrets = []string{"another", s.Secret}
			if err := source.Verify(rotated, r); err != nil {
				t.Errorf("%s/%s with two secrets: %v", f.kind, s.BodyFile, err)
			}
			other := settings
			other.Secrets = []string{"another"}
			if err := source.Verify(other, r); !errors.Is(err, source.ErrUnauthorized) {
				t.Errorf("%s/%s with another secret: %v", f.kind, s.BodyFile, err)
			}
			if s.Header != "Authorization" && s.Header != "X-Unleash-Token" {
				changed := *r
				changed.Body = append([]byte(" "), r.Body...)
				if err := source.Verify(settings, &changed); !errors.Is(err, source.ErrUnauthorized) {
					t.Errorf("%s/%s with another body: %v", f.kind, s.BodyFile, err)
				}
			}
			checked++
		}
		for _, s := range f.negatives {
			settings, r := f.signed(t, s)
			if err := source.Verify(settings, r); !errors.Is(err, source.ErrUnauthorized) {
				t.Errorf("%s/%s (%s): %v", f.kind, s.BodyFile, s.Reason, err)
			}
		}
		if checked == 0 || len(f.negatives) == 0 {
			t.Errorf("%s: %d signatures, %d negatives", f.kind, checked, len(f.negatives))
		}
	}
}

// told is what expected.json says of an event, read from the event.
func told(e *hooks.Event) map[string]any {
	doc := e.Doc()
	orNull := func(v render.Value) any {
		if v.AsString() == "" {
			return nil
		}
		return v.AsString()
	}
	actor := map[string]any{}
	for name, v := range map[string]render.Value{
		"email": doc.Path("member", "email"), "ip": doc.Path("source", "metadata", "ip"),
		"authentication": doc.Path("source", "metadata", "authentication"),
	} {
		if v.AsString() != "" {
			actor[name] = v.AsString()
		}
	}
	if name := doc.Path("member", "displayName").AsString(); name != doc.Path("member", "email").AsString() {
		actor["name"] = name
	}
	accesses, tags := []any{}, []any{}
	for a := range doc.Get("accesses").Items() {
		accesses = append(accesses, map[string]any{"action": a.Get("action").AsString(), "resource": a.Get("resource").AsString()})
	}
	for tag := range doc.Get("tags").Items() {
		tags = append(tags, tag.AsString())
	}
	return map[string]any{
		"kind": doc.Get("kind").AsString(), "name": doc.Get("name").AsString(), "key": doc.Get("key").AsString(),
		"verbKind": doc.Get("verbKind").AsString(), "titleVerb": doc.Get("titleVerb").AsString(), "accesses": accesses,
		"project": orNull(doc.Path("project", "key")), "environment": orNull(doc.Path("project", "environment", "key")),
		"actor": actor, "date": doc.Path("timestamp", "milliseconds").AsNumber(), "tags": tags,
		"hasBefore": doc.Has("before"), "hasAfter": doc.Has("after"), "inferred": doc.Get("inferred").AsBool(),
	}
}

func TestFixturesBecomeEvents(t *testing.T) {
	for _, f := range fixtures(t) {
		for _, c := range f.cases {
			t.Run(string(f.kind)+"/"+c.BodyFile, func(t *testing.T) {
				result, err := source.Parse(f.settings, f.request(t, c.BodyFile), source.NoStates{})
				suppressed := 0
				for _, raw := range c.Events {
					var s struct{ Suppressed string }
					if json.Unmarshal(raw, &s) == nil && s.Suppressed != "" {
						suppressed++
					}
				}
				if errors.Is(err, source.ErrMalformed) || errors.Is(err, source.ErrMediaType) {
					if suppressed != 1 || f.kind != source.CloudEvents {
						t.Fatalf("refused: %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if suppressed > 0 && (len(result.Suppressed) == 0 || len(result.Events) > 0) {
					t.Fatalf("%d events, suppressed %q", len(result.Events), result.Suppressed)
				}
				if suppressed > 0 {
					return
				}
				if len(result.Events) != len(c.Events) {
					t.Fatalf("%d events, want %d; suppressed %q", len(result.Events), len(c.Events), result.Suppressed)
				}
				for i, raw := range c.Events {
					var want map[string]any
					if err := json.Unmarshal(raw, &want); err != nil {
						t.Fatal(err)
					}
					event, err := hooks.NewEvent(result.Events[i].Posted, hooks.EventOptions{Now: testNow})
					if err != nil {
						t.Fatal(err)
					}
					if want["date"] == nil {
						want["date"] = float64(testNow.UnixMilli())
					}
					if diff := cmp.Diff(want, told(event)); diff != "" {
						t.Errorf("event %d (-want +got):\n%s", i, diff)
					}
				}
			})
		}
	}
}
