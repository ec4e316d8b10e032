package api_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// TestMalformed sends 10,000 requests that are wrong in some way: each answer is
// JSON and blames the client or thanks it, nothing panics, and nothing is kept
// that grows with them.
func TestMalformed(t *testing.T) {
	s := start(t)
	s.listen(s.handler)
	doc := describeServer(t, s)
	var calls [][2]string
	for path, item := range doc.Paths {
		for name := range item {
			calls = append(calls, [2]string{strings.ToUpper(name), path})
		}
	}
	hook := s.do("POST", webhooksPath, `{"url": "http://127.0.0.1:9/", "secret": "`+secret+`"}`).want(201).id()
	s.do("POST", "/api/v1/events", flagEvent).want(202)
	writer := s.token("writer", "")
	g := &garbler{random: rand.New(rand.NewPCG(1, 2)), ids: []string{hook, "e-1", "nobody", "%00", "%2e%2e", "a%2Fb", strings.Repeat("x", 300), "", "\x7f", "é"}}

	var statuses [6]int
	before := heap()
	for n := range 10_000 {
		method, path, body, header := g.request(calls)
		r, err := http.NewRequest(method, "http://host/", strings.NewReader(body))
		if err != nil {
			continue // a method that no server hands on
		}
		r.URL.Path, r.URL.RawPath, r.RequestURI = path, path, path
		r.URL.RawQuery = g.query()
		r.Header = header
		if _, ok := header["Authorization"]; !ok {
			r.Header.Set("Authorization", writer)
		}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		statuses[w.Code/100]++
		if w.Code >= 500 {
			t.Fatalf("request %d, %s %s with %q: %d %s; log: %s", n, method, path, body, w.Code, w.Body, s.log)
		}
		if ct := w.Header().Get("Content-Type"); w.Body.Len() > 0 && ct != "application/json" && ct != "image/svg+xml" {
			t.Fatalf("request %d, %s %s: Content-Type %q", n, method, path, ct)
		}
		if strings.Contains(w.Body.String(), secret) {
			t.Fatalf("request %d, %s %s with %q shows a secret: %s", n, method, path, body, w.Body)
		}
	}
	if statuses[4] < 7_000 || statuses[2] == 0 {
		t.Errorf("statuses by hundreds %v: these are no malformed requests", statuses)
	}
	if grown := heap() - before; grown > 16<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	if strings.Contains(s.log.String(), "panic") {
		t.Errorf("the log: %s", s.log)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A garbler makes wrong requests out of right ones.
type garbler struct {
	random *rand.Rand
	ids    []string
}

func pick[T any](g *garbler, from []T) T { return from[g.random.IntN(len(from))] }

func (g *garbler) chance(one int) bool { return g.random.IntN(one) == 0 }

var garbledBodies = []string{
	"", "{", "null", "[]", "{}", "[null]", `"text"`, "1e999", "\xff\xfe", "\x00", strings.Repeat("[", 20_000), strings.Repeat(`{"a":`, 5_000),
	`{"name": {}, "config": [], "on": 1, "tags": {}, "statements": "x"}`, flagEvent, splunkBody,
	`[{"op": "replace", "path": "/config/token", "value": null}]`, `[{"op": "copy", "from": "/secret", "path": "/name"}]`,
	`[{"op": "add", "path": "/tags/-", "value": "********"}]`, `[{"op": "replace", "path": "/on", "value": "yes"}]`, `{"patch": {"op": 1}}`,
	`[{"effect": "allow", "resources": ["proj/*:env"], "actions": ["*"]}]`, `{"accesses": [{"action": 1}]}`, `{"subscriptions": [null]}`,
	`{"since": "then", "until": {}}`, `{"sample": "flag-on", "config": {"url": 7}}`, `{"name": "x", "role": "admin", "statements": null}`,
	`{"action": "updateOn", "resource": "proj/web:env/production:flag/a", "timestamp": "yesterday"}`, `{"url": "javascript:alert(1)", "sign": true}`,
}

// request is one of the calls with something wrong in path, method, body or
// headers.
func (g *garbler) request(calls [][2]string) (method, path, body string, header http.Header) {
	call := pick(g, calls)
	method = call[0]
	if g.chance(10) {
		method = pick(g, []string{"PUT", "TRACE", "OPTIONS", "FOO", "CONNECT", "DELETE", "POST", "PATCH"})
	}
	path = strings.NewReplacer("{id}", pick(g, g.ids), "{key}", pick(g, []string{"slack", "webhook", "none", "%zz", ".."}), "{shape}", pick(g, []string{"square", "round"})).Replace(call[1])
	if g.chance(20) {
		path = g.mangle(path)
	}
	body = pick(g, garbledBodies)
	if g.chance(2) {
		body = g.mangle(body)
	}
	header = http.Header{}
	if g.chance(8) {
		header.Set("Authorization", pick(g, []string{"", "Bearer", "Basic eDp5", "fh_" + strings.Repeat("0", 32) + "_x", strings.Repeat("a", 10_000), "\x01"}))
	}
	if g.chance(4) {
		header.Set(pick(g, []string{"Content-Type", "Content-Encoding", "If-Match", "Idempotency-Key", "X-HTTP-Method-Override", "LD-API-Version", "X-Request-Id", "Content-Length"}),
			pick(g, []string{"", "application/x-ndjson", "application/merge-patch+json", "a/b; c", "gzip", `"1"`, "DELETE", "GET", "beta", "\x00", strings.Repeat("x", 5_000)}))
	}
	return method, path, body, header
}

func (g *garbler) query() string {
	if !g.chance(3) {
		return ""
	}
	name := pick(g, []string{"limit", "cursor", "since", "until", "status", "event", "subscription", "integration", "before", "after", "spec", "q", "buckets"})
	return name + "=" + pick(g, []string{"", "-1", "0", "1e9", "9999999999999999999", "AAAA", "%00", "%zz", "dead,pending", "proj/*:env/*", strings.Repeat("x", 2_000), "2026-01-31T12:00:00Z"})
}

// mangle changes, drops or doubles a part of a text.
func (g *garbler) mangle(text string) string {
	if text == "" {
		return text
	}
	i := g.random.IntN(len(text))
	j := i + g.random.IntN(len(text)-i)
	switch g.random.IntN(4) {
	case 0:
		return text[:i] + string(rune(g.random.IntN(0x250))) + text[i:]
	case 1:
		return text[:i] + text[j:]
	case 2:
		return text[:j] + text[i:]
	default:
		return text[:i] + pick(g, []string{"null", "{", "]", "\\", "\"", "********", "~2", "%"}) + text[j:]
	}
}
