package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flaghook/flaghook/hooks/api/client"
)

// A network answers with these in turn, the last one for ever, and notes when it
// was asked.
type network struct {
	answers []func() (*http.Response, error)
	at      []time.Duration
	bodies  []string
	began   time.Time
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	if n.began.IsZero() {
		n.began = time.Now()
	}
	body := ""
	if r.Body != nil {
		data, _ := io.ReadAll(r.Body)
		body = string(data)
	}
	i := min(len(n.at), len(n.answers)-1)
	n.at, n.bodies = append(n.at, time.Since(n.began)), append(n.bodies, body)
	return n.answers[i]()
}

func says(status int, body string, header ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) { return response(status, body, header...), nil }
}

func breaks() (*http.Response, error) { return nil, errors.New("connection reset by peer") }

const (
	busy = `{"code":"service_unavailable","message":"the storage cannot take or give anything now; try again"}`
	ok   = `{"_id":"x","items":[{"id":"x"}]}`
)

func getEvent(ctx context.Context, c *client.Client) error {
	_, err := c.Event(ctx, "x")
	return err
}

func postSubscription(ctx context.Context, c *client.Client) error {
	_, err := c.Subscribe(ctx, client.NewSubscription{Integration: "webhook"})
	return err
}

func publish(o client.PublishOptions, id string) func(context.Context, *client.Client) error {
	return func(ctx context.Context, c *client.Client) error {
		_, err := c.Publish(ctx, o, client.NewEvent{ID: id, Action: "a", Resource: "r"})
		return err
	}
}

