package send_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/send"
)

// answering is a sender's answer to what a receiver does.
func answering(t testing.TB, secrets []string, h http.HandlerFunc) hooks.Response {
	t.Helper()
	server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil // not sent
		h(w, r)
	})
	o := post(server.URL + "/secret-path")
	o.Secrets = secrets
	return newSender(t).Send(background(), o)
}

func TestResponseHeader(t *testing.T) {
	long := strings.Repeat("ä", 400) // 800 bytes
	r := answering(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h["X-Request-Id"] = []string{"b", "a"}
		h["Content-Type"] = []string{"text/plain"}
		h["Set-Cookie"] = []string{"session=1"}
		h["Set-Cookie2"] = []string{"session=2"}
		h["Www-Authenticate"] = []string{"Basic realm=x"}
		h["Proxy-Authenticate"] = []string{"Basic realm=x"}
		h["Authorization"] = []string{"Bearer x"}
		h["X-Long"] = []string{long}
		h["X-Latin"] = []string{"caf\xe9 \u0085\u202e\tend"}
		h["X-"+strings.Repeat("n", 126)] = []string{"128 bytes"}
		h["X-"+strings.Repeat("n", 127)] = []string{"129 bytes"}
		h["x-lower"] = []string{"canonical"}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	want := []hooks.ResponseHeader{
		{Name: "Content-Length", Value: "0"}, {Name: "Content-Type", Value: "text/plain"},
		{Name: "X-Latin", Value: "caf\ufffd \u202eend"}, {Name: "X-Long", Value: long[:512]}, {Name: "X-Lower", Value: "canonical"},
		{Name: "X-N" + strings.Repeat("n", 125), Value: "128 bytes"}, {Name: "X-Request-Id", Value: "b"}, {Name: "X-Request-Id", Value: "a"},
	}
	if diff := cmp.Diff(want, r.Header); diff != "" {
		t.Error(diff)
	}
}

// Of many fields the first in order are kept; a success has them too.
func TestManyResponseHeaders(t *testing.T) {
	r := answering(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		for n := range 100 {
			w.Header().Set(fmt.Sprintf("X-%02d", 99-n), "v")
		}
		w.WriteHeader(http.StatusNoContent)
	})
	wantSuccess(t, r)
	if len(r.Header) != 32 || r.Header[0].Name != "X-00" || r.Header[31].Name != "X-31" {
		t.Errorf("%d fields: %v", len(r.Header), r.Header)
	}
}

// echoes are ways in which an endpoint may write what it got.
var echoes = map[string]func(string) string{
	"as it is":         func(s string) string { return s },
	"in a query":       url.QueryEscape,
	"in a path":        url.PathEscape,
	"as a path":        func(s string) string { return (&url.URL{Path: "/" + s}).EscapedPath()[1:] },
	"as a component":   func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") },
	"escapes in lower": func(s string) string { return lowerPercent(url.QueryEscape(s)) },
	"in JSON":          jsonString,
	"in JSON, with slashes escaped": func(s string) string {
		return strings.ReplaceAll(jsonString(s), "/", `\/`)
	},
	"in JSON of others": func(s string) string {
		return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(jsonString(s))
	},
	"in HTML":             html.EscapeString,
	"in base64":           func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"as a password":       func(s string) string { return base64.StdEncoding.EncodeToString([]byte("me:" + s)) },
	"as a user":           func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s + ":x")) },
	"amid base64":         func(s string) string { return base64.StdEncoding.EncodeToString([]byte("user:" + s + "\n")) },
	"in base64 for a URL": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("a?>" + s)) },
}

func jsonString(s string) string {
	b, _ := json.Marshal(s)
	return string(b[1 : len(b)-1])
}

func lowerPercent(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}

// A secret that comes back stands neither in body nor in header, in no form; what
// is around it stays.
func TestSecretsAreHidden(t *testing.T) {
	for _, secret := range []string{"tok-4f9a8b7c6d5e", "p@ss/w?rd&<\"é>+=", "T0000/B1111/abcdEFGH", "four"} {
		for name, echo := range echoes {
			t.Run(name+"/"+secret, func(t *testing.T) {
				said := echo(secret)
				r := answering(t, []string{"none of these", "", "abc", secret}, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("X-Echo", "before "+said+" behind")
					w.Header().Set("X-Abc", "abc") // too short to be hidden
					w.WriteHeader(http.StatusBadRequest)
					fmt.Fprintf(w, "before %s behind %s", said, said)
				})
				value := r.Header[slices.IndexFunc(r.Header, func(h hooks.ResponseHeader) bool { return h.Name == "X-Echo" })].Value
				for _, text := range []string{value, string(r.Body)} {
					if strings.Contains(text, said) || !strings.HasPrefix(text, "before ") || !strings.Contains(text, " behind") || !strings.Contains(text, "•••") {
						t.Errorf("%q stays: %q", said, text)
					}
				}
				if !slices.Contains(r.Header, hooks.ResponseHeader{Name: "X-Abc", Value: "abc"}) {
					t.Errorf("%v", r.Header)
				}
			})
		}
	}
}

