package metrics_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/metrics"
)

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestWhatAScrapeShows(t *testing.T) {
	m := metrics.New(metrics.Options{
		Version: "v1.2.3", Revision: "abc", Sources: []string{"api", "flipt"},
		Stats: func(context.Context) (hooks.QueueStats, error) {
			return hooks.QueueStats{Fresh: 5, Retry: 2, Held: 1, Leased: 3, Oldest: time.Now().Add(-time.Hour)}, nil
		},
	})
	m.EventsAccepted("flipt", 3, time.Millisecond)
	m.EventsAccepted("somebody's own words", 1, time.Millisecond)
	m.AttemptMade("slack", "", 20*time.Millisecond, 2*time.Millisecond)
	m.AttemptMade("slack", hooks.ErrorTimeout, 15*time.Second, -1)
	m.DeliveryFinished("slack", hooks.StateDelivered)
	m.Committed(64)
	text := scrape(t, m)
	for _, want := range []string{
		`flaghook_events_total{source="flipt"} 3`, `flaghook_events_total{source="other"} 1`,
		`flaghook_attempts_total{integration="slack",outcome="ok"} 1`, `flaghook_attempts_total{integration="slack",outcome="timeout"} 1`,
		`flaghook_deliveries_total{integration="slack",outcome="delivered"} 1`,
		`flaghook_attempt_duration_seconds_count 2`, `flaghook_accept_duration_seconds_count 2`,
		`flaghook_first_attempt_delay_seconds_count 1`, `flaghook_commit_batch_size_sum 64`,
		`flaghook_queue_deliveries{state="fresh"} 5`, `flaghook_queue_deliveries{state="retry"} 2`,
		`flaghook_queue_deliveries{state="held"} 1`, `flaghook_queue_deliveries{state="leased"} 3`,
		`flaghook_queue_oldest_age_seconds 3600`, `flaghook_build_info{goversion="go`, `version="v1.2.3"`,
		"go_goroutines ", "process_open_fds ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestAScrapeWhenTheStorageFails(t *testing.T) {
	m := metrics.New(metrics.Options{Stats: func(context.Context) (hooks.QueueStats, error) {
		return hooks.QueueStats{}, errors.New("closed")
	}})
	if text := scrape(t, m); strings.Contains(text, "flaghook_queue") || !strings.Contains(text, "flaghook_build_info") {
		t.Errorf("a scrape without the storage shows\n%s", text)
	}
}
