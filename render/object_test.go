package render_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/render"
	"pgregory.net/rapid"
)

// drawMembers draws members with keys that often repeat, undefined values among them; now and then enough for an index.
func drawMembers(t *rapid.T, label string) []render.Member {
	members := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) render.Member {
		m := render.Member{Key: rapid.StringMatching(`[a-c]?[0-9x]{0,2}`).Draw(t, "key")}
		if n := rapid.IntRange(-2, 9).Draw(t, "value"); n >= 0 {
			m.Value = render.Number(float64(n))
		}
		return m
	}), 0, 60).Draw(t, label)
	return members
}

// setAll is what With says of each member in turn.
func setAll(from []render.Member, members []render.Member) []render.Member {
	all := append([]render.Member{}, from...)
next:
	for _, m := range members {
		for i := range all {
			if all[i].Key == m.Key {
				all[i].Value = m.Value
				continue next
			}
		}
		all = append(all, m)
	}
	kept := []render.Member{}
	for _, m := range all {
		if m.Value.IsDefined() {
			kept = append(kept, m)
		}
	}
	return kept
}

// checkMembers holds an object against its members.
func checkMembers(t *rapid.T, how string, got render.Value, want []render.Member) {
	if got.Len() != len(want) {
		t.Fatalf("%s: %d members, want %d", how, got.Len(), len(want))
	}
	i := 0
	for key, value := range got.Members() {
		if key != want[i].Key || !value.Equal(want[i].Value) || !got.Get(key).Equal(value) || !got.Has(key) {
			t.Fatalf("%s: member %d is %q: %s, want %q: %s", how, i, key, value.Text(), want[i].Key, want[i].Value.Text())
		}
		i++
	}
	if got.Has("none") {
		t.Fatalf("%s: it has a member that was never set", how)
	}
}

// parseText is parse within a property.
func parseText(t *rapid.T, text []byte) render.Value {
	v, err := render.ParseJSON(text)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestObjectsKeepTheLastValueAtTheFirstPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, second := drawMembers(t, "first"), drawMembers(t, "second")
		want := setAll(nil, first)
		v := render.Object(append([]render.Member{}, first...)...)
		checkMembers(t, "Object", v, want)

		want = setAll(want, second)
		checkMembers(t, "WithAll", v.WithAll(second...), want)
		checkMembers(t, "Object, unchanged", v, setAll(nil, first))
		checkMembers(t, "ParseJSON", parseText(t, v.WithAll(second...).AppendJSON(nil)), want)
	})
}

// A string comes out of JSON as it went in, whatever stands where in it.
func TestStringsSurviveJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("abcdefgh\"\\\n\x00\x1f \x7f\u00e9\u2028\U0001f600"))).Draw(t, "text")
		text := render.String(s).AppendJSON(nil)
		var back string
		if err := json.Unmarshal(text, &back); err != nil || back != s {
			t.Fatalf("%q is written as %s and read as %q, %v", s, text, back, err)
		}
		if v := parseText(t, text); v.AsString() != s {
			t.Fatalf("%q is written as %s and parsed as %q", s, text, v.AsString())
		}
	})
}

func TestAppendCanonical(t *testing.T) {
	const want = `{"a":[1.50,{},[],null,],"b":{"x":"<\"","y":true,},}`
	for _, in := range []string{
		`{"b":{"y":true,"x":"<\""},"a":[1.50,{},[],null]}`, ` { "a" : [1.50, {}, [], null], "b": {"x": "\u003c\"", "y": true} }`,
	} {
		if got := string(parse(t, in).AppendCanonical([]byte("!"))); got != "!"+want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		members := setAll(nil, drawMembers(t, "members"))
		order := rapid.Permutation(members).Draw(t, "order")
		a, b := render.Object(append([]render.Member{}, members...)...), render.Object(order...)
		if x, y := a.AppendCanonical(nil), b.AppendCanonical(nil); string(x) != string(y) {
			t.Fatalf("%s and %s for the same JSON", x, y)
		}
	})
}

// Memory and Size are near what is measured, for documents of many small parts as well as for long texts.
func TestMemoryIsNearTheTruth(t *testing.T) {
	for name, text := range map[string]string{
		"event":   datadogContext,
		"numbers": "[" + strings.Repeat("0,", 500) + "0]",
		"arrays":  "[" + strings.Repeat("[],", 500) + "[]]",
		"objects": "[" + strings.Repeat(`{"a":{}},`, 300) + "{}]",
		"members": manyMembers(500),
		"text":    `{"a":"` + strings.Repeat("x", 5000) + `"}`,
	} {
		const copies = 200
		held := make([]render.Value, copies)
		before := heap()
		for i := range held {
			held[i] = parse(t, text)
		}
		measured := float64(heap()-before)/copies + 40 // the value itself is in held
		if said := float64(held[0].Memory()); said < measured*0.7 || said > measured*1.6 {
			t.Errorf("%s: it takes %.0f bytes, and Memory says %.0f", name, measured, said)
		}
		if size, said := float64(len(held[0].AppendJSON(nil))), float64(held[0].Size()); said < size/2 || said > size*3 {
			t.Errorf("%s: its text has %.0f bytes, and Size says %.0f", name, size, said)
		}
		runtime.KeepAlive(held)
	}
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"member%d":%d,`, i, i)
	}
	return "{" + strings.TrimSuffix(b.String(), ",") + "}"
}

// heap is how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one freed of pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
