package policy_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/policy"
)

// Few letters, so that generated texts meet often.
var (
	genText = rapid.StringMatching(`[aAb*%:;,{} é]{1,6}`)
	genGlob = rapid.StringMatching(`[ab*]{1,6}`)
	genWord = rapid.StringMatching(`[ab]{1,4}`)
	genName = rapid.SampledFrom([]string{"critical", "x"})
)

var chains = [][]string{{"proj"}, {"proj", "env"}, {"proj", "env", "flag"}, {"proj", "env", "segment"}, {"member"}, {"acct"}}

// genSpecifier writes specifiers, or resources when text gives no wildcards.
func genSpecifier(text *rapid.Generator[string]) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		chain := rapid.SampledFrom(chains).Draw(t, "chain")
		if chain[0] == "acct" {
			return "acct"
		}
		parts := make([]string, len(chain))
		for i, kind := range chain {
			parts[i] = kind + "/" + text.Draw(t, "key")
			items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
				if rapid.Bool().Draw(t, "property") {
					return "{" + genName.Draw(t, "name") + ":" + text.Draw(t, "value") + "}"
				}
				return text.Draw(t, "tag")
			}), 0, 2).Draw(t, "items")
			if len(items) > 0 {
				parts[i] += ";" + strings.Join(items, ",")
			}
		}
		return strings.Join(parts, ":")
	})
}

var genStatement = rapid.Custom(func(t *rapid.T) policy.Statement {
	s := policy.Statement{Effect: rapid.SampledFrom([]string{"allow", "deny"}).Draw(t, "effect")}
	specifier := rapid.OneOf(rapid.Just("*"), genSpecifier(genGlob), genSpecifier(rapid.Just("*")))
	items := rapid.SliceOfN(specifier, 1, 3).Draw(t, "resources")
	actions := rapid.SliceOfN(genGlob, 1, 2).Draw(t, "actions")
	if rapid.IntRange(0, 3).Draw(t, "notResources") == 0 {
		s.NotResources = items
	} else {
		s.Resources = items
	}
	if rapid.IntRange(0, 3).Draw(t, "notActions") == 0 {
		s.NotActions = actions
	} else {
		s.Actions = actions
	}
	return s
})

// genPolicy gives statements that parse.
var genPolicy = rapid.SliceOfN(genStatement.Filter(func(s policy.Statement) bool {
	_, err := policy.Parse([]policy.Statement{s})
	return err == nil
}), 0, 5)

var genAccesses = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) policy.ParsedAccess {
	a, err := policy.ParseAccess(policy.Access{
		Action:   genWord.Draw(t, "action"),
		Resource: genSpecifier(genWord).Draw(t, "resource"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}), 0, 3)

func parse(t *rapid.T, statements []policy.Statement) *policy.Policy {
	p, err := policy.Parse(statements)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPropertyPrintAndParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := parse(t, genPolicy.Draw(t, "policy"))
		statements, err := policy.ParseStatements([]byte(p.String()))
		if err != nil {
			t.Fatal(err)
		}
		q := parse(t, statements)
		if !p.Equal(q) || p.String() != q.String() {
			t.Fatalf("%s\nprints as\n%s", p, q)
		}
		accesses := genAccesses.Draw(t, "accesses")
		if p.Allows(accesses) != q.Allows(accesses) {
			t.Fatalf("%s\ndecides otherwise than\n%s", p, q)
		}
	})
}

// The rule itself, by statements parsed on their own.
func TestPropertyDenyBeatsAllow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statements := genPolicy.Draw(t, "policy")
		accesses := genAccesses.Draw(t, "accesses")
		want := false
		for _, a := range accesses {
			allowed, denied := false, false
			for _, s := range statements {
				denies := s.Effect == "deny"
				s.Effect = "allow"
				if parse(t, []policy.Statement{s}).Allows([]policy.ParsedAccess{a}) {
					allowed, denied = allowed || !denies, denied || denies
				}
			}
			want = want || allowed && !denied
		}
		p := parse(t, statements)
		if got := p.Allows(accesses); got != want {
			t.Fatalf("Allows: %v, want %v", got, want)
		}
		if d := p.Explain(accesses); d.Allowed != want {
			t.Fatalf("Explain: %+v, want %v", d, want)
		}
	})
}

func TestPropertyOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		statements := genPolicy.Draw(t, "policy")
		accesses := genAccesses.Draw(t, "accesses")
		want := parse(t, statements).Allows(accesses)
		shuffled := rapid.Permutation(statements).Draw(t, "shuffled")
		for i := range shuffled {
			for _, list := range [][]string{shuffled[i].Resources, shuffled[i].NotResources, shuffled[i].Actions, shuffled[i].NotActions} {
				slices.Reverse(list)
			}
		}
		slices.Reverse(accesses)
		if got := parse(t, shuffled).Allows(accesses); got != want {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

func TestPropertyWildcardsAsRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		glob := genGlob.Draw(t, "glob")
		text := rapid.StringMatching(`[ab]{1,10}`).Draw(t, "text")
		oracle := regexp.MustCompile("^(?:" + strings.ReplaceAll(glob, "*", ".*") + ")$")
		want := oracle.MatchString(text)
		a, err := policy.ParseAccess(policy.Access{Action: text, Resource: "proj/" + text + ";" + text + ",{x:" + text + "}"})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []policy.Statement{
			allow([]string{"*"}, []string{glob}),
			allow([]string{"proj/" + glob}, []string{"*"}),
			allow([]string{"proj/*;" + glob}, []string{"*"}),
			allow([]string{"proj/*;{x:" + glob + "}"}, []string{"*"}),
		} {
			if got := parse(t, []policy.Statement{s}).Allows([]policy.ParsedAccess{a}); got != want {
				t.Fatalf("%+v on %q: %v, want %v", s, text, got, want)
			}
		}
	})
}

// Escaped text stands for itself and nothing else, in resources and specifiers.
func TestPropertyEscape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(genText, rapid.StringN(1, 8, -1), rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 6), func(b []byte) string { return string(b) })).Draw(t, "text")
		escaped := policy.Escape(text)
		in := "proj/" + escaped + ";" + escaped + ",{" + "x:" + escaped + "}"
		r, err := policy.ParseResource(in)
		if err != nil {
			t.Fatal(err)
		}
		want := policy.Resource{Segments: []policy.Segment{{Kind: "proj", Key: text, Tags: []string{text}, Properties: []policy.Property{{Name: "x", Value: text}}}}}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Fatal(diff)
		}
		if r.String() != in {
			t.Fatalf("%q prints as %q", in, r)
		}
		p := parse(t, []policy.Statement{allow([]string{in}, []string{"*"})})
		if got := p.Statements()[0].Resources[0]; got != in {
			t.Fatalf("the specifier %q prints as %q", in, got)
		}
		if !p.Allows([]policy.ParsedAccess{{Action: "a", Resource: r}}) {
			t.Fatalf("%q does not match itself", in)
		}
		r.Segments[0].Key += "x"
		if p.Allows([]policy.ParsedAccess{{Action: "a", Resource: r}}) {
			t.Fatalf("%q matches more than itself", in)
		}
	})
}
