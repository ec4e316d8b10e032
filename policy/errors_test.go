package policy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/policy"
)

func TestSpecifierErrors(t *testing.T) {
	tests := []struct {
		specifier string
		column    int
		message   string // a part of it
		hint      string // a part of it
	}{
		{"", 1, "empty", "kind/key"},
		// Kinds.
		{"env/production:flag/x", 16, "flag lives under proj/…:env/…", "write proj/*:env/production:flag/x"},
		{"proj/web:flag/x;a,{b:c}", 10, "flag lives under proj/…:env/…", "write proj/web:env/*:flag/x;a,{b:c}"},
		{"flag/x", 1, "flag lives under proj/…:env/…", "write proj/*:env/*:flag/x"},
		{"env/production", 1, "env lives under proj/…", "write proj/*:env/production"},
		{"proj/a:env/b:metric/c", 14, "metric lives under proj/…", "write proj/a:metric/c"},
		{"proj/a:flag/b:env/c", 8, "flag lives under proj/…:env/…", "write proj/a:env/c:flag/b"},
		{"proj/a:team/b", 8, "team lives at the root", "write team/b"},
		{"token/x", 1, "token lives under member/…", "write member/*:token/x"},
		{"proj/a:proj/b", 8, "proj lives at the root", "write proj/b"},
		{"proj/*:env/*:member/x", 14, "member lives at the root", "write member/x"},
		{"project/web:environment/x:feature/y", 1, `unknown kind "project"`, "write proj/web:env/x:flag/y"},
		{"proj/*:env/*:flags/*", 14, `unknown kind "flags"`, "write proj/*:env/*:flag/*"},
		{"proj/*:env/*:fag/*", 14, `unknown kind "fag"`, "write proj/*:env/*:flag/*"},
		{"Proj/*", 1, `unknown kind "Proj"`, "write proj/*"},
		{"tenant/a", 1, `unknown kind "tenant"`, "known at this place: acct, application"},
		{"proj/*:env/*:gizmo/*", 14, `unknown kind "gizmo"`, "destination, experiment, flag"},
		{"acct/*", 1, "acct stands alone", "write acct"},
		{"acct;x", 1, "acct stands alone", "write acct"},
		{"acct:proj/x", 1, "acct stands alone", "write acct"},
		{"proj/x:acct", 8, "acct stands alone", "write acct"},
		{"account", 1, `"account" is not kind/key`, ""},
		// Segments.
		{"checkout", 1, `"checkout" is not kind/key`, "flag/checkout"},
		{"*:flag/x", 1, "'*' in the place of a kind", "a lone *"},
		{"proj/*:*", 8, "'*' in the place of a kind", ""},
		{"*/x", 1, "'*' in the place of a kind", ""},
		{"pr oj/x", 3, "cannot name a kind", "letters, digits"},
		{"proj/", 6, "the key of the proj is missing", "write proj/* for any"},
		{"proj/:env/x", 6, "the key of the proj is missing", ""},
		{"proj/*:", 8, "a segment is missing", "remove the ':'"},
		{"proj/*::env/x", 8, "':' where a kind should be", "kind/key"},
		{":env/x", 1, "':' where a kind should be", ""},
		{"proj/a,b", 7, "',' in the key", "%2C"},
		{"proj/a{b:c}", 7, "'{' in the key", "after ';'"},
		{"proj/a ", 7, "a blank around a key", "%20"},
		{" proj/a", 1, "cannot name a kind", ""},
		{"proj/ a", 6, "a blank", ""},
		{"proj/a\x00", 7, "control character", "%00"},
		{"proj/${roleAttribute/p}", 6, "role attributes", ""},
		{strings.Repeat("proj/a:", 17) + "proj/a", 113, "more than 16 segments", ""},
		// Tags and properties.
		{"proj/*;", 8, "a tag is missing", "remove the separator"},
		{"proj/*;a,", 10, "a tag is missing", ""},
		{"proj/*;a,,b", 10, "a tag is missing", ""},
		{"proj/*; a", 8, "a blank around a tag", ""},
		{"proj/*;a;b", 9, "a second ';'", "','"},
		{"proj/*;a{b:c}", 9, "'{' in or after a tag", ""},
		{"proj/*;{a:b}c", 13, "'c' in or after a tag or property", ""},
		{"proj/*;{a}", 10, "a property is {name:value}", "{critical:true}"},
		{"proj/*;{:b}", 9, "a property is {name:value}", ""},
		{"proj/*;{a*:b}", 10, "a property is {name:value}", "no '*'"},
		{"proj/*;{a:}", 11, "the property's value is missing", "{a:value}"},
		{"proj/*;{a:b", 8, "never closed", ""},
		{"proj/*;{a:b,c}", 12, "',' in a property's value", "%2C"},
		{"proj/*:env/*;critical:true", 14, `"critical:true" is neither a tag nor a segment`, "{critical:true}"},
		{"proj/*:env/*:flag/*;view:payments", 21, "neither", "{view:payments}"},
		{"proj/*;web:env", 8, "neither a tag nor a segment", "a segment as kind/key"},
		{strings.Repeat("x", 5000), 0, "5000 bytes", "at most 4096"},
	}
	for _, tt := range tests {
		_, err := policy.Parse([]policy.Statement{allow([]string{"*", tt.specifier}, []string{"*"})})
		var errs policy.Errors
		if !errors.As(err, &errs) || len(errs) != 1 {
			t.Errorf("%q: %v, want one error", tt.specifier, err)
			continue
		}
		e := errs[0]
		if e.Statement != 0 || e.Field != "resources" || e.Item != 1 {
			t.Errorf("%q: at statement %d, %s[%d]", tt.specifier, e.Statement, e.Field, e.Item)
		}
		if e.Column != tt.column || !strings.Contains(e.Message, tt.message) || !strings.Contains(e.Hint, tt.hint) {
			t.Errorf("%q:\n got %v\nwant column %d: …%s… ; …%s…", tt.specifier, e, tt.column, tt.message, tt.hint)
		}
	}
}

