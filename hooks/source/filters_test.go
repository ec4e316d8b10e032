package source_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/hooks/source"
	"github.com/flaghook/flaghook/policy"
)

func TestFiltersOfFlipt(t *testing.T) {
	got, err := source.FliptFilter([]string{"flag:created", "flag:updated", "*:deleted"}, nil, []string{"production"})
	if err != nil {
		t.Fatal(err)
	}
	want := []policy.Statement{
		{Effect: "allow", Resources: []string{"proj/*:env/production:flag/*"}, Actions: []string{
			"createFlag", "updateOn", "updateName", "updateDescription", "updateFallthrough", "updateFlagCustomProperties",
			"deleteFlag", "updateFlagVariations", "updateRules"}},
		{Effect: "allow", Resources: []string{"proj/*:env/production:segment/*"}, Actions: []string{"deleteSegment", "updateRules"}},
		{Effect: "allow", Resources: []string{"proj/*"}, Actions: []string{"deleteProject"}},
		{Effect: "allow", Resources: []string{"service-token/*"}, Actions: []string{"deleteAccessToken"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"flag", "flag:renamed", "flags:created", ""} {
		if _, err := source.FliptFilter([]string{bad}, nil, nil); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A filter lets through what Flipt's own would: each event of the fixtures, by
// its own pair.
func TestFiltersOfFliptLetTheirEventsThrough(t *testing.T) {
	for _, f := range fixtures(t) {
		if f.kind != source.Flipt {
			continue
		}
		for _, c := range f.cases {
			r := f.request(t, c.BodyFile)
			body := parse(t, string(r.Body))
			pair := body.Get("type").AsString() + ":" + body.Get("action").AsString()
			for _, filter := range []string{pair, "*:*", body.Get("type").AsString() + ":*", "*:" + body.Get("action").AsString()} {
				statements, err := source.FliptFilter([]string{filter}, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				p, err := policy.Parse(statements)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range events(t, f.settings, r, memory{}) {
					if !p.Allows(e.Accesses()) {
						t.Errorf("%s does not let %s through", filter, c.BodyFile)
					}
				}
			}
		}
	}
}

func TestFiltersOfGoflagshipAndFlagsmith(t *testing.T) {
	got, err := source.GoflagshipFilter([]string{"flag.updated", "webhook.test"}, nil, []string{"prod", "a:b"})
	if err != nil {
		t.Fatal(err)
	}
	want := []policy.Statement{{Effect: "allow", Resources: []string{"proj/*:env/prod:flag/*", "proj/*:env/a%3Ab:flag/*"}, Actions: []string{"update*"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if _, err := source.GoflagshipFilter([]string{"flag.renamed"}, nil, nil); err == nil {
		t.Error("an unknown event is taken")
	}
	all, err := source.GoflagshipFilter(nil, []string{"shop"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want = []policy.Statement{{Effect: "allow", Resources: []string{"proj/shop:env/*:flag/*"}, Actions: []string{"createFlag", "update*", "deleteFlag"}}}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	for _, s := range source.FlagsmithFilter([]string{"shop"}, []string{"production"}) {
		if s.Resources[0] != "proj/shop:env/production:flag/*" {
			t.Error(s)
		}
	}
}
