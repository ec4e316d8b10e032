package policy

import (
	"fmt"
	"strings"
)

// An Error says what is wrong in a policy, an access or a resource, where, and
// what to do about it.
type Error struct {
	// Statement is the index of the statement, -1 outside of a policy's statements.
	Statement int
	// Field is the member at fault: effect, resources, notResources, actions,
	// notActions, or the name of an unknown one. For an access it is action or
	// resource. Empty for a statement as a whole.
	Field string
	// Item is the index in the field's list, -1 where it is not about one item.
	Item int
	// Column is the 1-based byte column in the item's text, 0 where there is none.
	Column int
	// Message says what is wrong.
	Message string
	// Hint says what to do; it may be empty.
	Hint string
}

// Error gives place, message and hint in one line, like
//
//	statement 0, resources[1], column 6: unknown kind "environment"; write env/production
func (e *Error) Error() string {
	var b strings.Builder
	if place := e.place(); place != "" {
		b.WriteString(place)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

func (e *Error) place() string {
	var parts []string
	if e.Statement >= 0 {
		parts = append(parts, fmt.Sprintf("statement %d", e.Statement))
	}
	switch {
	case e.Field != "" && e.Item >= 0:
		parts = append(parts, fmt.Sprintf("%s[%d]", e.Field, e.Item))
	case e.Field != "":
		parts = append(parts, e.Field)
	}
	if e.Column > 0 {
		parts = append(parts, fmt.Sprintf("column %d", e.Column))
	}
	return strings.Join(parts, ", ")
}

// Errors are all the errors of a policy, in the order of the statements; at most
// MaxErrors, the last of which then says how many more there are.
type Errors []*Error

// Error gives one error a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the single errors to errors.Is and errors.As.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}

// A collector keeps the first MaxErrors errors and counts the others.
type collector struct {
	errs Errors
	more int
}

func (c *collector) add(e *Error) {
	if len(c.errs) < MaxErrors {
		c.errs = append(c.errs, e)
		return
	}
	c.more++
}

// err gives the errors, or nil where there are none.
func (c *collector) err() error {
	if len(c.errs) == 0 {
		return nil
	}
	if c.more > 0 {
		c.errs[MaxErrors-1] = &Error{Statement: -1, Item: -1,
			Message: fmt.Sprintf("%d more errors are not shown", c.more+1)}
	}
	return c.errs
}

// A fault is an error inside one text, before it is known where the text stands.
type fault struct {
	column        int
	message, hint string
}

func (f *fault) at(statement int, field string, item int) *Error {
	return &Error{Statement: statement, Field: field, Item: item,
		Column: f.column, Message: f.message, Hint: f.hint}
}

// quote shows a text of somebody else's in a message, cut where it is long.
func quote(text string) string {
	const most = 80
	if len(text) > most {
		return fmt.Sprintf("%q…", strings.ToValidUTF8(text[:most], ""))
	}
	return fmt.Sprintf("%q", text)
}
