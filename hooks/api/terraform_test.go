package api_test

import (
	"encoding/json"
	"net/http"
	"os"
	"reflect"
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

// TestTerraform replays what LaunchDarkly's Terraform provider sends for audit
// log subscriptions and checks what the provider needs of the answers.
func TestTerraform(t *testing.T) {
	data, err := os.ReadFile("testdata/terraform-recorded-requests.json")
	if err != nil {
		t.Fatal(err)
	}
	var recordings []recording
	if err := json.Unmarshal(data, &recordings); err != nil {
		t.Fatal(err)
	}
	s := startListening(t, func(o *api.Options) { o.Token = "api-00000000-1111-2222-3333-444444444444" })
	ids := map[string]string{}           // integration key → ours
	asked := map[string]map[string]any{} // integration key → what the provider last asked for
	replayed := 0
	for _, rec := range recordings {
		for _, req := range rec.Requests {
			rest, ok := strings.CutPrefix(req.Path, "/api/v2/integrations/")
			if !ok {
				continue // webhooks come in by another door
			}
			replayed++
			key, _, one := strings.Cut(rest, "/")
			path := "/api/v2/integrations/" + key
			if one {
				path += "/" + ids[key]
			}
			header := []string{"Authorization", "", "Content-Type", ""}
			for _, h := range req.Headers {
				header = append(header, h[0], h[1])
			}
			body := ""
			if req.Body != nil && string(req.Body) != "null" {
				body = string(req.Body)
			}
			got := s.do(req.Method, path, body, header...)
			what := rec.Phase + ": " + req.Method + " " + path
			switch req.Method {
			case "DELETE":
				if got.want(http.StatusNoContent).body != "" {
					t.Errorf("%s: body %q", what, got.body)
				}
				s.do("DELETE", path, "", header...).wantRefused(404, "not_found")
				s.do("GET", path, "", header...).wantRefused(404, "not_found")
				continue
			case "POST":
				ids[key] = got.want(http.StatusCreated).id()
				var posted map[string]any
				if err := json.Unmarshal(req.Body, &posted); err != nil {
					t.Fatal(err)
				}
				asked[key] = posted
			case "PATCH":
				var ops []struct {
					Path  string
					Value any
				}
				if err := json.Unmarshal(req.Body, &ops); err != nil {
					t.Fatal(err)
				}
				for _, o := range ops {
					asked[key][strings.TrimPrefix(o.Path, "/")] = o.Value
				}
				got.want(200)
			default:
				got.want(200)
			}
			checkEcho(t, what, key, got, asked[key])
		}
	}
	if replayed == 0 {
		t.Error("nothing was replayed")
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
