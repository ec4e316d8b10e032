//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// benchClients post at once, in the yardstick and in the measured runs.
const benchClients = 64

// BenchmarkServer measures whole deliveries by a server in a process of its own,
// as it is installed: events posted to its API, durable before their 202,
// rendered, signed, sent to a receiver on loopback and logged. Clients and
// receiver share this process and the machine with it. Beside each figure stands
// the yardstick of the same run: what the same clients post straight to the same
// receiver, before and after. Its one request an event makes 0.5 the ceiling where an event comes
// in a request of its own and goes out in one. cpu-ms/1000 is what the server
// alone takes for 1,000 deliveries.
func BenchmarkServer(b *testing.B) {
	for _, c := range []struct {
		name                              string
		requests, perRequest, subscribers int
	}{
		{"one event a request", 40_000, 1, 1},
		{"100 events a request", 1_000, 100, 1},
		{"one event to 100 subscriptions", 1_000, 1, 100},
	} {
		b.Run(strings.ReplaceAll(c.name, " ", "_"), func(b *testing.B) {
			for range b.N {
				r := newBenchReceiver(b)
				total := c.requests * c.perRequest * c.subscribers
				straight := func() float64 {
					return r.perSecond(b, 50_000, 50_000, func(int) []byte { return []byte(testEvent("straight")) }, r.URL, "")
				}
				before := straight()
				s := startServer(b, dataDir(b), "--egress-allow", "127.0.0.0/8", "--log-level", "info")
				for range c.subscribers {
					s.subscribe(r.URL)
				}
				idle := s.rssAnon()
				cpu := s.cpu()
				through := r.perSecond(b, total, c.requests, func(n int) []byte {
					if c.perRequest == 1 {
						return []byte(testEvent(fmt.Sprintf("e%d", n)))
					}
					batch := make([]string, c.perRequest)
					for i := range batch {
						batch[i] = testEvent(fmt.Sprintf("e%d-%d", n, i))
					}
					return []byte("[" + strings.Join(batch, ",") + "]")
				}, s.api+"/api/v1/events", s.token)
				b.ReportMetric((s.cpu()-cpu).Seconds()*1000/float64(total)*1000, "cpu-ms/1000")
				b.ReportMetric(idle, "idle-MiB")
				b.ReportMetric(s.rssAnon(), "loaded-MiB")
				s.stop()
				yardstick := (before + straight()) / 2 // the machine may have other work than this
				b.ReportMetric(yardstick, "straight/s")
				b.ReportMetric(through, "deliveries/s")
				b.ReportMetric(through/yardstick, "ratio")
				b.ReportMetric(0, "ns/op")
				r.Close()
			}
		})
	}
}

