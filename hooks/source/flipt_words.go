package source

import (
	"strings"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/render"
)

// sentences say what happened to a part.
func (f *fliptEvent) sentences(last render.Value) []string {
	thing := strings.ToUpper(f.noun[:1]) + f.noun[1:]
	for _, order := range []string{"rule_ids", "rollout_ids"} {
		if ids := f.payload.Get(order); ids.Kind() == render.KindArray {
			return []string{thing + " order changed"}
		}
	}
	described := f.payload
	if f.verb == "deleted" && last.IsDefined() {
		described = last
	}
	label := thing + fliptPart(f.noun, described)
	switch f.verb {
	case "created":
		return []string{label + " added"}
	case "deleted":
		return []string{label + " removed"}
	}
	if !last.IsDefined() {
		return []string{label + " changed"}
	}
	changes := hooks.Changes(last, f.payload)
	if f.noun != "rollout" && f.noun != "distribution" { // these say themselves what they are
		for i, s := range changes {
			changes[i] = thing + fliptPart(f.noun, last) + ": " + strings.ToLower(s[:1]) + s[1:]
		}
	}
	return changes
}

// fliptPart describes a part behind its noun: `"compact"`, or what it does.
func fliptPart(noun string, v render.Value) string {
	quoted := func(key string) string {
		if s := v.Get(key).AsString(); s != "" {
			return " " + quote(s)
		}
		return ""
	}
	switch noun {
	case "variant":
		if name := quoted("name"); name != "" {
			return name
		}
		return quoted("key")
	case "rule":
		if segments := v.Get("segment_key").AsString(); segments != "" {
			return " for the segment " + quote(segments)
		}
	case "distribution":
		if share := v.Get("rollout"); share.Kind() == render.KindNumber {
			return " of " + text(share) + " %"
		}
	case "rollout":
		if t := v.Get("threshold"); isSet(t) {
			return " of " + text(t.Get("percentage")) + " % to " + string(t.Get("value").AppendJSON(nil))
		}
		if s := v.Get("segment"); isSet(s) {
			return " of the segment " + quote(s.Get("key").AsString()) + " to " + string(s.Get("value").AppendJSON(nil))
		}
	case "constraint":
		if property := v.Get("property").AsString(); property != "" {
			return " " + quote(clip(property)+" "+fliptOperator(v.Get("operator").AsString(), v.Get("value").AsString()))
		}
	}
	return ""
}

// fliptOperators are the operators of constraints, as one reads them.
var fliptOperators = map[string]string{
	"eq": "is", "neq": "is not", "prefix": "begins with", "suffix": "ends with", "isoneof": "is one of", "isnotoneof": "is none of",
	"contains": "contains", "notcontains": "does not contain", "lt": "<", "lte": "≤", "gt": ">", "gte": "≥",
	"empty": "is empty", "notempty": "is not empty", "present": "is there", "notpresent": "is not there", "true": "is true", "false": "is false",
}

// fliptOperator reads an operator with its value, of which isoneof has a list in
// JSON.
func fliptOperator(operator, value string) string {
	words := fliptOperators[operator]
	if words == "" {
		words = clip(operator)
	}
	if list, err := render.ParseJSON([]byte(value)); err == nil && list.Kind() == render.KindArray {
		var texts []string
		for item := range list.Items() {
			texts = append(texts, text(item))
		}
		value = strings.Join(texts, ", ")
	}
	if value == "" {
		return words
	}
	return words + " " + clip(value)
}
