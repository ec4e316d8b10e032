package policy_test

import (
	"errors"
	"testing"

	"github.com/flaghook/flaghook/policy"
)

// Any text is a specifier with a stable canonical form, or one error inside it.
func FuzzSpecifier(f *testing.F) {
	for _, seed := range []string{
		"*", "acct", "proj/*", "proj/*;web,{critical:true}:env/pro*:flag/a%2Ab;x", "env/production:flag/x",
		"proj/*:env/*;qa_*:/flag/*", "proj/${roleAttribute/a}", "proj/;{a:b", "proj/%C3*%A9 ", "a/b:c/d;{e:f:g}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := policy.ParseResource(text); err == nil {
			again, err := policy.ParseResource(r.String())
			if err != nil || again.String() != r.String() {
				t.Fatalf("resource %q prints as %q: %v", text, r, err)
			}
		}
		p, err := policy.Parse([]policy.Statement{allow([]string{text}, []string{"*"})})
		if err != nil {
			var errs policy.Errors
			if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Column > len(text)+1 || errs[0].Message == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		canonical := p.Statements()[0].Resources[0]
		q, err := policy.Parse(p.Statements())
		if err != nil || !p.Equal(q) {
			t.Fatalf("%q prints as %q, which is %v: %v", text, canonical, q, err)
		}
		if r, err := policy.ParseResource(canonical); err == nil {
			a := []policy.ParsedAccess{{Action: "a", Resource: r}}
			if got := p.Explain(a); got.Allowed != p.Allows(a) {
				t.Fatalf("%q on %q: %+v", text, canonical, got)
			}
		}
	})
}

// Any bytes are a policy with a stable canonical form, or errors.
func FuzzPolicyJSON(f *testing.F) {
	for _, seed := range []string{
		`[]`, `null`, `[{"effect":"allow","resources":["proj/*:env/production:flag/*"],"actions":["*"]}]`,
		`[{"effect":"deny","notResources":["acct"],"notActions":["update*","create*"]}]`,
		`[{"effect":1,"resources":"*","x":{}}] x`, `[{"effect":"allow","resources":["*","*"],"actions":[]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		statements, err := policy.ParseStatements(data)
		if err != nil {
			return
		}
		p, err := policy.Parse(statements)
		if err != nil {
			return
		}
		again, err := policy.ParseStatements([]byte(p.String()))
		if err != nil {
			t.Fatalf("%q prints as %q: %v", data, p, err)
		}
		q, err := policy.Parse(again)
		if err != nil || !p.Equal(q) {
			t.Fatalf("%q prints as %q: %v", data, p, err)
		}
		_ = p.Explain(nil)
	})
}
