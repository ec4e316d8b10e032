package render_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/render"
	"pgregory.net/rapid"
)

func TestParseJSONKeepsOrderAndLiterals(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":1,"a":2,"10":3,"2":4}`:            `{"b":1,"a":2,"10":3,"2":4}`,
		`{"a":1,"b":2,"a":3}`:                   `{"a":3,"b":2}`,
		`[1.50, 1E5 ,-0, 9007199254740993 ]`:    `[1.50,1E5,-0,9007199254740993]`,
		`"\u00e9\ud83d\ude00\ud83d\/\u2028<&>"`: "\"é😀\uFFFD/\u2028<&>\"",
		`"\b\f\n\r\t\u0001\u007f\"\\"`:          "\"\\b\\f\\n\\r\\t\\u0001\x7f\\\"\\\\\"",
		`{"__proto__":{"x":null},"":[]}`:        `{"__proto__":{"x":null},"":[]}`,
		`[true,false,null,{},[[]]]`:             `[true,false,null,{},[[]]]`,
	} {
		v := parse(t, in)
		if got := string(v.AppendJSON(nil)); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
		if again := parse(t, want); !again.Equal(v) {
			t.Errorf("%s is not equal to itself when read again", in)
		}
	}
}

func TestParseJSONRefuses(t *testing.T) {
	for in, place := range map[string]struct{ line, column int }{
		``: {1, 1}, `{`: {1, 2}, `{"a" 1}`: {1, 6}, "{\"é\":1,\n  x}": {2, 3}, `[1,]`: {1, 4}, `1 2`: {1, 3},
		`01`: {1, 2}, `-`: {1, 2}, `1.`: {1, 3}, `1e`: {1, 3}, `"a`: {1, 1}, `"\x"`: {1, 2}, `"\u12"`: {1, 2},
		"\"a\nb\"": {1, 3}, `nul`: {1, 1}, `{"a":1,}`: {1, 8}, `"\u+123"`: {1, 2},
		strings.Repeat("[", 201): {1, 201}, "\ufeff{}": {1, 1},
	} {
		_, err := render.ParseJSON([]byte(in))
		var e *render.JSONError
		if !errors.As(err, &e) || e.Line != place.line || e.Column != place.column {
			t.Errorf("%.20q: %v, want an error at %d:%d", in, err, place.line, place.column)
		}
	}
	parse(t, strings.Repeat("[", 200)+strings.Repeat("]", 200))
}

// TestParseJSONAgrees holds ParseJSON against encoding/json.
func TestParseJSONAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("{}[]\",:\\u0123eE+-. \ntfnrals"))).Draw(t, "text")
		v, err := render.ParseJSON([]byte(text))
		if valid := json.Valid([]byte(text)); valid != (err == nil) {
			t.Fatalf("%q: valid %v, error %v", text, valid, err)
		}
		if err == nil && !json.Valid(v.AppendJSON(nil)) {
			t.Fatalf("%q becomes %s", text, v.AppendJSON(nil))
		}
	})
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		`1e21`: "1e+21", `1e-7`: "1e-7", `0.000001`: "0.000001", `-0`: "0", `1580777685229`: "1580777685229",
		`123456789012345680000`: "123456789012345680000", `1.5e300`: "1.5e+300", `-1.25`: "-1.25", `1e400`: "Infinity",
		`[1,[null,"a"],{}]`: "1,,a,[object Object]", `true`: "true", `null`: "", `{}`: "[object Object]", `"x"`: "x",
	} {
		if got := parse(t, in).Text(); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
	if got := render.Number(math.NaN()); got.Text() != "NaN" || string(got.AppendJSON(nil)) != "null" {
		t.Errorf("NaN is %q and %s", got.Text(), got.AppendJSON(nil))
	}
	if got := render.String("a\xffb"); got.Text() != "a\uFFFDb" {
		t.Errorf("a stray byte became %q", got.Text())
	}
}

func TestValueAccess(t *testing.T) {
	v := parse(t, `{"a":{"b":[1,"x",null]},"n":null}`)
	if x := v.Path("a", "b").At(1); x.AsString() != "x" || x.Kind() != render.KindString {
		t.Errorf("a.b[1] is %v", x)
	}
	if v.Get("n").Kind() != render.KindNull || !v.Has("n") || v.Has("q") || v.Get("q").IsDefined() {
		t.Error("null and missing are not told apart")
	}
	if v.Path("a", "q", "r").IsDefined() || v.At(0).IsDefined() || v.Path("a", "b").At(3).IsDefined() {
		t.Error("something was found where nothing is")
	}
	w := v.With("n", render.Number(1)).With("z", render.Bool(true)).With("a", render.Value{})
	if got := string(w.AppendJSON(nil)); got != `{"n":1,"z":true}` {
		t.Errorf("With gives %s", got)
	}
	if got := string(v.AppendJSON(nil)); got != `{"a":{"b":[1,"x",null]},"n":null}` {
		t.Errorf("With changed its receiver to %s", got)
	}
	keys := ""
	for k := range parse(t, `{"c":1,"b":2,"1":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"b":0}`).Members() {
		keys += k
	}
	if keys != "cb1defghi" {
		t.Errorf("members are listed as %s", keys)
	}
	if !parse(t, `{"a":1,"b":[2]}`).Equal(parse(t, `{"b":[2.0],"a":1}`)) || parse(t, `[1]`).Equal(parse(t, `[2]`)) {
		t.Error("Equal is wrong")
	}
}
