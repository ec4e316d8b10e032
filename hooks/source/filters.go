package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/policy"
)

// Filters that flag systems have, written as policies. Keys that are left out
// stand for all.

// fliptNouns are the nouns of Flipt's audit filter in the order of its
// documentation, each with the kind of its events and with what is done to it
// when it is created, updated or deleted.
var fliptNouns = []struct {
	noun, kind                string
	created, updated, deleted []string
}{
	{"flag", "flag", []string{"createFlag"}, []string{"updateOn", "updateName", "updateDescription", "updateFallthrough", "updateFlagCustomProperties"}, []string{"deleteFlag"}},
	{"variant", "flag", []string{"updateFlagVariations"}, []string{"updateFlagVariations"}, []string{"updateFlagVariations"}},
	{"rule", "flag", []string{"updateRules"}, []string{"updateRules"}, []string{"updateRules"}},
	{"distribution", "flag", []string{"updateRules"}, []string{"updateRules"}, []string{"updateRules"}},
	{"rollout", "flag", []string{"updateRules", "updateFallthrough"}, []string{"updateRules", "updateFallthrough"}, []string{"updateRules", "updateFallthrough"}},
	{"segment", "segment", []string{"createSegment"}, []string{"updateRules", "updateName", "updateDescription"}, []string{"deleteSegment"}},
	{"constraint", "segment", []string{"updateRules"}, []string{"updateRules"}, []string{"updateRules"}},
	{"namespace", "project", []string{"createProject"}, []string{"updateProjectName"}, []string{"deleteProject"}},
	{"token", "service-token", []string{"createAccessToken"}, nil, []string{"deleteAccessToken"}},
}

var fliptVerbs = []string{"created", "updated", "deleted"}

// FliptFilter gives the policy of Flipt's audit.events setting: pairs noun:verb,
// either of which may be *, such as flag:created, flag:* or *:deleted. Where
// Flipt tells apart what one action stands for (rule:created and rule:updated are
// both updateRules), the policy lets both through. The error names the pair that
// is none.
func FliptFilter(pairs, namespaces, environments []string) ([]policy.Statement, error) {
	if len(pairs) == 0 {
		pairs = []string{"*:*"}
	}
	byKind := map[string][]string{}
	var kinds []string
	for _, pair := range pairs {
		noun, verb, found := strings.Cut(pair, ":")
		if !found || !slices.Contains(append([]string{"*"}, fliptVerbs...), verb) {
			return nil, fmt.Errorf("%q is not noun:verb with the verb created, updated, deleted or *, such as flag:created", pair)
		}
		known := false
		for _, n := range fliptNouns {
			if noun != "*" && noun != n.noun {
				continue
			}
			known = true
			for i, actions := range [][]string{n.created, n.updated, n.deleted} {
				if verb != "*" && verb != fliptVerbs[i] || len(actions) == 0 {
					continue
				}
				if byKind[n.kind] == nil {
					kinds = append(kinds, n.kind)
				}
				byKind[n.kind] = unique(append(byKind[n.kind], actions...))
			}
		}
		if !known {
			names := make([]string, len(fliptNouns))
			for i, n := range fliptNouns {
				names[i] = n.noun
			}
			return nil, fmt.Errorf("%q: the noun is one of %s and *", pair, strings.Join(names, ", "))
		}
	}
	statements := make([]policy.Statement, 0, len(kinds))
	for _, kind := range kinds {
		statements = append(statements, policy.Statement{
			Effect: "allow", Resources: specifiers(kind, namespaces, environments), Actions: byKind[kind],
		})
	}
	return statements, nil
}

// goflagshipActions are the events that a webhook of goflagship can ask for.
var goflagshipActions = map[string]string{"flag.created": "createFlag", "flag.updated": "update*", "flag.deleted": "deleteFlag"}

// GoflagshipFilter gives the policy of a webhook of goflagship: its events and its
// environments. The error names the event that is none.
func GoflagshipFilter(events, projects, environments []string) ([]policy.Statement, error) {
	if len(events) == 0 {
		events = []string{"flag.created", "flag.updated", "flag.deleted"}
	}
	var actions []string
	for _, event := range events {
		action := goflagshipActions[event]
		switch {
		case event == "webhook.test": // never becomes an event
		case action == "":
			return nil, fmt.Errorf("%q is not one of flag.created, flag.updated, flag.deleted", event)
		default:
			actions = append(actions, action)
		}
	}
	if len(actions) == 0 {
		return []policy.Statement{}, nil
	}
	return []policy.Statement{{
		Effect: "allow", Resources: specifiers("flag", projects, environments), Actions: unique(actions),
	}}, nil
}

// FlagsmithFilter gives the policy of Flagsmith's environment webhooks: all that
// happens to the flags of these environments.
func FlagsmithFilter(projects, environments []string) []policy.Statement {
	return []policy.Statement{{
		Effect: "allow", Resources: specifiers("flag", projects, environments), Actions: []string{"*"},
	}}
}

// specifiers name the resources of a kind in these projects and environments.
func specifiers(kind string, projects, environments []string) []string {
	if kind == "service-token" {
		return []string{"service-token/*"}
	}
	var all []string
	for _, p := range orAny(projects) {
		if kind == "project" {
			all = append(all, "proj/"+p)
			continue
		}
		for _, e := range orAny(environments) {
			all = append(all, "proj/"+p+":env/"+e+":"+kind+"/*")
		}
	}
	return all
}

// orAny escapes keys, and gives a wildcard where there are none.
func orAny(keys []string) []string {
	if len(keys) == 0 {
		return []string{"*"}
	}
	escaped := make([]string, len(keys))
	for i, k := range keys {
		if escaped[i] = k; k != "*" {
			escaped[i] = policy.Escape(k)
		}
	}
	return escaped
}
