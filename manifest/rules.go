package manifest

import (
	"slices"
	"strings"
)

// A Rule is one check of integration folders. Its name is stable: findings show
// it in brackets, and manifests waive warnings by it.
type Rule struct {
	Name     string
	Severity Severity
	Summary  string // what it finds, one sentence
	Lint     bool   // checked by Lint alone: the folder loads in spite of it
}

// Rules lists all rules, errors before warnings, each by name. Errors of the
// JSON Schema are one rule a keyword.
func Rules() []Rule { return slices.Clone(rules) }

var rules = []Rule{
	{"default-policy", SeverityError, "The default policy is not one.", false},
	{"default-value", SeverityError, "A form variable's default is of another type than the variable.", false},
	{"duplicate-key", SeverityError, "An object of the manifest holds a name twice.", false},
	{"duplicate-variable", SeverityError, "Two form variables have one key.", false},
	{"dynamic-options", SeverityError, "dynamicOptions are missing, or stand at a variable that has none.", false},
	{"email", SeverityError, "The support address is not an e-mail address.", false},
	{"enum-values", SeverityError, "An enum has no values, or a default that is none of them.", false},
	{"folder", SeverityError, "A folder cannot be read, or holds no integration.", false},
	{"header-name", SeverityError, "A header has a name that HTTP cannot carry.", false},
	{"hmac", SeverityError, "The signature lacks its header or a secret form variable.", false},
	{"icon", SeverityError, "An icon is missing or cannot be read.", false},
	{"json", SeverityError, "manifest.json is not JSON.", false},
	{"key", SeverityError, "The folder's name cannot be the key of an integration.", false},
	{"manifest", SeverityError, "manifest.json is missing, or has too many findings.", false},
	{"multiselect", SeverityError, "A multiselect lacks its options, or has members that are not its own.", false},
	{"response-body", SeverityError, "Error responses of a host of the admin's choice would be shown.", false},
	{"schema", SeverityError, "The manifest breaks its JSON Schema.", false},
	{"schema-enum", SeverityError, "A value is none of those that are possible.", false},
	{"schema-items", SeverityError, "A list has too few, too many or repeated items.", false},
	{"schema-length", SeverityError, "A text is too short or too long.", false},
	{"schema-name", SeverityError, "A name of a member is not possible.", false},
	{"schema-pattern", SeverityError, "A text has not the form that it needs.", false},
	{"schema-required", SeverityError, "A required member is missing.", false},
	{"schema-type", SeverityError, "A value is of the wrong type.", false},
	{"schema-unknown", SeverityError, "The manifest has a member that is not known.", false},
	{"selector", SeverityError, "An environment selector has members that are not its own.", false},
	{"standard-webhooks", SeverityError, "The signature of Standard Webhooks lacks a secret form variable.", false},
	{"synced-segment", SeverityError, "The paths of a synced segment's parser contradict each other.", false},
	{"template", SeverityError, "A template cannot be compiled: its syntax, an unknown helper, a partial.", false},
	{"template-file", SeverityError, "A template's file is missing or cannot be read.", false},

	{"helper-arity", SeverityError, "A helper gets too few or too many values.", true},
	{"json-invalid", SeverityError, "A JSON template renders an ordinary sample event to what is no JSON.", true},
	{"render", SeverityError, "A template cannot be rendered for an ordinary sample event.", true},
	{"unknown-name", SeverityError, "A template uses a name that neither event, form variables nor block can have.", true},
	{"validation-empty", SeverityError, "The validation template renders to nothing.", true},

	{"default-not-optional", SeverityWarning, "A form variable has a default and is not optional.", false},
	{"endpoint-url", SeverityWarning, "The endpoint's URL is not absolute.", false},
	{"header-value", SeverityWarning, "A header's value has a line break.", false},
	{"key-case", SeverityWarning, "The folder's name has capitals.", false},
	{"lint-unknown", SeverityWarning, "A waiver names no rule that can be waived.", false},
	{"no-capabilities", SeverityWarning, "The integration can do nothing.", false},
	{"optional-default", SeverityWarning, "A form variable is optional and has no default.", false},
	{"overview-period", SeverityWarning, "The overview is no sentence.", false},
	{"reserved-key", SeverityWarning, "A form variable has a key that means something else in URLs and headers.", false},
	{"response-body-off", SeverityWarning, "Error responses are not shown although the manifest asks for it.", false},
	{"secret-type", SeverityWarning, "A secret form variable is no string.", false},
	{"templates-unused", SeverityWarning, "Templates stand beside useStandardWebhookPayload.", false},

	{"goldens", SeverityWarning, "The folder has no goldens (only with LintOptions.Complete).", true},
	{"html-escape", SeverityWarning, "{{x}} in a JSON string is escaped as HTML; {{{x}}} is not.", true},
	{"icon-svg", SeverityWarning, "An icon is no well-formed SVG, or holds script or references (only with LintOptions.Complete).", true},
	{"json-hostile", SeverityWarning, "A JSON template breaks where an event holds quotes, line breaks or the like.", true},
	{"json-name", SeverityWarning, "A template writes JSON and its file's name does not end in .json or .json.hbs.", true},
	{"json-quote", SeverityWarning, "A value that can hold a quote breaks the JSON around it.", true},
	{"object-text", SeverityWarning, "A template writes a whole object, which is \"[object Object]\".", true},
	{"policy-no-sample", SeverityWarning, "The default policy lets through none of the sample events.", true},
	{"portable", SeverityWarning, "LaunchDarkly's framework does not know this (only with LintOptions.Portable).", true},
	{"readme", SeverityWarning, "There is no README.md, or nothing in it (only with LintOptions.Complete).", true},
	{"secret-in-body", SeverityWarning, "A secret form variable is written into a body.", true},
	{"secret-in-url", SeverityWarning, "A secret form variable is written into a URL.", true},
	{"template-kind", SeverityWarning, "A template is for a kind of event that does not exist.", true},
	{"unknown-condition", SeverityWarning, "A template tests a name that can never be there.", true},
	{"unused-template", SeverityWarning, "No template of the manifest names this file.", true},
	{"unused-variable", SeverityWarning, "Nothing uses this form variable.", true},
}

// severityOf is the severity of a rule.
func severityOf(name string) Severity {
	for _, r := range rules {
		if r.Name == name {
			return r.Severity
		}
	}
	return SeverityError
}

// waivable lists the rules that lint.allow may name.
func waivable() []string {
	var names []string
	for _, r := range rules {
		if r.Severity == SeverityWarning && r.Name != "lint-unknown" {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return names
}

// isError reports whether a name is that of a rule that nothing lets a manifest
// off from.
func isError(name string) bool {
	return strings.HasPrefix(name, "schema") ||
		slices.ContainsFunc(rules, func(r Rule) bool { return r.Name == name && r.Severity == SeverityError })
}
