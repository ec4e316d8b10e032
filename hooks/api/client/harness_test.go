package client_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/flaghook/flaghook/hooks/api/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "fh_token-of-the-tests"

// A seen is a request as a server got it.
type seen struct {
	method, target string // target is the escaped path with the query
	header         http.Header
	body           string
}

// A server answers all requests with handle and keeps them.
type server struct {
	*httptest.Server

	mu   sync.Mutex
	seen []seen
}

func serve(t testing.TB, handle http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.seen = append(s.seen, seen{r.Method, r.RequestURI, r.Header, string(body)})
		s.mu.Unlock()
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) requests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// dial makes a client whose connections end with the test.
func dial(t testing.TB, url string, change ...func(*client.Options)) *client.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	o := client.Options{URL: url, Token: token, HTTP: &http.Client{Transport: transport}, Retries: -1}
	for _, f := range change {
		f(&o)
	}
	c, err := client.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answers gives the same answer always.
func answers(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// A roundTripper is the network of tests in a synctest bubble, which has none.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// response makes an answer as a roundTripper gives it.
func response(status int, body string, header ...string) *http.Response {
	w := httptest.NewRecorder()
	answers(status, body, header...)(w, nil)
	return w.Result()
}

// refused is the *Error that err must be.
func refused(t testing.TB, err error) *client.Error {
	t.Helper()
	var e *client.Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v; want a *client.Error", err)
	}
	if strings.Contains(err.Error(), token) {
		t.Errorf("the error holds the token: %v", err)
	}
	return e
}
