package hooks

import (
	"errors"
	"fmt"
	"strings"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
)

// A FieldError is one thing wrong with a subscription.
type FieldError struct {
	Field   string // as in JSON: name, config.apiKey, statements, ...
	Message string
}

// InvalidError says all that is wrong with a subscription.
type InvalidError struct{ Fields []FieldError }

func (e *InvalidError) Error() string {
	texts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		texts[i] = f.Field + ": " + f.Message
	}
	return strings.Join(texts, "; ")
}

func (e *InvalidError) add(field, format string, args ...any) {
	e.Fields = append(e.Fields, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

// addConfig takes over what CheckConfig found.
func (e *InvalidError) addConfig(err error) {
	var all manifest.ConfigErrors
	if !errors.As(err, &all) {
		if err != nil {
			e.add("config", "%v", err)
		}
		return
	}
	for _, c := range all {
		field := "config"
		if c.Field != "" {
			field += "." + c.Field
		}
		e.add(field, "%s", c.Message)
	}
}

// StatementErrors places the errors of a policy: statements[1].resources[0],
// with the column in the message.
func StatementErrors(err error) []FieldError {
	var all policy.Errors
	if !errors.As(err, &all) {
		return []FieldError{{Field: "statements", Message: err.Error()}}
	}
	fields := make([]FieldError, len(all))
	for i, p := range all {
		fields[i] = statementError(p)
	}
	return fields
}

func statementError(p *policy.Error) FieldError {
	field := "statements"
	if p.Statement >= 0 {
		field += fmt.Sprintf("[%d]", p.Statement)
	}
	if p.Field != "" {
		field += "." + p.Field
	}
	if p.Item >= 0 {
		field += fmt.Sprintf("[%d]", p.Item)
	}
	reason := p.Message
	if p.Column > 0 {
		reason = fmt.Sprintf("column %d: %s", p.Column, reason)
	}
	if p.Hint != "" {
		reason += "; " + p.Hint
	}
	return FieldError{Field: field, Message: reason}
}

// UnknownIntegrationError says that the catalog has no integration of a name
// that can be subscribed.
type UnknownIntegrationError struct {
	Key     string
	Reason  string   // set when it exists and cannot be subscribed
	Nearest []string // keys that look alike
}

func (e *UnknownIntegrationError) Error() string {
	switch {
	case e.Reason != "":
		return e.Reason
	case len(e.Nearest) > 0:
		return fmt.Sprintf("there is no integration %q; did you mean %s?", e.Key, strings.Join(e.Nearest, " or "))
	}
	return fmt.Sprintf("there is no integration %q; the catalog lists those that there are", e.Key)
}
