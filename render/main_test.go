package render_test

import (
	"testing"

	"github.com/flaghook/flaghook/render"
	"go.uber.org/goleak"
)

// TestMain also proves that templates with errors leave no goroutine of raymond's lexer behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t testing.TB, text string) render.Value {
	t.Helper()
	v, err := render.ParseJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}
