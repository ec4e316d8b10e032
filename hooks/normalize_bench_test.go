package hooks_test

import (
	"runtime"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// benchEvents are a short event, one with both states and no details, and a
// complete one.
func benchEvents(b *testing.B, run func(b *testing.B, text string)) {
	complete, _ := schemas.Sample("flag-on")
	for _, c := range []struct {
		name, text string
	}{
		{"short", `{"id":"e1","action":"updateOn","resource":"proj/web:env/production:flag/checkout","member":{"email":"a@example.com"}}`},
		{"states", `{"id":"e1","action":"updateOn","resource":"proj/web:env/production:flag/checkout","member":{"email":"a@example.com"},
			"before":{"key":"checkout","name":"Checkout","version":14,"archived":false,"on":false,"rollout":10,"tags":["a","b"]},
			"after":{"key":"checkout","name":"Checkout","version":15,"archived":false,"on":true,"rollout":25,"tags":["a"]}}`},
		{"complete", string(parse(b, string(complete)).AppendJSON(nil))},
	} {
		b.Run(c.name, func(b *testing.B) { run(b, c.text) })
	}
}

// BenchmarkNewEvent measures normalising, which every posted event waits for.
func BenchmarkNewEvent(b *testing.B) {
	benchEvents(b, func(b *testing.B, text string) {
		posted := parse(b, text)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := hooks.NewEvent(posted, hooks.EventOptions{Now: testNow}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkStoredEvent measures reading an event from the store.
func BenchmarkStoredEvent(b *testing.B) {
	benchEvents(b, func(b *testing.B, text string) {
		stored, err := newEvent(b, text).MarshalBinary()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			var e hooks.Event
			if err := e.UnmarshalBinary(stored); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkShape measures a request with the standard shape as its body, made
// for the first delivery of an event.
func BenchmarkShape(b *testing.B) {
	standard, _ := testCatalog(b).Get("standard")
	in := manifest.RenderInput{Prepared: standard.Prepare(parse(b, `{"url":"https://example.com"}`))}
	benchEvents(b, func(b *testing.B, text string) {
		doc := newEvent(b, text).Doc()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := standard.Render(hooks.FromContext(doc), in); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkHeldEvent tells how much memory an event takes that was read from
// the store, as the engine keeps it, and how much with its standard shape.
func BenchmarkHeldEvent(b *testing.B) {
	standard, _ := testCatalog(b).Get("standard")
	in := manifest.RenderInput{Config: parse(b, `{"url":"https://example.com"}`)}
	benchEvents(b, func(b *testing.B, text string) {
		stored, err := newEvent(b, text).MarshalBinary()
		if err != nil {
			b.Fatal(err)
		}
		const events = 1000
		for b.Loop() {
			before := heap()
			held := make([]hooks.Event, events)
			for i := range held {
				if err := held[i].UnmarshalBinary(stored); err != nil {
					b.Fatal(err)
				}
			}
			read := heap()
			for i := range held {
				if _, err := standard.Render(held[i].Rendered(), in); err != nil {
					b.Fatal(err)
				}
			}
			shaped := heap()
			runtime.KeepAlive(held)
			b.ReportMetric(float64(len(stored)), "stored-B")
			b.ReportMetric(float64(held[0].Doc().Memory()), "estimated-B")
			b.ReportMetric(float64(read-before)/events, "held-B")
			b.ReportMetric(float64(shaped-before)/events, "shaped-B")
		}
	})
}

// heap is how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one freed of pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// sink keeps what a benchmark makes.
var sink render.Value

// BenchmarkWebhook measures the webhook shape as a value, which the API's list
// of entries works on.
func BenchmarkWebhook(b *testing.B) {
	benchEvents(b, func(b *testing.B, text string) {
		e := newEvent(b, text)
		b.ReportAllocs()
		for b.Loop() {
			sink = e.Webhook()
		}
	})
}
