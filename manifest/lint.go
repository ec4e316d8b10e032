package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// warnings are the rules that a manifest may waive in lint.allow.
var warnings = []string{
	"default-not-optional",
	"endpoint-url",
	"key-case",
	"no-capabilities",
	"optional-default",
	"overview-period",
	"reserved-key",
	"response-body-off",
	"secret-type",
	"templates-unused",
}

// errorRules are the rules that nothing lets a manifest off from, beside those
// that begin with "schema".
var errorRules = []string{
	"default-policy", "default-value", "duplicate-key", "duplicate-variable", "dynamic-options", "email", "enum-values", "folder",
	"header-name", "hmac", "icon", "json", "key", "manifest", "multiselect", "response-body",
	"selector", "synced-segment", "template", "template-file",
}

// waive takes out the warnings that lint.allow names, and reports waivers that
// do nothing.
func (c *checker) waive() {
	allowed := map[string]bool{}
	list := c.doc.Path("lint", "allow")
	for n := range list.Len() {
		rule := list.At(n).Get("rule").AsString()
		pointer := join("", "lint", "allow", n, "rule")
		switch {
		case rule == "": // the schema has said so
		case slices.Contains(errorRules, rule) || strings.HasPrefix(rule, "schema"):
			c.warn("lint-unknown", pointer, fmt.Sprintf("%q is an error, which cannot be waived", rule), "put right what it reports, and take this out")
		case !slices.Contains(warnings, rule):
			c.warn("lint-unknown", pointer, fmt.Sprintf("there is no rule called %q", rule), didYouMean(rule, warnings))
		case strings.TrimSpace(list.At(n).Get("reason").AsString()) != "":
			allowed[rule] = true
		}
	}
	c.findings = slices.DeleteFunc(c.findings, func(f Finding) bool {
		return f.Severity == SeverityWarning && f.Rule != "lint-unknown" && allowed[f.Rule]
	})
}
