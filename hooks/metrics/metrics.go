// Package metrics counts what the engine does, for Prometheus.
//
//	flaghook_events_total{source}                   events accepted, by where they came from
//	flaghook_deliveries_total{integration,outcome}  deliveries that reached a final state
//	flaghook_attempts_total{integration,outcome}    attempts: ok, or the class of the error
//	flaghook_attempt_duration_seconds               how long attempts took
//	flaghook_accept_duration_seconds                how long events took to be durable
//	flaghook_first_attempt_delay_seconds            from acceptance to the first attempt
//	flaghook_queue_deliveries{state}                deliveries that wait: fresh, retry, held, leased
//	flaghook_queue_oldest_age_seconds               age of the oldest of them
//	flaghook_commit_batch_size                      requests that shared a commit
//	flaghook_build_info{version,revision,goversion} always 1
//
// and those of the Go runtime and the process. No label takes a value that a
// client can choose: integrations are those of the catalog, sources the kinds
// that the server knows.
package metrics

import (
	"context"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/flaghook/flaghook/hooks"
)

// Options configure Metrics.
type Options struct {
	// Stats tells what waits, when it is asked for. Nil: it is not shown.
	Stats func(context.Context) (hooks.QueueStats, error)
	// Sources are the values that the label source takes; others count as
	// "other".
	Sources           []string
	Version, Revision string // of the build
}

// Metrics is a hooks.Observer that counts, safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	sources  []string

	events             *prometheus.CounterVec
	deliveries         *prometheus.CounterVec
	attempts           *prometheus.CounterVec
	attempt            prometheus.Histogram
	accept, firstDelay prometheus.Histogram
	commits            prometheus.Histogram
}

var _ hooks.Observer = (*Metrics)(nil)

// New makes Metrics with a registry of their own.
func New(o Options) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		sources:  o.Sources,
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flaghook_events_total", Help: "Events accepted, by source."}, []string{"source"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flaghook_deliveries_total", Help: "Deliveries that reached a final state."}, []string{"integration", "outcome"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flaghook_attempts_total", Help: "Delivery attempts: ok, or the class of the error."}, []string{"integration", "outcome"}),
		attempt: histogram("flaghook_attempt_duration_seconds", "How long delivery attempts took.",
			prometheus.ExponentialBuckets(0.001, 2, 16)),
		accept: histogram("flaghook_accept_duration_seconds", "How long accepted events took to be durable.",
			prometheus.ExponentialBuckets(0.000_25, 2, 14)),
		firstDelay: histogram("flaghook_first_attempt_delay_seconds", "From the acceptance of a delivery to its first attempt.",
			prometheus.ExponentialBuckets(0.000_5, 2, 20)),
		commits: histogram("flaghook_commit_batch_size", "Requests to write that shared a commit to disk.",
			prometheus.ExponentialBuckets(1, 2, 11)),
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "flaghook_build_info", Help: "Always 1; the labels tell the build.",
		ConstLabels: prometheus.Labels{"version": o.Version, "revision": o.Revision, "goversion": runtime.Version()},
	}, func() float64 { return 1 })
	m.registry.MustRegister(m.events, m.deliveries, m.attempts, m.attempt, m.accept, m.firstDelay, m.commits, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if o.Stats != nil {
		m.registry.MustRegister(queue{o.Stats})
	}
	return m
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// EventsAccepted implements hooks.Observer.
func (m *Metrics) EventsAccepted(source string, n int, took time.Duration) {
	if !slices.Contains(m.sources, source) {
		source = "other"
	}
	m.events.WithLabelValues(source).Add(float64(n))
	m.accept.Observe(took.Seconds())
}

// AttemptMade implements hooks.Observer.
func (m *Metrics) AttemptMade(integration string, class hooks.ErrorClass, took, waited time.Duration) {
	outcome := "ok"
	if class != "" {
		outcome = string(class)
	}
	m.attempts.WithLabelValues(integration, outcome).Inc()
	m.attempt.Observe(took.Seconds())
	if waited >= 0 {
		m.firstDelay.Observe(waited.Seconds())
	}
}

// DeliveryFinished implements hooks.Observer.
func (m *Metrics) DeliveryFinished(integration string, state hooks.State) {
	m.deliveries.WithLabelValues(integration, string(state)).Inc()
}

// Committed counts the requests that one commit to disk wrote.
func (m *Metrics) Committed(requests int) { m.commits.Observe(float64(requests)) }

// queue asks for what waits at each scrape.
type queue struct {
	stats func(context.Context) (hooks.QueueStats, error)
}

var (
	waiting = prometheus.NewDesc("flaghook_queue_deliveries", "Deliveries without a final state; leased ones are being attempted.", []string{"state"}, nil)
	oldest  = prometheus.NewDesc("flaghook_queue_oldest_age_seconds", "Age of the oldest delivery without a final state, 0 when there is none.", nil, nil)
)

// Describe implements prometheus.Collector.
func (q queue) Describe(ch chan<- *prometheus.Desc) {
	ch <- waiting
	ch <- oldest
}

// scrapeTimeout bounds what a scrape asks of the storage.
const scrapeTimeout = 5 * time.Second

// Collect implements prometheus.Collector. What cannot be read is left out.
func (q queue) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	s, err := q.stats(ctx)
	if err != nil {
		return
	}
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	gauge(waiting, float64(s.Fresh), "fresh")
	gauge(waiting, float64(s.Retry), "retry")
	gauge(waiting, float64(s.Held), "held")
	gauge(waiting, float64(s.Leased), "leased")
	age := 0.0
	if !s.Oldest.IsZero() {
		age = max(time.Since(s.Oldest).Seconds(), 0)
	}
	gauge(oldest, age)
}
