// Package policy holds everything that decides which changes somebody wants to
// hear about: resource specifiers, statements, and their evaluation with reasons.
//
// # Language
//
// A policy is a list of statements. A statement allows or denies actions on
// resources:
//
//	{"effect": "allow", "resources": ["proj/*:env/production:flag/*"], "actions": ["update*"]}
//
// A resource specifier is one or more segments kind/key joined by ':', from the
// root kind down, and it names resources of exactly its own depth: proj/* is
// projects, not the flags in them. After ';' a segment may list tags and
// {property:value} selectors, separated by ',' in any order; all of them must
// hold on that segment of a resource:
//
//	proj/*;web:env/*;{critical:true}:flag/checkout-*;payments,ops
//
// '*' stands for any run of characters, the empty one too, anywhere in a key, a
// tag, a property's value or an action. Two specifiers are no segments: a lone *
// is any resource at any depth, and acct, the account, stands alone. Kinds and
// the kinds that they live under are in Kinds.
//
// # Evaluation
//
// An event performs accesses: (action, resource) pairs. A statement applies to an
// access when one of its resources matches (notResources: when none does) and one
// of its actions matches (notActions: when none does). An access is denied when
// any deny statement applies to it, else allowed when any allow statement does,
// else not allowed. An event passes when any of its accesses is allowed. The order
// of statements never matters.
//
// # How texts are compared
//
// Keys, tags, properties and actions are compared byte for byte: case counts, and
// Unicode is not normalised. Keys, tags and properties may be percent-encoded, in
// policies as in events, and both sides are compared decoded: flag/a%3Ab in a
// policy matches flag/a%3ab in an event. An encoded %2A in a policy is the
// character '*' and no wildcard; in an event's resource '*' is never one. A '%'
// that no two hexadecimal digits follow stands for itself. Escape writes a key so
// that it can stand in a resource. Actions are never decoded.
//
// The language is that of LaunchDarkly's role policies,
// https://launchdarkly.com/docs/home/account/roles/role-policies and
// https://launchdarkly.com/docs/home/account/roles/role-resources. It differs in
// that role attributes (${roleAttribute/…}) do not exist, since a subscription
// has no member, and that selectors are always in braces ({view:payments}). A '/'
// before a kind, as in the samples of LaunchDarkly's API (env/*;qa_*:/flag/*), is
// read over in policies.
//
// # Many policies
//
// An Index finds which of many policies let an event through, in a time that
// follows how many do and not how many there are. It says exactly what Allows says
// of each.
package policy
