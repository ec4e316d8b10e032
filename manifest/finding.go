package manifest

import (
	"cmp"
	"fmt"
	"path"
	"slices"
)

// Severity says what a finding means for the folder that it is about.
type Severity string

const (
	// SeverityError keeps the folder from being loaded.
	SeverityError Severity = "error"
	// SeverityWarning is worth a look, and may be waived in the manifest.
	SeverityWarning Severity = "warning"
)

// A Finding is one problem of an integration folder, at its place.
type Finding struct {
	Severity Severity
	Path     string // slash-separated, from the root of the file system that was read
	Line     int    // from 1
	Column   int    // from 1, in characters
	Pointer  string // JSON pointer (RFC 6901) into manifest.json, "" where there is none
	Message  string // what is wrong
	Remedy   string // what to do about it, "" where the message says it
	Rule     string // short name of the check; those of the JSON Schema begin with "schema"
}

// String writes the finding as path:line:col: severity: message [rule].
func (f Finding) String() string {
	message := f.Message
	if f.Remedy != "" {
		message += "; " + f.Remedy
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s [%s]", f.Path, max(f.Line, 1), max(f.Column, 1), f.Severity, message, f.Rule)
}

// HasErrors reports whether one of the findings is an error.
func HasErrors(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == SeverityError })
}

// sortFindings orders by path, line, column, rule and text, and drops
// repetitions.
func sortFindings(findings []Finding) []Finding {
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Message, b.Message),
			cmp.Compare(a.Pointer, b.Pointer))
	})
	return slices.Compact(findings)
}

// under moves findings of a folder to where the folder is.
func under(dir string, findings []Finding) []Finding {
	for i := range findings {
		findings[i].Path = path.Join(dir, findings[i].Path)
	}
	return findings
}
