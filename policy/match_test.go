package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flaghook/flaghook/policy"
)

// matches asks whether one specifier names one resource.
func matches(t *testing.T, specifier, resource string) bool {
	t.Helper()
	p := mustParse(t, allow([]string{specifier}, []string{"*"}))
	return p.Allows(accesses(t, "updateOn", resource))
}

func allow(resources, actions []string) policy.Statement {
	return policy.Statement{Effect: "allow", Resources: resources, Actions: actions}
}

func deny(resources, actions []string) policy.Statement {
	return policy.Statement{Effect: "deny", Resources: resources, Actions: actions}
}

func mustParse(t testing.TB, statements ...policy.Statement) *policy.Policy {
	t.Helper()
	p, err := policy.Parse(statements)
	if err != nil {
		t.Fatalf("Parse(%v): %v", statements, err)
	}
	return p
}

// accesses parses pairs of action and resource.
func accesses(t testing.TB, pairs ...string) []policy.ParsedAccess {
	t.Helper()
	var list []policy.ParsedAccess
	for i := 0; i < len(pairs); i += 2 {
		a, err := policy.ParseAccess(policy.Access{Action: pairs[i], Resource: pairs[i+1]})
		if err != nil {
			t.Fatalf("ParseAccess(%q, %q): %v", pairs[i], pairs[i+1], err)
		}
		list = append(list, a)
	}
	return list
}

func TestSpecifierMatching(t *testing.T) {
	const flag = "proj/web;mobile,ops:env/production;qa_eu,{critical:true}:flag/checkout-v2;payments,beta"
	tests := []struct {
		specifier, resource string
		want                bool
	}{
		// Depth and kinds.
		{"*", flag, true},
		{"*", "acct", true},
		{"*", "tenant/a:gate/b", true},
		{"acct", "acct", true},
		{"acct", "proj/web", false},
		{"proj/*", "proj/web", true},
		{"proj/*", "proj/web:env/production", false},
		{"proj/*", flag, false},
		{"proj/*:env/*", "proj/web:env/production", true},
		{"proj/*:env/*", "proj/web", false},
		{"proj/*:env/*", flag, false},
		{"proj/*:env/*:flag/*", "proj/web:env/production:segment/a", false},
		{"proj/*:metric/*", "proj/shop:metric/add-to-cart", true},
		{"proj/*:metric/*", "proj/shop:metric-group/funnel", false},
		{"member/*:token/*", "member/60aa:token/ci", true},
		{"service-token/*", "service-token/ci-deploy", true},
		{"code-reference-repository/*", "code-reference-repository/org/repo", true},

		// Keys.
		{"proj/*:env/production:flag/*", flag, true},
		{"proj/*:env/staging:flag/*", flag, false},
		{"proj/web:env/*:flag/checkout-*", flag, true},
		{"proj/web:env/*:flag/*-v2", flag, true},
		{"proj/web:env/*:flag/ch*out*2", flag, true},
		{"proj/web:env/*:flag/*check*out*v*", flag, true},
		{"proj/web:env/*:flag/checkout", flag, false},
		{"proj/web:env/*:flag/checkout-v2", flag, true},
		{"proj/web:env/*:flag/checkout-v2*", flag, true},
		{"proj/WEB:env/*:flag/*", flag, false},
		{"proj/aa*aa", "proj/aaa", false},
		{"proj/aa*aa", "proj/aaaa", true},
		{"proj/a**b", "proj/ab", true},
		{"proj/ab*ab*ab", "proj/ababab", true},
		{"proj/ab*ab*ab", "proj/abab", false},

		// Tags: all listed, globs.
		{"proj/*;mobile", "proj/web;mobile", true},
		{"proj/*;mobile", "proj/web;mobile,ops", true},
		{"proj/*;mobile", "proj/web", false},
		{"proj/*;mobile", "proj/web;mobiles", false},
		{"proj/*;mobile,ops", "proj/web;ops,mobile", true},
		{"proj/*;mobile,ops", "proj/web;mobile", false},
		{"proj/*;mob*", "proj/web;mobile", true},
		{"proj/*;*", "proj/web;mobile", true},
		{"proj/*;*", "proj/web", false},
		{"proj/*;Mobile", "proj/web;mobile", false},
		{"proj/*;mobile:env/production", "proj/web;mobile:env/production;x", true},
		{"proj/*:env/*;qa_*", "proj/web:env/test;qa_test", true},
		{"proj/*:env/*;qa_*", "proj/web:env/test;qb_test", false},
		{"proj/*:env/*;qa_*:flag/*", flag, true},
		{"proj/*:env/*;qa_*:/flag/*", flag, true}, // as LaunchDarkly's API samples write it
		{"proj/*:env/*:flag/*;payments,b*", flag, true},
		{"proj/*:env/*:flag/*;payments,{x:y}", flag, false},
		{"proj/*:env/*:flag/*;qa_eu", flag, false}, // the environment's tag

		// Properties.
		{"proj/*:env/*;{critical:true}", "proj/web:env/production;{critical:true}", true},
		{"proj/*:env/*;{critical:true}", "proj/web:env/production;{critical:false}", false},
		{"proj/*:env/*;{critical:true}", "proj/web:env/production", false},
		{"proj/*:env/*;{critical:true}", "proj/web:env/production;critical", false},
		{"proj/*:env/*;{critical:t*}", "proj/web:env/production;{critical:true}", true},
		{"proj/*:env/*;{crit:true}", "proj/web:env/production;{critical:true}", false},
		{"proj/*:env/*;{critical:true}:flag/*", flag, true},
		{"proj/*;mobile:env/*;qa_*,{critical:true}:flag/*;payments,beta", flag, true},
		{"proj/*:env/*;{critical:true},qa_eu:flag/*", flag, true},
		{"proj/*:env/*;{url:http://*}", "proj/web:env/x;{url:http://a.example}", true},

		// Percent-encoding: both sides decoded, '*' of an event no wildcard.
		{"proj/*:env/*:flag/a%3Ab", "proj/p:env/e:flag/a%3ab", true},
		{"proj/*:env/*:flag/a%2Ab", "proj/p:env/e:flag/a%2ab", true},
		{"proj/*:env/*:flag/a%2Ab", "proj/p:env/e:flag/axb", false},
		{"proj/*:env/*:flag/a*b", "proj/p:env/e:flag/a%2ab", true},
		{"proj/*:env/*:flag/axb", "proj/p:env/e:flag/a*b", false},
		{"proj/*:env/*:flag/a%2Ab", "proj/p:env/e:flag/a*b", true},
		{"proj/*:env/*:flag/100%", "proj/p:env/e:flag/100%25", true},
		{"proj/*:env/*:flag/x;type%3Avalue", "proj/p:env/e:flag/x;type%3Avalue", true},
		{"proj/*:env/*:flag/my flag", "proj/p:env/e:flag/my%20flag", true},
		{"proj/*:env/*:flag/gr%C3%BCn", "proj/p:env/e:flag/grün", true},
	}
	for _, tt := range tests {
		if got := matches(t, tt.specifier, tt.resource); got != tt.want {
			t.Errorf("%q matches %q: %v, want %v", tt.specifier, tt.resource, got, tt.want)
		}
	}
}

