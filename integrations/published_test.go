package integrations_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// toolRules are what the published reference of a tool says about a body; the README of its integration links to it.
type toolRules struct {
	size  int // in bytes, 0 for no limit
	rules []bodyRule
}

// A bodyRule is about the members that a path leads to: names, or * for every member or element, separated by dots. Where
// a name ends with ?, it may be missing. The path "" is the body.
type bodyRule struct {
	path string
	want want
}

// A want says what is wrong with a value, "" when nothing is.
type want func(v any) string

// check reports what breaks the reference, and counts in seen how often each rule applied.
func (r toolRules) check(body []byte, seen []int) (problems []string) {
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return []string{err.Error()}
	}
	if r.size > 0 && len(body) > r.size {
		problems = append(problems, fmt.Sprintf("%d bytes; at most %d are allowed", len(body), r.size))
	}
	for n, rule := range r.rules {
		visit(v, rule.path, "", func(at string, v any, problem string) {
			if problem == "" {
				seen[n]++
				problem = rule.want(v)
			}
			if problem != "" {
				problems = append(problems, strings.TrimPrefix(at, ".")+": "+problem)
			}
		})
	}
	return problems
}

// visit calls f with each value that the path leads to, or with the problem that it leads nowhere.
func visit(v any, path, at string, f func(at string, v any, problem string)) {
	if path == "" {
		f(at, v, "")
		return
	}
	name, rest, _ := strings.Cut(path, ".")
	name, optional := strings.CutSuffix(name, "?")
	children := map[string]any{}
	switch x := v.(type) {
	case map[string]any:
		children = x
	case []any:
		for i, child := range x {
			children[strconv.Itoa(i)] = child
		}
	}
	if name == "*" {
		for _, key := range slices.Sorted(maps.Keys(children)) {
			visit(children[key], rest, at+"."+key, f)
		}
		return
	}
	child, has := children[name]
	if has {
		visit(child, rest, at+"."+name, f)
	} else if !optional {
		f(at+"."+name, nil, "missing")
	}
}

// texts is a string of least to most characters, however many where most is 0.
func texts(least, most int) want {
	return func(v any) string {
		s, ok := v.(string)
		n := utf8.RuneCountInString(s)
		switch {
		case !ok:
			return fmt.Sprintf("%v is no string", v)
		case n < least:
			return fmt.Sprintf("%d characters; at least %d are needed", n, least)
		case most > 0 && n > most:
			return fmt.Sprintf("%d characters; at most %d are allowed", n, most)
		}
		return ""
	}
}

// items is a list of least to most elements, or an object of so many members.
func items(least, most int) want {
	return func(v any) string {
		n := -1
		if r := reflect.ValueOf(v); r.IsValid() && (r.Kind() == reflect.Slice || r.Kind() == reflect.Map) {
			n = r.Len()
		}
		if n < least || n > most {
			return fmt.Sprintf("%d elements; %d to %d are allowed", n, least, most)
		}
		return ""
	}
}

func oneOf(values ...any) want {
	return func(v any) string {
		if !slices.Contains(values, v) {
			return fmt.Sprintf("%v is none of %v", v, values)
		}
		return ""
	}
}

// between is a number; what counts seconds is not taken for what counts milliseconds.
func between(least, most float64) want {
	return func(v any) string {
		if n, ok := v.(float64); !ok || n < least || n > most {
			return fmt.Sprintf("%v is no number from %.0f to %.0f", v, least, most)
		}
		return ""
	}
}

// matching is a string that matches an expression as a whole.
func matching(expression string) want {
	r := regexp.MustCompile("^(?s:" + expression + ")$")
	return func(v any) string {
		if s, ok := v.(string); !ok || !r.MatchString(s) {
			return fmt.Sprintf("%v does not match %s", v, expression)
		}
		return ""
	}
}

// named is an object whose members have such names.
func named(expression string) want {
	is := matching(expression)
	return func(v any) string {
		o, _ := v.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(o)) {
			if problem := is(name); problem != "" {
				return problem
			}
		}
		return ""
	}
}

// moment is a time in a layout of package time.
func moment(layout string) want {
	return func(v any) string {
		s, _ := v.(string)
		if _, err := time.Parse(layout, s); err != nil {
			return err.Error()
		}
		return ""
	}
}

// address is an absolute URL.
func address(v any) string {
	s, _ := v.(string)
	if u, err := url.Parse(s); err != nil || u.Scheme == "" || u.Host == "" {
		return fmt.Sprintf("%q is no absolute URL", s)
	}
	return ""
}

// anything is whatever is there.
func anything(any) string { return "" }

