package policy_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/policy"
)

func TestExplainAccess(t *testing.T) {
	all := []string{"*"}
	production := allow([]string{"proj/*:env/production:flag/*"}, []string{"update*"})
	const flag = "proj/web;ops:env/staging;{critical:false}:flag/checkout;beta"
	tests := []struct {
		name       string
		statements []policy.Statement
		action     string
		resource   string
		want       policy.AccessDecision // without Access
	}{
		{"allowed", []policy.Statement{deny([]string{"team/*"}, all), production}, "updateOn", "proj/web:env/production:flag/x",
			policy.AccessDecision{Effect: "allow", Statement: 1, Nearest: -1,
				Reason: `statement 1 allows it: "proj/*:env/production:flag/*" names the resource and "update*" the action`}},
		{"allowed by not-forms", []policy.Statement{{Effect: "allow", NotResources: []string{"acct"}, NotActions: []string{"create*"}}}, "updateOn", flag,
			policy.AccessDecision{Effect: "allow", Statement: 0, Nearest: -1,
				Reason: `statement 0 allows it: its notResources do not name the resource and its notActions do not name the action`}},
		{"denied", []policy.Statement{allow(all, all), deny([]string{"proj/*;ops:env/*:flag/*"}, []string{"a", "b", "updateOn"})}, "updateOn", flag,
			policy.AccessDecision{Effect: "deny", Statement: 1, Nearest: -1,
				Reason: `statement 1 denies it: "proj/*;ops:env/*:flag/*" names the resource and "updateOn" the action`}},
		{"no statements", nil, "updateOn", flag,
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: -1,
				Reason: "the policy has no statements, so it allows nothing"}},
		{"no allow", []policy.Statement{deny([]string{"team/*"}, all)}, "updateOn", flag,
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: -1,
				Reason: "the policy has no allow statement, so it allows nothing"}},
		{"kind, too shallow", []policy.Statement{allow([]string{"team/*", "proj/*"}, all)}, "updateOn", flag,
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: 0, Failed: "kind",
				Reason: `no statement allows it; nearest is statement 0: "proj/*": it is for resources of the kind proj, and this one is proj:env:flag (a specifier names exactly its own depth)`}},
		{"kind", []policy.Statement{production}, "updateName", "proj/web:env/production:segment/x",
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: 0, Failed: "kind",
				Reason: `no statement allows it; nearest is statement 0: "proj/*:env/production:flag/*": it is for resources of the kind proj:env:flag, and this one is proj:env:segment`}},
		{"key", []policy.Statement{allow([]string{"team/*"}, all), production}, "updateOn", flag,
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: 1, Failed: "key",
				Reason: `no statement allows it; nearest is statement 1: "proj/*:env/production:flag/*": the env must be "production", and this one is "staging"`}},
		{"key and action", []policy.Statement{production}, "deleteFlag", flag,
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: 0, Failed: "key",
				Reason: `no statement allows it; nearest is statement 0: "proj/*:env/production:flag/*": the env must be "production", and this one is "staging"; nor is it for the action "deleteFlag"`}},
		{"more keys right is nearer", []policy.Statement{allow([]string{"proj/a:env/b:flag/checkout", "proj/web:env/b:flag/checkout"}, all)}, "updateOn", flag,
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: 0, Failed: "key",
				Reason: `no statement allows it; nearest is statement 0: "proj/web:env/b:flag/checkout": the env must be "b", and this one is "staging"`}},
		{"tag", []policy.Statement{production, allow([]string{"proj/*;ops:env/*:flag/*;beta,pay*"}, all)}, "updateOn", flag,
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: 1, Failed: "tag",
				Reason: `no statement allows it; nearest is statement 1: "proj/*;ops:env/*:flag/*;beta,pay*": the flag must have the tag "pay*", and "checkout" has "beta"`}},
		{"no tags", []policy.Statement{allow([]string{"proj/*:env/*;eu:flag/*"}, all)}, "updateOn", flag,
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: 0, Failed: "tag",
				Reason: `no statement allows it; nearest is statement 0: "proj/*:env/*;eu:flag/*": the env must have the tag "eu", and "staging" has no tags`}},
		{"property", []policy.Statement{allow([]string{"proj/*:env/*;{critical:true}:flag/*"}, all)}, "updateOn", flag,
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: 0, Failed: "property",
				Reason: `no statement allows it; nearest is statement 0: "proj/*:env/*;{critical:true}:flag/*": the env must have "{critical:true}", and "staging" has "{critical:false}"`}},
		{"action", []policy.Statement{allow([]string{"*"}, []string{"createFlag", "delete*"}), production}, "updateOn", flag,
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: 0, Failed: "action",
				Reason: `no statement allows it; nearest is statement 0: it is for the actions "createFlag", "delete*", and this one is "updateOn"`}},
		{"notActions", []policy.Statement{{Effect: "allow", Resources: all, NotActions: []string{"x", "update*"}}}, "updateOn", flag,
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: 0, Failed: "action",
				Reason: `no statement allows it; nearest is statement 0: its notActions leave out "update*", and the action is "updateOn"`}},
		{"notResources", []policy.Statement{{Effect: "allow", NotResources: []string{"acct", "proj/web:env/*:flag/*"}, Actions: all}}, "updateOn", flag,
			policy.AccessDecision{Effect: "none", Statement: -1, Nearest: 0, Failed: "resource",
				Reason: `no statement allows it; nearest is statement 0: its notResources leave out "proj/web:env/*:flag/*"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mustParse(t, tt.statements...).Explain(accesses(t, tt.action, tt.resource))
			want := tt.want
			want.Access = policy.Access{Action: tt.action, Resource: tt.resource}
			if diff := cmp.Diff([]policy.AccessDecision{want}, d.Accesses); diff != "" {
				t.Error(diff)
			}
			if d.Allowed != (want.Effect == policy.Allow) || d.Statement != want.Statement || d.Reason != want.Reason {
				t.Errorf("the event's decision differs: %+v", d)
			}
		})
	}
}

func TestExplainEvent(t *testing.T) {
	p := mustParse(t,
		deny([]string{"proj/*:env/production:flag/*"}, []string{"*"}),
		allow([]string{"proj/*:env/*:flag/*"}, []string{"*"}))
	const production, staging = "proj/web:env/production:flag/x", "proj/web:env/staging:flag/x"
	tests := []struct {
		name      string
		accesses  []policy.ParsedAccess
		allowed   bool
		statement policy.StatementIndex
	}{
		{"any allowed access lets it through", accesses(t, "createFlag", production, "createFlag", staging), true, 1},
		{"a denial says more than nothing", accesses(t, "updateTags", "proj/web", "createFlag", production), false, 0},
		{"nothing applies", accesses(t, "updateTags", "proj/web"), false, -1},
		{"no accesses", nil, false, -1},
	}
	for _, tt := range tests {
		d := p.Explain(tt.accesses)
		if d.Allowed != tt.allowed || d.Statement != tt.statement || d.Reason == "" || len(d.Accesses) != len(tt.accesses) {
			t.Errorf("%s: %+v", tt.name, d)
		}
	}
	got, err := json.Marshal(p.Explain(accesses(t, "createFlag", production)))
	want := `{"allowed":false,"statement":0,"reason":"statement 0 denies it: \"proj/*:env/production:flag/*\" names the resource and \"*\" the action",` +
		`"accesses":[{"action":"createFlag","resource":"proj/web:env/production:flag/x","effect":"deny","statement":0,"nearest":null,` +
		`"reason":"statement 0 denies it: \"proj/*:env/production:flag/*\" names the resource and \"*\" the action"}]}`
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Error(err, diff)
	}
}
