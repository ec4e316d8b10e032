package integrations_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// failer is what a check reports to: a test, or a property's run.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

// checkLimits holds a body against the published rules of its tool; each
// folder's README links to them.
func checkLimits(t failer, key string, body []byte) {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Errorf("%s: the body is not JSON: %v", key, err)
		return
	}
	root, _ := v.(map[string]any)
	switch key {
	case "slack":
		checkSlack(t, root)
	case "datadog":
		checkDatadog(t, root)
	case "pagerduty":
		checkPagerDuty(t, root)
	case "msteams":
		checkTeams(t, root, len(body))
	case "splunk":
		checkSplunk(t, root)
	case "webhook":
		checkWebhook(t, root)
	case "flipt-webhook", "flagsmith-webhook", "flagship-webhook", "launchdarkly-webhook", "cloudevents":
		// What arrives there is checked by hooks/source, which reads these forms.
	default:
		t.Errorf("%s: no limits are known; write down those of the tool", key)
	}
}

func most(t failer, what, s string, runes int) {
	t.Helper()
	if n := utf8.RuneCountInString(s); n > runes {
		t.Errorf("%s has %d characters; at most %d are allowed", what, n, runes)
	}
}

// walk calls f for every object below v.
func walk(v any, f func(map[string]any)) {
	switch x := v.(type) {
	case map[string]any:
		f(x)
		for _, y := range x {
			walk(y, f)
		}
	case []any:
		for _, y := range x {
			walk(y, f)
		}
	}
}

func text(v any) string { s, _ := v.(string); return s }

func absolute(t failer, what, s string) {
	t.Helper()
	if u, err := url.Parse(s); err != nil || u.Scheme == "" || u.Host == "" {
		t.Errorf("%s: %q is not an absolute URL", what, s)
	}
}

// slackDate is the one piece of Slack's markup that templates write.
var slackDate = regexp.MustCompile(`^<!date\^[0-9]+\^\{date_short_pretty\} at \{time\}\|[0-9: -]+ UTC>$`)

func checkSlack(t failer, root map[string]any) {
	t.Helper()
	// Slack reads markup in a top-level text, which templates cannot escape
	// for it; without one it makes the notification out of the blocks.
	if len(root) != 1 {
		t.Errorf("slack: the message has members other than blocks")
	}
	blocks, _ := root["blocks"].([]any)
	if len(blocks) == 0 || len(blocks) > 50 {
		t.Errorf("slack: %d blocks; 1 to 50 are allowed", len(blocks))
	}
	walk(root, func(o map[string]any) {
		s := text(o["text"])
		switch text(o["type"]) {
		case "text", "plain_text":
			if s == "" {
				t.Errorf("slack: an empty text")
			}
			most(t, "slack: a text", s, 3000)
		case "mrkdwn":
			if !slackDate.MatchString(s) {
				t.Errorf("slack: mrkdwn holds more than a date: %q", s)
			}
		case "link":
			absolute(t, "slack: a link", text(o["url"]))
			most(t, "slack: a link", text(o["url"]), 3000)
		case "header":
			inner, _ := o["text"].(map[string]any)
			most(t, "slack: the header", text(inner["text"]), 150)
		case "context":
			if elements, _ := o["elements"].([]any); len(elements) > 10 {
				t.Errorf("slack: %d elements in a context; at most 10 are allowed", len(elements))
			}
		}
	})
}

func checkDatadog(t failer, root map[string]any) {
	t.Helper()
	title, body := text(root["title"]), text(root["text"])
	if title == "" || body == "" {
		t.Errorf("datadog: title or text is empty")
	}
	most(t, "datadog: the title", title, 500)
	most(t, "datadog: the text", body, 4000)
	most(t, "datadog: aggregation_key", text(root["aggregation_key"]), 100)
	switch text(root["alert_type"]) {
	case "error", "warning", "info", "success", "user_update", "recommendation", "snapshot":
	default:
		t.Errorf("datadog: alert_type %q does not exist", root["alert_type"])
	}
	if when, has := root["date_happened"]; has {
		if _, isNumber := when.(float64); !isNumber {
			t.Errorf("datadog: date_happened is %v", when)
		}
	}
	tags, _ := root["tags"].([]any)
	for _, tag := range tags {
		most(t, "datadog: a tag", text(tag), 200)
		if s := text(tag); s == "" || strings.HasSuffix(s, "_key:") {
			t.Errorf("datadog: an empty tag %q", s)
		}
	}
}

func checkPagerDuty(t failer, root map[string]any) {
	t.Helper()
	if text(root["routing_key"]) == "" {
		t.Errorf("pagerduty: no routing_key")
	}
	payload, _ := root["payload"].(map[string]any)
	if text(payload["summary"]) == "" {
		t.Errorf("pagerduty: no summary")
	}
	most(t, "pagerduty: the summary", text(payload["summary"]), 1024)
	if _, ok := payload["custom_details"].(map[string]any); !ok {
		t.Errorf("pagerduty: no custom_details")
	}
	links, _ := root["links"].([]any)
	for _, l := range links {
		link, _ := l.(map[string]any)
		absolute(t, "pagerduty: a link", text(link["href"]))
	}
}

