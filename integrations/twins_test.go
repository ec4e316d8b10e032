package integrations_test

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/manifest"
)

// twins send the same as another integration to a host that the admin names. Each is wanted by its name.
var twins = map[string]string{
	"launchdarkly-webhook": "the form of a system that flaghook takes events from: one from LaunchDarkly is sent on as it came, which webhook does not do",
	"chronosphere":         "a key that configurations in use have, as those for Terraform; the tool takes LaunchDarkly's webhooks",
	"kosli":                "a key that configurations in use have, as those for Terraform; the tool takes LaunchDarkly's webhooks",
}

// No two integrations send the same to the same path, the host aside: one of them would be of no use, unless it is
// wanted by its name. Each twin has one that it is like, so that the list stays true.
func TestNoTwoAreAlike(t *testing.T) {
	sent := map[string][]string{}
	for _, i := range load(t).All() {
		sent[hostless(t, i)] = append(sent[hostless(t, i)], i.Key)
	}
	for _, keys := range sent {
		alike := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return twins[key] != "" })
		if len(alike) > 1 {
			t.Errorf("%q send the same", alike)
		}
		for _, key := range keys {
			if twins[key] != "" && len(keys) == 1 {
				t.Errorf("%s is like no other; take it from the list", key)
			}
		}
	}
}

var oneSetting = regexp.MustCompile(`^\{\{[^{}]*\}\}$`)

// hostless is what an integration sends of flag-on: method, path, the names of the headers and the body. Where the whole
// URL is a setting, the path is the admin's and says nothing.
func hostless(t *testing.T, i *manifest.Integration) string {
	t.Helper()
	r := readGolden(t, filepath.Join(i.Key, "testdata", "flag-on.json")).Outcome.Request
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	path := u.RequestURI()
	if oneSetting.MatchString(i.Hook().Endpoint.URL) {
		path = ""
	}
	lines := []string{r.Method, path}
	for _, h := range r.Headers {
		lines = append(lines, h.Name)
	}
	return strings.Join(append(lines, string(sorted(r.Body))), "\n")
}

// sorted is a body of JSON with its members by name and without white space, and any other as it is.
func sorted(body []byte) []byte {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return body
	}
	data, err := json.Marshal(v)
	if err != nil {
		return body
	}
	return data
}
