package source

import (
	"strconv"
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
			return " " + strconv.Quote(clip(s))
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
			return " for the segment " + strconv.Quote(clip(segments))
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
			return " of the segment " + strconv.Quote(clip(s.Get("key").AsString())) + " to " + string(s.Get("value").AppendJSON(nil))
		}
	case "constraint":
		if property := v.Get("property").AsString(); property != "" {
			return " " + strings.Join([]string{clip(property), clip(v.Get("operator").AsString()), strconv.Quote(clip(v.Get("value").AsString()))}, " ")
		}
	}
	return ""
}
