package policy_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/policy"
)

// scan is what an index must find: it asks every policy.
func scan(policies map[string]*policy.Policy, accesses []policy.ParsedAccess) []string {
	var ids []string
	for id, p := range policies {
		if p.Allows(accesses) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// differs says where an index finds something else.
func differs(x *policy.Index, policies map[string]*policy.Policy, accesses []policy.ParsedAccess) string {
	got := x.Match(accesses)
	slices.Sort(got)
	if appended := x.AppendMatch([]string{"first"}, accesses); len(appended) != len(got)+1 || appended[0] != "first" {
		return fmt.Sprintf("AppendMatch gave %v, Match %v", appended, got)
	}
	return cmp.Diff(scan(policies, accesses), got)
}

func TestIndexTellsApart(t *testing.T) {
	all := []string{"*"}
	policies := map[string]*policy.Policy{
		"literal":      mustParse(t, allow([]string{"proj/web:env/production:flag/checkout"}, []string{"updateOn"})),
		"environment":  mustParse(t, allow([]string{"proj/*:env/production:flag/*"}, all)),
		"the same":     mustParse(t, allow([]string{"proj/*:env/production:flag/*"}, all)),
		"prefix":       mustParse(t, allow([]string{"proj/*:env/*:flag/check*"}, []string{"update*"})),
		"long prefix":  mustParse(t, allow([]string{"proj/*:env/*:flag/" + strings.Repeat("x", 100) + "*"}, all)),
		"suffix":       mustParse(t, allow([]string{"proj/*:env/*:flag/*out"}, all)),
		"tag":          mustParse(t, allow([]string{"proj/*:env/*:flag/*;payments"}, all)),
		"tag glob":     mustParse(t, allow([]string{"proj/*:env/*:flag/*;pay*"}, all)),
		"property":     mustParse(t, allow([]string{"proj/*:env/*;{critical:true}:flag/*"}, all)),
		"escaped":      mustParse(t, allow([]string{"proj/*:env/*:flag/a%3ab%2A"}, all)),
		"any":          mustParse(t, allow(all, all)),
		"any creation": mustParse(t, allow(all, []string{"create*"})),
		"acct":         mustParse(t, allow([]string{"acct"}, all)),
		"not":          mustParse(t, policy.Statement{Effect: "allow", NotResources: []string{"proj/*:env/*:flag/*"}, Actions: all}),
		"not actions":  mustParse(t, policy.Statement{Effect: "allow", Resources: []string{"proj/web:env/*:flag/*"}, NotActions: []string{"update*"}}),
		"several":      mustParse(t, allow([]string{"proj/web:env/*:flag/*", "proj/*:env/production:flag/*", "*"}, []string{"updateOn", "create*"})),
		"denied":       mustParse(t, allow(all, all), deny([]string{"proj/*:env/production:flag/*"}, all)),
		"only deny":    mustParse(t, deny(all, all)),
		"nothing":      mustParse(t),
	}
	const flag = "proj/web:env/production;{critical:true}:flag/checkout;payments,beta"
	tests := []struct {
		accesses []policy.ParsedAccess
		want     string
	}{
		{accesses(t, "updateOn", flag), "any, environment, literal, prefix, property, several, suffix, tag, tag glob, the same"},
		{accesses(t, "createFlag", flag), "any, any creation, environment, not actions, property, several, suffix, tag, tag glob, the same"},
		{accesses(t, "updateOn", "proj/a:env/b:flag/"+strings.Repeat("x", 101)), "any, denied, long prefix, several"},
		{accesses(t, "delete", "proj/a:env/b:flag/a%3Ab*"), "any, denied, escaped"},
		{accesses(t, "x", "acct"), "acct, any, denied, not"},
		{accesses(t, "x", "acct", "x", "acct", "updateOn", "proj/web:env/production:flag/checkout"), "acct, any, denied, environment, literal, not, prefix, several, suffix, the same"},
		{accesses(t, "x", "tenant/a:gate/b"), "any, denied, not"},
		{nil, ""},
		{[]policy.ParsedAccess{{Action: "x"}}, "any, denied, not"},
		{[]policy.ParsedAccess{{Action: "x", Resource: policy.Resource{Segments: make([]policy.Segment, 100)}}}, "any, denied, not"},
	}
	var x policy.Index
	if got := x.Match(tests[0].accesses); got != nil {
		t.Errorf("an empty index gave %v", got)
	}
	x.PutAll(maps.All(policies))
	for _, tt := range tests {
		got := x.Match(tt.accesses)
		slices.Sort(got)
		if diff := cmp.Diff(tt.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%+v: %s", tt.accesses, diff)
		}
		if diff := differs(&x, policies, tt.accesses); diff != "" {
			t.Errorf("%+v differs from the scan: %s", tt.accesses, diff)
		}
	}
}

func TestIndexPutReplacesAndDeleteRemoves(t *testing.T) {
	var x policy.Index
	a, b := accesses(t, "a", "proj/a"), accesses(t, "b", "proj/b")
	onA, onB := mustParse(t, allow([]string{"proj/a"}, []string{"*"})), mustParse(t, allow([]string{"proj/b"}, []string{"*"}))
	check := func(wantA, wantB string) {
		t.Helper()
		gotA, gotB := x.Match(a), x.Match(b)
		slices.Sort(gotA)
		slices.Sort(gotB)
		if strings.Join(gotA, " ") != wantA || strings.Join(gotB, " ") != wantB {
			t.Errorf("%v and %v, want %q and %q", gotA, gotB, wantA, wantB)
		}
	}
	x.Delete("unknown")
	x.Put("1", onA)
	x.Put("2", onA)
	x.Put("2", onA)
	check("1 2", "")
	x.Put("1", onB)
	check("2", "1")
	x.Put("2", mustParse(t))
	check("", "1")
	x.Delete("1")
	x.Delete("1")
	check("", "")
	if n := x.Len(); n != 1 {
		t.Errorf("%d ids, want 1", n)
	}
	x.Delete("2")
	if n := x.Len(); n != 0 {
		t.Errorf("%d ids, want none", n)
	}
}

// More kinds of specifiers than an index tells apart, and policies with more
// places than it files one in.
func TestIndexStaysExactPastItsBounds(t *testing.T) {
	policies := map[string]*policy.Policy{}
	add := func(statements ...policy.Statement) {
		policies[fmt.Sprint(len(policies))] = mustParse(t, statements...)
	}
	for _, project := range []string{"*", "web", "w*", "we*"} {
		for _, environment := range []string{"*", "e", "e;eu", "*;{critical:true}"} {
			for length := range 24 {
				for _, action := range []string{"*", "u*", "up", "upd*"} {
					add(allow([]string{"proj/" + project + ":env/" + environment + ":flag/" + strings.Repeat("f", length) + "*"}, []string{action}))
				}
			}
		}
	}
	many := func(n int, format string) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return list
	}
	add(allow(many(400, "proj/p%d:env/e:flag/f"), many(400, "a%d")))
	for range 10 {
		add(allow(many(500, "proj/p%d:env/e:flag/f"), many(10, "a%d")),
			allow(many(500, "proj/q%d:env/e:flag/f"), many(1, "a%d")), allow(many(500, "proj/r%d"), many(1, "a%d")))
	}
	events := [][]policy.ParsedAccess{
		accesses(t, "up", "proj/web:env/e;eu,{critical:true}:flag/"+strings.Repeat("f", 30)),
		accesses(t, "upd", "proj/web:env/x:flag/ff", "x", "proj/w:env/e:flag/fffff"),
		accesses(t, "a7", "proj/p7:env/e:flag/f"), accesses(t, "a0", "proj/r499"), accesses(t, "a1", "proj/r499"),
	}
	var x policy.Index
	for range 2 {
		x.PutAll(maps.All(policies))
		for _, event := range events {
			if diff := differs(&x, policies, event); diff != "" {
				t.Fatal(diff)
			}
		}
		for id := range maps.Clone(policies) {
			if len(policies) > 100 {
				x.Delete(id)
				delete(policies, id)
			}
		}
		for _, event := range events {
			if diff := differs(&x, policies, event); diff != "" {
				t.Fatal(diff)
			}
		}
	}
}

// Whatever is put, replaced and deleted, the index finds what a scan finds.
func TestPropertyIndexIsTheScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x policy.Index
		policies := map[string]*policy.Policy{}
		var seen []*policy.Policy
		anyID := rapid.Custom(func(t *rapid.T) string { return fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "id")) })
		anyPolicy := func(t *rapid.T) *policy.Policy {
			if len(seen) > 0 && rapid.IntRange(0, 2).Draw(t, "again") == 0 {
				return rapid.SampledFrom(seen).Draw(t, "policy seen")
			}
			p := parse(t, genIndexed.Draw(t, "policy"))
			seen = append(seen, p)
			return p
		}
		put := func(t *rapid.T) {
			id, p := anyID.Draw(t, "id"), anyPolicy(t)
			x.Put(id, p)
			policies[id] = p
		}
		t.Repeat(map[string]func(*rapid.T){
			"put":   put,
			"put 2": put, // more are put than deleted
			"put all": func(t *rapid.T) {
				batch := map[string]*policy.Policy{}
				for range rapid.IntRange(0, 10).Draw(t, "n") {
					batch[anyID.Draw(t, "id")] = anyPolicy(t)
				}
				x.PutAll(maps.All(batch))
				maps.Copy(policies, batch)
			},
			"delete": func(t *rapid.T) {
				id := anyID.Draw(t, "id")
				x.Delete(id)
				delete(policies, id)
			},
			"": func(t *rapid.T) {
				if x.Len() != len(policies) {
					t.Fatalf("%d ids, want %d", x.Len(), len(policies))
				}
				for range 4 {
					event := genAccesses.Draw(t, "accesses")
					if diff := differs(&x, policies, event); diff != "" {
						t.Fatal(diff)
					}
				}
			},
		})
	})
}

