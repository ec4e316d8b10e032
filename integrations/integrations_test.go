package integrations_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

var update = flag.Bool("update", false, "write the goldens anew")

func load(t *testing.T) *manifest.Catalog {
	t.Helper()
	catalog, findings := manifest.Load(integrations.FS())
	for _, f := range findings {
		t.Errorf("finding: %v", f)
	}
	return catalog
}

func parse(t testing.TB, text []byte) render.Value {
	t.Helper()
	v, err := render.ParseJSON(text)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return v
}

func sample(t testing.TB, name string) render.Value {
	t.Helper()
	data, ok := schemas.Sample(name)
	if !ok {
		t.Fatalf("no sample %q", name)
	}
	return parse(t, data)
}

// config is the made-up configuration that the integration's goldens have.
func config(t *testing.T, i *manifest.Integration) render.Value {
	t.Helper()
	return readGolden(t, filepath.Join(i.Key, "testdata", "flag-on.json")).FormVariables
}

func readGolden(t *testing.T, file string) *manifest.Golden {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with: flaghook test %s --update", err, filepath.Dir(filepath.Dir(file)))
	}
	g, err := manifest.ParseGolden(data)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return g
}

func TestEveryFolderIsLoadedWithoutFindings(t *testing.T) {
	catalog := load(t)
	var want, got []string
	entries, err := fs.ReadDir(integrations.FS(), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		want = append(want, e.Name())
	}
	for _, i := range catalog.All() {
		got = append(got, i.Key)
		if err := i.Subscribable(); err != nil {
			t.Errorf("%s cannot be subscribed: %v", i.Key, err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("folders (-) and loaded integrations (+) differ:\n%s", diff)
	}
}

// What arrives at each tool, byte for byte, for every sample event. The goldens
// are those that flaghook test runs.
func TestGoldens(t *testing.T) {
	for _, i := range load(t).All() {
		files, err := filepath.Glob(filepath.Join(i.Key, "testdata", "*"))
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".json")
			found[name] = true
			t.Run(i.Key+"/"+name, func(t *testing.T) { golden(t, i, file) })
		}
		for _, name := range schemas.SampleNames() {
			if !found[name] {
				t.Errorf("%s has no golden of the sample %s", i.Key, name)
			}
		}
		if _, has := i.Hook().Templates[manifest.ValidationTemplate]; has != found["validation"] {
			t.Errorf("%s: template validation %v, its golden %v", i.Key, has, found["validation"])
		}
	}
}