func checkTeams(t failer, root map[string]any, size int) {
	t.Helper()
	if size > 28<<10 {
		t.Errorf("msteams: %d bytes; at most 28 KiB are allowed", size)
	}
	attachments, _ := root["attachments"].([]any)
	if text(root["type"]) != "message" || len(attachments) != 1 {
		t.Errorf("msteams: not a message with one card")
	}
	walk(root, func(o map[string]any) {
		switch text(o["type"]) {
		case "TextBlock": // reads Markdown; only texts of ours may stand there
			if s := text(o["text"]); !strings.HasPrefix(s, "Test message") && !strings.HasPrefix(s, "The connection works") {
				t.Errorf("msteams: text of an event in a TextBlock: %q", s)
			}
		case "TextRun":
			if text(o["text"]) == "" {
				t.Errorf("msteams: an empty text")
			}
		case "Action.OpenUrl":
			absolute(t, "msteams: the button", text(o["url"]))
		}
		if _, has := o["entities"]; has {
			t.Errorf("msteams: a card that mentions")
		}
	})
}

func checkSplunk(t failer, root map[string]any) {
	t.Helper()
	if event, ok := root["event"].(map[string]any); !ok || len(event) == 0 {
		t.Errorf("splunk: no event")
	}
	if when, has := root["time"]; has {
		if _, isNumber := when.(float64); !isNumber {
			t.Errorf("splunk: time is %v", when)
		}
	}
}

func checkWebhook(t failer, root map[string]any) {
	t.Helper()
	for _, member := range []string{"_links", "_id", "_accountId", "date", "accesses", "kind", "name", "description", "shortDescription", "titleVerb", "title", "target"} {
		if _, has := root[member]; !has {
			t.Errorf("webhook: no %s", member)
		}
	}
}

// typed replaces every text of a sample that people type by one of make's.
func typed(doc render.Value, make func() string) render.Value {
	str := func(v render.Value, keys ...string) render.Value {
		for _, k := range keys {
			if v.Has(k) {
				v = v.With(k, render.String(make()))
			}
		}
		return v
	}
	three := func(key string) { doc = doc.With(key, str(doc.Get(key), "plainText", "markdown", "html")) }
	tags := func() render.Value {
		return render.Array(render.String(make()), render.String(make()), render.String(make()))
	}
	doc = str(doc, "name", "comment", "titleVerb").With("tags", tags())
	three("title")
	three("details")
	for _, actor := range []string{"member", "token", "app"} {
		if doc.Has(actor) {
			doc = doc.With(actor, str(doc.Get(actor), "name", "displayName", "firstName", "lastName", "email"))
		}
	}
	project := str(doc.Get("project"), "name").With("tags", tags())
	project = project.With("environment", str(project.Get("environment"), "name"))
	return doc.With("project", project).With("customProperties", render.Object(
		render.Member{Key: "datadog", Value: render.Object(
			render.Member{Key: "name", Value: render.String(make())},
			render.Member{Key: "values", Value: tags()})}))
}

// Texts as long as an event may hold stay within every tool's limits,
// whatever they are made of: letters, characters of four bytes, characters
// that JSON writes in six.
func TestLongTextsStayWithinLimits(t *testing.T) {
	for _, i := range load(t).All() {
		c := config(t, i)
		for _, unit := range []string{"x", "\U0001F525", "\x01", `"`, "\\", "&lt;", "a\n"} {
			long := strings.Repeat(unit, 6000)
			for _, name := range schemas.SampleNames() {
				doc := typed(sample(t, name), func() string { return long })
				checkLimits(t, i.Key, renderOne(t, i, doc, manifest.RenderInput{Config: c}).Body)
			}
		}
	}
}

// Whatever people type, the body is valid and within limits, and nothing they
// type ends up as markup.
func TestAnyTextIsSafe(t *testing.T) {
	catalog := load(t)
	names := schemas.SampleNames()
	inputs := map[string]render.Value{}
	for _, i := range catalog.All() {
		inputs[i.Key] = config(t, i)
	}
	samples := map[string]render.Value{}
	for _, name := range names {
		samples[name] = sample(t, name)
	}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(names).Draw(rt, "sample")
		words := rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"<!channel>", "@everyone", "%%%", "{{name}}", "}}}", `"`, `\`, `\u0041`, "&amp;", "</script>", "[x](y)", "\u202e", "\n", "\t", "\x00",
		})), 1, 6)
		doc := typed(samples[name], func() string { return strings.Join(words.Draw(rt, "text"), " ") + "." })
		for _, i := range catalog.All() {
			checkLimits(rt, i.Key, renderOne(rt, i, doc, manifest.RenderInput{Config: inputs[i.Key]}).Body)
		}
	})
}