// Each is a policy or a pattern of LaunchDarkly's documentation of roles, with what
// the text there says that it does.
func TestDocumentedPolicies(t *testing.T) {
	const all = "*"
	list := func(s ...string) []string { return s }
	flag := func(project, env string) string { return "proj/" + project + ":env/" + env + ":flag/x" }
	tests := []struct {
		name       string
		statements []policy.Statement
		allowed    []string // pairs of action and resource
		not        []string
	}{
		{
			name:       "production flags",
			statements: []policy.Statement{allow(list("proj/*:env/production:flag/*"), list(all))},
			allowed:    list("updateOn", flag("web", "production"), "createFlag", flag("a", "production")),
			not:        list("updateOn", flag("web", "staging"), "updateName", "proj/web:env/production", "updateTags", "proj/web"),
		},
		{
			name: "a QA team has the environments tagged qa_ and their flags",
			statements: []policy.Statement{
				allow(list("proj/*:env/*;qa_*"), list(all)),
				allow(list("proj/*:env/*;qa_*:flag/*"), list(all)),
			},
			allowed: list("updateName", "proj/web:env/test;qa_test", "updateOn", "proj/web:env/test;qa_test:flag/x"),
			not:     list("updateName", "proj/web:env/production", "updateOn", flag("web", "production"), "updateTags", "proj/web"),
		},
		{
			name:       "the inverse: everything but production flags",
			statements: []policy.Statement{{Effect: "allow", NotResources: list("proj/*:env/production:flag/*"), Actions: list(all)}},
			allowed:    list("updateOn", flag("web", "staging"), "updateTags", "proj/web", "updateSubscription", "acct", "deleteSegment", "proj/web:env/production:segment/s"),
			not:        list("updateOn", flag("web", "production")),
		},
		{
			name: "every environment but production, none of federal projects",
			statements: []policy.Statement{
				allow(list("proj/*:env/*"), list(all)),
				deny(list("proj/*:env/production", "proj/*;federal:env/*"), list(all)),
			},
			allowed: list("updateName", "proj/web:env/staging"),
			not:     list("updateName", "proj/web:env/production", "updateName", "proj/web;federal:env/staging"),
		},
		{
			name:       "production environments of projects tagged mobile",
			statements: []policy.Statement{allow(list("proj/*;mobile:env/production"), list(all))},
			allowed:    list("updateColor", "proj/web;mobile:env/production"),
			not:        list("updateColor", "proj/web:env/production", "updateColor", "proj/web;mobile:env/test"),
		},
		{
			name: "no bypass of approvals in critical environments",
			statements: []policy.Statement{
				allow(list("proj/*:env/*:flag/*"), list(all)),
				deny(list("proj/*:env/*;{critical:true}:flag/*"), list("bypassRequiredApproval")),
			},
			allowed: list("bypassRequiredApproval", flag("web", "staging"), "updateOn", "proj/web:env/production;{critical:true}:flag/x"),
			not:     list("bypassRequiredApproval", "proj/web:env/production;{critical:true}:flag/x"),
		},
		{
			name: "all but reviewing and applying",
			statements: []policy.Statement{{
				Effect: "allow", Resources: list("proj/*:env/*:flag/*"),
				NotActions: list("reviewApprovalRequest", "applyApprovalRequest"),
			}},
			allowed: list("updateOn", flag("web", "production")),
			not:     list("reviewApprovalRequest", flag("web", "production"), "applyApprovalRequest", flag("web", "production")),
		},
		{
			name:       "actions with a wildcard",
			statements: []policy.Statement{allow(list("proj/*:env/*:flag/*"), list("update*", "*Flag"))},
			allowed:    list("updateOn", flag("a", "b"), "createFlag", flag("a", "b"), "update", flag("a", "b")),
			not:        list("createTriggers", flag("a", "b"), "UpdateOn", flag("a", "b")),
		},
		{
			name:       "only one project's name space may be seen",
			statements: []policy.Statement{allow(list("proj/*"), list("viewProject")), {Effect: "deny", NotResources: list("proj/brand-x-*"), Actions: list("viewProject")}},
			allowed:    list("viewProject", "proj/brand-x-web"),
			not:        list("viewProject", "proj/brand-y-web", "updateTags", "proj/brand-x-web"),
		},
		{
			name:       "one project's webhooks, integrations and account",
			statements: []policy.Statement{allow(list("webhook/*", "integration/*", "acct"), list(all))},
			allowed:    list("createWebhook", "webhook/60aa", "updateOn", "integration/datadog", "revokeSessions", "acct"),
			not:        list("createMember", "member/60aa", "updateRole", "role/admin"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustParse(t, tt.statements...)
			for _, side := range []struct {
				pairs []string
				want  bool
			}{{tt.allowed, true}, {tt.not, false}} {
				for i := 0; i < len(side.pairs); i += 2 {
					a := accesses(t, side.pairs[i], side.pairs[i+1])
					if got := p.Allows(a); got != side.want {
						t.Errorf("%s on %s: %v, want %v", side.pairs[i], side.pairs[i+1], got, side.want)
					}
					if d := p.Explain(a); d.Allowed != side.want {
						t.Errorf("Explain differs from Allows: %+v", d)
					}
				}
			}
		})
	}
}

