package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks/api"
	"github.com/flaghook/flaghook/manifest"
)

// recording is one run of the Terraform provider against a server that only
// recorded.
type recording struct {
	Phase    string
	Requests []struct {
		Method, Path string
		Headers      [][2]string
		Body         json.RawMessage
	}
}

// TestTerraform replays every request that LaunchDarkly's Terraform provider was
// recorded to send, and checks what the provider needs of the answers: statuses,
// the members that its client's models require, and what was asked for echoed as
// it was given, or else a plan would never be empty.
func TestTerraform(t *testing.T) {
	data, err := os.ReadFile("testdata/terraform-recorded-requests.json")
	if err != nil {
		t.Fatal(err)
	}
	var recordings []recording
	if err := json.Unmarshal(data, &recordings); err != nil {
		t.Fatal(err)
	}
	p := &replay{
		s:   startListening(t, func(o *api.Options) { o.Token = "api-00000000-1111-2222-3333-444444444444" }),
		ids: map[string]string{}, asked: map[string]map[string]any{},
	}
	posts := recordedIDs(recordings)
	for _, rec := range recordings {
		for _, req := range rec.Requests {
			p.what = rec.Phase + ": " + req.Method + " " + req.Path
			header := []string{"Authorization", "", "Content-Type", ""}
			for _, h := range req.Headers {
				header = append(header, h[0], h[1])
			}
			body := ""
			if req.Body != nil && string(req.Body) != "null" {
				body = string(req.Body)
			}
			id := ""
			if req.Method == http.MethodPost {
				id, posts = posts[0], posts[1:]
			}
			p.send(t, req.Method, req.Path, body, id, header)
		}
	}
	if len(p.ids) != 5 {
		t.Errorf("%d resources were made, want 5", len(p.ids))
	}
}

// recordedIDs lists the ids that the recorded server gave, in the order of the
// requests that made something: each first appears in a later path.
func recordedIDs(recordings []recording) []string {
	seen := map[string]bool{}
	for _, rec := range recordings {
		for _, req := range rec.Requests {
			if id := req.Path[strings.LastIndexByte(req.Path, '/')+1:]; strings.HasPrefix(id, "5f0c") {
				seen[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)) // they count up
}

// replay is what is known while requests are replayed.
type replay struct {
	s     *server
	what  string                    // the request, for people
	ids   map[string]string         // recorded id → ours
	asked map[string]map[string]any // recorded id → what the provider last asked for
}

// send replays one request; id is the recorded one of what a POST makes.
func (p *replay) send(t *testing.T, method, path, body, id string, header []string) {
	t.Helper()
	dir, last := path[:strings.LastIndexByte(path, '/')], path[strings.LastIndexByte(path, '/')+1:]
	if id == "" {
		id, path = last, dir+"/"+p.ids[last]
	}
	got := p.s.do(method, path, body, header...)
	switch method {
	case http.MethodDelete:
		if got.want(http.StatusNoContent).body != "" {
			t.Errorf("%s: body %q", p.what, got.body)
		}
		p.s.do("DELETE", path, "", header...).wantRefused(404, "not_found")
		p.s.do("GET", path, "", header...).wantRefused(404, "not_found")
		return
	case http.MethodPost:
		p.ids[id] = got.want(http.StatusCreated).id()
		var posted map[string]any
		if err := json.Unmarshal([]byte(body), &posted); err != nil {
			t.Fatal(err)
		}
		p.asked[id] = posted
	case http.MethodPatch:
		var ops []struct {
			Op, Path string
			Value    any
		}
		if err := json.Unmarshal([]byte(body), &ops); err != nil {
			t.Fatal(err)
		}
		for _, o := range ops {
			if o.Op == "remove" {
				delete(p.asked[id], strings.TrimPrefix(o.Path, "/"))
			} else {
				p.asked[id][strings.TrimPrefix(o.Path, "/")] = o.Value
			}
		}
		got.want(200)
	default:
		got.want(200)
	}
	if strings.HasPrefix(path, "/api/v2/webhooks") {
		checkWebhook(t, p.what, got, p.asked[id])
	} else {
		checkEcho(t, p.what, strings.Split(path, "/")[4], got, p.asked[id])
	}
}

// checkWebhook compares a webhook with what was asked for, its secret in clear.
func checkWebhook(t *testing.T, what string, got reply, asked map[string]any) {
	t.Helper()
	doc := got.json()
	for _, member := range []string{"_links", "_id", "url", "on", "tags"} { // those that the client's model requires
		if _, ok := doc[member]; !ok {
			t.Errorf("%s: no %s", what, member)
		}
	}
	for _, member := range []string{"name", "url", "on", "statements"} {
		if !reflect.DeepEqual(doc[member], asked[member]) {
			t.Errorf("%s: %s is %v, want %v", what, member, doc[member], asked[member])
		}
	}
	if want, _ := asked["secret"].(string); want == "" {
		if have, ok := doc["secret"]; ok {
			t.Errorf("%s: secret %v, want none", what, have)
		}
	} else if doc["secret"] != want {
		t.Errorf("%s: secret %v, want %v", what, doc["secret"], want)
	}
	tags, _ := asked["tags"].([]any)
	if have, _ := doc["tags"].([]any); !slices.Equal(have, tags) {
		t.Errorf("%s: tags %v, want %v", what, doc["tags"], tags)
	}
}

// checkEcho compares an answer with what was asked for, secrets aside, and
// looks for the members that clients require.
func checkEcho(t *testing.T, what, key string, got reply, asked map[string]any) {
	t.Helper()
	doc := got.json()
	for _, member := range []string{"_links", "_id", "kind", "name", "config", "on", "tags", "_access", "_status"} {
		if _, ok := doc[member]; !ok {
			t.Errorf("%s: no %s", what, member)
		}
	}
	if doc["kind"] != key {
		t.Errorf("%s: kind %v", what, doc["kind"])
	}
	for _, member := range []string{"name", "on", "tags", "statements"} {
		if !reflect.DeepEqual(doc[member], asked[member]) {
			t.Errorf("%s: %s is %v, want %v", what, member, doc[member], asked[member])
		}
	}
	for name, want := range asked["config"].(map[string]any) {
		if name == "token" || name == "apiKey" {
			want = manifest.MaskedSecret
		}
		if have := doc["config"].(map[string]any)[name]; have != want {
			t.Errorf("%s: config.%s is %v, want %v", what, name, have, want)
		}
	}
}
