package hooks_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/hookstest"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
)

// explain asks for everything about an event, by the names of the subscriptions.
func (b *bench) explain(eventID string) map[string]*hooks.Explanation {
	b.t.Helper()
	page, err := b.Explain(b.t.Context(), eventID, "", 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	byName := map[string]*hooks.Explanation{}
	for _, x := range page.Items {
		byName[x.Name] = x
	}
	return byName
}

func named(name string, statements ...policy.Statement) func(*hooks.Subscription) {
	return func(s *hooks.Subscription) {
		s.Name = name
		if statements != nil {
			s.Statements = statements
		}
	}
}

var everything = policy.Statement{Effect: "allow", Resources: []string{"*"}, Actions: []string{"*"}}

func TestExplainDeliveries(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	b := newBench(t, "", nil)
	well := b.subscribe(tool.URL(), named("well", everything))
	paused := b.subscribe(tool.URL(), named("paused", everything))
	b.publish(flagEvent("flag"))

	waits := b.explain("flag")
	want := &hooks.Explanation{
		SubscriptionID: well.ID, Integration: "tool", Name: "well", Outcome: hooks.OutcomePending,
		Reason: "it waits for its first attempt", DeliveryID: hooks.DeliveryID("flag", well.ID, ""),
	}
	if diff := cmp.Diff(want, waits["well"]); diff != "" {
		t.Error(diff)
	}
	paused.On = false
	if _, err := b.UpdateSubscription(t.Context(), hooks.Actor{}, *paused); err != nil {
		t.Fatal(err)
	}
	b.start()
	b.settled(well, 1)
	after := b.explain("flag")
	if x := after["well"]; x.Outcome != hooks.OutcomeDelivered || x.Attempts != 1 || !strings.HasPrefix(x.Reason, "answered with 200 at ") {
		t.Errorf("%+v", x)
	}
	if x := after["paused"]; x.Outcome != hooks.OutcomePending || x.Reason != "it waits for its first attempt; the subscription is off, which pauses it" {
		t.Errorf("%+v", x)
	}

	// Both ways to be skipped, and a death.
	tool.Respond(hookstest.Sequence(hookstest.Status(410)))
	b.publish(
		`{"id": "empty", "action": "updateName", "resource": "proj/web:env/production:segment/beta"}`,
		`{"id": "none", "action": "updateName", "resource": "proj/web:env/production"}`,
		`{"id": "refused", "action": "updateOn", "resource": "proj/web:env/production:flag/checkout"}`)
	b.settled(well, 4)
	for id, want := range map[string]struct {
		outcome  hooks.Outcome
		attempts int
		reason   string
	}{
		"empty":   {hooks.OutcomeSkipped, 0, "empty"},
		"none":    {hooks.OutcomeSkipped, 0, "environment"},
		"refused": {hooks.OutcomeDead, 1, "410"},
	} {
		x := b.explain(id)["well"]
		if x.Outcome != want.outcome || x.Attempts != want.attempts || !strings.Contains(x.Reason, want.reason) || x.DeliveryID != hooks.DeliveryID(id, well.ID, "") {
			t.Errorf("%s: %+v", id, x)
		}
	}
	if err := b.DeleteSubscription(t.Context(), hooks.Actor{}, well.ID); err != nil {
		t.Fatal(err)
	}
	if x := b.explain("flag")["well"]; x != nil {
		t.Errorf("it is deleted: %+v", x)
	}
}

// TestExplainRetry: between two attempts the reason is the last failure.
func TestExplainRetry(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	tool.Respond(hookstest.Sequence(hookstest.Status(503)))
	b := newBench(t, "", func(o *hooks.Options) { o.Retry = hooks.DefaultRetryPolicy }).start()
	s := b.subscribe(tool.URL(), named("late"))
	b.publish(flagEvent("e"))
	b.await(s, 1, func(d *hooks.Delivery) bool { return len(d.Attempts) == 1 })
	x := b.explain("e")["late"]
	if x.Outcome != hooks.OutcomePending || x.Attempts != 1 || !strings.Contains(x.Reason, "next attempt, not before 2") || !strings.Contains(x.Reason, "503") {
		t.Errorf("%+v", x)
	}
}

func TestExplainWhereThereIsNoDelivery(t *testing.T) {
	b := newBench(t, "", nil)
	const url = "http://127.0.0.1:1/"
	b.subscribe(url, named("first", everything))
	b.subscribe(url, named("default policy"))
	b.subscribe(url, named("denied", everything, policy.Statement{Effect: "deny", Resources: []string{"proj/*:env/*:flag/*"}, Actions: []string{"update*"}}))
	b.subscribe(url, named("nothing", []policy.Statement{}...))
	off := b.subscribe(url, func(s *hooks.Subscription) { s.Name, s.On = "off", false })
	widened := b.subscribe(url, named("widened"))
	narrowed := b.subscribe(url, named("narrowed"))
	b.publish(`{"id": "e", "action": "updateOn", "resource": "proj/web:env/test:flag/checkout"}`)
	b.subscribe(url, named("young", everything))
	b.subscribe(url, named("young and filtered"))
	for s, statements := range map[*hooks.Subscription][]policy.Statement{
		widened:  {everything},
		narrowed: {{Effect: "allow", Resources: []string{"acct"}, Actions: []string{"*"}}},
	} {
		s.Statements = statements
		if _, err := b.UpdateSubscription(t.Context(), hooks.Actor{}, *s); err != nil {
			t.Fatal(err)
		}
	}

	got := b.explain("e")
	if got["first"].Outcome != hooks.OutcomePending {
		t.Errorf("first: %+v", got["first"])
	}
	const miss = `no statement allows it; nearest is statement 0: "proj/*:env/production:flag/*": the env must be "production", and this one is "test"`
	const missKind = `no statement allows it; nearest is statement 0: "acct": it is for resources of the kind acct, and this one is proj:env:flag`
	near := &hooks.Refusal{Effect: "none", Statement: policy.None, Nearest: 0, Failed: "key", Reason: miss}
	const changed = "this is what the subscription is now; it was last changed at "
	for name, want := range map[string]struct {
		outcome      hooks.Outcome
		reason, note string // how they begin; an empty note is empty
		policy       *hooks.Refusal
	}{
		"default policy": {hooks.OutcomeFiltered, miss, "", near},
		"denied": {hooks.OutcomeFiltered, "statement 1 denies it: ", "", &hooks.Refusal{Effect: "deny", Statement: 1, Nearest: policy.None,
			Reason: `statement 1 denies it: "proj/*:env/*:flag/*" names the resource and "update*" the action`}},
		"nothing": {hooks.OutcomeFiltered, "the policy has no statements", "", &hooks.Refusal{Effect: "none", Statement: policy.None, Nearest: policy.None,
			Reason: "the policy has no statements, so it allows nothing"}},
		"off":                {hooks.OutcomeOff, "it is off; its policy would not let the event through either: " + miss, "", near},
		"widened":            {hooks.OutcomeMissed, "as it is now, the event would go to it; no delivery was made", changed, nil},
		"narrowed":           {hooks.OutcomeFiltered, missKind, changed, &hooks.Refusal{Effect: "none", Statement: policy.None, Nearest: 0, Failed: "kind", Reason: missKind}},
		"young":              {hooks.OutcomeCreatedAfter, "it was created at 2", "", nil},
		"young and filtered": {hooks.OutcomeCreatedAfter, "it was created at 2", "", near},
	} {
		x := got[name]
		if x.Outcome != want.outcome || !strings.HasPrefix(x.Reason, want.reason) || !strings.HasPrefix(x.Note, want.note) || (x.Note == "") != (want.note == "") {
			t.Errorf("%s: %s: %s (note: %s)", name, x.Outcome, x.Reason, x.Note)
		}
		if diff := cmp.Diff(want.policy, x.Policy); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if x.DeliveryID != "" || x.Attempts != 0 {
			t.Errorf("%s: there is no delivery: %+v", name, x)
		}
	}

	// What was switched off later is off, and may have been on.
	off.Name, off.Statements = "off later", []policy.Statement{everything}
	if _, err := b.UpdateSubscription(t.Context(), hooks.Actor{}, *off); err != nil {
		t.Fatal(err)
	}
	if x := b.explain("e")["off later"]; x.Outcome != hooks.OutcomeOff || x.Reason != "it is off" || !strings.HasPrefix(x.Note, changed) || x.Policy != nil {
		t.Errorf("%+v", x)
	}
}

// TestExplainOldEvents: an event's own time may be long past; what counts is
// when it was accepted.
func TestExplainOldEvents(t *testing.T) {
	b := newBench(t, "", nil)
	b.publish(`{"id": "old", "timestamp": 1700000000000, "action": "updateOn", "resource": "proj/web:env/test:flag/checkout"}`)
	b.subscribe("http://127.0.0.1:1/", named("young", everything))
	page, err := b.Explain(t.Context(), "old", "", 10)
	if err != nil || page.AcceptedAt.Before(page.EventTime.AddDate(1, 0, 0)) || page.EventTime.UnixMilli() != 1700000000000 || page.EventID != "old" {
		t.Errorf("%+v, %v", page, err)
	}
	if x := b.explain("old")["young"]; x.Outcome != hooks.OutcomeCreatedAfter || x.Note != "" {
		t.Errorf("%+v", x)
	}
}

func TestExplainWhatIsNotServed(t *testing.T) {
	b := newBench(t, "", nil)
	b.subscribe("http://127.0.0.1:1/", named("default policy"))
	b.subscribe("http://127.0.0.1:1/", named("waits", everything))
	filtered := policy.Statement{Effect: "allow", Resources: []string{"team/*"}, Actions: []string{"*"}}
	b.subscribe("http://127.0.0.1:1/", named("own policy", filtered))
	dir := b.dir
	b.close()

	b = newBench(t, dir, func(o *hooks.Options) { o.Catalog = manifest.NewCatalog() })
	b.publish(flagEvent("e"))
	got := b.explain("e")
	for name, want := range map[string]struct {
		outcome hooks.Outcome
		reason  string
	}{
		"default policy": {hooks.OutcomeNotServed, "the catalog has no usable integration of this name"},
		"waits":          {hooks.OutcomePending, "it waits for its first attempt; the subscription is not served: the catalog has no"},
		"own policy":     {hooks.OutcomeFiltered, "no statement allows it; nearest is statement 0"},
	} {
		if x := got[name]; x.Outcome != want.outcome || !strings.HasPrefix(x.Reason, want.reason) || !strings.Contains(x.Reason, "the catalog has no") {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

func TestExplainEventOfSeveralAccesses(t *testing.T) {
	b := newBench(t, "", nil)
	b.subscribe("http://127.0.0.1:1/", named("denied", policy.Statement{Effect: "deny", Resources: []string{"acct"}, Actions: []string{"*"}}))
	many := strings.Repeat(`{"action": "updateName", "resource": "proj/web"},`, 150)
	b.publish(`{"id": "two", "accesses": [{"action": "updateName", "resource": "proj/web"}, {"action": "updateName", "resource": "acct"}]}`,
		`{"id": "many", "accesses": [`+many[:len(many)-1]+`]}`)
	if r := b.explain("two")["denied"].Policy; r.Access != 1 || r.Effect != policy.Deny || r.Statement != 0 {
		t.Errorf("a denial says more than nothing: %+v", r)
	}
	if x := b.explain("many")["denied"]; !strings.HasSuffix(x.Reason, "(of the event's 150 accesses the first 100 were looked at; none of the others is allowed either)") {
		t.Errorf("%+v", x)
	}
}

func TestExplainPages(t *testing.T) {
	b := newBench(t, "", nil)
	var want []string
	for i := range 7 {
		b.subscribe("http://127.0.0.1:1/", named(fmt.Sprint(i)))
	}
	for _, s := range b.Subscriptions("") {
		want = append(want, s.ID)
	}
	b.publish(flagEvent("e"))
	for limit := 1; limit <= 8; limit++ {
		var got []string
		for cursor := ""; ; {
			page, err := b.Explain(t.Context(), "e", cursor, limit)
			if err != nil || len(page.Items) > limit || page.AcceptedAt.IsZero() {
				t.Fatalf("%+v, %v", page, err)
			}
			for _, x := range page.Items {
				got = append(got, x.SubscriptionID)
			}
			if cursor = page.Cursor; cursor == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %d: %s", limit, diff)
		}
	}
	if _, err := b.Explain(t.Context(), "nothing", "", 1); !errors.Is(err, hooks.ErrNotFound) {
		t.Errorf("an unknown event: %v", err)
	}
	for _, limit := range []int{-1, 0, 1001} {
		if _, err := b.Explain(t.Context(), "e", "", limit); err == nil || !strings.Contains(err.Error(), "1 to 1000") {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

// Long policies and many accesses make a page end early; the others are on the
// next ones.
func TestExplainStopsAfterMuchWork(t *testing.T) {
	b := newBench(t, "", nil)
	actions := slices.Repeat([]string{"x"}, policy.MaxItems)
	long := slices.Repeat([]policy.Statement{{Effect: "allow", Resources: []string{"*"}, Actions: actions}}, 400)
	var want []string
	for i := range 5 {
		b.subscribe("http://127.0.0.1:1/", named(fmt.Sprint(i), long...))
	}
	for _, s := range b.Subscriptions("") {
		want = append(want, s.ID)
	}
	many := strings.Repeat(`{"action": "updateName", "resource": "proj/web"},`, 300) // 60 million tries for each
	b.publish(`{"id": "many", "accesses": [` + many[:len(many)-1] + `]}`)
	var got, sizes []string
	for cursor := ""; ; {
		page, err := b.Explain(t.Context(), "many", cursor, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range page.Items {
			got = append(got, x.SubscriptionID)
		}
		sizes = append(sizes, fmt.Sprint(len(page.Items)))
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if pages := strings.Join(sizes, " "); pages != "2 2 1" {
		t.Errorf("pages of %s, want 2 2 1", pages)
	}
}

// TestExplainIsDocumented: docs/policies.md tells of exactly the outcomes that
// there are.
func TestExplainIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| outcome | means |")
	table, _, _ = strings.Cut(table, "\n\n")
	var got []hooks.Outcome
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(table, -1) {
		got = append(got, hooks.Outcome(m[1]))
	}
	want := []hooks.Outcome{
		hooks.OutcomePending, hooks.OutcomeDelivered, hooks.OutcomeDead, hooks.OutcomeSkipped, hooks.OutcomeCancelled,
		hooks.OutcomeFiltered, hooks.OutcomeOff, hooks.OutcomeNotServed, hooks.OutcomeCreatedAfter, hooks.OutcomeMissed,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
