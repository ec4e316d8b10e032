package hooks_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/api"
)

// clients post at once, in the yardstick and in the measured runs.
const clients = 64

// BenchmarkDelivery measures whole deliveries: events posted to the REST API,
// durable before their 202, rendered, signed, sent to a receiver on loopback
// and logged. Beside each stands the yardstick, what the same clients post
// straight to the same receiver in the same process; its one request an event
// makes 0.5 the ceiling for a single event a request.
func BenchmarkDelivery(b *testing.B) {
	for _, c := range []struct {
		name                 string
		events, subscribers  int // in all; of each event
		perRequest, requests int
	}{
		{"one event a request", 20_000, 1, 1, 20_000},
		{"100 events a request", 40_000, 1, 100, 400},
		{"one event to 100 subscriptions", 400, 100, 1, 400},
	} {
		b.Run(strings.ReplaceAll(c.name, " ", "_"), func(b *testing.B) {
			for range b.N {
				tool := newCounter()
				straight := perSecond(tool, c.events*c.subscribers, c.events*c.subscribers, func(int) {
					tool.post(tool.URL, "", []byte(`{"flag": "checkout", "title": "Someone turned on the flag checkout in 'production'"}`))
				})
				door := startDoor(b, tool.URL, c.subscribers)
				through := perSecond(tool, c.events*c.subscribers, c.requests, func(n int) {
					batch := make([]string, c.perRequest)
					for i := range batch {
						batch[i] = flagEvent(fmt.Sprintf("e%d-%d", n, i))
					}
					tool.post(door+"/api/v1/events", "token", []byte("["+strings.Join(batch, ",")+"]"))
				})
				tool.Close()
				if tool.failures.Load() > 0 {
					b.Fatalf("%d requests failed", tool.failures.Load())
				}
				b.ReportMetric(straight, "straight/s")
				b.ReportMetric(through, "deliveries/s")
				b.ReportMetric(through/straight, "ratio")
			}
		})
	}
}

// counter is a receiver that counts, and the clients' own transport.
type counter struct {
	*httptest.Server
	client   *http.Client
	arrived  atomic.Int64
	failures atomic.Int64
	wanted   atomic.Int64
	all      chan struct{} // receives when the wanted number has arrived
}

func newCounter() *counter {
	c := &counter{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}, all: make(chan struct{}, 1)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if c.arrived.Add(1) == c.wanted.Load() {
			c.all <- struct{}{}
		}
	}))
	return c
}

func (c *counter) post(url, token string, body []byte) {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		c.failures.Add(1)
		return
	}
	req.Header.Set("Authorization", token)
	res, err := c.client.Do(req)
	if err != nil {
		c.failures.Add(1)
		return
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if res.StatusCode/100 != 2 {
		c.failures.Add(1)
	}
}

// perSecond lets the clients make requests until deliveries have arrived.
func perSecond(c *counter, deliveries, requests int, request func(n int)) float64 {
	c.arrived.Store(0)
	c.wanted.Store(int64(deliveries))
	start := time.Now()
	var next atomic.Int64
	var posting sync.WaitGroup
	for range clients {
		posting.Go(func() {
			for n := next.Add(1); n <= int64(requests); n = next.Add(1) {
				request(int(n))
			}
		})
	}
	posting.Wait()
	if c.failures.Load() == 0 {
		<-c.all
	}
	return float64(deliveries) / time.Since(start).Seconds()
}

// startDoor starts an engine with subscriptions and gives its API's address.
func startDoor(b *testing.B, tool string, subscriptions int) string {
	e := newBench(b, "", func(o *hooks.Options) {
		o.Logger, o.Retry = slog.New(slog.DiscardHandler), hooks.DefaultRetryPolicy
	}).start()
	for range subscriptions {
		e.subscribe(tool, nil)
	}
	rest, err := api.New(api.Options{Engine: e.Engine, Token: "token", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	door := httptest.NewServer(rest)
	b.Cleanup(door.Close)
	return door.URL
}