// What the goldens hold, and what events of the least and of very long texts make, is what each tool takes by its
// reference. Each rule is about something that is there.
func TestBodiesFollowTheReferences(t *testing.T) {
	catalog := load(t)
	for _, key := range slices.Sorted(maps.Keys(published)) {
		t.Run(key, func(t *testing.T) {
			reference := published[key]
			i, has := catalog.Get(key)
			if !has {
				t.Fatal("no such integration")
			}
			c, seen := config(t, i), make([]int, len(reference.rules))
			check := func(what string, body []byte) {
				for _, problem := range reference.check(body, seen) {
					t.Errorf("%s: %s", what, problem)
				}
			}
			goldens, err := filepath.Glob(filepath.Join(key, "testdata", "*.json"))
			if err != nil || len(goldens) == 0 {
				t.Fatalf("no goldens: %v", err)
			}
			for _, file := range goldens {
				check(filepath.Base(file), readGolden(t, file).Outcome.Request.Body)
			}
			for n, rule := range reference.rules {
				if seen[n] == 0 {
					t.Errorf("the rule of %q is about nothing", rule.path)
				}
			}
			for _, name := range schemas.SampleNames() {
				for _, unit := range []string{"x", "é", "\U0001F525", "&lt;", `" `, "~"} {
					long := strings.Repeat(unit, 6000)
					doc := typed(sample(t, name), func() string { return long }).With("customProperties", reserved(key, long))
					check(name+" of "+unit, renderOne(t, i, doc, manifest.RenderInput{Config: c}).Body)
				}
			}
			for n, posted := range lean {
				e, err := hooks.NewEvent(parse(t, []byte(posted)), hooks.EventOptions{})
				if err != nil {
					t.Fatal(err)
				}
				check(fmt.Sprintf("lean event %d", n), renderOne(t, i, e.Doc(), manifest.RenderInput{Config: c}).Body)
			}
		})
	}
}

// reserved are custom properties of which one has such values.
func reserved(key, value string) render.Value {
	values := render.Array(render.String(value), render.String(value))
	return render.Object(render.Member{Key: key, Value: render.Object(render.Member{Key: "values", Value: values})})
}

// Each kind of rule finds what breaks it, and where.
func TestRulesFindFaults(t *testing.T) {
	for _, c := range []struct {
		body, path string
		want       want
		problem    string
	}{
		{`{"a": {"b": "xyz"}}`, "a.b", texts(1, 3), ""},
		{`{"a": {"b": "éèê"}}`, "a.b", texts(1, 3), ""},
		{`{"a": {"b": "xyzw"}}`, "a.b", texts(1, 3), "a.b: 4 characters; at most 3 are allowed"},
		{`{"a": ""}`, "a", texts(1, 0), "a: 0 characters; at least 1 are needed"},
		{`{"a": 1}`, "a", texts(1, 0), "a: 1 is no string"},
		{`{"a": 1}`, "b", texts(1, 0), "b: missing"},
		{`{"a": 1}`, "b?", texts(1, 0), ""},
		{`{"a": 1}`, "b?.c", texts(1, 0), ""},
		{`{"b": {}}`, "b?.c", texts(1, 0), "b.c: missing"},
		{`[{"a": "x"}, {"a": ""}]`, "*.a", texts(1, 0), "1.a: 0 characters; at least 1 are needed"},
		{`[["x"]]`, "0.0", oneOf("y"), "0.0: x is none of [y]"},
		{`{"a": [1, 2]}`, "a", items(1, 2), ""},
		{`{"a": [1, 2, 3]}`, "a", items(1, 2), "a: 3 elements; 1 to 2 are allowed"},
		{`{"a": {"b": 1}}`, "a", items(2, 3), "a: 1 elements; 2 to 3 are allowed"},
		{`{"a": null}`, "a", items(0, 3), "a: -1 elements; 0 to 3 are allowed"},
		{`{"a": 5}`, "a", between(1, 4), "a: 5 is no number from 1 to 4"},
		{`{"a": "5"}`, "a", between(1, 9), "a: 5 is no number from 1 to 9"},
		{`{"a": "x1"}`, "a", matching(`x|y`), "a: x1 does not match x|y"},
		{`{"a": {"B": 1}}`, "a", named(`[a-z]+`), "a: B does not match [a-z]+"},
		{`{"a": "2026-02-30"}`, "a", moment(time.DateOnly), `a: parsing time "2026-02-30": day out of range`},
		{`{"a": "/x"}`, "a", address, `a: "/x" is no absolute URL`},
		{`{"a": {}}`, "a.b", anything, "a.b: missing"},
	} {
		got := strings.Join(toolRules{rules: []bodyRule{{c.path, c.want}}}.check([]byte(c.body), make([]int, 1)), "; ")
		if got != c.problem {
			t.Errorf("%s, %q: problem %q; want %q", c.body, c.path, got, c.problem)
		}
	}
	if got := (toolRules{size: 3}).check([]byte(`"ab"`), nil); len(got) != 1 {
		t.Errorf("a body that is too large: %q", got)
	}
}