func TestRetries(t *testing.T) {
	for _, test := range []struct {
		name    string
		answers []func() (*http.Response, error)
		do      func(context.Context, *client.Client) error
		waits   [][2]time.Duration // the shortest and the longest before each repeat
		err     string
	}{
		{"at once", []func() (*http.Response, error){says(200, ok)}, getEvent, nil, ""},
		{
			"growing waits", []func() (*http.Response, error){says(503, busy), says(503, busy), says(429, busy), says(200, ok)}, postSubscription,
			[][2]time.Duration{{125 * time.Millisecond, 250 * time.Millisecond}, {250 * time.Millisecond, 500 * time.Millisecond}, {500 * time.Millisecond, time.Second}}, "",
		},
		{
			"waits that are asked for", []func() (*http.Response, error){says(503, busy, "Retry-After", "2"), says(429, busy, "Retry-After", "10"), says(201, ok)}, postSubscription,
			[][2]time.Duration{{2 * time.Second, 2200 * time.Millisecond}, {10 * time.Second, 11 * time.Second}}, "",
		},
		{
			"until a date", []func() (*http.Response, error){func() (*http.Response, error) {
				return response(503, busy, "Retry-After", time.Now().Add(5*time.Second).UTC().Format(http.TimeFormat)), nil
			}, says(200, ok)}, getEvent, [][2]time.Duration{{4 * time.Second, 6 * time.Second}}, "",
		},
		{"a wait that is too long", []func() (*http.Response, error){says(503, busy, "Retry-After", "31")}, getEvent, nil, "the storage cannot take or give anything now; try again (503 service_unavailable)"},
		{
			"in the end it gives up", []func() (*http.Response, error){says(503, busy, "Retry-After", "1")}, getEvent,
			[][2]time.Duration{{time.Second, 1100 * time.Millisecond}, {time.Second, 1100 * time.Millisecond}, {time.Second, 1100 * time.Millisecond}, {time.Second, 1100 * time.Millisecond}}, "(503 service_unavailable)",
		},
		{"other refusals are final", []func() (*http.Response, error){says(500, busy)}, getEvent, nil, "(500 service_unavailable)"},
		{
			"a broken read", []func() (*http.Response, error){breaks, says(200, ok)}, getEvent,
			[][2]time.Duration{{125 * time.Millisecond, 250 * time.Millisecond}}, "",
		},
		{
			"an answer that breaks off", []func() (*http.Response, error){func() (*http.Response, error) {
				r := response(200, "")
				r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"_id":`), broken{}))
				return r, nil
			}, says(200, ok)}, getEvent, [][2]time.Duration{{125 * time.Millisecond, 250 * time.Millisecond}}, "",
		},
		{"a broken write may have been done", []func() (*http.Response, error){breaks}, postSubscription, nil, "connection reset by peer"},
		{"events without an id too", []func() (*http.Response, error){breaks}, publish(client.PublishOptions{}, ""), nil, "connection reset by peer"},
		{
			"events with an id cannot be there twice", []func() (*http.Response, error){breaks, says(202, ok)}, publish(client.PublishOptions{}, "x"),
			[][2]time.Duration{{125 * time.Millisecond, 250 * time.Millisecond}}, "",
		},
		{
			"nor events under a key", []func() (*http.Response, error){breaks, says(202, ok)}, publish(client.PublishOptions{IdempotencyKey: "k"}, ""),
			[][2]time.Duration{{125 * time.Millisecond, 250 * time.Millisecond}}, "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{answers: test.answers}
				c := dial(t, "http://flags.example", retry(0), func(o *client.Options) { o.HTTP = &http.Client{Transport: n} })
				err := test.do(t.Context(), c)
				if (err == nil) != (test.err == "") || err != nil && !strings.HasSuffix(err.Error(), test.err) {
					t.Errorf("the error is %v; want %q", err, test.err)
				}
				if len(n.at) != len(test.waits)+1 {
					t.Fatalf("asked at %v; want %d repeats", n.at, len(test.waits))
				}
				for i, w := range test.waits {
					if wait := n.at[i+1] - n.at[i]; wait < w[0] || wait > w[1] {
						t.Errorf("wait %d is %s; want %s to %s", i+1, wait, w[0], w[1])
					}
				}
				if slices.ContainsFunc(n.bodies, func(b string) bool { return b != n.bodies[0] }) {
					t.Errorf("the repeats differ: %q", n.bodies)
				}
			})
		})
	}
}

// A wait ends with the context; the error says what for it waited, and why not
// longer.
func TestRetryCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{answers: []func() (*http.Response, error){says(503, busy, "Retry-After", "20")}}
		c := dial(t, "http://flags.example", retry(0), func(o *client.Options) { o.HTTP = &http.Client{Transport: n} })
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		err := getEvent(ctx, c)
		if !errors.Is(err, context.DeadlineExceeded) || refused(t, err).Status != 503 {
			t.Errorf("the error is %v", err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestWaitJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running := says(200, `{"_id":"j","state":"running","done":1,"left":2}`)
		n := &network{answers: []func() (*http.Response, error){running, running, running, running, running, running, running, running, says(200, `{"_id":"j","state":"done","done":3}`)}}
		c := dial(t, "http://flags.example", func(o *client.Options) { o.HTTP = &http.Client{Transport: n} })
		var looks []int
		j, err := c.WaitJob(t.Context(), "j", func(j *client.Job) { looks = append(looks, j.Done) })
		if err != nil || j.State != client.JobDone || j.Done != 3 {
			t.Errorf("%+v, %v", j, err)
		}
		if !slices.Equal(looks, []int{1, 1, 1, 1, 1, 1, 1, 1, 3}) {
			t.Errorf("progress: %v", looks)
		}
		for i, ms := range []int{50, 100, 200, 400, 800, 1600, 2000, 2000} {
			if got := n.at[i+1] - n.at[i]; got != time.Duration(ms)*time.Millisecond {
				t.Errorf("wait %d is %s, want %dms", i+1, got, ms)
			}
		}

		n.answers = n.answers[:1]
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := c.WaitJob(ctx, "j", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a job that does not end: %v", err)
		}
	})
}

// broken is a body that breaks off.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
