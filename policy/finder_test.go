package policy_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/policy"
)

// manyShapes gives policies of shapes that all ask for a tag, and so look for each
// tag of an event on their own.
func manyShapes(t testing.TB) map[string]*policy.Policy {
	policies := map[string]*policy.Policy{}
	for length := range 13 {
		for _, action := range []string{"*", "u*", "up*", "updateOn"} {
			for _, environment := range []string{"e", "*"} {
				tag := fmt.Sprintf("t%d", len(policies))
				policies[tag] = mustParse(t, allow([]string{"proj/*:env/" + environment + ":flag/" + strings.Repeat("f", length) + "*;" + tag}, []string{action}))
			}
		}
	}
	return policies
}

// manyTags gives accesses of flags with a thousand tags each, from t0 on.
func manyTags(t testing.TB, n int) []policy.ParsedAccess {
	tags := make([]string, 1000)
	for i := range tags {
		tags[i] = fmt.Sprintf("t%d", i)
	}
	var pairs []string
	for i := range n {
		pairs = append(pairs, "updateOn", fmt.Sprintf("proj/p:env/e:flag/%s%d;%s", strings.Repeat("f", 20), i, strings.Join(tags, ",")))
	}
	return accesses(t, pairs...)
}

// What a Match looks for in a large event is compacted on the way: it is found all
// the same, in memory that does not grow with the event.
func TestMatchOfLargeEvents(t *testing.T) {
	policies := manyShapes(t)
	x := indexOf(policies)
	large := manyTags(t, 20)
	if diff := differs(x, policies, large); diff != "" {
		t.Fatal(diff)
	}
	if n := len(x.Match(large)); n != len(policies) {
		t.Fatalf("%d of %d are found; every policy's tag is there", n, len(policies))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	x.Match(large)
	runtime.ReadMemStats(&after)
	// 20 accesses, 1000 tags and 104 shapes are two million keys.
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(1<<20); got > most {
		t.Errorf("%d bytes are allocated, want at most %d", got, most)
	}
}

// An index with more places than a large event has keys for, and one with fewer.
func TestPropertyMatchOfLargeEvents(t *testing.T) {
	shapes, event := manyShapes(t), manyTags(t, 3)
	ids := make([]string, 0, len(shapes))
	for id := range shapes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	rapid.Check(t, func(t *rapid.T) {
		policies := map[string]*policy.Policy{}
		for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, -1, rapid.ID).Draw(t, "ids") {
			policies[id] = shapes[id]
		}
		for i := range rapid.SampledFrom([]int{0, 10, 1000}).Draw(t, "others") {
			resources := make([]string, rapid.IntRange(1, 3).Draw(t, "resources"))
			for j := range resources {
				resources[j] = fmt.Sprintf("proj/*:env/*:flag/*;t%d", i*13+j*7)
			}
			policies[fmt.Sprint(i)] = parse(t, []policy.Statement{allow(resources, []string{"*"})})
		}
		x := indexOf(policies)
		repeated := slices.Concat(event, event[:rapid.IntRange(0, 3).Draw(t, "repeated")])
		if diff := differs(x, policies, repeated); diff != "" {
			t.Fatal(diff)
		}
	})
}