// BenchmarkLatency measures the time from the post of an event to its arrival
// at 200 events a second: of a server alone, and of one beside 1,000
// subscriptions whose endpoints hang until the timeout, all at one host, each at
// its own or all at that of the one that answers, or beside one with 100,000
// deliveries waiting. What the machine does meanwhile is felt by a
// server of either kind: so each of these runs in turn with one that is alone,
// second by second and past the timeouts, and the ratio is that of the two p99 of
// one run. load-cpu-% is what the load takes of one processor while the other
// server is measured, which therefore is as good as alone.
func BenchmarkLatency(b *testing.B) {
	// hanging has a tool that never answers, on every address of loopback, and
	// returns the port.
	hanging := func(b *testing.B) string {
		tool := httptest.NewUnstartedServer(http.HandlerFunc(hang))
		tool.Listener.Close()
		var err error
		if tool.Listener, err = net.Listen("tcp4", "0.0.0.0:0"); err != nil {
			b.Fatal(err)
		}
		tool.Start()
		b.Cleanup(tool.Close)
		_, port, err := net.SplitHostPort(tool.Listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		return port
	}
	const elsewhere = "proj/other:env/production:flag/*"
	event := func(n int) string {
		return fmt.Sprintf(`{"id": "other-%d", "action": "updateOn", "resource": "proj/other:env/production:flag/checkout"}`, n)
	}
	start := func(b *testing.B, r *benchReceiver) *child {
		s := startServer(b, dataDir(b), "--egress-allow", "127.0.0.0/8", "--log-level", "info", "--shutdown-timeout", "2s")
		s.subscribeTo(r.URL, "proj/web:env/production:flag/*")
		return s
	}
	const rounds, events, perSecond = 20, 200, 200
	for _, c := range []struct {
		name   string
		beside func(b *testing.B, s *child, receiver string)
	}{
		{"alone", nil},
		{"beside 1000 that hang", func(b *testing.B, s *child, _ string) {
			port := hanging(b)
			for range 1000 {
				s.subscribeTo("http://127.0.0.1:"+port, elsewhere)
			}
			s.call("POST", "/api/v1/events", event(0))
		}},
		{"beside 1000 hosts that hang", func(b *testing.B, s *child, _ string) {
			port := hanging(b)
			for n := range 1000 {
				s.subscribeTo(fmt.Sprintf("http://127.1.%d.%d:%s", n/250, n%250+1, port), elsewhere)
			}
			s.call("POST", "/api/v1/events", event(0))
		}},
		{"beside 1000 that hang at its host", func(_ *testing.B, s *child, receiver string) {
			for n := range 1000 {
				s.subscribeTo(fmt.Sprintf("%s/hang/%d", receiver, n), elsewhere)
			}
			s.call("POST", "/api/v1/events", event(0))
		}},
		{"beside a backlog of 100000", func(b *testing.B, s *child, _ string) {
			s.subscribeTo("http://127.0.0.1:"+hanging(b), elsewhere)
			for n := range 100 {
				batch := make([]string, 1000)
				for i := range batch {
					batch[i] = event(n*1000 + i)
				}
				s.call("POST", "/api/v1/events", "["+strings.Join(batch, ",")+"]")
			}
		}},
	} {
		b.Run(strings.ReplaceAll(c.name, " ", "_"), func(b *testing.B) {
			for range b.N {
				r := newBenchReceiver(b)
				alone := start(b, r)
				var one, other []time.Duration
				if c.beside == nil {
					one = r.latencies(b, alone, "alone", rounds*events/2, perSecond)
				} else {
					s := start(b, r)
					c.beside(b, s, r.URL)
					var load time.Duration
					for n := range rounds {
						other = append(other, r.latencies(b, s, fmt.Sprint("beside-", n), events, perSecond)...)
						cpu := s.cpu()
						one = append(one, r.latencies(b, alone, fmt.Sprint("alone-", n), events, perSecond)...)
						load += s.cpu() - cpu
					}
					s.stop()
					b.ReportMetric(load.Seconds()/(rounds*events/perSecond)*100, "load-cpu-%")
					b.ReportMetric(quantile(other, 50), "beside-p50-ms")
					b.ReportMetric(quantile(other, 99), "beside-p99-ms")
					b.ReportMetric(quantile(other, 99)/quantile(one, 99), "p99-ratio")
				}
				alone.stop()
				b.ReportMetric(quantile(one, 50), "p50-ms")
				b.ReportMetric(quantile(one, 99), "p99-ms")
				b.ReportMetric(0, "ns/op")
				r.Close()
			}
		})
	}
}

// hang answers nothing until the client has gone.
func hang(_ http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body) // else nobody sees it go
	<-req.Context().Done()
}

// quantile is the percent-th of a hundred, in milliseconds.
func quantile(took []time.Duration, percent int) float64 {
	sorted := slices.Sorted(slices.Values(took))
	return float64(sorted[len(sorted)*percent/100].Microseconds()) / 1000
}

// latencies posts events at a rate, with ids of this prefix, and returns how
// long each took to arrive.
func (r *benchReceiver) latencies(b *testing.B, s *child, prefix string, events, perSecond int) []time.Duration {
	r.expect(events)
	posted := make([]time.Time, events)
	var posting sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for n := range events {
		<-tick.C
		posted[n] = time.Now()
		posting.Go(func() { r.post(s.api+"/api/v1/events", s.token, []byte(testEvent(fmt.Sprint(prefix, "-", n)))) })
	}
	posting.Wait()
	r.wait(b)
	took := make([]time.Duration, events)
	for n, at := range posted {
		arrived, ok := r.at.Load(fmt.Sprint(prefix, "-", n))
		if !ok {
			b.Fatalf("event %d did not arrive", n)
		}
		took[n] = arrived.(time.Time).Sub(at)
	}
	return took
}

