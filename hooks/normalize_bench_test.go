package hooks_test

import (
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/schemas"
)

// BenchmarkNewEvent measures normalising, which every posted event waits for:
// a short event, one with both states and no details, and a complete one.
func BenchmarkNewEvent(b *testing.B) {
	sample, _ := schemas.Sample("flag-on")
	complete := parse(b, string(sample))
	for _, c := range []struct {
		name, text string
	}{
		{"short", `{"id":"e1","action":"updateOn","resource":"proj/web:env/production:flag/checkout","member":{"email":"a@example.com"}}`},
		{"states", `{"id":"e1","action":"updateOn","resource":"proj/web:env/production:flag/checkout","member":{"email":"a@example.com"},
			"before":{"key":"checkout","name":"Checkout","version":14,"archived":false,"on":false,"rollout":10,"tags":["a","b"]},
			"after":{"key":"checkout","name":"Checkout","version":15,"archived":false,"on":true,"rollout":25,"tags":["a"]}}`},
		{"complete", string(complete.AppendJSON(nil))},
	} {
		b.Run(c.name, func(b *testing.B) {
			posted := parse(b, c.text)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := hooks.NewEvent(posted, hooks.EventOptions{Now: testNow}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