// genIndexed gives policies that allow much, so that much is found, and are alike.
var genIndexed = rapid.OneOf(genPolicy, rapid.SliceOfN(rapid.Custom(func(t *rapid.T) policy.Statement {
	word := rapid.SampledFrom([]string{"a", "b", "ab", "a*", "ab*", "*b", "*", "*"})
	s := allow(rapid.SliceOfN(genSpecifier(word), 1, 3).Draw(t, "resources"), rapid.SliceOfN(word, 1, 2).Draw(t, "actions"))
	if rapid.IntRange(0, 4).Draw(t, "deny") == 0 {
		s.Effect = "deny"
	}
	return s
}), 1, 3))

// Ids in an index of some thousands, in any order: the tree grows, is cut and
// shrinks to nothing.
func TestPropertyIndexOfMany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 3000).Draw(t, "n")
		groups := rapid.IntRange(1, 40).Draw(t, "groups")
		order := rapid.Uint64().Draw(t, "order")
		one := rapid.Bool().Draw(t, "in one change")
		x, policies, ids := new(policy.Index), map[string]*policy.Policy{}, []string{}
		for i := range n {
			id := fmt.Sprint(uint64(i+1) * (order | 1))
			ids = append(ids, id)
			policies[id] = parse(t, []policy.Statement{allow([]string{fmt.Sprintf("proj/p%d", i%groups), fmt.Sprintf("proj/*;t%d", i%7)}, []string{"*"})})
			if !one {
				x.Put(id, policies[id])
			}
		}
		if one {
			x.PutAll(maps.All(policies))
		}
		a, err := policy.ParseAccess(policy.Access{Action: "a", Resource: "proj/p0;t0,t1"})
		if err != nil {
			t.Fatal(err)
		}
		event := []policy.ParsedAccess{a}
		for i := 0; i <= n; i++ {
			if i == 0 || i == n/2 || i == n-1 || i == n {
				if diff := differs(x, policies, event); diff != "" {
					t.Fatal(diff)
				}
			}
			if i < n {
				id := ids[int((uint64(i)*7919+order%1000)%uint64(n))]
				if _, there := policies[id]; !there {
					continue
				}
				x.Delete(id)
				delete(policies, id)
			}
		}
	})
}

