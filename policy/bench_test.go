package policy_test

import (
	"fmt"
	"maps"
	"runtime"
	"testing"

	"github.com/flaghook/flaghook/policy"
)

// The sizes that show how the time grows.
var sizes = []int{1_000, 10_000, 100_000}

const (
	// inStaging is let through by ten of the mixed policies, whatever their number.
	inStaging = "proj/project-7;web,ops:env/staging:flag/team-7-checkout;tag-7,beta"
	// inProduction is let through by a fifth of them and some more.
	inProduction = "proj/project-7;web,ops:env/production:flag/team-7-checkout;tag-7,beta"
)

var sink []string

// BenchmarkMatch finds the policies that let one event through by the index.
func BenchmarkMatch(b *testing.B) {
	for _, bench := range []struct {
		name, resource string
		mix            func(i, n int) []policy.Statement
	}{
		{"staging", inStaging, mixed},
		{"production", inProduction, mixed},
		// No two subscriptions have the same policy, so nothing is shared.
		{"staging-distinct", inStaging, distinct},
		{"production-distinct", inProduction, distinct},
	} {
		event := accesses(b, "updateRules", bench.resource)
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/policies=%d", bench.name, n), func(b *testing.B) {
				x := indexOf(policies(b, n, bench.mix))
				b.ReportAllocs()
				for b.Loop() {
					sink = x.Match(event)
				}
				reportMatches(b, len(sink))
			})
		}
	}
}

// BenchmarkScan finds them by asking every policy: what it costs without an index.
func BenchmarkScan(b *testing.B) {
	for _, bench := range []struct{ name, resource string }{{"staging", inStaging}, {"production", inProduction}} {
		event := accesses(b, "updateRules", bench.resource)
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/policies=%d", bench.name, n), func(b *testing.B) {
				all := policies(b, n, mixed)
				b.ReportAllocs()
				for b.Loop() {
					sink = sink[:0]
					for id, p := range all {
						if p.Allows(event) {
							sink = append(sink, id)
						}
					}
				}
				reportMatches(b, len(sink))
			})
		}
	}
}

func reportMatches(b *testing.B, matches int) {
	b.ReportMetric(float64(matches), "matches")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(matches), "ns/match")
}

// BenchmarkInsert puts policies of new ids into an index of about n.
func BenchmarkInsert(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("policies=%d", n), func(b *testing.B) {
			const most = 1000 // more than n
			ids, all := ids(n+most), list(b, n+most, mixed)
			var x policy.Index
			for i := range n {
				x.Put(ids[i], all[i])
			}
			b.ReportAllocs()
			for i := n; b.Loop(); i++ {
				if i == n+most {
					b.StopTimer()
					for i--; i >= n; i-- {
						x.Delete(ids[i])
					}
					i++
					b.StartTimer()
				}
				x.Put(ids[i], all[i])
			}
		})
	}
}

// BenchmarkReplace puts other policies for the ids of a full index; each takes one
// policy out and another in.
func BenchmarkReplace(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("policies=%d", n), func(b *testing.B) {
			ids, turns := ids(n), [2][]*policy.Policy{list(b, n, distinct), list(b, n, mixed)}
			var x policy.Index
			for i, id := range ids {
				x.Put(id, turns[0][i])
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				x.Put(ids[i%n], turns[(i/n+1)%2][i%n])
			}
		})
	}
}

// BenchmarkPutAll fills an index in one change.
func BenchmarkPutAll(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("policies=%d", n), func(b *testing.B) {
			all := policies(b, n, mixed)
			for b.Loop() {
				indexOf(all)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/policy")
		})
	}
}

