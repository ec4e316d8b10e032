package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// A reference is the part of a page that is made of a JSON Schema: a table for
// each object, its members in the order of the schema.
type reference struct {
	root render.Value
	out  bytes.Buffer
	// later are the objects that still need a table, by what their heading is.
	later []section
}

type section struct {
	path   string
	schema render.Value
}

// executed is the capability that flaghook runs; the others are told of in a
// line each.
const executed = "auditLogEventsHook"

// manifestReference is the reference of manifest.json in docs/authoring.md.
func manifestReference(schema []byte) ([]byte, error) {
	root, err := render.ParseJSON(schema)
	if err != nil {
		return nil, err
	}
	r := &reference{root: root, later: []section{{"", root}}}
	for len(r.later) > 0 {
		next := r.later[0]
		r.later = r.later[1:]
		r.table(next)
	}
	return bytes.TrimSpace(append(r.out.Bytes(), '\n')), nil
}

// table writes the members of an object, and puts those that are objects
// themselves on the list.
func (r *reference) table(s section) {
	heading, members := "The file", s.schema.Get("properties")
	if s.path != "" {
		heading = "`" + s.path + "`"
	}
	fmt.Fprintf(&r.out, "\n### %s\n\n%s\n\n| member | value | what it is |\n|---|---|---|\n", heading, s.schema.Get("description").AsString())
	required := map[string]bool{}
	for name := range s.schema.Get("required").Items() {
		required[name.AsString()] = true
	}
	for name, schema := range members.Members() {
		schema = r.resolve(schema)
		mark := ""
		if required[name] {
			mark = " *"
		}
		what := cell(schema.Get("description").AsString())
		if extra := r.limits(schema); extra != "" {
			what += " " + extra
		}
		fmt.Fprintf(&r.out, "| `%s`%s | %s | %s |\n", name, mark, r.kind(schema), what)
		if s.path == "capabilities" && name != executed {
			continue
		}
		path := strings.TrimPrefix(s.path+"."+name, ".")
		switch item := r.resolve(schema.Get("items")); {
		case schema.Get("properties").Len() > 0:
			r.add(path, schema)
		case item.Get("properties").Len() > 0:
			r.add(path+"[]", item)
		}
	}
}

// add lists an object, but for those of form variables that flaghook keeps
// without using them, and for the templates, which are all alike.
func (r *reference) add(path string, schema render.Value) {
	if strings.HasPrefix(path, "formVariables[].d") || strings.HasSuffix(path, ".templates") {
		return
	}
	r.later = append(r.later, section{path, schema})
}

// resolve follows a reference inside the schema.
func (r *reference) resolve(schema render.Value) render.Value {
	for {
		ref, ok := strings.CutPrefix(schema.Get("$ref").AsString(), "#/")
		if !ok {
			return schema
		}
		schema = r.root.Path(strings.Split(ref, "/")...)
	}
}

// kind says what kind of value a schema wants.
func (r *reference) kind(schema render.Value) string {
	switch t := schema.Get("type"); {
	case t.Kind() == render.KindArray:
		var kinds []string
		for k := range t.Items() {
			kinds = append(kinds, k.AsString())
		}
		return strings.Join(kinds, " or ")
	case t.AsString() == "array":
		return "array of " + r.kind(r.resolve(schema.Get("items")))
	case t.AsString() == "":
		return "any"
	default:
		return t.AsString()
	}
}

// limits are the values that a schema lets through and the default, where the
// description cannot be expected to tell them.
func (r *reference) limits(schema render.Value) string {
	var parts []string
	values := schema.Get("enum")
	if values.Len() == 0 {
		values = r.resolve(schema.Get("items")).Get("enum")
	}
	if values.Len() > 0 {
		var list []string
		for v := range values.Items() {
			list = append(list, "`"+v.AsString()+"`")
		}
		parts = append(parts, "One of "+strings.Join(list, ", ")+".")
	}
	if d := schema.Get("default"); d.IsDefined() {
		parts = append(parts, "Default: `"+string(d.AppendJSON(nil))+"`.")
	}
	return strings.Join(parts, " ")
}
