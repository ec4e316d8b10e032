package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// builtin are the kinds of resources that LaunchDarkly documents, each with the
// kinds that it lives under. Source: the resource specifiers of
// https://launchdarkly.com/docs/home/account/roles/role-actions up to September
// 2026; they grow there, and Kinds.With adds what is missing here. aiconfig stands
// there both in the project and in the environment. The last group is of this
// project: other spellings, and the flag systems that send events to it.
var builtin = []string{
	"acct", "ip-allowlist",

	"application", "code-reference-repository", "domain-verification", "integration",
	"member", "member:token", "pending-request", "relay-proxy-config", "role",
	"service-token", "team", "template", "webhook",

	"proj",
	"proj:agent-graph", "proj:agent-optimization", "proj:ai-dataset", "proj:ai-evaluation",
	"proj:ai-model-config", "proj:aiconfig", "proj:alert", "proj:context-kind", "proj:layer",
	"proj:metric", "proj:metric-group", "proj:observability-settings", "proj:release-pipeline",
	"proj:release-policy", "proj:trace", "proj:view",

	"proj:env",
	"proj:env:aiconfig", "proj:env:destination", "proj:env:experiment", "proj:env:flag",
	"proj:env:holdout", "proj:env:notification-subscription", "proj:env:product-analytics-dashboard",
	"proj:env:request", "proj:env:sdk-key", "proj:env:segment",

	"proj:ai-config", "proj:env:ai-config", "source",
}

// misnamed are names that people use for a kind, for hints only.
var misnamed = map[string]string{
	"account": "acct", "environment": "env", "feature": "flag", "feature-flag": "flag",
	"flags": "flag", "project": "proj", "projects": "proj", "user": "member", "access-token": "token",
	"context": "context-kind", "approval-request": "request", "custom-role": "role",
}

// isKeyless reports whether a kind has a single resource, which is written as the
// kind alone.
func isKeyless(kind string) bool { return kind == "acct" || kind == "ip-allowlist" }

// Kinds are the kinds that specifiers may name, each with the kinds that it lives
// under. The zero value has none; start from DefaultKinds. A Kinds never changes.
type Kinds struct {
	chains map[string]bool     // "proj:env:flag"
	homes  map[string][]string // kind to its chains, shortest first
}

var defaultKinds = func() Kinds {
	var k Kinds
	k.add(builtin...)
	return k
}()

// DefaultKinds are the kinds that LaunchDarkly documents and a few of this project.
func DefaultKinds() Kinds { return defaultKinds }

// With gives the kinds with some more, each written with the kinds that it lives
// under, like "tenant" and "tenant:gate"; a kind's parent must be known or come
// before it. A kind may live in several places. An event's resources are not
// bound to these kinds.
func (k Kinds) With(chains ...string) (Kinds, error) {
	more := Kinds{chains: maps.Clone(k.chains), homes: make(map[string][]string, len(k.homes)+len(chains))}
	for kind, homes := range k.homes {
		more.homes[kind] = slices.Clone(homes)
	}
	for _, chain := range chains {
		for part := range strings.SplitSeq(chain, ":") {
			if badKindByte(part) >= 0 {
				return Kinds{}, fmt.Errorf("kind %s: %s cannot name a kind; a kind is 1 to %d letters, digits, '-', '_' and '.'",
					quote(chain), quote(part), maxKind)
			}
			if isKeyless(part) {
				return Kinds{}, fmt.Errorf("kind %s: %s stands alone", quote(chain), part)
			}
		}
		if strings.Count(chain, ":") >= maxSegments {
			return Kinds{}, fmt.Errorf("kind %s: deeper than %d", quote(chain), maxSegments)
		}
		if at := strings.LastIndexByte(chain, ':'); at >= 0 && !more.chains[chain[:at]] {
			return Kinds{}, fmt.Errorf("kind %s: its parent %s is unknown; add that before it", quote(chain), quote(chain[:at]))
		}
		more.add(chain)
	}
	return more, nil
}

// Chains lists the kinds, each with the kinds that it lives under, in order.
func (k Kinds) Chains() []string { return slices.Sorted(maps.Keys(k.chains)) }

func (k *Kinds) add(chains ...string) {
	if k.chains == nil {
		k.chains, k.homes = map[string]bool{}, map[string][]string{}
	}
	for _, chain := range chains {
		if k.chains[chain] {
			continue
		}
		k.chains[chain] = true
		kind := chain[strings.LastIndexByte(chain, ':')+1:]
		k.homes[kind] = append(k.homes[kind], chain)
	}
}

// name gives the table's own copy of a known kind's name, which all policies share:
// evaluating many of them touches less memory.
func (k Kinds) name(kind string) string {
	home := k.homes[kind][0]
	return home[len(home)-len(kind):]
}

