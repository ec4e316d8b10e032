package render

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// same reports by which door two values differ.
func same(a, b Value) error {
	switch {
	case a.Kind() != b.Kind():
		return fmt.Errorf("%v and %v", a.Kind(), b.Kind())
	case a.Len() != b.Len():
		return fmt.Errorf("%d and %d parts", a.Len(), b.Len())
	case string(a.AppendJSON(nil)) != string(b.AppendJSON(nil)):
		return fmt.Errorf("%s and %s", a.AppendJSON(nil), b.AppendJSON(nil))
	case string(a.AppendCanonical(nil)) != string(b.AppendCanonical(nil)):
		return fmt.Errorf("%s and %s", a.AppendCanonical(nil), b.AppendCanonical(nil))
	case a.Text() != b.Text():
		return fmt.Errorf("texts %q and %q", a.Text(), b.Text())
	}
	for key, x := range a.Members() {
		if err := same(x, b.Get(key)); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	for i := range a.Len() {
		if err := same(a.At(i), b.At(i)); err != nil {
			return fmt.Errorf("%d: %w", i, err)
		}
	}
	if !a.Equal(b) || !b.Equal(a) {
		return fmt.Errorf("%s is not equal", a.AppendJSON(nil))
	}
	return nil
}

// drawJSON draws arrays, objects and what is in them, with keys and strings that need escapes.
func drawJSON(t *rapid.T, depth int) Value {
	text := rapid.OneOf(rapid.StringN(0, 30, -1), rapid.StringMatching(`[a-z"\\{}\[\],:]{0,12}`), rapid.StringMatching(`[a-z]{60}`))
	most := 6
	if depth == 0 {
		most = 3
	}
	switch rapid.IntRange(0, most).Draw(t, "kind") {
	case 0:
		return rapid.SampledFrom([]Value{Null, Bool(true), Bool(false)}).Draw(t, "word")
	case 1:
		return Number(rapid.Float64().Draw(t, "number"))
	case 2, 3:
		return String(text.Draw(t, "text"))
	case 4:
		items := []Value{}
		for range rapid.IntRange(0, 4).Draw(t, "items") {
			items = append(items, drawJSON(t, depth-1))
		}
		return Array(items...)
	}
	var members []Member
	for range rapid.IntRange(0, 6).Draw(t, "members") {
		members = append(members, Member{text.Draw(t, "key"), drawJSON(t, depth-1)})
	}
	return Object(members...)
}

// What was written is the value that it was, through whatever door it is asked first.
func TestWrittenIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawJSON(t, 4)
		text := string(v.AppendJSON(nil))
		read, err := ParseJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		w := Written(text)
		if v.Kind() != KindArray && v.Kind() != KindObject {
			if w.IsDefined() {
				t.Fatalf("%s is %v", text, w.Kind())
			}
			return
		}
		for key, x := range read.Members() { // by name, before anything is read
			if err := same(x, w.Get(key)); err != nil {
				t.Fatalf("%s: %s: %v", text, key, err)
			}
		}
		texts := make(map[string]string)
		for key, text := range MemberTexts(text) {
			texts[key] = text
		}
		for key, x := range read.Members() {
			if texts[key] != x.JSON() {
				t.Fatalf("%s: the text of %q is %s, want %s", text, key, texts[key], x.JSON())
			}
		}
		if v.Kind() == KindObject && len(texts) != read.Len() || w.JSON() != text {
			t.Fatalf("%s: there are %d texts; %s", text, len(texts), w.JSON())
		}
		if absent := "no such member"; w.Has(absent) || Written(text).Get(absent).IsDefined() {
			t.Fatalf("%s has %q", text, absent)
		}
		if err := same(read, w); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if err := same(read.With("more", Number(1)), Written(text).With("more", Number(1))); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

func TestWrittenIsReadByMany(t *testing.T) {
	inner := strings.Repeat(`{"deep":[1,2,{"name":"a member that is long enough"}]},`, 20)
	w := Written(`{"list":[` + inner[:len(inner)-1] + `],"other":{"a":"` + strings.Repeat("x", 100) + `"}}`)
	var readers sync.WaitGroup
	parts := make([]Value, 8)
	for i := range parts {
		readers.Go(func() {
			for n := range 20 {
				if got := w.Get("list").At(n).Get("deep").At(2).Get("name").AsString(); got != "a member that is long enough" {
					t.Errorf("%q", got)
				}
			}
			parts[i] = w.Get("list")
		})
	}
	readers.Wait()
	for _, p := range parts {
		if !looseEqual(p, parts[0]) {
			t.Error("an array is not the same for two readers")
		}
	}
}

// Nothing that is no JSON does harm.
func FuzzWritten(f *testing.F) {
	for _, text := range []string{
		`{}`, `[]`, `{`, `[`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":"\`, `{"a":"b}`, `{"a":{"b":[1,2,"` + strings.Repeat("c", 60) + `"]}}`,
		`{"a":{{{{` + strings.Repeat("}", 60), `[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[`, `{"a":1}}`, `{a:1}`, `{"a" :1}`, "{\"\xff\":\"\xff\"}", `{"a":nul}`,
	} {
		f.Add(text, "a")
	}
	f.Fuzz(func(t *testing.T, text, key string) {
		w := Written(text)
		if w.Get(key).Get(key).Has(key) && w.Len() == 0 {
			t.Errorf("%q has %q and no members", text, key)
		}
		for range w.Members() {
		}
		for range MemberTexts(text) {
		}
		for x := range w.Items() {
			_ = x.Get(key).Text()
		}
		_ = w.Equal(Written(text))
		_ = w.AppendCanonical(w.AppendJSON(nil))
	})
}
