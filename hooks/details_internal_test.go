package hooks

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// The marks of a line are those that these expressions say.
func TestPlainLine(t *testing.T) {
	inline := regexp.MustCompile("\\[([^\\]]*)\\]\\([^)]*\\)|`([^`]*)`|\\*\\*|~~|\\\\([\\\\`*_\\[\\]<>#~|])|\\*")
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.StringOf(rapid.RuneFrom([]rune("[]()`*~\\_ab é"))).Draw(t, "line")
		want := inline.ReplaceAllStringFunc(line, func(mark string) string {
			parts := inline.FindStringSubmatch(mark)
			return parts[1] + parts[2] + parts[3]
		})
		if got := plainLine(line); got != want {
			t.Fatalf("%q is %q, want %q", line, got, want)
		}
	})
}