// Readers see every change as a whole: an id whose old and new policies both let
// the event through is found at any time.
func TestIndexReadersAndWriters(t *testing.T) {
	event := accesses(t, "updateOn", "proj/web:env/production:flag/checkout;payments")
	var passing, other []*policy.Policy
	for _, resource := range []string{"*", "proj/*:env/production:flag/*", "proj/web:env/*:flag/*", "proj/*:env/*:flag/check*", "proj/*:env/*:flag/*;payments"} {
		passing = append(passing, mustParse(t, allow([]string{resource}, []string{"*"})))
	}
	for i := range 40 {
		other = append(other, mustParse(t, allow([]string{fmt.Sprintf("proj/p%d:env/*:flag/*", i)}, []string{"*"})))
	}
	const always, changing = 30, 60
	var x policy.Index
	for i := range always {
		x.Put(fmt.Sprintf("always-%d", i), passing[i%len(passing)])
	}
	done := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				ids := x.Match(event)
				slices.Sort(ids)
				n := 0
				for i, id := range ids {
					if i > 0 && ids[i-1] == id {
						t.Errorf("%s is found twice", id)
						return
					}
					if strings.HasPrefix(id, "always-") {
						n++
					} else if strings.HasPrefix(id, "never-") {
						t.Errorf("%s is found", id)
						return
					}
				}
				if n != always {
					t.Errorf("%d ids of %d are found", n, always)
					return
				}
			}
		})
	}
	for w := range 2 {
		writers.Go(func() {
			for i := range 3000 {
				k := i*2 + w
				x.Put(fmt.Sprintf("always-%d", k%always), passing[k*7%11%len(passing)])
				x.Put(fmt.Sprintf("never-%d", k%changing), other[k*5%len(other)])
				x.Put(fmt.Sprintf("at times-%d", k%changing), passing[k%len(passing)])
				x.Delete(fmt.Sprintf("at times-%d", (k+7)%changing))
				x.Delete(fmt.Sprintf("never-%d", (k+11)%changing))
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}

// poolsLeak is whether counting allocations makes sense.
var poolsLeak bool

func TestMatchAllocatesItsResult(t *testing.T) {
	if poolsLeak {
		t.Skip("the race detector makes pools drop what they hold, so allocations say nothing")
	}
	x := new(policy.Index)
	for i := range 2000 {
		x.Put(fmt.Sprint(i), mustParse(t, mixed(i, 2000)...))
	}
	event := accesses(t, "updateRules", inStaging)
	if n := testing.AllocsPerRun(200, func() { sink = x.Match(event) }); n != 1 || len(sink) != 10 {
		t.Errorf("%v allocations for %d ids, want 1 for 10", n, len(sink))
	}
	dst := make([]string, 0, 10)
	if n := testing.AllocsPerRun(200, func() { dst = x.AppendMatch(dst[:0], event) }); n != 0 || len(dst) != 10 {
		t.Errorf("%v allocations for %d ids, want none for 10", n, len(dst))
	}
}