// A secret that is part of another is no reason to leave the rest of that one.
func TestLongerSecretsFirst(t *testing.T) {
	r := answering(t, []string{"hunter", "hunter-and-gatherer"}, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "hunter-and-gatherer, hunter")
	})
	if got := string(r.Body); got != "•••, •••" {
		t.Errorf("%q", got)
	}
}

// The limit on a body must not let the beginning of a secret out.
func TestSecretsAtTheLimit(t *testing.T) {
	const secret = "tok-4f9a8b7c6d5e"
	for _, rest := range []int{3, 4, 10, len(secret) - 1, len(secret)} {
		r := answering(t, []string{secret}, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat(".", 64<<10-rest)+secret+secret)
		})
		body := string(r.Body)
		if len(body) > 64<<10 || strings.Contains(body, secret[:4]) || !strings.HasPrefix(body, "....") {
			t.Errorf("%d bytes in front of the limit: %d bytes, the last %q", rest, len(body), body[len(body)-30:])
		}
	}
	r := answering(t, []string{"dots"}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("dots", 16<<10)) // every mask is longer
	})
	if len(r.Body) != 64<<10 || strings.Contains(string(r.Body), "dot") {
		t.Errorf("%d bytes", len(r.Body))
	}
}

// The host is all that errors show of a URL, and it may hold a secret.
func TestSecretsInErrors(t *testing.T) {
	server := serve(t, plain, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	o := post(strings.Replace(server.URL, "127.0.0.1", "tenant-4711.test.", 1))
	o.Secrets = []string{"tenant-4711"}
	r := newSender(t, resolver(func(int) []string { return []string{"127.0.0.1"} })).Send(background(), o)
	if r.StatusCode != 502 || strings.Contains(r.Error, "4711") || !strings.HasPrefix(r.Error, "http://•••.test.:") {
		t.Errorf("%+v", r)
	}
	r = newSender(t, resolver(func(int) []string { return nil })).Send(background(), o)
	if r.ErrorClass != hooks.ErrorDNS || strings.Contains(r.Error, "4711") {
		t.Errorf("%+v", r)
	}
}

// Whatever an endpoint sends, what is kept stays within its bounds, is text where
// it is said to be, and holds no secret as it is.
func TestAnswersKeepTheirBounds(t *testing.T) {
	var answer http.HandlerFunc
	server := serve(t, plain, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
	s := newSender(t)
	said := rapid.OneOf(rapid.StringMatching(`[ -~é\x{80}-\x{9f}]{0,40}`), rapid.StringMatching(`[a-zé]{500,600}`))
	rapid.Check(t, func(t *rapid.T) {
		secrets := rapid.SliceOfN(rapid.StringMatching(`[ -~é]{1,12}`), 0, 3).Draw(t, "secrets")
		fields := rapid.MapOfN(rapid.StringMatching(`[A-Za-z][a-z-]{0,20}`), rapid.SliceOfN(rapid.OneOf(said, rapid.SampledFrom(append(secrets, ""))), 0, 3), 0, 40).Draw(t, "header")
		parts := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(append(secrets, "")), rapid.String()), 0, 30).Draw(t, "body")
		answer = func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range fields {
				if !slices.Contains([]string{"connection", "te", "trailer", "upgrade", "date", "content-length", "transfer-encoding"}, strings.ToLower(name)) {
					w.Header()[name] = values
				}
			}
			for _, p := range parts {
				_, _ = io.WriteString(w, p)
			}
		}
		o := post(server.URL)
		o.Secrets = secrets
		r := s.Send(background(), o)
		if r.StatusCode != 200 || len(r.Body) > 64<<10 || len(r.Header) > 32 {
			t.Fatalf("%+v", r)
		}
		text := string(r.Body)
		last := ""
		for _, h := range r.Header {
			if h.Name < last || len(h.Name) > 128 || len(h.Value) > 512 || !utf8.ValidString(h.Name+h.Value) || strings.ContainsFunc(h.Name+h.Value, unicode.IsControl) {
				t.Errorf("%+v", h)
			}
			last = h.Name
			text += "\x00" + h.Value
		}
		for _, secret := range secrets {
			if len(secret) >= 4 && strings.Contains(text, secret) {
				t.Errorf("%q stays", secret)
			}
		}
	})
}

func TestRequireHTTPS(t *testing.T) {
	only := func(o *send.Options) { o.RequireHTTPS = true }
	plainServer := serve(t, plain, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	wantFailure(t, newSender(t, only).Send(background(), post(plainServer.URL+"/secret")), hooks.ErrorBlocked,
		"cannot send to "+plainServer.URL+": the server was started with --require-https; configure an https:// address")
	server := serve(t, secure, func(http.ResponseWriter, *http.Request) {})
	wantSuccess(t, newSender(t, only, trusting(server)).Send(background(), post(server.URL)))
}
