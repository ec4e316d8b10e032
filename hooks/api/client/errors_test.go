package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/hooks/api/client"
)

func callsSource(t *testing.T) string {
	data, err := os.ReadFile("calls_test.go")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		handle http.HandlerFunc
		want   client.Error
		text   string
	}{
		{
			name: "refused input",
			handle: answers(400, `{"code":"invalid_request","message":"config.apiKey: it is required","errors":[{"attribute":"config.apiKey","reason":"it is required"}]}`,
				"X-Request-Id", "r1"),
			want: client.Error{
				Status: 400, Code: client.CodeInvalid, Message: "config.apiKey: it is required", RequestID: "r1",
				Errors: []client.FieldError{{Attribute: "config.apiKey", Reason: "it is required"}},
			},
			text: "config.apiKey: it is required (400 invalid_request)",
		},
		{
			name:   "asked to wait longer than it may",
			handle: answers(429, `{"code":"too_many","message":"slow down"}`, "Retry-After", "3600"),
			want:   client.Error{Status: 429, Code: "too_many", Message: "slow down", RetryAfter: time.Hour},
			text:   "slow down (429 too_many)",
		},
		{
			name:   "a proxy answers",
			handle: answers(502, "<html>Bad\x01 Gateway"+strings.Repeat("é", 300)),
			want:   client.Error{Status: 502, Message: "GET /api/v1/events/e1 was answered with 502 Bad Gateway, and not by a flaghook: \"<html>Bad\\x01 Gateway" + strings.Repeat("é", 91) + "...\""},
		},
		{
			name:   "JSON that is not ours",
			handle: answers(404, `{"message":"no route"}`),
			want:   client.Error{Status: 404, Message: `GET /api/v1/events/e1 was answered with 404 Not Found, and not by a flaghook: "{\"message\":\"no route\"}"`},
		},
		{
			name:   "a redirect",
			handle: answers(301, "", "Location", "https://elsewhere.example/api/v1/events"),
			want:   client.Error{Status: 301, Message: `GET /api/v1/events/e1 was answered with 301 Moved Permanently, and not by a flaghook; it redirects to "https://elsewhere.example/api/v1/events", which is not followed: give that server's address`},
		},
		{
			name:   "nothing",
			handle: answers(500, ""),
			want:   client.Error{Status: 500, Message: "GET /api/v1/events/e1 was answered with 500 Internal Server Error, and not by a flaghook"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.handle)
			_, err := dial(t, s.URL).Event(t.Context(), "e1")
			got := refused(t, err)
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if test.text == "" {
				test.text = test.want.Message
			}
			if err.Error() != test.text {
				t.Errorf("it reads %q", err)
			}
			if n := len(s.requests()); n != 1 {
				t.Errorf("%d requests were made", n)
			}
		})
	}
}

// Successes that say nothing are errors too.
func TestUnreadable(t *testing.T) {
	for name, test := range map[string]struct{ answer, want string }{
		"no JSON":    {"<html>", "the answer is not what flaghook answers (invalid character '<' looking for beginning of value); is there one at this address?"},
		"no list":    {`{"_id":"x"}`, "a list without items"},
		"other type": {`{"items":[{"_id":7}]}`, "cannot unmarshal number"},
		"nothing":    {"", "unexpected end of JSON input"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, answers(200, test.answer))
			_, err := dial(t, s.URL, retry(5)).Jobs(t.Context(), client.Paging{})
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "GET "+s.URL+"/api/v1/jobs: ") {
				t.Errorf("the error is %v", err)
			}
			if n := len(s.requests()); n != 1 {
				t.Errorf("%d requests were made", n)
			}
		})
	}
}

func retry(n int) func(*client.Options) { return func(o *client.Options) { o.Retries = n } }

