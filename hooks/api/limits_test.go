package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/api"
)

// fullQueue has no room.
type fullQueue struct {
	hooks.Queue
	err error
}

func (q fullQueue) Accept(context.Context, []hooks.Accepted) ([]hooks.Receipt, error) {
	return nil, fmt.Errorf("accept: %w", q.err)
}

func TestBacklog(t *testing.T) {
	s := start(t)
	for _, test := range []struct {
		err    error
		status int
		code   string
		again  string // Retry-After
	}{
		{hooks.ErrBacklog, 429, "too_many_waiting", "5"},
		{&hooks.TooManyError{Deliveries: 4, Max: 3}, 413, "request_too_large", ""},
	} {
		s.listenAgain(func(o *hooks.Options) { o.Queue = fullQueue{s.db, test.err} })
		got := s.do("POST", "/api/v1/events", flagEvent)
		got.wantRefused(test.status, test.code)
		if after := got.header.Get("Retry-After"); after != test.again {
			t.Errorf("%v: Retry-After is %q, want %q", test.err, after, test.again)
		}
	}
}

func TestRateLimit(t *testing.T) {
	s := startListening(t, func(o *api.Options) { o.RateLimit = 5 })
	other := s.token("reader", "") // one of the admin's five
	refused := false
	for n := range 50 {
		got := s.do("GET", "/api/v1/catalog/slack", "")
		if got.header.Get("X-Ratelimit-Reset") == "" || got.header.Get("X-Ratelimit-Global-Remaining") == "" || got.header.Get("X-Ratelimit-Route-Remaining") == "" {
			t.Fatalf("headers: %v", got.header)
		}
		if got.status != 429 {
			continue
		}
		got.wantRefused(429, "rate_limited")
		if got.header.Get("Retry-After") != "1" || got.header.Get("X-Ratelimit-Global-Remaining") != "0" || len(got.header.Get("X-Ratelimit-Reset")) != 13 {
			t.Errorf("headers: %v", got.header)
		}
		if n < 4 {
			t.Errorf("refused after %d requests", n)
		}
		refused = true
		break
	}
	if !refused {
		t.Error("50 requests were answered")
	}
	s.do("GET", "/api/v1/catalog/slack", "", as(other)...).want(200) // its own limit
	s.do("GET", "/healthz", "").want(200)
	s.do("GET", "/api/v1/catalog", "", "Authorization", "").wantRefused(401, "unauthorized")
}

func TestRequestID(t *testing.T) {
	s := startListening(t, func(o *api.Options) {
		o.Backup = func(context.Context, io.Writer) error { return errors.New("the disk sdz9 is on fire") }
	})
	for given, kept := range map[string]bool{"abc-1.2:3_4": true, strings.Repeat("x", 128): true, "": false, "a b": false, "a\"b": false, strings.Repeat("x", 129): false} {
		for _, path := range []string{"/healthz", "/nowhere", "/api/v1/catalog"} {
			got := s.do("GET", path, "", "X-Request-Id", given, "Authorization", "").header.Get("X-Request-Id")
			if got == "" || (got == given) != kept {
				t.Errorf("%s with %q: %q", path, given, got)
			}
		}
	}
	s.do("GET", "/api/v1/backup", "", "X-Request-Id", "trace-me").wantRefused(500, "internal_error")
	if log := s.log.String(); !strings.Contains(log, "request=trace-me") || !strings.Contains(log, "sdz9") {
		t.Errorf("the log does not tell the request: %s", log)
	}
}

// TestBackup: a copy that breaks off is not taken for a whole one.
func TestBackup(t *testing.T) {
	broken := false
	s := startListening(t, func(o *api.Options) {
		o.Backup = func(_ context.Context, w io.Writer) error {
			if _, err := io.WriteString(w, strings.Repeat("data", 1<<18)); err != nil || !broken {
				return err
			}
			return errors.New("the disk is on fire")
		}
	})
	got := s.do("GET", "/api/v1/backup", "").want(200)
	if len(got.body) != 1<<20 || got.header.Get("Content-Type") != "application/octet-stream" || !strings.Contains(got.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d bytes, %v", len(got.body), got.header)
	}
	if got := s.do("HEAD", "/api/v1/backup", "").want(200); got.body != "" {
		t.Errorf("HEAD: %d bytes", len(got.body))
	}
	broken = true
	r, err := http.NewRequest("GET", s.url+"/api/v1/backup", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", token)
	response, err := http.DefaultClient.Do(r)
	if err == nil {
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
	}
	if err == nil {
		t.Error("a broken copy came to a good end")
	}
	// Two at once take twice the space.
	inside, done := make(chan bool), make(chan bool)
	slow := startListening(t, func(o *api.Options) {
		o.Backup = func(context.Context, io.Writer) error { inside <- true; <-done; return nil }
	})
	go func() {
		<-inside
		defer close(done)
		slow.do("GET", "/api/v1/backup", "").wantRefused(409, "conflict")
	}()
	slow.do("GET", "/api/v1/backup", "").want(200)

	without := startListening(t)
	without.do("GET", "/api/v1/backup", "").wantRefused(404, "not_found")
	without.do("POST", "/api/v1/catalog/reload", "").wantRefused(404, "not_found")
}

// TestRequestLog: a line a request at debug level, and none above.
func TestRequestLog(t *testing.T) {
	var log bytes.Buffer
	s := start(t, func(o *api.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	ask := func(s *server, path, id, token string) { // past the network: the line comes behind the answer
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("X-Request-Id", id)
		r.Header.Set("Authorization", token)
		s.handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	ask(s, "/api/v1/catalog?q="+secret, "r1", token)
	ask(s, "/nowhere", "r2", token)
	ask(s, "/api/v1/catalog/slack/icons/square", "r3", token)
	ask(s, "/api/v1/catalog", "r4", "")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	for i, want := range []string{
		`request=r1 method=GET path=/api/v1/catalog status=200 `, `request=r2 method=GET path=/nowhere status=404 `,
		`request=r3 method=GET path=/api/v1/catalog/slack/icons/square status=200 `, `request=r4 method=GET path=/api/v1/catalog status=401 `,
	} {
		if len(lines) != 4 || !strings.Contains(lines[i], want) {
			t.Fatalf("no %q in\n%s", want, log.String())
		}
	}
	if !strings.HasSuffix(lines[0], `token="admin token"`) || !strings.HasSuffix(lines[3], `token=""`) || strings.Contains(log.String(), secret) {
		t.Errorf("the log: %s", log.String())
	}
	quiet := start(t)
	ask(quiet, "/api/v1/catalog", "r5", token)
	if quiet.log.Len() > 0 {
		t.Errorf("the log: %s", quiet.log)
	}
}
