package manifest

import (
	"fmt"
	"slices"

	"github.com/flaghook/flaghook/render"
)

// reserved are the names that URL templates use for something else.
var reserved = []string{"context", "delivery", "formVariables", "oauth"}

// checkVariables checks a list of form variables.
func (c *checker) checkVariables(at string) {
	seen := map[string]int{}
	list := c.get(at)
	if list.Kind() != render.KindArray {
		return
	}
	for n := range list.Len() {
		v := list.At(n)
		pointer := join(at, n)
		if key := v.Get("key").AsString(); key != "" {
			if first, repeated := seen[key]; repeated {
				c.fail("duplicate-variable", join(pointer, "key"), fmt.Sprintf("%q is the key of another variable too (item %d)", key, first), "give each variable a key of its own")
			} else {
				seen[key] = n
			}
			if slices.Contains(reserved, key) {
				c.warn("reserved-key", join(pointer, "key"), fmt.Sprintf("a variable called %q cannot be used in a URL or header", key), "there the name means something else; choose another")
			}
		}
		c.checkVariable(pointer, v)
		c.checkKind(pointer, v)
	}
}

// checkVariable checks what holds for variables of every type.
func (c *checker) checkVariable(pointer string, v render.Value) {
	kind := v.Get("type").AsString()
	optional, def := v.Get("isOptional").AsBool(), v.Get("defaultValue")
	selector := kind == TypeMultiselect || kind == TypeEnvironmentSelector
	if optional && !def.IsDefined() && !selector {
		c.warn("optional-default", pointer, fmt.Sprintf("%q is optional and has no defaultValue", v.Get("key").Text()),
			`give it one ("defaultValue": "" is enough)`)
	}
	if def.IsDefined() && !optional && !selector {
		c.warn("default-not-optional", join(pointer, "defaultValue"), fmt.Sprintf("%q has a defaultValue and is not optional", v.Get("key").Text()),
			`add "isOptional": true, or use a placeholder`)
	}
	if v.Get("isSecret").AsBool() && kind != TypeString {
		c.warn("secret-type", join(pointer, "isSecret"), fmt.Sprintf("%q is a secret of type %q", v.Get("key").Text(), kind), `secrets are variables of type "string" elsewhere`)
	}
	if problem := defaultProblem(kind, def); problem != "" {
		c.fail("default-value", join(pointer, "defaultValue"), "the default "+problem, "")
	}
}

// defaultProblem reports a default value of the wrong type.
func defaultProblem(kind string, def render.Value) string {
	if !def.IsDefined() {
		return ""
	}
	switch kind {
	case TypeString, TypeURI, TypeEnum, TypeDynamicEnum:
		if def.Kind() != render.KindString {
			return fmt.Sprintf("of a variable of type %q must be a string", kind)
		}
	case TypeBoolean:
		if def.Kind() != render.KindBool {
			return `of a variable of type "boolean" must be true or false`
		}
	}
	return ""
}

// checkKind checks what holds for variables of one type.
func (c *checker) checkKind(pointer string, v render.Value) {
	kind := v.Get("type").AsString()
	switch kind {
	case TypeEnum:
		c.checkEnum(pointer, v)
	case TypeMultiselect:
		if !v.Has("multiselectOptions") {
			c.fail("multiselect", pointer, fmt.Sprintf("%q has nothing to choose from", v.Get("key").Text()), "add multiselectOptions")
		}
		c.unrelated("multiselect", pointer, v, "defaultValue", "dynamicOptions", "allowedValues", "isSecret")
	case TypeEnvironmentSelector:
		c.unrelated("selector", pointer, v, "multiselectOptions", "multiselectDefaultOptions", "defaultValue", "dynamicOptions", "allowedValues", "isSecret")
	case TypeDynamicEnum:
		if !v.Has("dynamicOptions") {
			c.fail("dynamic-options", pointer, fmt.Sprintf("%q does not say where its options come from", v.Get("key").Text()), "add dynamicOptions")
		}
	}
	if kind != TypeDynamicEnum && v.Has("dynamicOptions") {
		c.fail("dynamic-options", join(pointer, "dynamicOptions"), fmt.Sprintf("a variable of type %q has no dynamicOptions", kind), `take them out, or make it a "dynamicEnum"`)
	}
}

func (c *checker) unrelated(rule, pointer string, v render.Value, names ...string) {
	for _, name := range names {
		if v.Has(name) {
			c.failAtKey(rule, join(pointer, name), fmt.Sprintf("a variable of type %q has no %s", v.Get("type").AsString(), name), "take it out")
		}
	}
}

func (c *checker) checkEnum(pointer string, v render.Value) {
	list := v.Get("allowedValues")
	if list.Len() == 0 {
		c.fail("enum-values", pointer, fmt.Sprintf("%q has no values to choose from", v.Get("key").Text()), "list them in allowedValues")
		return
	}
	var allowed []string
	for item := range list.Items() {
		allowed = append(allowed, item.AsString())
	}
	def := v.Get("defaultValue")
	if def.Kind() == render.KindString && !slices.Contains(allowed, def.AsString()) {
		c.fail("enum-values", join(pointer, "defaultValue"), fmt.Sprintf("the default %s is none of the allowedValues", shown(def.AsString())),
			didYouMean(def.AsString(), allowed))
	}
}
