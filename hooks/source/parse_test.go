package source_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/source"
	"github.com/flaghook/flaghook/render"
)

// memory is what a store of states does.
type memory map[string]render.Value

func (m memory) Last(key string) render.Value { return m[key] }

func (m memory) keep(states []source.State) {
	for _, s := range states {
		if m[s.Key] = s.Value; !s.Value.IsDefined() {
			delete(m, s.Key)
		}
	}
}

func post(body string, headers ...string) *source.Request {
	r := &source.Request{Method: http.MethodPost, Header: http.Header{}, Query: url.Values{}, Body: []byte(body)}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// events parses a request and normalises what it gives.
func events(t testing.TB, s source.Settings, r *source.Request, states memory) []*hooks.Event {
	t.Helper()
	s.ID = "src1"
	result, err := source.Parse(s, r, states)
	if err != nil {
		t.Fatalf("%s: %v", r.Body, err)
	}
	if states != nil {
		states.keep(result.States)
	}
	var all []*hooks.Event
	for _, e := range result.Events {
		event, err := hooks.NewEvent(e.Posted, hooks.EventOptions{Now: testNow})
		if err != nil {
			t.Fatalf("%s: %v", r.Body, err)
		}
		all = append(all, event)
	}
	return all
}

func accesses(e *hooks.Event) string {
	var texts []string
	for a := range e.Doc().Get("accesses").Items() {
		texts = append(texts, a.Get("action").AsString()+" "+a.Get("resource").AsString())
	}
	return strings.Join(texts, ", ")
}

func fliptBody(noun, verb, payload string) string {
	return `{"version":"0.2","type":"` + noun + `","action":"` + verb + `","metadata":{"actor":{"authentication":"none"}},"payload":` +
		payload + `,"timestamp":"2026-03-02T11:01:00Z","status":"success"}`
}

// Flipt tells the state after a change alone; the one before is the last seen.
func TestFliptRemembersTheLastState(t *testing.T) {
	seen := memory{}
	s := source.Settings{Kind: source.Flipt}
	for _, step := range []struct{ noun, verb, payload, accesses, title, details string }{
		{"flag", "created", `{"key":"f","name":"F","description":"","enabled":false,"namespace_key":"web"}`,
			"createFlag proj/web:env/production:flag/f", "Someone created the flag F in 'production'", ""},
		{"flag", "updated", `{"key":"f","name":"F","description":"","enabled":true,"namespace_key":"web"}`,
			"updateOn proj/web:env/production:flag/f", "Someone turned on the flag F in 'production'", "Turned on"},
		{"flag", "updated", `{"key":"f","name":"F2","description":"d","enabled":true,"namespace_key":"web"}`,
			"updateName proj/web:env/production:flag/f, updateDescription proj/web:env/production:flag/f", "Someone updated the flag F2 in 'production'",
			"Name \"F\" → \"F2\"\nDescription \"\" → \"d\""},
		{"flag", "updated", `{"key":"f","name":"F2","description":"d","enabled":true,"default_variant":"v","namespace_key":"web"}`,
			"updateFallthrough proj/web:env/production:flag/f", "Someone updated the flag F2 in 'production'", `Default variant set to "v"`},
		{"flag", "updated", `{"key":"f","name":"F2","description":"d","enabled":true,"default_variant":"v","namespace_key":"web"}`,
			"updateFlagCustomProperties proj/web:env/production:flag/f", "Someone updated the flag F2 in 'production'", ""},
		{"rollout", "created", `{"id":"o","flag_key":"f","namespace_key":"web","rank":1,"threshold":{"percentage":10,"value":true}}`,
			"updateFallthrough proj/web:env/production:flag/f", "Someone updated the flag F2 in 'production'", "Rollout of 10 % to true added"},
		{"rollout", "updated", `{"id":"o","flag_key":"f","namespace_key":"web","rank":1,"threshold":{"percentage":25,"value":true}}`,
			"updateFallthrough proj/web:env/production:flag/f", "Someone updated the flag F2 in 'production'", "Rollout 10 % → 25 %"},
		{"rollout", "deleted", `{"id":"o","flag_key":"f","namespace_key":"web"}`,
			"updateFallthrough proj/web:env/production:flag/f", "Someone updated the flag F2 in 'production'", "Rollout of 25 % to true removed"},
		{"rule", "created", `{"id":"r","flag_key":"f","segment_key":"s","namespace_key":"web"}`,
			"updateRules proj/web:env/production:flag/f", "Someone updated the flag F2 in 'production'", `Rule for the segment "s" added`},
		{"distribution", "created", `{"id":"d","rule_id":"r","variant_id":"v","rollout":40}`,
			"updateRules proj/web:env/production:flag/f", "Someone updated the flag F2 in 'production'", "Distribution of 40 % added"},
		{"distribution", "updated", `{"id":"d","rule_id":"r","variant_id":"v","rollout":60}`,
			"updateRules proj/web:env/production:flag/f", "Someone updated the flag F2 in 'production'", "Rollout 40 % → 60 %"},
		{"variant", "deleted", `{"id":"v","flag_key":"f","namespace_key":"web"}`,
			"updateFlagVariations proj/web:env/production:flag/f", "Someone updated the flag F2 in 'production'", "Variant removed"},
		{"rule", "deleted", `{"id":"r","flag_key":"f","namespace_key":"web"}`,
			"updateRules proj/web:env/production:flag/f", "Someone updated the flag F2 in 'production'", `Rule for the segment "s" removed`},
		{"distribution", "updated", `{"id":"d2","rule_id":"r","variant_id":"v","rollout":60}`,
			"updateRules proj/default:env/production:flag/_unknown", "Someone updated the flag _unknown in 'production'", "Distribution of 60 % changed"},
		{"flag", "deleted", `{"key":"f","namespace_key":"web"}`,
			"deleteFlag proj/web:env/production:flag/f", "Someone deleted the flag F2 in 'production'", ""},
		{"flag", "updated", `{"key":"f","name":"F","enabled":false,"namespace_key":"web"}`,
			"updateOn proj/web:env/production:flag/f", "Someone turned off the flag F in 'production'", "Turned off"},
	} {
		e := events(t, s, post(fliptBody(step.noun, step.verb, step.payload)), seen)[0]
		if got := accesses(e); got != step.accesses {
			t.Errorf("%s:%s did %s, want %s", step.noun, step.verb, got, step.accesses)
		}
		if got := e.Doc().Path("title", "plainText").AsString(); got != step.title {
			t.Errorf("%s:%s is %q, want %q", step.noun, step.verb, got, step.title)
		}
		if got := e.Doc().Path("details", "plainText").AsString(); got != step.details {
			t.Errorf("%s:%s changed %q, want %q", step.noun, step.verb, got, step.details)
		}
		if updated := step.verb == "updated" && step.noun == "flag"; updated && !e.Doc().Get("inferred").AsBool() {
			t.Errorf("%s:%s is not marked as inferred", step.noun, step.verb)
		}
	}
}

func TestUnknownTypesAreKept(t *testing.T) {
	for kind, body := range map[source.Kind]string{
		source.Flipt:      fliptBody("license", "renewed", `{}`),
		source.Flagsmith:  `{"event_type":"SOMETHING_NEW","data":{}}`,
		source.Goflagship: `{"event":"project.renamed","timestamp":"2026-02-02T09:00:00Z","environment":"prod","resource":{"type":"project","key":"p"},"data":{}}`,
		source.Unleash:    `{"id":7,"type":"user-created","createdBy":"a@example.com","createdAt":"2026-03-04T12:45:00.000Z","data":{"name":"b"},"preData":null,"tags":[],"featureName":null,"project":null,"environment":null}`,
		source.GrowthBook: `{"event":"config.updated","object":"config","data":{"object":{"id":"c"}},"projects":[],"tags":[],"environments":[],"user":null,"created":1772618400000}`,
	} {
		for _, e := range events(t, source.Settings{Kind: kind}, post(body), memory{}) {
			if e.Kind() != "other" || !strings.Contains(accesses(e), ":other/") {
				t.Errorf("%s: kind %s, %s", kind, e.Kind(), accesses(e))
			}
		}
	}
}

func TestBadBodiesAreRefused(t *testing.T) {
	for _, kind := range source.Kinds() {
		for _, body := range []string{"", " ", "{", "[]", "7", "null", "{}", `{"a":1}`, `"x"`, "\xff"} {
			r := post(body, "Content-Type", "application/cloudevents+json")
			if kind == source.Unleash && strings.HasPrefix(body, "{") && strings.HasSuffix(body, "}") {
				continue // a template's, which is suppressed
			}
			result, err := source.Parse(source.Settings{Kind: kind}, r, source.NoStates{})
			if !errors.Is(err, source.ErrMalformed) {
				t.Errorf("%s: %q gives %v, %v", kind, body, result, err)
			}
		}
	}
}

// What a sender can nest is bounded before anything is done with it.
func TestDeeplyNestedBodiesAreRefusedAtOnce(t *testing.T) {
	body := bytes.Repeat([]byte("["), 1<<20)
	for _, kind := range source.Kinds() {
		start := time.Now()
		_, err := source.Parse(source.Settings{Kind: kind}, post(string(body), "Content-Type", "application/cloudevents+json"), source.NoStates{})
		if took := time.Since(start); !errors.Is(err, source.ErrMalformed) || took > 500*time.Millisecond {
			t.Errorf("%s: %v after %v", kind, err, took)
		}
	}
}

func TestSecretsAreRemoved(t *testing.T) {
	const secret = "s3cr3t-value"
	for name, c := range map[string]struct {
		kind source.Kind
		body string
	}{
		"client-side key": {source.Flagsmith, `{"event_type":"AUDIT_LOG_CREATED","data":{"log":"New Environment created: Test","created_date":"2026-03-04T10:15:26Z",
			"environment":{"id":2,"name":"Test","api_key":"` + secret + `"},"project":{"id":1,"name":"P"},"related_object_type":"ENVIRONMENT","related_object_id":2}}`},
		"SDK keys": {source.LaunchDarkly, `{"_id":"x","date":1772619320000,"kind":"environment","name":"T","accesses":[{"action":"updateApiKey","resource":"proj/p:env/t"}],
			"previousVersion":{"apiKey":"` + secret + `","mobileKey":"` + secret + `"},"currentVersion":{"apiKey":"` + secret + `1","nested":[{"sdk_key":["` + secret + `"]}]}}`},
		"token": {source.Unleash, `{"id":7,"type":"api-token-created","createdBy":"a@example.com","createdAt":"2026-03-04T12:45:00.000Z","data":{"tokenName":"ci","secret":"` + secret + `"},"preData":null,"tags":[]}`},
		"declared secrets": {source.GrowthBook, `{"event":"feature.updated","object":"feature","data":{"object":{"id":"f","defaultValue":"` + secret + `"},"previous_attributes":{"defaultValue":""}},
			"projects":[],"tags":[],"environments":[],"containsSecrets":true,"user":null,"created":1772618400000}`},
	} {
		for _, e := range events(t, source.Settings{Kind: c.kind, DropDuplicates: true}, post(c.body), memory{}) {
			if doc := e.Doc().AppendJSON(nil); bytes.Contains(doc, []byte(secret)) || !bytes.Contains(doc, []byte("***")) {
				t.Errorf("%s: %s", name, doc)
			}
		}
	}
	for _, f := range fixtures(t) {
		for _, c := range f.cases {
			result, err := source.Parse(f.settings, f.request(t, c.BodyFile), source.NoStates{})
			if err != nil {
				continue
			}
			for _, e := range result.Events {
				if bytes.Contains(e.Posted.AppendJSON(nil), []byte("envkey0000example")) {
					t.Errorf("%s/%s shows an environment's key", f.kind, c.BodyFile)
				}
			}
		}
	}
}

func TestDeliveriesAreRecognised(t *testing.T) {
	flagship := `{"event":"flag.deleted","timestamp":"2026-02-02T09:00:00Z","environment":"prod","resource":{"type":"flag","key":"f"},"data":{}}`
	flagsmith := `{"event_type":"FLAG_UPDATED","data":{"timestamp":"TIME","changed_by":"","new_state":{"enabled":true,"feature":{"name":"f"}}}}`
	for name, c := range map[string]struct {
		kind   source.Kind
		r      *source.Request
		key    string // its beginning
		window time.Duration
	}{
		"goflagship":               {source.Goflagship, post(flagship, "X-Flagship-Delivery", "d1"), "d1", 0},
		"goflagship without an id": {source.Goflagship, post(flagship), "b", source.BodyWindow},
		"flipt":                    {source.Flipt, post(fliptBody("flag", "deleted", `{"key":"f"}`)), "b", source.BodyWindow},
		"flagsmith":                {source.Flagsmith, post(strings.Replace(flagsmith, "TIME", "2026-03-04T10:00:00.000001Z", 1)), "b", source.BodyWindow},
		"flagsmith without a time": {source.Flagsmith, post(strings.Replace(flagsmith, "TIME", "", 1)), "", 0},
		"unleash":                  {source.Unleash, post(`{"id":1004,"type":"feature-archived","createdBy":"a","featureName":"f","project":"p"}`), "1004", 0},
		"launchdarkly":             {source.LaunchDarkly, post(`{"_id":"66f","accesses":[{"action":"deleteFlag","resource":"proj/p:env/e:flag/f"}]}`), "66f", 0},
		"cloudevents": {source.CloudEvents, post(`{"specversion":"1.0","id":"1","source":"/s","type":"x.flag.created.v1","data":{"key":"f"}}`,
			"Content-Type", "application/cloudevents+json"), "/s\n1", 0},
	} {
		result, err := source.Parse(source.Settings{Kind: c.kind}, c.r, source.NoStates{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		e := result.Events[0]
		if byBody := c.key == "b"; byBody && len(e.Key) != 64 || !byBody && e.Key != c.key || e.Window != c.window {
			t.Errorf("%s: key %q for %v", name, e.Key, e.Window)
		}
		id := e.ID("src1", testNow)
		if e.Key != "" && (id != e.ID("src1", testNow) || id == e.ID("src2", testNow) || (id == e.ID("src1", testNow.Add(time.Hour))) != (c.window == 0)) {
			t.Errorf("%s: id %q", name, id)
		}
		if e.Key == "" && id != "" {
			t.Errorf("%s: id %q without a key", name, id)
		}
	}
}

func TestCloudEventsModes(t *testing.T) {
	const data = `{"project":"p","environment":"e","key":"a:b","after":{"on":true},"before":{"on":false}}`
	attributes := `"specversion":"1.0","id":"1","source":"/s","type":"com.example.flag.updated.v1"`
	structured := func(body string) *source.Request {
		return post(body, "Content-Type", "Application/CloudEvents+JSON; charset=utf-8")
	}
	binary := func(body string, more ...string) *source.Request {
		return post(body, append([]string{"ce-specversion", "1.0", "ce-id", "1", "ce-source", "/s", "ce-type", "com.example.flag.updated.v1"}, more...)...)
	}
	for name, c := range map[string]struct {
		r    *source.Request
		want string // accesses, or the error
	}{
		"structured":            {structured(`{` + attributes + `,"data":` + data + `}`), "updateOn proj/p:env/e:flag/a%3Ab"},
		"base64":                {structured(`{` + attributes + `,"data_base64":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `"}`), "updateOn proj/p:env/e:flag/a%3Ab"},
		"both kinds of data":    {structured(`{` + attributes + `,"data":{},"data_base64":"e30="}`), "has both"},
		"null attributes":       {structured(`{` + attributes + `,"subject":null,"data":` + data + `}`), "updateOn proj/p:env/e:flag/a%3Ab"},
		"object attribute":      {structured(`{` + attributes + `,"ext":{},"data":` + data + `}`), "no text"},
		"bad time":              {structured(`{` + attributes + `,"time":"now","data":` + data + `}`), "RFC 3339"},
		"subject":               {structured(`{` + attributes + `,"subject":"proj/q;t:env/x:segment/s","data":` + data + `}`), "updateOn proj/q;t:env/x:segment/s"},
		"batch":                 {post(`[{`+attributes+`,"data":`+data+`}]`, "Content-Type", "application/cloudevents-batch+json"), "updateOn proj/p:env/e:flag/a%3Ab"},
		"batch of one bad":      {post(`[{`+attributes+`,"data":`+data+`},{}]`, "Content-Type", "application/cloudevents-batch+json"), "no specversion"},
		"binary":                {binary(data), "updateOn proj/p:env/e:flag/a%3Ab"},
		"binary, encoded":       {binary(data, "ce-subject", `"proj/p:env/e:flag/caf%C3%A9"`), "updateOn proj/p:env/e:flag/café"},
		"binary, bad encoding":  {binary(data, "ce-subject", `%FF`), "percent-encoded"},
		"binary, no id":         {binary(data, "ce-id", ""), "no id"},
		"binary, other JSON":    {binary(data, "Content-Type", "application/vnd.x+json"), "updateOn proj/p:env/e:flag/a%3Ab"},
		"binary, text":          {binary("hello", "Content-Type", "text/plain"), "data is not a JSON object"},
		"another format":        {post("<x/>", "Content-Type", "application/cloudevents+xml"), "format application/cloudevents+xml"},
		"another specversion":   {binary(data, "ce-specversion", "0.3"), `specversion "0.3"`},
		"no CloudEvent":         {post(data, "Content-Type", "application/json"), "without ce- headers"},
		"an action in the type": {binary(data, "ce-type", "io.flaghook.flag.updateTargets"), "updateTargets proj/p:env/e:flag/a%3Ab"},
		"nothing to go by":      {binary(`{"x":1}`, "ce-type", "com.example.something"), "com.example.something proj/default:env/production:other/com.example.something"},
	} {
		result, err := source.Parse(source.Settings{Kind: source.CloudEvents}, c.r, source.NoStates{})
		var got string
		switch {
		case err != nil:
			got = err.Error()
		case len(result.Suppressed) > 0:
			got = result.Suppressed[0]
		default:
			got = accesses(events(t, source.Settings{Kind: source.CloudEvents}, c.r, memory{})[0])
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		format := c.want == `specversion "0.3"` || strings.HasPrefix(c.want, "format") || strings.HasPrefix(c.want, "without")
		if format != errors.Is(err, source.ErrMediaType) {
			t.Errorf("%s: %v", name, err)
		}
	}
	fields := source.Settings{Kind: source.CloudEvents, Fields: map[string]string{"key": "flag.id", "project": "team"}}
	e := events(t, fields, binary(`{"flag":{"id":"f"},"team":"web"}`, "ce-type", "x.flag.deleted.v1"), memory{})[0]
	if got := accesses(e); got != "deleteFlag proj/web:env/production:flag/f" {
		t.Errorf("with fields: %s", got)
	}
}

func TestBearerTokensOfCloudEvents(t *testing.T) {
	s := source.Settings{Kind: source.CloudEvents, Secrets: []string{"abc"}}
	for _, c := range []struct {
		authorization, query string
		want                 bool
	}{
		{"Bearer abc", "", true}, {"bearer abc", "", true}, {"", "abc", true}, {"abc", "", false}, {"Bearer abd", "", false},
		{"", "abd", false}, {"", "", false}, {"Basic abc", "", false},
	} {
		r := post("{}", "Authorization", c.authorization)
		r.Query.Set("access_token", c.query)
		if err := source.Verify(s, r); (err == nil) != c.want {
			t.Errorf("%q, %q: %v", c.authorization, c.query, err)
		}
	}
	h := source.Handshake(post("", "WebHook-Request-Origin", "events.example.com", "WebHook-Request-Rate", "120"))
	if h.Get("WebHook-Allowed-Origin") != "events.example.com" || h.Get("WebHook-Allowed-Rate") != "*" || h.Get("Allow") != "POST" {
		t.Errorf("handshake %v", h)
	}
}

func TestSignedTimesMayBeJudged(t *testing.T) {
	for _, f := range fixtures(t) {
		for _, sig := range f.signatures {
			if sig.Header != "webhook-signature" {
				continue
			}
			settings, r := f.signed(t, sig)
			signedAt, err := strconv.ParseInt(sig.ExtraHeaders["webhook-timestamp"], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			for off, late := range map[time.Duration]bool{-6 * time.Minute: true, -4 * time.Minute: false, 4 * time.Minute: false, 6 * time.Minute: true} {
				r.At = time.Unix(signedAt, 0).Add(off)
				settings.Tolerance = 5 * time.Minute
				if err := source.Verify(settings, r); (err != nil) != late {
					t.Errorf("%s, %v off: %v", sig.BodyFile, off, err)
				}
				settings.Tolerance = 0
				if err := source.Verify(settings, r); err != nil {
					t.Errorf("%s, %v off, without a tolerance: %v", sig.BodyFile, off, err)
				}
			}
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	good := source.Settings{Kind: source.Flipt, Secrets: []string{"x"}}
	for want, change := range map[string]func(*source.Settings){
		"":             func(*source.Settings) {},
		"kind":         func(s *source.Settings) { s.Kind = "toggle" },
		"secret":       func(s *source.Settings) { s.Secrets = []string{""} },
		"unsigned":     func(s *source.Settings) { s.Unsigned = true },
		"secrets":      func(s *source.Settings) { s.Secrets = strings.Split("a,b,c,d,e", ",") },
		"environments": func(s *source.Settings) { s.Environments = []string{"a", "a"} },
		"overrides":    func(s *source.Settings) { s.ProjectKeys = map[string]string{"1": ""} },
		"header":       func(s *source.Settings) { s.Header = "a b" },
		"base_url":     func(s *source.Settings) { s.BaseURL = "javascript:alert(1)" },
		"fields":       func(s *source.Settings) { s.Fields = map[string]string{"colour": "x"} },
	} {
		s := good
		change(&s)
		var setting *source.SettingError
		switch err := s.Validate(); {
		case want == "" && err != nil:
			t.Error(err)
		case want != "" && (!errors.As(err, &setting) || setting.Setting != want):
			t.Errorf("want %s: %v", want, err)
		}
	}
	empty := good
	empty.Secrets = []string{""}
	if empty.Validate() == nil {
		t.Error("an empty secret is taken: it would sign for everybody")
	}
	if err := source.Verify(source.Settings{Kind: source.Flipt}, post("{}")); !errors.Is(err, source.ErrUnauthorized) {
		t.Errorf("without a secret: %v", err)
	}
}

func TestOverridesNameProjectsAndEnvironments(t *testing.T) {
	s := source.Settings{Kind: source.Flagsmith, ProjectKeys: map[string]string{"12": "shop"}, EnvironmentKeys: map[string]string{"Production": "prod"}}
	e := events(t, s, post(`{"event_type":"FLAG_DELETED","data":{"timestamp":"2026-03-06T09:00:00Z","changed_by":"a@example.com","new_state":null,
		"previous_state":{"enabled":true,"environment":{"id":23,"name":"Production"},"feature":{"name":"a b","project":{"id":12,"name":"Harbour Shop"}}}}}`), memory{})[0]
	if got := accesses(e); got != "deleteFlag proj/shop:env/prod:flag/a b" {
		t.Error(got)
	}
	if name := e.Doc().Path("project", "name").AsString(); name != "Harbour Shop" {
		t.Error(name)
	}
}

func parse(t testing.TB, text string) render.Value {
	t.Helper()
	v, err := render.ParseJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestConstraintsReadLikeSentences(t *testing.T) {
	for payload, want := range map[string]string{
		`{"id":"1","segment_key":"s","property":"email","operator":"suffix","value":"@example.com"}`:       `Constraint "email ends with @example.com" added`,
		`{"id":"1","segment_key":"s","property":"country","operator":"isoneof","value":"[\"DE\",\"FR\"]"}`: `Constraint "country is one of DE, FR" added`,
		`{"id":"1","segment_key":"s","property":"plan","operator":"present","value":""}`:                   `Constraint "plan is there" added`,
		`{"id":"1","segment_key":"s","property":"x","operator":"new","value":"1"}`:                         `Constraint "x new 1" added`,
	} {
		e := events(t, source.Settings{Kind: source.Flipt}, post(fliptBody("constraint", "created", payload)), memory{})[0]
		if got := e.Doc().Path("details", "plainText").AsString(); got != want {
			t.Errorf("%s: %s, want %s", payload, got, want)
		}
	}
}