func TestEveryKindParses(t *testing.T) {
	for _, chain := range policy.DefaultKinds().Chains() {
		specifier := chain
		if chain != "acct" && chain != "ip-allowlist" {
			specifier = strings.ReplaceAll(chain, ":", "/*:") + "/*"
		}
		if !matches(t, specifier, strings.ReplaceAll(specifier, "*", "k")) {
			t.Errorf("%q does not match its own kind", specifier)
		}
	}
}

func TestWildcardsAreLinear(t *testing.T) {
	long := strings.Repeat("a", 15<<10)
	start := time.Now()
	if matches(t, "proj/"+strings.Repeat("a*", 2000)+"b", "proj/"+long) {
		t.Error("matched")
	}
	if matches(t, "proj/"+strings.Repeat("*aaaaaaaab", 400), "proj/"+long) {
		t.Error("matched")
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
}

func TestAllowsDoesNotAllocate(t *testing.T) {
	p := mustParse(t,
		deny([]string{"proj/*;mob*:env/*;{critical:t*}:flag/*a*b*c*"}, []string{"delete*"}),
		policy.Statement{Effect: "allow", NotResources: []string{"proj/x*"}, NotActions: []string{"*Segment"}})
	a := accesses(t, "deleteFlag", "proj/web;mobile:env/production;{critical:true}:flag/aXbX")
	if n := testing.AllocsPerRun(100, func() { p.Allows(a) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
