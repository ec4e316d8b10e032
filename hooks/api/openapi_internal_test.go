package api

import (
	"strings"
	"testing"
)

// TestDescribe: the description and the routes cannot differ.
func TestDescribe(t *testing.T) {
	routes := (&API{}).routes()
	if _, err := describe(routes, ""); err != nil {
		t.Fatal(err)
	}
	another := route{path: "/api/v1/another", methods: map[string]method{"GET": {}}}
	more := route{path: routes[0].path, methods: map[string]method{"GET": {}, "POST": {}, "PUT": {}}}
	less := route{path: routes[0].path, methods: map[string]method{"GET": {}}}
	for _, test := range []struct {
		name   string
		routes []route
		want   string
	}{
		{"a route more", append(routes[:len(routes):len(routes)], another), "GET /api/v1/another is not described"},
		{"a route less", routes[1:], routes[0].path + " is not served"},
		{"a method more", append([]route{more}, routes[1:]...), "PUT " + more.path + " is not described"},
		{"a method less", append([]route{less}, routes[1:]...), less.path + " has operations that are not served"},
	} {
		if _, err := describe(test.routes, ""); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
	doc, err := describe(routes, "https://flags.example.com/hooks/")
	if err != nil || !strings.Contains(string(doc), `"servers":[{"url":"https://flags.example.com/hooks"}]`) {
		t.Errorf("the public URL is missing (%v)", err)
	}
}
