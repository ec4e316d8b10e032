package manifest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/flaghook/flaghook/schemas"
	"github.com/xeipuuv/gojsonschema"
)

// manifestSchema compiles the embedded schema once. It has no $ref that leaves
// it (a test keeps that), so that compiling reads neither network nor disk.
var manifestSchema = sync.OnceValues(func() (*gojsonschema.Schema, error) {
	return gojsonschema.NewSchema(gojsonschema.NewBytesLoader(schemas.Manifest()))
})

// schemaTree is the same schema as a tree, for what gojsonschema's errors do
// not carry: the names that an object may have, and descriptions.
var schemaTree = sync.OnceValue(func() map[string]any {
	var tree map[string]any
	if err := json.Unmarshal(schemas.Manifest(), &tree); err != nil {
		return nil
	}
	return tree
})

// checkSchema validates the manifest against its JSON Schema.
func (c *checker) checkSchema(data []byte) {
	schema, err := manifestSchema()
	if err != nil {
		c.fail("schema", "", "the manifest's JSON Schema does not compile: "+err.Error(), "this is a fault of flaghook; please report it")
		return
	}
	result, err := schema.Validate(gojsonschema.NewBytesLoader(data))
	if err != nil {
		c.fail("schema", "", err.Error(), "")
		return
	}
	// A refused property name comes as a pair: one error for the name, and one
	// for the rule that it broke, at the same object. The second says nothing.
	badNames := map[string]bool{}
	for _, e := range result.Errors() {
		if e.Type() == "invalid_property_name" {
			badNames[contextPointer(e)+"\x00"+property(e)] = true
		}
	}
	for _, e := range result.Errors() {
		pointer := contextPointer(e)
		if name, isText := e.Value().(string); isText && e.Type() != "invalid_property_name" && badNames[pointer+"\x00"+name] {
			continue
		}
		if c.full() {
			continue
		}
		c.schemaError(e, pointer)
		if e.Type() != "required" {
			c.faulty[pointer] = true
		}
	}
}

func contextPointer(e gojsonschema.ResultError) string {
	const separator = "\x00"
	var tokens []any
	for _, t := range strings.Split(e.Context().String(separator), separator)[1:] { // [0] is "(root)"
		tokens = append(tokens, t)
	}
	return join("", tokens...)
}

func property(e gojsonschema.ResultError) string {
	name, _ := e.Details()["property"].(string)
	return name
}

// schemaError words one error of gojsonschema.
func (c *checker) schemaError(e gojsonschema.ResultError, pointer string) {
	at := subject(pointer)
	detail := func(key string) string { return fmt.Sprint(e.Details()[key]) }
	switch e.Type() {
	case "required":
		c.fail("schema-required", pointer, fmt.Sprintf("%s lacks %q", at, property(e)),
			describe("add it", join(pointer, property(e))))
	case "additional_property_not_allowed":
		c.failAtKey("schema-unknown", join(pointer, property(e)), fmt.Sprintf("unknown property %q in %s", property(e), at),
			didYouMean(property(e), knownNames(pointer)))
	case "invalid_property_name":
		c.failAtKey("schema-name", join(pointer, property(e)), fmt.Sprintf("%q cannot be a name in %s", property(e), at),
			"a kind of event begins with a small letter and goes on with small letters, digits and hyphens")
	case "invalid_type":
		c.fail("schema-type", pointer, fmt.Sprintf("%s is %s", at, article(detail("given"))),
			"it must be "+typeList(detail("expected")))
	case "enum":
		c.fail("schema-enum", pointer, fmt.Sprintf("%s cannot be %s", at, shown(e.Value())), enumRemedy(e))
	case "string_gte":
		c.fail("schema-length", pointer, fmt.Sprintf("%s is too short (%s)", at, characters(e.Value())),
			fmt.Sprintf("it needs at least %s", plural(detail("min"), "character")))
	case "string_lte":
		c.fail("schema-length", pointer, fmt.Sprintf("%s is too long (%s)", at, characters(e.Value())),
			fmt.Sprintf("it may have at most %s", plural(detail("max"), "character")))
	case "pattern":
		c.fail("schema-pattern", pointer, fmt.Sprintf("%s cannot be %s", at, shown(e.Value())), describe("", pointer))
	case "array_min_items":
		c.fail("schema-items", pointer, at+" has too few items", "it needs at least "+plural(detail("min"), "item"))
	case "array_max_items":
		c.fail("schema-items", pointer, at+" has too many items", "it may have at most "+plural(detail("max"), "item"))
	case "unique":
		c.fail("schema-items", join(pointer, detail("j")), fmt.Sprintf("%s holds the same item twice", at), "take one of them out")
	default: // no keyword that the schema uses leads here
		c.fail("schema", pointer, at+": "+e.Description(), "")
	}
}

func enumRemedy(e gojsonschema.ResultError) string {
	var allowed []string
	if err := json.Unmarshal([]byte("["+fmt.Sprint(e.Details()["allowed"])+"]"), &allowed); err != nil {
		return ""
	}
	word, _ := e.Value().(string)
	return didYouMean(word, allowed)
}

// subject names the value at a pointer for people: its property, with the
// number of the item it belongs to.
func subject(pointer string) string {
	tokens := split(pointer)
	if len(tokens) == 0 {
		return "the manifest"
	}
	name := tokens[0]
	for _, t := range tokens[1:] {
		if _, err := strconv.Atoi(t); err == nil {
			name += "[" + t + "]"
		} else {
			name += "." + t
		}
	}
	return strconv.Quote(name)
}

func shown(v any) string {
	text, isText := v.(string)
	if !isText {
		return fmt.Sprint(v)
	}
	if r := []rune(text); len(r) > 60 {
		text = string(r[:60]) + "..."
	}
	return strconv.Quote(text)
}

func characters(v any) string {
	text, _ := v.(string)
	return plural(strconv.Itoa(len([]rune(text))), "character")
}

func plural(n, noun string) string {
	if n == "1" {
		return n + " " + noun
	}
	return n + " " + noun + "s"
}

func article(kind string) string {
	switch kind {
	case "null":
		return "null"
	case "array", "object", "integer":
		return "an " + kind
	}
	return "a " + kind
}

func typeList(expected string) string {
	kinds := strings.Split(strings.Trim(expected, "[]"), ",")
	for i, k := range kinds {
		kinds[i] = article(k)
	}
	return strings.Join(kinds, " or ")
}
