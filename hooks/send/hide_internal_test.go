package send

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEndIn(t *testing.T) {
	text := rapid.StringMatching(`[ab]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		b, form := text.Draw(t, "text"), text.Draw(t, "form")
		want := 0
		for n := range min(len(b), len(form)) + 1 {
			if strings.HasSuffix(b, form[:n]) {
				want = n
			}
		}
		if got := endIn([]byte(b), form); got != want {
			t.Fatalf("%q ends in %d bytes of %q, want %d", b, got, form, want)
		}
	})
}

// Secrets are hidden alike, however many there are.
func TestManySecretsAreHidden(t *testing.T) {
	for _, n := range []int{1, manyForms, 5000} {
		var secrets []string
		var said, want strings.Builder
		for i := range n {
			secrets = append(secrets, fmt.Sprintf("secret-%05d", i))
			if i%97 == 0 {
				fmt.Fprintf(&said, "it is secret-%05d, ", i)
				fmt.Fprintf(&want, "it is %s, ", mask)
			}
		}
		v := veil{secrets: secrets}
		if got := string(v.body([]byte(said.String()), false)); got != want.String() {
			t.Errorf("of %d secrets: %.200q, want %.200q", n, got, want.String())
		}
		if got := string(v.body([]byte("and the last one: secret-0"), true)); got != "and the last one: "+mask {
			t.Errorf("of %d secrets: %q", n, got)
		}
	}
}
