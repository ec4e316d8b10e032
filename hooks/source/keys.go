package source

import (
	"strings"
	"unicode"
)

// projectKey gives the key of a project that the system knows by an id and a
// name or key, any of which may be missing.
func (p *parser) projectKey(id, name string, isKey bool) string {
	return keyOf(p.s.ProjectKeys, id, name, isKey, p.s.Project)
}

// environmentKey does the same for an environment.
func (p *parser) environmentKey(id, name string, isKey bool) string {
	return keyOf(p.s.EnvironmentKeys, id, name, isKey, "")
}

func keyOf(keys map[string]string, id, name string, isKey bool, fallback string) string {
	slug := name
	if !isKey {
		slug = slugOf(name)
	}
	for _, known := range []string{id, name, slug} {
		if key := keys[known]; key != "" {
			return key
		}
	}
	for _, key := range []string{slug, id} {
		if key != "" {
			return key
		}
	}
	return fallback
}

// slugOf makes a key of a name: lower case, letters and digits with single
// hyphens between.
func slugOf(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), "-")
}
