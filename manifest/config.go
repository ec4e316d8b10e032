package manifest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// A ConfigError is one thing wrong with a subscription's config.
type ConfigError struct {
	Field   string // key of the form variable, "" for the config as a whole
	Message string // what is wrong and what would be right; never a value
}

func (e ConfigError) Error() string {
	if e.Field == "" {
		return "config: " + e.Message
	}
	return fmt.Sprintf("config: %s: %s", e.Field, e.Message)
}

// ConfigErrors are all things wrong with a subscription's config.
type ConfigErrors []ConfigError

func (e ConfigErrors) Error() string {
	texts := make([]string, len(e))
	for n, x := range e {
		texts[n] = x.Error()
	}
	return strings.Join(texts, "\n")
}

// CheckConfig checks a subscription's config, an object, against the form
// variables: what is required must be there (a default counts), what is there
// must be known, of the right type and an allowed value, a uri must be an
// absolute http or https URL, and a secret of Standard Webhooks must be a key
// (see [StandardKey]). null counts as absent. The error is ConfigErrors; it holds
// no values, which may be secrets.
func (i *Integration) CheckConfig(config render.Value) error {
	if k := config.Kind(); k != render.KindObject && k != render.KindUndefined && k != render.KindNull {
		return ConfigErrors{{Message: "it is not an object; it needs one value for each form variable"}}
	}
	var errs ConfigErrors
	for n := range i.Manifest.FormVariables {
		v := &i.Manifest.FormVariables[n]
		value := config.Get(v.Key)
		problem := v.check(value)
		if problem == "" && i.signsStandard(v.Key) {
			if _, err := StandardKey(value.AsString()); err != nil {
				problem = err.Error()
			}
		}
		if problem != "" {
			errs = append(errs, ConfigError{v.Key, problem})
		}
	}
	for key := range config.Members() {
		if i.Variable(key) == nil {
			errs = append(errs, ConfigError{key, i.unknown(key)})
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}

// signsStandard reports whether the variable holds the secret of Standard
// Webhooks.
func (i *Integration) signsStandard(key string) bool {
	if i.hook == nil || i.hook.Endpoint == nil {
		return false
	}
	s := i.hook.Endpoint.StandardWebhooks
	return s != nil && s.SecretVariable == key
}

func (i *Integration) unknown(key string) string {
	keys := i.variableKeys()
	if len(keys) == 0 {
		return fmt.Sprintf("there is no such form variable; %s has none", i.Key)
	}
	return "there is no such form variable; " + didYouMean(key, keys)
}

func absent(v render.Value) bool { return !v.IsDefined() || v.Kind() == render.KindNull }

// check returns what is wrong with a value, "" for nothing.
func (v *FormVariable) check(value render.Value) string {
	required := !v.IsOptional && !v.HasDefault()
	switch {
	case absent(value) && required && !v.selector() && v.Type != TypeOAuth && v.Type != TypeGenerated:
		return "it is required and missing"
	case absent(value):
		return ""
	case v.Type == TypeBoolean:
		if value.Kind() != render.KindBool {
			return "it must be true or false, not " + kindName(value)
		}
		return ""
	case v.selector():
		return v.checkSelector(value)
	case value.Kind() != render.KindString:
		return "it must be a string, not " + kindName(value)
	case value.AsString() == "" && required:
		return "it is required and empty"
	case value.AsString() == "":
		return ""
	}
	return v.checkText(value.AsString())
}

// selector tells the types whose values come from a list in the flag system's
// own form.
func (v *FormVariable) selector() bool {
	return v.Type == TypeMultiselect || v.Type == TypeEnvironmentSelector
}

// checkSelector takes a string or a list of strings: clients differ in what
// they send.
func (v *FormVariable) checkSelector(value render.Value) string {
	items := []render.Value{value}
	if value.Kind() == render.KindArray {
		items = slices.Collect(value.Items())
	}
	options := v.Options()
	for _, item := range items {
		if item.Kind() != render.KindString {
			return "it must be a list of strings, not " + kindName(item)
		}
		if options != nil && item.AsString() != "" && !slices.Contains(options, item.AsString()) {
			return "it holds a value that is not among its options; " + oneOf(options)
		}
	}
	return ""
}

// Limits of the texts in a config, in bytes.
const (
	maxURL  = 8 << 10
	maxText = 64 << 10
)

func (v *FormVariable) checkText(text string) string {
	most := maxText
	if v.Type == TypeURI {
		most = maxURL
	}
	if len(text) > most {
		return fmt.Sprintf("it has %d bytes; at most %d are allowed", len(text), most)
	}
	switch v.Type {
	case TypeEnum:
		if !slices.Contains(v.AllowedValues, text) {
			return "the value is not allowed; " + oneOf(v.AllowedValues)
		}
	case TypeURI:
		if _, err := parseURL(text); err != nil {
			return err.Error()
		}
	}
	return ""
}

func kindName(v render.Value) string {
	switch v.Kind() {
	case render.KindBool:
		return "a boolean"
	case render.KindNumber:
		return "a number"
	case render.KindArray:
		return "an array"
	case render.KindObject:
		return "an object"
	}
	return "a " + v.Kind().String()
}

// unset reports whether an empty text stands for no value: where the variable
// is required, and for the types that have no empty value.
func (v *FormVariable) unset(value render.Value) bool {
	empty := value.Kind() == render.KindString && value.AsString() == ""
	return empty && (!v.IsOptional || v.Type == TypeEnum || v.Type == TypeURI)
}

// withDefaults gives each variable that has no value its default. The members
// stand in the manifest's order; those it does not know follow.
func (i *Integration) withDefaults(config render.Value) render.Value {
	members := make([]render.Member, 0, len(i.Manifest.FormVariables))
	for _, v := range i.Manifest.FormVariables {
		value := config.Get(v.Key)
		if absent(value) || v.HasDefault() && v.unset(value) {
			value = v.DefaultValue
		}
		if value.IsDefined() {
			members = append(members, render.Member{Key: v.Key, Value: value})
		}
	}
	for key, value := range config.Members() {
		if !absent(value) && i.Variable(key) == nil {
			members = append(members, render.Member{Key: key, Value: value})
		}
	}
	return render.Object(members...)
}
