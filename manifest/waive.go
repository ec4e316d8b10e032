package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// waive takes out the warnings that lint.allow names, and reports waivers that
// do nothing.
func (c *checker) waive() {
	allowed := map[string]bool{}
	list := c.doc.Path("lint", "allow")
	names := waivable()
	for n := range list.Len() {
		rule := list.At(n).Get("rule").AsString()
		pointer := join("", "lint", "allow", n, "rule")
		switch {
		case rule == "": // the schema has said so
		case isError(rule):
			c.warn("lint-unknown", pointer, fmt.Sprintf("%q is an error, which cannot be waived", rule), "put right what it reports, and take this out")
		case !slices.Contains(names, rule):
			c.warn("lint-unknown", pointer, fmt.Sprintf("there is no rule called %q", rule), didYouMean(rule, names))
		case strings.TrimSpace(list.At(n).Get("reason").AsString()) != "":
			allowed[rule] = true
		}
	}
	c.findings = slices.DeleteFunc(c.findings, func(f Finding) bool {
		return f.Severity == SeverityWarning && f.Rule != "lint-unknown" && allowed[f.Rule]
	})
}
