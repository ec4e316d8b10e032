package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// Placeholders makes a config to preview with: each variable holds its name in
// capitals behind a dollar sign (base-url is $BASE_URL), booleans are true, and
// the values in set, which are parsed by the variable's type, replace them.
// Values that a subscription could not have are used all the same, and warned
// about; so are keys that name no variable, which are left out.
func (i *Integration) Placeholders(set map[string]string) (config render.Value, warnings []string) {
	members := make([]render.Member, 0, len(i.Manifest.FormVariables))
	for n := range i.Manifest.FormVariables {
		v := &i.Manifest.FormVariables[n]
		text, given := set[v.Key]
		if !given {
			members = append(members, render.Member{Key: v.Key, Value: v.placeholder()})
			continue
		}
		value, problem := v.parse(text)
		if problem == "" {
			problem = v.check(value)
		}
		if problem != "" {
			warnings = append(warnings, fmt.Sprintf("%s: %s", v.Key, problem))
		}
		members = append(members, render.Member{Key: v.Key, Value: value})
	}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if i.Variable(key) == nil {
			warnings = append(warnings, fmt.Sprintf("%s: %s", key, i.unknown(key)))
		}
	}
	return render.Object(members...), warnings
}

// exampleURL is a form variable with which an endpoint's URL begins.
var exampleURL = regexp.MustCompile(`^\s*\{{2,3}\s*\[?([^\s{}\]]+)\]?\s*\}`)

// Example makes up a config that a subscription could have: what is required,
// and nothing that is optional. Tests of an integration begin with it.
func (i *Integration) Example() render.Value {
	base := ""
	if i.hook != nil && i.hook.Endpoint != nil {
		if m := exampleURL.FindStringSubmatch(i.hook.Endpoint.URL); m != nil {
			base = m[1]
		}
	}
	var members []render.Member
	for n := range i.Manifest.FormVariables {
		v := &i.Manifest.FormVariables[n]
		if v.IsOptional || v.HasDefault() {
			continue
		}
		value := v.example()
		if v.Key == base && v.Type == TypeString {
			value = render.String("https://example.com")
		}
		members = append(members, render.Member{Key: v.Key, Value: value})
	}
	return render.Object(members...)
}

// example is a value that says of itself that it is none.
func (v *FormVariable) example() render.Value {
	first := "made-up-" + strings.ToLower(v.Key)
	if options := v.Options(); len(options) > 0 {
		first = options[0]
	}
	switch v.Type {
	case TypeBoolean:
		return render.Bool(true)
	case TypeURI:
		return render.String("https://example.com/hook")
	case TypeMultiselect, TypeEnvironmentSelector:
		return render.Array(render.String(first))
	}
	return render.String(first)
}

func (v *FormVariable) placeholder() render.Value {
	if v.Type == TypeBoolean {
		return render.Bool(true)
	}
	return render.String("$" + strings.ToUpper(strings.ReplaceAll(v.Key, "-", "_")))
}

// parse reads a value as a command line gives it.
func (v *FormVariable) parse(text string) (value render.Value, problem string) {
	switch v.Type {
	case TypeBoolean:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return render.String(text), "it must be true or false"
		}
		return render.Bool(b), ""
	case TypeMultiselect:
		var list []string
		if json.Unmarshal([]byte(text), &list) != nil {
			list = strings.Split(text, ",")
		}
		items := make([]render.Value, len(list))
		for n, item := range list {
			items[n] = render.String(strings.TrimSpace(item))
		}
		return render.Array(items...), ""
	}
	return render.String(text), ""
}
