package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
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
