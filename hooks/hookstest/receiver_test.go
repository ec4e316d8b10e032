package hookstest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flaghook/flaghook/hooks/hookstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client makes one connection per request and follows no redirect.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func TestReceiverRecords(t *testing.T) {
	r := hookstest.NewReceiver(t)
	req, err := http.NewRequest("PUT", r.URL()+"/a/b?c=d", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Webhook-Id", "1")
	answer, err := client(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	got, err := r.Wait(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if g := got[0]; answer.StatusCode != 200 || g.Method != "PUT" || g.Path != "/a/b?c=d" || string(g.Body) != "hello" ||
		g.Header.Get("webhook-id") != "1" || time.Since(g.At) > time.Minute {
		t.Errorf("status %d, recorded %+v", answer.StatusCode, g)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := r.Wait(ended, 2); len(got) != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %d requests, %v", len(got), err)
	}
}

func TestReceiverReplies(t *testing.T) {
	r := hookstest.NewReceiver(t)
	for name, c := range map[string]struct {
		reply hookstest.Reply
		check func(t *testing.T, answer *http.Response, body string, err error)
	}{
		"status": {hookstest.Status(503), func(t *testing.T, a *http.Response, body string, err error) {
			if err != nil || a.StatusCode != 503 || body != "" {
				t.Errorf("%v, %q, %v", a, body, err)
			}
		}},
		"header and body": {hookstest.Reply{Header: http.Header{"retry-after": {"7"}}, Body: "later"}, func(t *testing.T, a *http.Response, body string, err error) {
			if err != nil || a.StatusCode != 200 || a.Header.Get("Retry-After") != "7" || body != "later" {
				t.Errorf("%v, %q, %v", a, body, err)
			}
		}},
		"redirect": {hookstest.Redirect("http://elsewhere.test/"), func(t *testing.T, a *http.Response, _ string, err error) {
			if err != nil || a.StatusCode != 302 || a.Header.Get("Location") != "http://elsewhere.test/" {
				t.Errorf("%v, %v", a, err)
			}
		}},
		"delay": {hookstest.Reply{Delay: time.Millisecond, Status: 201}, func(t *testing.T, a *http.Response, _ string, err error) {
			if err != nil || a.StatusCode != 201 {
				t.Errorf("%v, %v", a, err)
			}
		}},
		"drip": {hookstest.Reply{Drip: time.Millisecond, Body: "slow"}, func(t *testing.T, _ *http.Response, body string, err error) {
			if err != nil || body != "slow" {
				t.Errorf("%q, %v", body, err)
			}
		}},
		"big": {hookstest.Reply{Body: "<", Filler: 3 << 20}, func(t *testing.T, a *http.Response, body string, err error) {
			if err != nil || len(body) != 3<<20+1 || a.ContentLength != 3<<20+1 || body[:2] != "<x" {
				t.Errorf("%d bytes, %v", len(body), err)
			}
		}},
		"reset": {hookstest.Reply{Reset: true}, func(t *testing.T, _ *http.Response, _ string, err error) {
			if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
				t.Errorf("%v, want a reset", err)
			}
		}},
		"garbage": {hookstest.Reply{Raw: "\x00\x01 nonsense\r\n\r\n"}, func(t *testing.T, _ *http.Response, _ string, err error) {
			if err == nil {
				t.Error("no error")
			}
		}},
		"ends amid its headers": {hookstest.Reply{Raw: "HTTP/1.1 200 OK\r\nContent-Le"}, func(t *testing.T, _ *http.Response, _ string, err error) {
			if err == nil {
				t.Error("no error")
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r.Respond(hookstest.Sequence(c.reply))
			answer, err := client(t).Get(r.URL())
			var body []byte
			if err == nil {
				defer answer.Body.Close()
				body, err = io.ReadAll(answer.Body)
			}
			c.check(t, answer, string(body), err)
		})
	}
}

func TestReceiverSequence(t *testing.T) {
	r := hookstest.NewReceiver(t)
	r.Respond(hookstest.Sequence(hookstest.Status(500), hookstest.Status(429), hookstest.Status(204)))
	for i, want := range []int{500, 429, 204, 204} {
		answer, err := client(t).Get(r.URL())
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("request %d got %d, want %d", i, answer.StatusCode, want)
		}
	}
}

// TestReceiverHangs leaves a request without an answer; first the client has
// enough, then the Receiver is closed.
func TestReceiverHangs(t *testing.T) {
	r := hookstest.NewReceiver(t)
	r.Respond(hookstest.Sequence(hookstest.Reply{Hang: true}))
	ctx, cancel := context.WithCancel(t.Context())
	get := func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, "GET", r.URL(), nil)
		if err != nil {
			return err
		}
		_, err = client(t).Do(req)
		return err
	}
	failed := make(chan error)
	go func() { failed <- get(ctx) }()
	if _, err := r.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	go func() { failed <- get(t.Context()) }()
	if _, err := r.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	r.Close()
	r.Close()
	var timeout net.Error
	if err := <-failed; err == nil || errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v, want a broken connection", err)
	}
}
