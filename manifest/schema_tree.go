package manifest

import (
	"slices"
	"strconv"
	"strings"
)

// schemaAt walks the schema along a pointer into a manifest and returns the
// schema of the value there, nil where it says nothing about it.
func schemaAt(pointer string) map[string]any {
	at := resolveRef(schemaTree())
	for _, token := range split(pointer) {
		properties, _ := at["properties"].(map[string]any)
		next, found := properties[token].(map[string]any)
		if !found {
			key := "additionalProperties"
			if _, err := strconv.Atoi(token); err == nil {
				key = "items"
			}
			if next, found = at[key].(map[string]any); !found {
				return nil
			}
		}
		at = resolveRef(next)
	}
	return at
}

// resolveRef follows a $ref to the schema's own definitions.
func resolveRef(schema map[string]any) map[string]any {
	ref, isRef := schema["$ref"].(string)
	if !isRef {
		return schema
	}
	definitions, _ := schemaTree()["definitions"].(map[string]any)
	target, _ := definitions[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
	return target
}

// knownNames lists the properties that the object at a pointer may have.
func knownNames(pointer string) []string {
	properties, _ := schemaAt(pointer)["properties"].(map[string]any)
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// describe makes a remedy of what the schema says about the value at a
// pointer.
func describe(what, pointer string) string {
	text, _ := schemaAt(pointer)["description"].(string)
	text = strings.TrimSuffix(text, ".")
	switch {
	case text == "":
		return what
	case what == "":
		return "what belongs here: " + lowerFirst(text)
	}
	return what + ": " + lowerFirst(text)
}

func lowerFirst(text string) string {
	if len(text) > 1 && text[1] >= 'a' && text[1] <= 'z' || strings.HasPrefix(text, "A ") {
		return strings.ToLower(text[:1]) + text[1:]
	}
	return text
}