// golden runs one; with -update it is written anew.
func golden(t *testing.T, i *manifest.Integration, file string) {
	g := readGolden(t, file)
	doc, err := g.Document()
	if err != nil {
		t.Fatal(err)
	}
	event, err := hooks.NewEvent(doc, hooks.EventOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(doc.AppendJSON(nil)), string(event.Doc().AppendJSON(nil))); diff != "" {
		t.Errorf("an event of its own would be normalised (-given +normalised), and differ with time:\n%s", diff)
	}
	got, err := g.Run(i, event.Rendered())
	if err != nil {
		t.Fatal(err)
	}
	if got.Request == nil {
		t.Fatalf("nothing is sent: %s", got.Reason)
	}
	accepted(t, i.Key, got.Request)
	if *update {
		g.Outcome = got
		data, err := g.Format()
		if err == nil {
			err = os.WriteFile(file, data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !g.Outcome.Equal(got) {
		t.Errorf("%s differs (-want +got); after a look, write it anew with flaghook test --update:\n%s", file, cmp.Diff(g.Outcome.Text(), got.Text()))
	}
}

// Every template has to cope with every event, also with those of a kind that
// it was not written for: an admin's policy decides, not the template.
func TestEveryTemplateRendersEverySample(t *testing.T) {
	for _, i := range load(t).All() {
		c := config(t, i)
		for key := range i.Hook().Templates {
			for _, name := range schemas.SampleNames() {
				t.Run(i.Key+"/"+key+"/"+name, func(t *testing.T) {
					r := renderOne(t, i, sample(t, name), manifest.RenderInput{Config: c, Template: key, Strict: true})
					accepted(t, i.Key, r)
				})
			}
		}
	}
}

// lean events hold no more than a program has to post.
var lean = []string{
	`{"action": "updateOn", "resource": "proj/web:env/production:flag/checkout"}`,
	`{"action": "deleteFlag", "resource": "proj/web:env/production:flag/checkout", "name": "", "comment": "", "title": "x"}`,
	`{"action": "createProject", "resource": "proj/web"}`,
	`{"action": "deleteEnvironment", "resource": "proj/web:env/production"}`,
	`{"action": "updateRole", "resource": "member/1", "member": {"_id": "2"}}`,
	`{"action": "rotate", "resource": "vault/main", "token": {}, "_links": {"site": {}}}`,
	`{"action": "sync", "resource": "proj/web:env/production:segment/beta", "app": {}, "_links": {}, "tags": ["a"],
	  "customProperties": {"datadog": {"values": []}, "pagerDutyIntegrationKey": {"name": "x"}}}`,
}

func TestLeanEventsRender(t *testing.T) {
	for _, i := range load(t).All() {
		c := config(t, i)
		for _, posted := range lean {
			e, err := hooks.NewEvent(parse(t, []byte(posted)), hooks.EventOptions{})
			if err != nil {
				t.Fatal(err)
			}
			accepted(t, i.Key, renderOne(t, i, e.Doc(), manifest.RenderInput{Config: c, Strict: true}))
		}
	}
}

// What an admin asks to be hidden is nowhere in the request.
func TestDatadogHidesMembers(t *testing.T) {
	datadog, _ := load(t).Get("datadog")
	in := manifest.RenderInput{Config: parse(t, []byte(`{"apiKey": "k", "hideMemberDetails": true}`))}
	for _, name := range []string{"flag-on", "segment-update", "project-create"} {
		r := renderOne(t, datadog, sample(t, name), in)
		accepted(t, "datadog", r)
		member := sample(t, name).Get("member")
		for _, key := range []string{"email", "firstName", "lastName", "_id"} {
			if secret := member.Get(key).AsString(); bytes.Contains(r.Body, []byte(secret)) {
				t.Errorf("%s: the body tells the member's %s, %q", name, key, secret)
			}
		}
		if want := "https://api.datadoghq.com/api/v1/events"; r.URL != want {
			t.Errorf("without hostURL it goes to %s; want %s", r.URL, want)
		}
	}
}

// A flag's own PagerDuty key goes before the configured one.
func TestPagerDutyKeyOfTheFlag(t *testing.T) {
	pagerduty, _ := load(t).Get("pagerduty")
	doc := sample(t, "flag-on").With("customProperties", parse(t, []byte(`{"pagerDutyIntegrationKey": {"name": "x", "values": ["team-key"]}}`)))
	r := renderOne(t, pagerduty, doc, manifest.RenderInput{Config: config(t, pagerduty)})
	var body struct {
		RoutingKey string `json:"routing_key"`
	}
	if err := json.Unmarshal(r.Body, &body); err != nil || body.RoutingKey != "team-key" {
		t.Errorf("routing_key is %q (%v); want team-key", body.RoutingKey, err)
	}
}

// fataler is a test, or a property's run.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// renderOne renders a request that can be sent, or fails the test.
func renderOne(t fataler, i *manifest.Integration, doc render.Value, in manifest.RenderInput) *manifest.Request {
	t.Helper()
	rendered, err := i.Render(hooks.FromContext(doc), in)
	if err != nil {
		t.Fatalf("%s: %v", i.Key, err)
	}
	if rendered.Request == nil {
		t.Fatalf("%s: skipped: %s", i.Key, rendered.Skipped)
	}
	if err := rendered.Request.Check(); err != nil {
		t.Fatalf("%s: %v", i.Key, err)
	}
	return rendered.Request
}
