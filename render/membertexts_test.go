package render_test

import (
	"testing"

	"github.com/flaghook/flaghook/render"
)

// FuzzMemberTexts: the members of a text that AppendJSON wrote are those of the value, and no other text does harm.
func FuzzMemberTexts(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"a":1}`, `{"a":{"b":"]}"}}`, `{"a\"":[1,{"x":"\\"}],"b":null}`, `{"\u0000":1,"":-0,"n":1e400}`,
		`{"`, `{"a":`, `{"a":"`, `{"a"x1}`, `{"a":"\\\"}`, `{"":,"":}`, `{"a":]`, `[`, `{"a":1}}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for range render.MemberTexts(text) {
		}
		v, err := render.ParseJSON([]byte(text))
		if err != nil || v.Kind() != render.KindObject {
			return
		}
		n := 0
		for key, member := range render.MemberTexts(v.JSON()) {
			n++
			if want := v.Get(key).JSON(); member != want {
				t.Errorf("%q is %s, want %s", key, member, want)
			}
		}
		if n != v.Len() {
			t.Errorf("%d members, want %d, in %s", n, v.Len(), v.JSON())
		}
		if written := render.Written(v.JSON()); !written.Equal(v) || !v.Equal(written) {
			t.Errorf("read later, %s is another", v.JSON())
		}
	})
}
