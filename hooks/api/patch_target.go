package api

import (
	"regexp"
	"strings"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// A patchTarget is the document that a patch works on, and how: a subscription in
// the shape of one door, secrets masked, so that copy and test tell nothing.
type patchTarget struct {
	doc    render.Value
	paths  *regexp.Regexp                     // what can be patched
	named  string                             // the same for people
	alias  map[string]string                  // paths that stand for others
	secret func(path string) bool             // whether a path's value may not be moved or copied
	read   func(*reader, *hooks.Subscription) // reads the patched document
	// lenient: to remove or replace a member that there is not changes nothing,
	// as LaunchDarkly takes it; else it is refused.
	lenient bool
}

// unknown reports whether a path names a member of the document itself that no
// subscription has. The server's own, _id and the like, are known.
func (t *patchTarget) unknown(path string) bool {
	return unknownPath.MatchString(path) && !badEscape.MatchString(path) && path != "/kind" && !t.paths.MatchString(path) && t.alias[path] == ""
}

var unknownPath = regexp.MustCompile(`^/[^/_][^/]*$`)

// patchPaths makes a patchTarget's paths of the members that have a door's own
// ways below them. Below a config value nothing can be patched: form variables
// are replaced as a whole.
func patchPaths(members string) *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(
		`^/(name|on|tags(/INDEX)?|statements(/INDEX(/[A-Za-z]+(/INDEX)?)?)?|`+members+`)$`,
		"INDEX", `(-|0|[1-9][0-9]{0,8})`))
}

const configPaths = `config(/[^/]+)?`

var (
	integrationPaths = patchPaths(configPaths)
	noAlias          = map[string]string{}
)

// integrationTarget is a subscription at LaunchDarkly's door.
func integrationTarget(s *hooks.Subscription, i *manifest.Integration) patchTarget {
	alias := noAlias
	if key := legacyMembers[s.Integration]; key != "" {
		alias = map[string]string{"/" + key: "/config/" + key}
	}
	return patchTarget{
		doc:   render.Object(append(commonMembers(s), render.Member{Key: "config", Value: mask(i, s.Config)})...),
		paths: integrationPaths, named: "/name, /on, /tags, /config, /statements, and what they hold",
		alias: alias, secret: configSecret(i), read: (*reader).subscription, lenient: true,
	}
}

// configSecret knows the paths of secrets in a config.
func configSecret(i *manifest.Integration) func(string) bool {
	return func(path string) bool {
		key, ok := strings.CutPrefix(path, "/config/")
		return ok && isSecret(i, unescapePointer(key))
	}
}

// commonMembers are those that every door has.
func commonMembers(s *hooks.Subscription) []render.Member {
	return []render.Member{
		{Key: "name", Value: render.String(s.Name)},
		{Key: "statements", Value: statementsJSON(s.Statements)},
		{Key: "on", Value: render.Bool(s.On)},
		{Key: "tags", Value: textsJSON(s.Tags, true)},
	}
}
