package hooks_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flaghook/flaghook/hooks"
)

// BenchmarkEngine measures the engine without an API before it: 64 callers
// publish an event each, which is stored, rendered, sent to a receiver in this
// process and logged.
func BenchmarkEngine(b *testing.B) {
	var arrived atomic.Int64
	all := make(chan struct{})
	total := int64(b.N)
	tool := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if arrived.Add(1) == total {
			close(all)
		}
	}))
	defer tool.Close()
	e := newBench(b, "", func(o *hooks.Options) {
		o.Logger, o.Retry = slog.New(slog.DiscardHandler), hooks.DefaultRetryPolicy
	}).start()
	e.subscribe(tool.URL, nil)
	b.ResetTimer()
	b.ReportAllocs()
	var next atomic.Int64
	var publishing sync.WaitGroup
	for range 64 {
		publishing.Go(func() {
			for n := next.Add(1); n <= total; n = next.Add(1) {
				event, err := hooks.NewEvent(parse(b, flagEvent(fmt.Sprintf("e%d", n))), hooks.EventOptions{})
				if err == nil {
					_, err = e.Publish(b.Context(), "api", event)
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	publishing.Wait()
	<-all
}