func TestStatementErrorsComeAllAtOnce(t *testing.T) {
	_, err := policy.Parse([]policy.Statement{
		allow([]string{"proj/*"}, []string{"*"}),
		{Effect: "Allow", Resources: []string{"flag/x", "proj/*"}, NotResources: []string{"proj/a"}, Actions: []string{"a b", ""}},
		{},
		deny([]string{"*"}, []string{}),
	})
	want := `statement 1, effect: unknown effect "Allow"; write allow or deny
statement 1, notResources: resources and notResources are both given; remove one of them
statement 1, resources[0], column 1: flag lives under proj/…:env/…; write proj/*:env/*:flag/x
statement 1, actions[0], column 2: ' ' in an action; an action is one word, like updateOn
statement 1, actions[1]: the action is empty; name one, like updateOn
statement 2, effect: the effect is missing; write allow or deny
statement 2, resources: resources is missing; give exactly one of resources and notResources
statement 2, actions: actions is missing; give exactly one of actions and notActions
statement 3, actions: the list is empty; name at least one action; "*" is any`
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	var single *policy.Error
	if !errors.As(err, &single) || single.Statement != 1 || single.Field != "effect" || single.Item != -1 {
		t.Errorf("errors.As gives %+v", single)
	}
}

// What other programs write and what does no harm is taken.
func TestHarmlessStatementsAreTaken(t *testing.T) {
	for _, s := range []policy.Statement{
		{Effect: "allow", Resources: []string{"proj/*", "proj/*"}, Actions: []string{"a*", "a**"}},
		{Effect: "allow", Resources: []string{"proj/*"}, NotResources: []string{}, Actions: []string{"*"}, NotActions: []string{}},
		{Effect: "deny", Resources: []string{}, NotResources: []string{"proj/*"}, NotActions: []string{"a"}},
	} {
		if _, err := policy.Parse([]policy.Statement{s}); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestBounds(t *testing.T) {
	many := func(n int, size int) []string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf("proj/%0*d", size, i)
		}
		return items
	}
	star := []string{"*"}
	tests := []struct {
		name       string
		statements []policy.Statement
		want       string
	}{
		{"statements", make([]policy.Statement, policy.MaxStatements+1), "the policy has 501 statements"},
		{"items", []policy.Statement{allow(many(policy.MaxItems+1, 4), star)}, "statement 0, resources: the list has 501 items"},
		{"bytes", []policy.Statement{allow(many(100, 3000), star)}, "the policy's texts have 300501 bytes"},
		{"action", []policy.Statement{allow(star, []string{strings.Repeat("a", 257)})}, "statement 0, actions[0]: the action has 257 bytes"},
		{"selectors", []policy.Statement{allow([]string{"proj/*;" + strings.Repeat("a,", 1000) + "a"}, star)}, "statement 0, resources[0], column 2008: more than 1000 tags"},
		{"errors", make([]policy.Statement, 100), "201 more errors are not shown"},
	}
	for _, tt := range tests {
		_, err := policy.Parse(tt.statements)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
		var errs policy.Errors
		if errors.As(err, &errs); len(errs) > policy.MaxErrors {
			t.Errorf("%s: %d errors", tt.name, len(errs))
		}
	}
	if _, err := policy.Parse([]policy.Statement{allow(many(policy.MaxItems, 4), star)}); err != nil {
		t.Errorf("a full list: %v", err)
	}
}