// A network that is down, and what it says, with neither token nor query.
func TestUnreachable(t *testing.T) {
	c := dial(t, "http://flags.example", func(o *client.Options) {
		o.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
		})}
	})
	_, err := c.Events(t.Context(), client.EventQuery{Paging: client.Paging{Cursor: "the-cursor"}})
	if err == nil || err.Error() != "GET http://flags.example/api/v1/events: dial tcp: connection refused" {
		t.Errorf("the error is %v", err)
	}
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		c := dial(t, "http://flags.example", func(o *client.Options) {
			o.HTTP, o.Timeout = &http.Client{Transport: hangs}, 7*time.Second
		})
		began := time.Now()
		_, err := c.Event(t.Context(), "e1")
		var timeout interface{ Timeout() bool }
		if !errors.As(err, &timeout) || !timeout.Timeout() || !strings.HasSuffix(err.Error(), "there was no whole answer within 7s") {
			t.Errorf("the error is %v", err)
		}
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("it took %s", took)
		}

		// The caller's own end comes first, and is told as such.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Event(ctx, "e1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		o    client.Options
		want string
	}{
		{client.Options{URL: "127.0.0.1:8480"}, "cannot be parsed"},
		{client.Options{URL: "flags.example"}, `must begin with http:// or https://`},
		{client.Options{URL: "ftp://flags.example"}, `must begin with http:// or https://`},
		{client.Options{URL: "https://"}, `must begin with http:// or https://`},
		{client.Options{URL: "https://ann:pass-word@flags.example"}, "the credential is Token"},
		{client.Options{URL: "https://flags.example?a=b"}, "has a query"},
		{client.Options{Token: "secret-part\n"}, "line feed"},
		{client.Options{Token: "secret-part é"}, "characters that no token has"},
		{client.Options{Timeout: -1}, "Timeout must be positive"},
		{client.Options{MaxWait: -1}, "MaxWait must be positive"},
	} {
		_, err := client.New(test.o)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("New(%+v): %v; want %q", test.o, err, test.want)
		} else if strings.Contains(err.Error(), "secret-part") || strings.Contains(err.Error(), "pass-word") {
			t.Errorf("the error tells a secret: %v", err)
		}
	}
	if c, err := client.New(client.Options{}); err != nil || c.URL() != client.DefaultURL {
		t.Errorf("the zero options: %v", err)
	}
}

// Whatever is answered, the client neither panics nor tells the token.
func FuzzAnswer(f *testing.F) {
	for _, test := range calls {
		f.Add(200, test.answer, "")
	}
	f.Add(400, `{"code":"a","message":"b","errors":[{"attribute":"c","reason":"d"}]}`, "")
	f.Add(503, "", "Wed, 21 Oct 2015 07:28:00 GMT")
	f.Add(301, "", "99999999999999999999")
	f.Fuzz(func(t *testing.T, status int, body, retryAfter string) {
		status = 200 + (status%400+400)%400
		if strings.ContainsAny(retryAfter, "\r\n\x00") {
			return
		}
		c := dial(t, "http://flags.example", func(o *client.Options) {
			o.HTTP = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: status, Header: http.Header{"Retry-After": {retryAfter}, "Location": {body}},
					Body: io.NopCloser(strings.NewReader(body)),
				}, nil
			})}
		})
		for name, call := range map[string]func(context.Context) (any, error){
			"event":         func(ctx context.Context) (any, error) { return c.Event(ctx, "e") },
			"events":        func(ctx context.Context) (any, error) { return c.Events(ctx, client.EventQuery{}) },
			"subscriptions": func(ctx context.Context) (any, error) { return c.Subscriptions(ctx, client.SubscriptionQuery{}) },
			"deliveries":    func(ctx context.Context) (any, error) { return c.Deliveries(ctx, client.DeliveryQuery{}) },
			"validate":      func(ctx context.Context) (any, error) { return c.ValidateSubscription(ctx, "s") },
			"job":           func(ctx context.Context) (any, error) { return c.Job(ctx, "j") },
			"token":         func(ctx context.Context) (any, error) { return c.Token(ctx, "t") },
			"catalog":       func(ctx context.Context) (any, error) { return c.Catalog(ctx, client.Paging{}) },
			"publish": func(ctx context.Context) (any, error) {
				return c.Publish(ctx, client.PublishOptions{}, client.NewEvent{})
			},
		} {
			v, err := call(t.Context())
			if (err == nil) == reflect.ValueOf(v).IsNil() {
				t.Errorf("%s: result %v with error %v", name, v, err)
			}
			if err != nil && strings.Contains(err.Error(), token) {
				t.Errorf("%s: the error holds the token: %v", name, err)
			}
		}
	})
}
