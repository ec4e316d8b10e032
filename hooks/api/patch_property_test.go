package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// Pieces that patches are put together from: right, wrong and nearly right.
var (
	patchPaths = []string{
		"/name", "/on", "/tags", "/tags/0", "/tags/1", "/tags/-", "/tags/5", "/config", "/config/token", "/config/other-token",
		"/config/base-url", "/config/skip-ca-verification", "/config/a~1b", "/statements", "/statements/0", "/statements/1", "/statements/-",
		"/statements/0/effect", "/statements/0/actions", "/statements/0/actions/0", "/statements/0/actions/-", "/statements/0/notActions",
		"/statements/-/actions/0", "/_id", "", "/tags/00", "/config/", "name",
	}
	patchValues = []string{
		`null`, `true`, `false`, `0`, `-1e400`, `""`, `"x"`, `"https://y.example.com"`, `"` + manifest.MaskedSecret + `"`, `[]`, `["a"]`, `[null]`,
		`{}`, `{"a":null}`, `{"base-url":"https://z.example.com","token":"` + manifest.MaskedSecret + `"}`, `{"base-url":"https://z.example.com","token":"t2"}`,
		`{"effect":"allow","resources":["proj/*"],"actions":["*"]}`, `[{"effect":"deny","resources":["*"],"actions":["*"]}]`, `"allow"`, `"*"`,
	}
)

func genPatch(t *rapid.T) string {
	ops := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		op := rapid.SampledFrom([]string{"add", "add", "replace", "replace", "remove", "move", "copy", "test"}).Draw(t, "op")
		text := `{"op":"` + op + `","path":"` + rapid.SampledFrom(patchPaths).Draw(t, "path") + `"`
		switch op {
		case "add", "replace", "test":
			text += `,"value":` + rapid.SampledFrom(patchValues).Draw(t, "value")
		case "move", "copy":
			text += `,"from":"` + rapid.SampledFrom(patchPaths).Draw(t, "from") + `"`
		}
		return text + "}"
	}), 1, 6).Draw(t, "ops")
	return "[" + strings.Join(ops, ",") + "]"
}

// TestPatchesAreWhole: a patch is applied as a whole and can be read back, or
// refused and changes nothing; the mask is never stored; and no patch brings a
// secret to another place.
func TestPatchesAreWhole(t *testing.T) {
	s := start(t)
	ask := func(t *rapid.T, method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", token)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%s: %d %s; log: %s", body, w.Code, w.Body, s.log)
		}
		if strings.Contains(w.Body.String(), secret) {
			t.Fatalf("%s: the secret shows: %s", body, w.Body)
		}
		return w
	}
	rapid.Check(t, func(t *rapid.T) {
		made := ask(t, "POST", splunkPath, patchBase)
		doc, err := render.ParseJSON(made.Body.Bytes())
		if err != nil || made.Code != 201 {
			t.Fatal(err, made.Body)
		}
		id := doc.Get("_id").AsString()
		self := splunkPath + "/" + id
		before := made.Body.String()
		for range 3 {
			patch := genPatch(t)
			got := ask(t, "PATCH", self, patch)
			after := ask(t, "GET", self, "").Body.String()
			switch got.Code {
			case 200:
				if after != got.Body.String() {
					t.Fatalf("%s: answered %s, then %s", patch, got.Body, after)
				}
			case 400, 409:
				if after != before {
					t.Fatalf("%s: refused, yet %s became %s", patch, before, after)
				}
			default:
				t.Fatalf("%s: %d %s", patch, got.Code, got.Body)
			}
			before = after
			stored, err := s.engine.Subscription(id)
			if err != nil {
				t.Fatal(err)
			}
			for key, v := range stored.Config.Members() {
				if v.AsString() == manifest.MaskedSecret || v.AsString() == secret && key != "token" {
					t.Fatalf("%s: config.%s is %q", patch, key, v.AsString())
				}
			}
		}
		ask(t, "DELETE", self, "")
	})
}