func TestParseStatements(t *testing.T) {
	tests := []struct{ json, want string }{
		{`[]`, ``},
		{` [{"effect":"allow","resources":["*"],"actions":["*"]}] `, ``},
		{`[{"effect":"allow","resources":["*"],"notResources":null,"actions":["*"]}]`, ``},
		{``, `the policy is empty; write a list of statements; [] allows nothing`},
		{`null`, `a policy is a list of statements, this is null; write []; it allows nothing`},
		{`{"effect":"allow"}`, `a policy is a list of statements, this is an object; write it as [ … ]`},
		{`"x"`, `a policy is a list of statements, this is a string; write it as [ … ]`},
		{"[\n  {\"effect\": allow}]", `not JSON at line 2, column 14: invalid character 'a' looking for beginning of value`},
		{`[{"effect":"allow"`, `the JSON ends too early, at line 1, column 19`},
		{`[] []`, `more text after the policy, at line 1, column 4; remove it`},
		{`[1, null, {"effect": 1, "resources": "*", "actions": ["*", 2, null], "notActions": {}}]`,
			`statement 0: a statement is an object, this is a number; write {"effect": …, "resources": […], "actions": […]}
statement 1: a statement is an object, this is null; write {"effect": …, "resources": […], "actions": […]}
statement 2, effect: the effect is a text, this is a number; write "allow" or "deny"
statement 2, resources: resources is a list of texts, this is a string; write it in [ ]
statement 2, actions[1]: actions is a list of texts, this is a number; write it in quotes
statement 2, actions[2]: actions is a list of texts, this is null; write it in quotes
statement 2, notActions: notActions is a list of texts, this is an object; write it in [ ]`},
		{`[{"effect":"allow","Effect":"deny","resource":["*"],"actions":["*"],"actions":["*"],"condition":{}}]`,
			`statement 0, Effect: unknown member "Effect"; did you mean effect?
statement 0, resource: unknown member "resource"; did you mean resources?
statement 0, actions: the member is given twice; remove one of them
statement 0, condition: unknown member "condition"; a statement has effect, resources or notResources, actions or notActions`},
		{`[` + strings.Repeat(" ", policy.MaxPolicy) + `]`, `the policy has 262146 bytes; at most 262144 are allowed`},
	}
	for _, tt := range tests {
		_, err := policy.ParseStatements([]byte(tt.json))
		got := ""
		if err != nil {
			got = err.Error()
		}
		// The JSON package's own wording may change; the place is ours.
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%.60s: %s", tt.json, diff)
		}
	}
	statements, err := policy.ParseStatements([]byte(`[{"effect":"deny","notResources":[],"notActions":["a","b"]}]`))
	want := []policy.Statement{{Effect: "deny", NotResources: []string{}, NotActions: []string{"a", "b"}}}
	if diff := cmp.Diff(want, statements); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestParseAccessErrors(t *testing.T) {
	tests := []struct{ action, resource, want string }{
		{"", "proj/a", "action: the action is empty; name one, like updateOn"},
		{"update\nOn", "proj/a", `action, column 7: '\n' in an action; an action is one word, like updateOn`},
		{"a\xff", "proj/a", "action: the action is not UTF-8; an action is one word, like updateOn"},
		{"a", "", "resource, column 1: the text is empty; write kind/key segments, like proj/web:env/production:flag/checkout"},
		{"a", "checkout", `resource, column 1: "checkout" is not kind/key; write kind/key, like flag/checkout`},
		{"a", "*", "resource, column 1: '*' in the place of a kind; name the kind, like flag/checkout"},
		{"a", "proj/", "resource, column 6: the key of the proj is missing; write proj/ and the key"},
		{"a", "proj/a:/flag/b", `resource, column 8: the kind before '/' is missing; write kind/key`},
		{"a", "proj/" + strings.Repeat("a", policy.MaxResource), "resource: the resource has 16389 bytes; at most 16384 are allowed"},
	}
	for _, tt := range tests {
		_, err := policy.ParseAccess(policy.Access{Action: tt.action, Resource: tt.resource})
		if err == nil || err.Error() != tt.want {
			t.Errorf("%q on %.20q:\n got %v\nwant %s", tt.action, tt.resource, err, tt.want)
		}
	}
}

func TestKindsWith(t *testing.T) {
	kinds, err := policy.DefaultKinds().With("tenant", "tenant:gate", "proj:toggle", "proj:env")
	if err != nil {
		t.Fatal(err)
	}
	specifiers := []string{"tenant/*", "tenant/*:gate/x*", "proj/*:toggle/*", "proj/*:env/*:flag/*"}
	if _, err := policy.ParseWith([]policy.Statement{allow(specifiers, []string{"*"})}, kinds); err != nil {
		t.Error(err)
	}
	if _, err := policy.Parse([]policy.Statement{allow(specifiers[:1], []string{"*"})}); err == nil {
		t.Error("With changed the kinds that it was called on")
	}
	for chain, want := range map[string]string{
		"a:b":  `kind "a:b": its parent "a" is unknown; add that before it`,
		"":     `kind "": "" cannot name a kind; a kind is 1 to 64 letters, digits, '-', '_' and '.'`,
		"a/b":  `kind "a/b": "a/b" cannot name a kind; a kind is 1 to 64 letters, digits, '-', '_' and '.'`,
		"acct": `kind "acct": acct stands alone`,
		"a*":   `kind "a*": "a*" cannot name a kind; a kind is 1 to 64 letters, digits, '-', '_' and '.'`,
	} {
		if _, err := policy.DefaultKinds().With(chain); err == nil || err.Error() != want {
			t.Errorf("With(%q): %v, want %s", chain, err, want)
		}
	}
	if _, err := policy.ParseWith([]policy.Statement{allow([]string{"proj/*"}, []string{"*"})}, policy.Kinds{}); err == nil {
		t.Error("the zero Kinds knows proj")
	}
}