// check finds a segment of unknown kind or under a wrong parent, and the nearest
// right form of the whole.
func (k Kinds) check(segments []scanned) *fault {
	for _, seg := range segments {
		if k.homes[seg.kind] == nil {
			return k.unknown(segments, seg)
		}
	}
	if k.chains[chainOf(segments)] {
		last := segments[len(segments)-1]
		if isKeyless(last.kind) && !last.keyless {
			return &fault{last.kindAt + 1, last.kind + " stands alone", "write " + last.kind}
		}
		return nil
	}
	home := k.nearestHome(segments)
	at := strings.LastIndexByte(home, ':')
	misplaced := segments[len(segments)-1]
	for _, s := range segments {
		if s.kind == home[at+1:] {
			misplaced = s
		}
	}
	where := "at the root"
	if at >= 0 {
		where = "under " + strings.ReplaceAll(home[:at], ":", "/…:") + "/…"
	}
	return &fault{misplaced.kindAt + 1, misplaced.kind + " lives " + where, "write " + rewrite(segments, home)}
}

// unknown explains a kind that is not in the table.
func (k Kinds) unknown(segments []scanned, seg scanned) *fault {
	f := &fault{column: seg.kindAt + 1, message: "unknown kind " + quote(seg.kind)}
	right := k.nearestKind(seg.kind)
	if right == "" {
		f.hint = "known at this place: " + strings.Join(k.childrenOf(segments, seg), ", ")
		return f
	}
	fixed := slices.Clone(segments)
	for i := range fixed {
		if fixed[i].kindAt == seg.kindAt {
			fixed[i].kind = right
			continue
		}
		if near := k.nearestKind(fixed[i].kind); k.homes[fixed[i].kind] == nil && near != "" {
			fixed[i].kind = near
		}
	}
	if home := k.nearestHome(fixed); home != "" {
		f.hint = "write " + rewrite(fixed, home)
	} else {
		f.hint = "did you mean " + right + "?"
	}
	return f
}

// childrenOf lists the kinds that may stand where a segment stands.
func (k Kinds) childrenOf(segments []scanned, seg scanned) []string {
	var parent []string
	for _, s := range segments {
		if s.kindAt == seg.kindAt {
			break
		}
		parent = append(parent, s.kind)
	}
	prefix := strings.Join(parent, ":")
	if prefix != "" && !k.chains[prefix] {
		prefix = ""
	}
	if prefix != "" {
		prefix += ":"
	}
	var kinds []string
	for _, chain := range k.Chains() {
		if rest, ok := strings.CutPrefix(chain, prefix); ok && !strings.Contains(rest, ":") {
			kinds = append(kinds, rest)
		}
	}
	if kinds == nil {
		return []string{"nothing"}
	}
	return kinds
}

// nearestHome gives the place in the table that the segments probably mean: the
// chain that has all of their kinds, only in another order, else the chain of the
// last segment's kind that has most of them, the shorter one where two do.
func (k Kinds) nearestHome(segments []scanned) string {
	best, most := "", -1
	for i := len(segments) - 1; i >= 0; i-- {
		for _, home := range k.homes[segments[i].kind] {
			shared := 0
			for kind := range strings.SplitSeq(home, ":") {
				if slices.ContainsFunc(segments, func(s scanned) bool { return s.kind == kind }) {
					shared++
				}
			}
			last := i == len(segments)-1
			if shared > most && (last || shared == len(segments)) {
				best, most = home, shared
			}
		}
	}
	return best
}

// rewrite gives the segments in the order of a chain, with kind/* for those that
// it has and they do not.
func rewrite(segments []scanned, chain string) string {
	var parts []string
	for kind := range strings.SplitSeq(chain, ":") {
		part := kind + "/*"
		if isKeyless(kind) {
			part = kind
		}
		for _, s := range segments {
			if s.kind == kind && !isKeyless(kind) {
				part = s.print(kind)
			}
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ":")
}

// print gives a segment as it was written.
func (s *scanned) print(kind string) string {
	var b strings.Builder
	b.WriteString(kind + "/" + s.key)
	for i, item := range s.items {
		b.WriteByte(";,"[min(i, 1)])
		if item.property {
			b.WriteString("{" + item.name + ":" + item.text + "}")
		} else {
			b.WriteString(item.text)
		}
	}
	return b.String()
}

func chainOf(segments []scanned) string {
	kinds := make([]string, len(segments))
	for i := range segments {
		kinds[i] = segments[i].kind
	}
	return strings.Join(kinds, ":")
}

// nearestKind gives the known kind that a name was probably meant to be, or "".
func (k Kinds) nearestKind(name string) string {
	lower := strings.ToLower(name)
	if k.homes[lower] != nil {
		return lower
	}
	if right := misnamed[lower]; k.homes[right] != nil {
		return right
	}
	return nearest(lower, slices.Sorted(maps.Keys(k.homes)))
}
