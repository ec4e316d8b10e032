package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/policy"
)

// A plainSegment is a segment of a specifier or a resource, in parts.
type plainSegment struct {
	kind, key  string
	tags       []string
	properties [][2]string
}

func (s plainSegment) String() string {
	items := slices.Clone(s.tags)
	for _, p := range s.properties {
		items = append(items, "{"+p[0]+":"+p[1]+"}")
	}
	if len(items) == 0 {
		return s.kind + "/" + s.key
	}
	return s.kind + "/" + s.key + ";" + strings.Join(items, ",")
}

func plainText(segments []plainSegment) string {
	texts := make([]string, len(segments))
	for i := range segments {
		texts[i] = segments[i].String()
	}
	return strings.Join(texts, ":")
}

// plainGlob is what a pattern means, letter by letter.
func plainGlob(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return plainGlob(pattern[1:], text) || text != "" && plainGlob(pattern, text[1:])
	}
	return text != "" && pattern[0] == text[0] && plainGlob(pattern[1:], text[1:])
}

// plainMatch is what a specifier means: every selector is tried on all there is.
func plainMatch(specifier, resource []plainSegment) bool {
	if len(specifier) != len(resource) {
		return false
	}
	for i, want := range specifier {
		have := resource[i]
		if want.kind != have.kind || !plainGlob(want.key, have.key) {
			return false
		}
		for _, tag := range want.tags {
			if !slices.ContainsFunc(have.tags, func(text string) bool { return plainGlob(tag, text) }) {
				return false
			}
		}
		for _, p := range want.properties {
			if !slices.ContainsFunc(have.properties, func(q [2]string) bool { return q[0] == p[0] && plainGlob(p[1], q[1]) }) {
				return false
			}
		}
	}
	return true
}

// genPlain gives segments of proj, env and flag, each with up to most selectors.
func genPlain(text *rapid.Generator[string], most int) *rapid.Generator[[]plainSegment] {
	return rapid.Custom(func(t *rapid.T) []plainSegment {
		segments := make([]plainSegment, rapid.IntRange(1, 3).Draw(t, "depth"))
		for i, kind := range []string{"proj", "env", "flag"}[:len(segments)] {
			s := plainSegment{kind: kind, key: text.Draw(t, "key")}
			s.tags = rapid.SliceOfN(text, 0, most).Draw(t, "tags")
			for _, value := range rapid.SliceOfN(text, 0, most).Draw(t, "values") {
				s.properties = append(s.properties, [2]string{rapid.SampledFrom([]string{"a", "ab", "b"}).Draw(t, "name"), value})
			}
			segments[i] = s
		}
		return segments
	})
}

// However many tags and properties a resource has, specifiers name what they mean,
// of a resource that was parsed and of one that was put together alike.
func TestPropertyLookupIsTheScan(t *testing.T) {
	key := rapid.Just("*") // so that selectors decide
	pattern := rapid.OneOf(rapid.StringMatching(`[ab]{1,3}`), rapid.StringMatching(`[ab]{0,2}\*[ab]{0,2}`), rapid.StringMatching(`[ab*]{1,5}`), key)
	rapid.Check(t, func(t *rapid.T) {
		resource := genPlain(rapid.StringMatching(`[ab]{1,4}`), 40).Draw(t, "resource")
		parsed, err := policy.ParseAccess(policy.Access{Action: "x", Resource: plainText(resource)})
		if err != nil {
			t.Fatal(err)
		}
		made := policy.ParsedAccess{Action: "x", Resource: parsed.Resource}
		var statements []policy.Statement
		want := false
		for range rapid.IntRange(1, 4).Draw(t, "statements") {
			s := policy.Statement{Effect: "allow", Actions: []string{"*"}}
			named := false
			for _, specifier := range rapid.SliceOfN(genPlain(pattern, 4), 1, 3).Draw(t, "specifiers") {
				if rapid.Bool().Draw(t, "any key") {
					for i := range specifier {
						specifier[i].key = "*"
					}
				}
				s.Resources = append(s.Resources, plainText(specifier))
				named = named || plainMatch(specifier, resource)
			}
			if rapid.IntRange(0, 4).Draw(t, "not") == 0 {
				s.NotResources, s.Resources, named = s.Resources, nil, !named
			}
			statements, want = append(statements, s), want || named
		}
		p := parse(t, statements)
		for _, a := range []policy.ParsedAccess{parsed, made} {
			one := []policy.ParsedAccess{a}
			d := p.Explain(one)
			if p.Allows(one) != want || d.Allowed != want || d.Accesses[0].Effect != p.Effect(&a) {
				t.Fatalf("%s on %s: %+v, want %v", p, parsed.Resource, d, want)
			}
			d.Accesses[0].Resource = "" // as it was given, or as it prints
			if other := p.Explain([]policy.ParsedAccess{made}); d.Reason != other.Reason {
				t.Fatalf("%s on %s:\n%s\n%s", p, parsed.Resource, d.Reason, other.Reason)
			}
		}
	})
}

func TestWildcardsAreBounded(t *testing.T) {
	many := func(n int, format string) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return list
	}
	tags := "proj/*:env/*;" + strings.Join(many(250, "t%d*"), ",") + ":flag/*;" + strings.Join(many(150, "{p:*%d}"), ",")
	full := []policy.Statement{
		allow(append(many(199, "proj/a%d*:env/**:flag/*"), tags), append(many(200, "a%d*"), "*")),
		{Effect: "deny", NotResources: append(many(100, "proj/p%d:env/b*"), "*"), NotActions: append(many(100, "*%d"), "literal")},
	}
	full[0].Actions = append(full[0].Actions, "one*")
	for range (policy.MaxWildcards - 1000) / 500 {
		full = append(full, allow([]string{"*"}, many(500, "b%d*")))
	}
	if _, err := policy.Parse(full); err != nil {
		t.Fatalf("as many as there may be: %v", err)
	}
	lone := []policy.Statement{allow(many(500, "proj/p%d;*,{a:*}:env/*:flag/*"), many(500, "literal%d")), allow([]string{"*"}, []string{"*"})}
	if _, err := policy.Parse(lone); err != nil {
		t.Errorf("wildcards alone: %v", err)
	}
	for name, statements := range map[string][]policy.Statement{
		"key":            append(full, allow([]string{"proj/x*"}, []string{"*"})),
		"tag":            append(full, allow([]string{"proj/*;*x"}, []string{"*"})),
		"property":       append(full, allow([]string{"proj/*;{a:x*y}"}, []string{"*"})),
		"action":         append(full, allow([]string{"proj/*"}, []string{"x*"})),
		"left-out key":   append(full, policy.Statement{Effect: "allow", NotResources: []string{"proj/x*"}, Actions: []string{"*"}}),
		"denied action":  append(full, deny([]string{"*"}, []string{"*x"})),
		"no such action": append(full, policy.Statement{Effect: "allow", Resources: []string{"*"}, NotActions: []string{"*x"}}),
	} {
		_, err := policy.Parse(statements)
		const want = "the policy has 5001 patterns with * beside other characters; " +
			"at most 5000 are allowed, in keys, tags, properties and actions together; name some in full, or by a lone *"
		var errs policy.Errors
		if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Statement != -1 || err.Error() != want {
			t.Errorf("one more %s: %v, want %s", name, err, want)
		}
	}
}
