package hooks_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/render"
)

func TestChangesReadLikeSentences(t *testing.T) {
	tests := []struct{ name, before, after, want string }{
		{"turned on", `{"on":false}`, `{"on":true}`, "Turned on"},
		{"turned off by another name", `{"enabled":true}`, `{"enabled":false}`, "Turned off"},
		{"archived", `{"archived":false}`, `{"archived":true}`, "Archived"},
		{"a share", `{"rollout":10}`, `{"rollout":25}`, "Rollout 10 % → 25 %"},
		{"a share as text", `{"parameters":{"rollout":"32"}}`, `{"parameters":{"rollout":"67"}}`, "Rollout 32 % → 67 %"},
		{"a share of one", `{"coverage":0.1}`, `{"coverage":0.333}`, "Coverage 10 % → 33.3 %"},
		{"a share in a group", `{"threshold":{"percentage":10}}`, `{"threshold":{"percentage":25}}`, "Rollout 10 % → 25 %"},
		{"text", `{"description":"a"}`, `{"description":"b"}`, `Description "a" → "b"`},
		{"text set", `{}`, `{"expression":"x"}`, `Expression set to "x"`},
		{"text removed", `{"expression":"x"}`, `{"expression":null}`, `Expression "x" removed`},
		{"names of programs", `{"default_variant":"a","defaultValue":"c"}`, `{"default_variant":"b","defaultValue":"d"}`, "Default variant \"a\" → \"b\"\nDefault value \"c\" → \"d\""},
		{"a switch", `{"protected":false}`, `{"protected":true}`, "Protected false → true"},
		{"tags", `{"tags":["a","b"]}`, `{"tags":["b","c"]}`, "Tags: added \"c\"\nTags: removed \"a\""},
		{"order", `{"strategyIds":["a","b"]}`, `{"strategyIds":["b","a"]}`, "Strategy ids: order changed"},
		{"an item", `{"variants":[{"name":"x","weight":50}]}`, `{"variants":[{"name":"x","weight":30},{"name":"y"}]}`, "Variants: added \"y\"\nVariants: x: weight 50 → 30"},
		{"an environment", `{"environments":{"dev":{"enabled":false}}}`, `{"environments":{"dev":{"enabled":true}}}`, "Dev: turned on"},
		{"a condition", `{"constraints":[]}`, `{"constraints":[{"contextName":"country","operator":"IN","inverted":false,"values":["DE","FR"]}]}`, `Constraints: added country in "DE", "FR"`},
		{"a rule", `{"rules":[]}`, `{"rules":[{"if":"country in DE","serve":"on"}]}`, `Rules: added if "country in DE", serve "on"`},
		{"shares of variants", `{"multivariate_feature_state_values":[{"id":1,"multivariate_feature_option":{"id":31,"value":"green"},"percentage_allocation":30.0}]}`,
			`{"multivariate_feature_state_values":[{"id":1,"multivariate_feature_option":{"id":31,"value":"green"},"percentage_allocation":40.0}]}`, "Variants: green: share 30 % → 40 %"},
		{"a target", `{"targets":[{"variation":0,"values":["a"]},{"variation":1,"values":["c"]}]}`, `{"targets":[{"variation":0,"values":["a","b"]},{"variation":1,"values":["c"]}]}`, `Targets: variation 0: added "b"`},
		{"a nameless item", `{"rules":[{"id":"r1","variation":0},{"id":"r2","variation":0}]}`, `{"rules":[{"id":"r1","variation":0},{"id":"r2","variation":1}]}`, "Rules: entry 2: variation 0 → 1"},
		{"a rollout set", `{"fallthrough":{"variation":0}}`, `{"fallthrough":{"rollout":{"variations":[{"variation":0,"weight":50000},{"variation":1,"weight":50000}]}}}`, "Fallthrough: rollout 50 % variation 0, 50 % variation 1"},
		{"a rollout changed", `{"fallthrough":{"rollout":{"variations":[{"variation":0,"weight":99999},{"variation":1,"weight":1}],"bucketBy":"key"}}}`,
			`{"fallthrough":{"rollout":{"variations":[{"variation":0,"weight":33333},{"variation":1,"weight":66667}],"bucketBy":"email"}}}`,
			"Fallthrough: rollout 99.999 % variation 0, 0.001 % variation 1 → 33.333 % variation 0, 66.667 % variation 1\nFallthrough: rollout: bucket by \"key\" → \"email\""},
		{"a rollout removed", `{"fallthrough":{"rollout":{"variations":[{"variation":0,"weight":100000}]}}}`, `{"fallthrough":{"variation":1}}`, "Fallthrough: variation set to 1\nFallthrough: rollout 100 % variation 0 removed"},
		{"JSON set", `{}`, `{"expression":"{\"country\":{\"$in\":[\"DE\"]}}"}`, "Expression changed"},
		{"JSON changed", `{"value":"[{}]"}`, `{"value":" {\"a\":1}"}`, "Value changed"},
		{"what is no JSON", `{"value":"a"}`, `{"value":"{b}"}`, `Value "a" → "{b}"`},
		{"a list set", `{}`, `{"values":["a","b"]}`, "Values set to a, b"},
		{"a list of sentences", `{}`, `{"values":["a b","c,d"]}`, `Values set to "a b", "c,d"`},
		{"a list as text", `{"values":"[\"a\"]"}`, `{"values":"[\"a\",\"b\"]"}`, "Values a → a, b"},
		{"bookkeeping", `{"version":1,"updated_at":"x"}`, `{"version":2,"updated_at":"y"}`, ""},
		{"lines become one", `{"description":"a"}`, `{"description":"b\r\nc\u0007d"}`, `Description "a" → "b c d"`},
		{"long text is cut", `{"description":"a"}`, `{"description":"` + strings.Repeat("é", 500) + `"}`, `Description "a" → "` + strings.Repeat("é", 119) + `…"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(hooks.Changes(parse(t, tt.before), parse(t, tt.after)), "\n")
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if same := hooks.Changes(parse(t, tt.after), parse(t, tt.after)); len(same) > 0 {
				t.Errorf("a state differs from itself: %q", same)
			}
		})
	}
}

func TestChangesAreBounded(t *testing.T) {
	object := func(n int, value string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`,"k` + strconv.Itoa(i) + `":"` + value + `"`)
		}
		return "{" + b.String()[1:] + "}"
	}
	nested := func(leaf string) string {
		return strings.Repeat(`{"a":[`, 90) + leaf + strings.Repeat(`]}`, 90)
	}
	items := func(n, from int) string {
		list := make([]int, n)
		for i := range list {
			list[i] = i + from
		}
		text, _ := json.Marshal(map[string]any{"list": list})
		return string(text)
	}
	for name, states := range map[string][2]string{
		"many members": {object(50_000, "a"), object(50_000, "b")},
		"long texts":   {object(50, strings.Repeat("é", 2000)), object(50, strings.Repeat("ü", 2000))},
		"deep":         {nested("1"), nested("2")},
		"long lists":   {items(200_000, 0), items(200_000, 100_000)},
		"lists":        {items(1000, 0), items(1000, 500)},
	} {
		before, after := parse(t, states[0]), parse(t, states[1])
		start := time.Now()
		said := hooks.Changes(before, after)
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s took %v", name, took)
		}
		if len(said) == 0 || len(said) > 21 || len(strings.Join(said, "\n")) > 8<<10+len("and more") {
			t.Errorf("%s: %d sentences, %d bytes", name, len(said), len(strings.Join(said, "\n")))
		}
	}
}

// Whatever two states are, what is said is one line each, and nothing exactly
// when they are alike but for bookkeeping.
func TestAnyTwoStatesCanBeCompared(t *testing.T) {
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Float64Range(-5, 5).AsAny(), rapid.String().AsAny())
		if depth == 0 {
			return leaf
		}
		key := rapid.OneOf(rapid.SampledFrom([]string{"on", "rollout", "id", "name", "rules", "threshold"}), rapid.String())
		return rapid.OneOf(leaf,
			rapid.SliceOfN(value(depth-1), 0, 4).AsAny(), rapid.MapOfN(key, value(depth-1), 0, 4).AsAny())
	}
	rapid.Check(t, func(r *rapid.T) {
		var states [2]render.Value
		for i := range states {
			text, err := json.Marshal(value(3).Draw(r, "state"))
			if err != nil {
				r.Fatal(err)
			}
			if states[i], err = render.ParseJSON(text); err != nil {
				r.Fatal(err)
			}
		}
		for _, s := range hooks.Changes(states[0], states[1]) {
			if s == "" || strings.ContainsAny(s, "\n\r\t") {
				r.Fatalf("sentence %q", s)
			}
		}
		if said := hooks.Changes(states[0], states[0]); len(said) > 0 {
			r.Fatalf("%s differs from itself: %q", states[0].AppendJSON(nil), said)
		}
	})
}

func TestDetailsAreDerived(t *testing.T) {
	const act = `"action":"updateOn","resource":"proj/p:env/e:flag/f"`
	tests := []struct{ name, event, want string }{
		{"from states", `{` + act + `,"before":{"description":"<b>"},"after":{"description":"*x*"}}`,
			`{"plainText":"Description \"<b>\" → \"*x*\"","markdown":"* Description \"\\<b\\>\" → \"\\*x\\*\"\n","html":"<ul><li>Description &#34;&lt;b&gt;&#34; → &#34;*x*&#34;</li></ul>"}`},
		{"from one state", `{` + act + `,"after":{"enabled":false}}`, `{"plainText":"Turned off","markdown":"* Turned off\n","html":"<ul><li>Turned off</li></ul>"}`},
		{"from nothing", `{` + act + `}`, `{"plainText":"","markdown":"","html":""}`},
		{"given", `{` + act + `,"details":"mine","before":{"on":true},"after":{"on":false}}`, `{"plainText":"mine","markdown":"mine","html":"mine"}`},
		{"from Markdown", `{` + act + `,"details":{"markdown":"* Changed the role from ~~` + "`writer`" + `~~ to ` + "`<b>`" + `\n* See [this](https://example.com)\n"}}`,
			`{"plainText":"Changed the role from writer to <b>\nSee this","markdown":"* Changed the role from ~~` + "`writer`" + `~~ to ` + "`<b>`" + `\n* See [this](https://example.com)\n","html":"<ul><li>Changed the role from writer to &lt;b&gt;</li>\n<li>See this</li></ul>"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(plain(t, parse(t, tt.want)), plain(t, newEvent(t, tt.event).Doc().Get("details"))); diff != "" {
				t.Errorf("details (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLinksBecomeAbsolute(t *testing.T) {
	doc := newEvent(t, `{"action":"deleteFlag","resource":"proj/p:env/e:flag/f","baseURL":"https://flags.example.com/",
		"_links":{"site":{"href":"/p/e/f"},"self":{"href":"//evil.example"},"other":{"href":"https://x.example/"}}}`).Doc()
	for rel, want := range map[string]string{"site": "https://flags.example.com/p/e/f", "self": "//evil.example", "other": "https://x.example/"} {
		if got := doc.Path("_links", rel, "href").AsString(); got != want {
			t.Errorf("%s is %s, want %s", rel, got, want)
		}
	}
	if title := doc.Path("title", "markdown").AsString(); !strings.Contains(title, "[f](https://flags.example.com/p/e/f)") {
		t.Errorf("title %s", title)
	}
}