// BenchmarkPutLargest puts a policy as large as one may be, by specifiers.
func BenchmarkPutLargest(b *testing.B) {
	statements := make([]policy.Statement, 100)
	for i := range statements {
		resources := make([]string, 160)
		for j := range resources {
			resources[j] = fmt.Sprintf("proj/p%d-%d", i, j)
		}
		statements[i] = allow(resources, []string{"update*"})
	}
	p, other := mustParse(b, statements...), mustParse(b, statements[1:]...)
	x := indexOf(policies(b, 10_000, mixed))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		x.Put("large", []*policy.Policy{p, other}[i%2])
	}
}

// BenchmarkMemory measures the heap that a subscription's id, policy and part of
// the index hold.
func BenchmarkMemory(b *testing.B) {
	for _, bench := range []struct {
		name string
		mix  func(i, n int) []policy.Statement
	}{{"mixed", mixed}, {"distinct", distinct}} {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/policies=%d", bench.name, n), func(b *testing.B) {
				var bytes float64
				for b.Loop() {
					before := heap()
					x := new(policy.Index)
					for i := range n {
						x.Put(fmt.Sprintf("subscription-%d", i), mustParse(b, bench.mix(i, n)...))
					}
					bytes = float64(heap() - before)
					runtime.KeepAlive(x)
				}
				b.ReportMetric(bytes/float64(n), "B/subscription")
				b.ReportMetric(0, "ns/op") // it would be the garbage collector's
			})
		}
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func ids(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("subscription-%d", i)
	}
	return ids
}

func list(b *testing.B, n int, mix func(i, n int) []policy.Statement) []*policy.Policy {
	list := make([]*policy.Policy, n)
	for i := range list {
		list[i] = mustParse(b, mix(i, n)...)
	}
	return list
}

func policies(b *testing.B, n int, mix func(i, n int) []policy.Statement) map[string]*policy.Policy {
	all := make(map[string]*policy.Policy, n)
	list := list(b, n, mix)
	for i, id := range ids(n) {
		all[id] = list[i]
	}
	return all
}

func indexOf(all map[string]*policy.Policy) *policy.Index {
	x := new(policy.Index)
	x.PutAll(maps.All(all))
	return x
}

// mixed gives the i-th of n policies as teams write them: 60 % for one project and
// one environment, 20 % for all projects' production, 10 % for a prefix of flags,
// 5 % for a tag, and 5 % with deny or not-forms, of these at most 200 with the
// latter.
func mixed(i, n int) []policy.Statement {
	all := []string{"*"}
	kth := i / 20 // of its sort, where that has a twentieth
	switch sort := i % 20; {
	case sort < 12:
		kth = kth*12 + sort
		environment := []string{"production", "staging", "dev"}[kth/(n/40)%3]
		return []policy.Statement{allow([]string{fmt.Sprintf("proj/project-%d:env/%s:flag/*", kth%(n/40), environment)}, all)}
	case sort < 16:
		return []policy.Statement{allow([]string{"proj/*:env/production:flag/*"}, all)}
	case sort < 18:
		return []policy.Statement{allow([]string{fmt.Sprintf("proj/*:env/*:flag/team-%d-*", kth*2+sort%2)}, []string{"update*"})}
	case sort < 19:
		return []policy.Statement{allow([]string{fmt.Sprintf("proj/*:env/*:flag/*;tag-%d", kth)}, all)}
	}
	project := fmt.Sprintf("proj/project-%d:env/*:flag/*", kth)
	if kth%25 == 0 {
		return []policy.Statement{{Effect: "allow", NotResources: []string{"proj/*:env/staging:flag/*", project}, Actions: all}}
	}
	return []policy.Statement{allow([]string{project}, all), deny([]string{"proj/*:env/staging:flag/*"}, all)}
}

// distinct is mixed, each with another resource that the others do not have.
func distinct(i, n int) []policy.Statement {
	statements := mixed(i, n)
	own := fmt.Sprintf("proj/own-%d:metric/*", i)
	for _, list := range []*[]string{&statements[0].Resources, &statements[0].NotResources} {
		if *list != nil {
			*list = append(*list, own)
		}
	}
	return statements
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
