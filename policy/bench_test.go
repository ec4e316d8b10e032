package policy_test

import (
	"fmt"
	"testing"

	"github.com/flaghook/flaghook/policy"
)

var sink int

// BenchmarkScan asks every one of many policies about one event in staging: what
// finding subscriptions costs without an index.
func BenchmarkScan(b *testing.B) {
	event := accesses(b, "updateRules", "proj/project-7;web,ops:env/staging:flag/checkout-redesign;payments,beta")
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("policies=%d", n), func(b *testing.B) {
			policies := make([]*policy.Policy, n)
			for i := range policies {
				policies[i] = mustParse(b, mixed(i, n)...)
			}
			b.ReportAllocs()
			for b.Loop() {
				sink = 0
				for _, p := range policies {
					if p.Allows(event) {
						sink++
					}
				}
			}
			b.ReportMetric(float64(sink), "matches")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/policy")
		})
	}
}

// mixed gives the i-th of a realistic mix of policies: most for one project and
// one environment, then all projects' production, flag prefixes, tags, and a few
// with deny or not-forms.
func mixed(i, n int) []policy.Statement {
	all := []string{"*"}
	project := fmt.Sprintf("project-%d", i%(n/10))
	switch {
	case i%100 < 60:
		return []policy.Statement{allow([]string{"proj/" + project + ":env/" + []string{"production", "staging", "dev"}[i%3] + ":flag/*"}, all)}
	case i%100 < 80:
		return []policy.Statement{allow([]string{"proj/*:env/production:flag/*"}, all)}
	case i%100 < 90:
		return []policy.Statement{allow([]string{"proj/" + project + ":env/*:flag/" + fmt.Sprintf("team-%d-*", i)}, []string{"update*"})}
	case i%100 < 95:
		return []policy.Statement{allow([]string{fmt.Sprintf("proj/*:env/*:flag/*;tag-%d", i)}, all)}
	case i%1000 == 999:
		return []policy.Statement{{Effect: "allow", NotResources: []string{"proj/*:env/staging:flag/*"}, Actions: all}}
	}
	return []policy.Statement{
		allow([]string{"proj/" + project + ":env/*:flag/*"}, all),
		deny([]string{"proj/*:env/staging:flag/*"}, all),
	}
}

func BenchmarkAllows(b *testing.B) {
	p := mustParse(b, allow([]string{"proj/*;web:env/*;{critical:true}:flag/checkout-*;payments,ops"}, []string{"update*"}))
	event := accesses(b, "updateOn", "proj/shop;web:env/production;{critical:true}:flag/checkout-v2;ops,payments")
	b.ReportAllocs()
	for b.Loop() {
		if !p.Allows(event) {
			b.Fatal("not allowed")
		}
	}
}

func BenchmarkParseAccess(b *testing.B) {
	a := policy.Access{Action: "updateOn", Resource: "proj/shop;web:env/production;{critical:true}:flag/checkout-v2;ops,payments"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.ParseAccess(a); err != nil {
			b.Fatal(err)
		}
	}
}
