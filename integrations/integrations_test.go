package integrations_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
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

// configs are what an admin would fill in, made up and recognisable.
var configs = map[string]string{
	"datadog":   `{"apiKey": "0123456789abcdef0123456789abcdef", "hostURL": "https://api.datadoghq.eu"}`,
	"msteams":   `{"url": "https://prod-01.westeurope.logic.azure.com/workflows/0a1b/triggers/manual/paths/invoke?api-version=2016-06-01&sig=made-up"}`,
	"pagerduty": `{"integrationKey": "0123456789abcdef0123456789abcdef"}`,
	"slack":     `{"url": "https://hooks.slack.com/services/T00000000/B00000000/made-up"}`,
	"splunk":    `{"base-url": "https://splunk.example.com:8088", "token": "00000000-1111-2222-3333-444444444444"}`,
	"webhook":   `{"url": "https://receiver.example.com/hooks?from=flaghook&kind=flags", "secret": "made-up secret"}`,
}

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

// config is the integration's made-up configuration, checked as a
// subscription's would be.
func config(t *testing.T, i *manifest.Integration) render.Value {
	t.Helper()
	text, ok := configs[i.Key]
	if !ok {
		t.Fatalf("%s has no configuration in this test; add one", i.Key)
	}
	c := parse(t, []byte(text))
	if err := i.CheckConfig(c); err != nil {
		t.Fatalf("%s: configuration: %v", i.Key, err)
	}
	return c
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

// What arrives at each tool, byte for byte, for every sample event.
func TestGoldens(t *testing.T) {
	for _, i := range load(t).All() {
		c := config(t, i)
		for _, name := range schemas.SampleNames() {
			t.Run(i.Key+"/"+name, func(t *testing.T) {
				doc := sample(t, name)
				golden(t, i.Key, name, renderOne(t, i, doc, manifest.RenderInput{Config: c, Strict: true}))
			})
		}
		t.Run(i.Key+"/validation", func(t *testing.T) {
			in := manifest.RenderInput{Config: c, Validation: true, Strict: true}
			golden(t, i.Key, "validation", renderOne(t, i, sample(t, "flag-on"), in))
		})
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
					checkLimits(t, i.Key, r.Body)
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
			checkLimits(t, i.Key, renderOne(t, i, e.Doc(), manifest.RenderInput{Config: c, Strict: true}).Body)
		}
	}
}

// What an admin asks to be hidden is nowhere in the request.
func TestDatadogHidesMembers(t *testing.T) {
	datadog, _ := load(t).Get("datadog")
	in := manifest.RenderInput{Config: parse(t, []byte(`{"apiKey": "k", "hideMemberDetails": true}`))}
	for _, name := range []string{"flag-on", "segment-update", "project-create"} {
		r := renderOne(t, datadog, sample(t, name), in)
		checkLimits(t, "datadog", r.Body)
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
	if !json.Valid(rendered.Request.Body) {
		t.Fatalf("%s: the body is not JSON:\n%s", i.Key, rendered.Request.Body)
	}
	return rendered.Request
}

// golden compares a request with KEY/testdata/NAME.txt.
func golden(t *testing.T, key, name string, r *manifest.Request) {
	t.Helper()
	checkLimits(t, key, r.Body)
	file := filepath.Join(key, "testdata", name+".txt")
	got := wire(r)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./integrations -update", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); after a look, write it anew with -update:\n%s", file, diff)
	}
}

// wire writes a request as people read HTTP: request line, headers, a blank
// line and the body as it is sent. The signature stands for how it is made.
func wire(r *manifest.Request) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "%s: %s\n", h.Name, h.Value)
	}
	if r.Signature != nil {
		fmt.Fprintf(&b, "%s: hex(hmac-sha256(%q, body))\n", r.Signature.Header, r.Signature.Secret)
	}
	fmt.Fprintf(&b, "\n%s\n", strings.TrimSuffix(string(r.Body), "\n"))
	return b.Bytes()
}