// BenchmarkBacklog measures the anonymous memory of a server with a million
// deliveries waiting behind an endpoint that hangs.
func BenchmarkBacklog(b *testing.B) {
	const batches, perBatch = 1_000, 1_000
	for range b.N {
		release := make(chan struct{})
		hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
		s := startServer(b, dataDir(b), "--egress-allow", "127.0.0.0/8", "--log-level", "info")
		s.subscribe(hanging.URL)
		r := newBenchReceiver(b)
		start := time.Now()
		r.posts(b, batches, 8, func(n int) {
			batch := make([]string, perBatch)
			for i := range batch {
				batch[i] = testEvent(fmt.Sprintf("e%d-%d", n, i))
			}
			r.post(s.api+"/api/v1/events", s.token, []byte("["+strings.Join(batch, ",")+"]"))
		})
		b.ReportMetric(float64(batches*perBatch)/time.Since(start).Seconds(), "accepted/s")
		b.ReportMetric(s.rssAnon(), "waiting-MiB")
		b.ReportMetric(0, "ns/op")
		close(release)
		s.stop()
		hanging.Close()
		r.Close()
	}
}

// benchReceiver counts requests, and is the clients' own transport.
type benchReceiver struct {
	*httptest.Server
	client          *http.Client
	arrived, wanted atomic.Int64
	failures        atomic.Int64
	firstFailure    sync.Once
	failure         string
	all             chan struct{}
	at              sync.Map // event id → time.Time, for single events
}

func newBenchReceiver(b *testing.B) *benchReceiver {
	r := &benchReceiver{
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchClients}, Timeout: time.Minute},
		all:    make(chan struct{}, 1),
	}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.URL.Path, "/hang") {
			hang(w, req)
			return
		}
		body, _ := io.ReadAll(req.Body)
		if r.wanted.Load() <= 2_000 { // the latency is measured, not the throughput
			var event struct {
				ID string `json:"_id"`
			}
			if json.Unmarshal(body, &event) == nil {
				r.at.LoadOrStore(event.ID, time.Now())
			}
		}
		if r.arrived.Add(1) == r.wanted.Load() {
			r.all <- struct{}{}
		}
	}))
	b.Cleanup(r.Close)
	return r
}

func (r *benchReceiver) expect(n int) {
	r.arrived.Store(0)
	r.wanted.Store(int64(n))
}

// wait returns when all have arrived.
func (r *benchReceiver) wait(b *testing.B) {
	if n := r.failures.Load(); n > 0 {
		b.Fatalf("%d requests failed, the first: %s", n, r.failure)
	}
	select {
	case <-r.all:
	case <-time.After(2 * time.Minute):
		b.Fatalf("%d of %d requests arrived within two minutes", r.arrived.Load(), r.wanted.Load())
	}
}

// perSecond lets the clients post until all deliveries have arrived.
func (r *benchReceiver) perSecond(b *testing.B, deliveries, requests int, body func(n int) []byte, url, token string) float64 {
	r.expect(deliveries)
	start := time.Now()
	r.posts(b, requests, benchClients, func(n int) { r.post(url, token, body(n)) })
	r.wait(b)
	return float64(deliveries) / time.Since(start).Seconds()
}

func (r *benchReceiver) posts(b *testing.B, requests, clients int, post func(n int)) {
	var next atomic.Int64
	var posting sync.WaitGroup
	for range clients {
		posting.Go(func() {
			for n := next.Add(1); n <= int64(requests) && r.failures.Load() == 0; n = next.Add(1) {
				post(int(n))
			}
		})
	}
	posting.Wait()
	if n := r.failures.Load(); n > 0 {
		b.Fatalf("%d requests failed, the first: %s", n, r.failure)
	}
}

func (r *benchReceiver) post(url, token string, body []byte) {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		r.fail(err.Error())
		return
	}
	req.Header.Set("Authorization", token)
	res, err := r.client.Do(req)
	if err != nil {
		r.fail(err.Error())
		return
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	if res.StatusCode/100 != 2 {
		r.fail(fmt.Sprintf("%s: %s", res.Status, answer))
	}
}

func (r *benchReceiver) fail(text string) {
	r.firstFailure.Do(func() { r.failure = text })
	r.failures.Add(1)
}

// cpu is the processor time that the child has used.
func (c *child) cpu() time.Duration {
	c.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		c.t.Fatal(err)
	}
	// The fields behind the command's name, which may hold blanks (proc(5)).
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+2:]))
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			c.t.Fatal(err)
		}
		ticks += n
	}
	const perSecond = 100 // USER_HZ, the same on all of Linux' usual machines
	return time.Duration(ticks) * time.Second / perSecond
}

// rssAnon is the child's anonymous memory in MiB.
func (c *child) rssAnon() float64 {
	c.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		c.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "RssAnon:")
	kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		c.t.Fatal(err)
	}
	return kib / 1024
}
