package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A Statement is one statement as it is written: exactly one of Resources and
// NotResources, and exactly one of Actions and NotActions, is not nil.
type Statement struct {
	// Effect is allow or deny.
	Effect string `json:"effect"`
	// Resources are specifiers; the statement is about what any of them names.
	Resources []string `json:"resources,omitzero"`
	// NotResources are specifiers; the statement is about what none of them names.
	NotResources []string `json:"notResources,omitzero"`
	// Actions are actions with * wildcards, any of which may match.
	Actions []string `json:"actions,omitzero"`
	// NotActions are actions with * wildcards, none of which may match.
	NotActions []string `json:"notActions,omitzero"`
}

// A field is one list of a Statement with its JSON name.
type field struct {
	name  string
	items []string
}

func (s *Statement) lists() [4]field {
	return [4]field{
		{"resources", s.Resources}, {"notResources", s.NotResources},
		{"actions", s.Actions}, {"notActions", s.NotActions},
	}
}

// ParseStatements reads a JSON array of statements of at most MaxPolicy bytes. It
// checks names and types and refuses unknown and repeated members; Parse checks
// the rest. An error is Errors: all of them at once, or the one place where the
// text stops being JSON. A member that is null is as good as none.
func ParseStatements(data []byte) ([]Statement, error) {
	if len(data) > MaxPolicy {
		return nil, Errors{documentError(fmt.Sprintf("the policy has %d bytes", len(data)), fmt.Sprintf("at most %d are allowed", MaxPolicy))}
	}
	raw, err := decodeArray(data)
	if err != nil {
		return nil, Errors{err}
	}
	statements := make([]Statement, len(raw))
	var errs collector
	for i := range raw {
		d := decoder{errs: &errs, index: i}
		statements[i] = d.statement(raw[i])
	}
	if err := errs.err(); err != nil {
		return nil, err
	}
	return statements, nil
}

// decodeArray cuts the document into its elements.
func decodeArray(data []byte) ([]json.RawMessage, *Error) {
	var raw []json.RawMessage
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&raw); err != nil {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			line, column := position(data, syntax.Offset-1)
			return nil, documentError(fmt.Sprintf("not JSON at line %d, column %d: %v", line, column, err), "")
		case errors.As(err, &kind):
			return nil, documentError("a policy is a list of statements, this is "+article(kind.Value), "write it as [ … ]")
		case errors.Is(err, io.EOF):
			return nil, documentError("the policy is empty", "write a list of statements; [] allows nothing")
		}
		line, column := position(data, int64(len(data)))
		return nil, documentError(fmt.Sprintf("the JSON ends too early, at line %d, column %d", line, column), "")
	}
	if raw == nil {
		return nil, documentError("a policy is a list of statements, this is null", "write []; it allows nothing")
	}
	if rest := bytes.TrimLeft(data[d.InputOffset():], " \t\r\n"); len(rest) > 0 {
		line, column := position(data, int64(len(data)-len(rest)))
		return nil, documentError(fmt.Sprintf("more text after the policy, at line %d, column %d", line, column), "remove it")
	}
	return raw, nil
}

func documentError(message, hint string) *Error {
	return &Error{Statement: -1, Item: -1, Message: message, Hint: hint}
}

// position gives the 1-based line and byte column of an offset.
func position(data []byte, offset int64) (line, column int) {
	before := data[:min(max(offset, 0), int64(len(data)))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

// A decoder reads one element of the array.
type decoder struct {
	errs  *collector
	index int
}

func (d *decoder) fail(field string, item int, message, hint string) {
	d.errs.add(&Error{Statement: d.index, Field: field, Item: item, Message: message, Hint: hint})
}

func (d *decoder) statement(raw json.RawMessage) Statement {
	var s Statement
	if kind := kindOf(raw); kind != "object" {
		d.fail("", -1, "a statement is an object, this is "+article(kind), `write {"effect": …, "resources": […], "actions": […]}`)
		return s
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, _ = dec.Token() // the '{'; the text is known to be JSON
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		name, ok := token.(string)
		var value json.RawMessage
		if err != nil || !ok || dec.Decode(&value) != nil {
			break
		}
		if seen[name] {
			d.fail(name, -1, "the member is given twice", "remove one of them")
		}
		seen[name] = true
		d.member(&s, name, value)
	}
	return s
}

var members = []string{"effect", "resources", "notResources", "actions", "notActions"}

func (d *decoder) member(s *Statement, name string, value json.RawMessage) {
	switch name {
	case "effect":
		if kind := kindOf(value); kind == "string" {
			_ = json.Unmarshal(value, &s.Effect)
		} else if kind != "null" {
			d.fail(name, -1, "the effect is a text, this is "+article(kind), `write "allow" or "deny"`)
		}
	case "resources":
		s.Resources = d.list(name, value)
	case "notResources":
		s.NotResources = d.list(name, value)
	case "actions":
		s.Actions = d.list(name, value)
	case "notActions":
		s.NotActions = d.list(name, value)
	default:
		hint := "a statement has effect, resources or notResources, actions or notActions"
		if right := nearest(name, members); right != "" {
			hint = "did you mean " + right + "?"
		}
		d.fail(shorten(name), -1, "unknown member "+quote(name), hint)
	}
}

// list reads a list of texts; null is nil, as if it was not there.
func (d *decoder) list(name string, value json.RawMessage) []string {
	var raw []json.RawMessage
	switch kind := kindOf(value); kind {
	case "null":
		return nil
	case "array":
		_ = json.Unmarshal(value, &raw)
	default:
		d.fail(name, -1, name+" is a list of texts, this is "+article(kind), "write it in [ ]")
		return nil
	}
	items := make([]string, len(raw))
	for i := range raw {
		if kind := kindOf(raw[i]); kind != "string" {
			d.fail(name, i, name+" is a list of texts, this is "+article(kind), "write it in quotes")
			continue
		}
		_ = json.Unmarshal(raw[i], &items[i])
	}
	return items
}

// kindOf names the type of a JSON value, which is known to be well formed.
func kindOf(raw json.RawMessage) string {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return "null"
	}
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}

// article puts a JSON type into a sentence.
func article(kind string) string {
	switch kind {
	case "object", "array":
		return "an " + kind
	case "null":
		return "null"
	case "bool":
		return "true or false"
	}
	return "a " + kind
}

// shorten bounds somebody else's name in an error's field.
func shorten(name string) string {
	if len(name) > maxKind {
		return name[:maxKind]
	}
	return name
}
