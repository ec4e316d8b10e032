package main

import (
	"context"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/metrics"
)

// TestOperationsDoc: docs/operations.md tells of exactly the flags and metrics
// that there are, and of the flags' defaults.
func TestOperationsDoc(t *testing.T) {
	data, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	serveCommand().Flags().VisitAll(func(f *pflag.Flag) {
		_, row, found := strings.Cut(page, "`--"+f.Name+"`")
		row, _, _ = strings.Cut(row, "\n")
		if !found {
			t.Errorf("the page does not tell of --%s", f.Name)
		}
		if f.DefValue != "" && f.DefValue != "[]" && f.DefValue != "false" && !strings.Contains(strings.ReplaceAll(row, "720h", "720h0m0s"), f.DefValue) {
			t.Errorf("--%s has the default %s, and the page says %s", f.Name, f.DefValue, row)
		}
	})
	for _, m := range regexp.MustCompile("`--([a-z-]+)`").FindAllStringSubmatch(page, -1) {
		if serveCommand().Flags().Lookup(m[1]) == nil {
			t.Errorf("the page tells of --%s, which serve does not have", m[1])
		}
	}

	var told []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(flaghook_[a-z_]+)").FindAllStringSubmatch(page, -1) {
		told = append(told, m[1])
	}
	slices.Sort(told)
	if got := metricNames(); !slices.Equal(told, got) {
		t.Errorf("the page tells of the metrics %v; there are %v", told, got)
	}
}

// metricNames are those that a scrape shows once each kind of thing has
// happened.
func metricNames() []string {
	m := metrics.New(metrics.Options{Stats: func(context.Context) (hooks.QueueStats, error) { return hooks.QueueStats{}, nil }})
	m.EventsAccepted("api", 1, 0)
	m.AttemptMade("slack", "", 0, 0)
	m.DeliveryFinished("slack", hooks.StateDelivered)
	m.Committed(1)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	var names []string
	for _, found := range regexp.MustCompile("(?m)^# TYPE (flaghook_[a-z_]+)").FindAllStringSubmatch(w.Body.String(), -1) {
		names = append(names, found[1])
	}
	slices.Sort(names)
	return names
}
