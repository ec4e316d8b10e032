package hooks

import (
	"fmt"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// Bounds of what Changes says and of the work it does for it.
const (
	maxChanges     = 20      // sentences
	maxChangeBytes = 8 << 10 // of all sentences
	maxChangeDepth = 12      // levels of nesting that are looked into
	maxChangeNodes = 5000    // values that are looked at
	maxChangeItems = 1000    // items of a list that are matched with one another
)

// Changes puts into short sentences what differs between two states of a
// resource: "Turned on", "Rollout 10 % → 25 %", `Description "a" → "b"`, `Tags:
// added "q2"`. States are any JSON; members that only keep books (versions,
// times of change, links) do not count. It says at most 20 things in 8 KiB, and
// ends with "and more" where there are more.
func Changes(before, after render.Value) []string {
	w := changeWalk{}
	w.differ("", before, after, 0)
	if w.more && len(w.said) > 0 {
		w.said = append(w.said, "and more")
	}
	return w.said
}

// DetailsOf gives sentences as the details of an event: plain text with a
// sentence a line, and lists in Markdown and HTML, each escaped for its medium.
func DetailsOf(sentences ...string) render.Value {
	f := listForms(sentences)
	return render.Object(
		render.Member{Key: "plainText", Value: render.String(f.plainText)},
		render.Member{Key: "markdown", Value: render.String(f.markdown)},
		render.Member{Key: "html", Value: render.String(f.html)})
}

// changeWalk gathers sentences while it walks two states side by side.
type changeWalk struct {
	said  []string
	bytes int
	nodes int
	more  bool // something was left out
}

// bookkeeping are members that change with every change and tell nothing.
var bookkeeping = map[string]bool{
	"_links": true, "_site": true, "_version": true, "version": true, "lastModified": true, "salt": true, "sel": true,
	"updated_at": true, "updatedAt": true, "dateUpdated": true, "created_at": true, "createdAt": true, "dateCreated": true,
	"creationDate": true, "lastSeenAt": true, "revision": true, "generation": true, "changeRequestId": true,
}

// containers are members that only group others: no sentence needs their name.
var containers = map[string]bool{"environments": true, "parameters": true, "threshold": true, "multivariate_feature_option": true}

// full says that no more is to be said, and notes that something was left out.
func (w *changeWalk) full() bool {
	if len(w.said) >= maxChanges || w.nodes >= maxChangeNodes {
		w.more = true
	}
	return w.more
}

func (w *changeWalk) say(label, format string, args ...any) {
	if w.full() {
		return
	}
	text := fmt.Sprintf(format, args...)
	switch {
	case label == "":
		text = capital(strings.TrimLeft(text, ": "))
	case strings.HasPrefix(text, ":"), strings.HasPrefix(text, " "):
		text = capital(label) + text
	default:
		text = capital(label) + ": " + text
	}
	if w.bytes += len(text) + 1; w.bytes > maxChangeBytes {
		w.more = true
		return
	}
	w.said = append(w.said, text)
}

// differ says what differs at one place. label names the place in words.
func (w *changeWalk) differ(label string, before, after render.Value, depth int) {
	if w.nodes++; w.full() {
		return
	}
	before, after = present(before), present(after)
	switch {
	case !before.IsDefined() && !after.IsDefined():
	case depth == maxChangeDepth:
		if !before.Equal(after) {
			w.say(label, " changed")
		}
	case isRollout(before) && isRollout(after):
		w.rollout(label, before, after, depth)
	case before.Kind() == render.KindObject && after.Kind() == render.KindObject:
		w.members(label, before, after, depth)
	case before.Kind() == render.KindArray && after.Kind() == render.KindArray:
		w.items(label, before, after, depth)
	case !before.Equal(after):
		w.setTo(label, before, after)
	}
}

// present is v, with null counting as absent.
func present(v render.Value) render.Value {
	if v.Kind() == render.KindNull {
		return render.Value{}
	}
	return v
}

// members says what differs between two objects: first in the members that
// there are now, then in those that are gone.
func (w *changeWalk) members(label string, before, after render.Value, depth int) {
	for key, now := range after.Members() {
		w.member(label, key, before.Get(key), now, depth)
	}
	for key, was := range before.Members() {
		if !after.Has(key) && !(key == "variation" && after.Has("rollout")) { // which says what is served now
			w.member(label, key, was, render.Value{}, depth)
		}
	}
}

func (w *changeWalk) member(label, key string, was, now render.Value, depth int) {
	if bookkeeping[key] || w.full() {
		return
	}
	if now.Kind() == render.KindBool && was.Kind() == render.KindBool {
		if phrase, known := switched(key, now.AsBool()); known {
			if was.AsBool() != now.AsBool() {
				w.say(label, "%s", phrase)
			}
			return
		}
	}
	w.differ(within(label, key), was, now, depth+1)
}

// switched puts into words that a well-known switch was set.
func switched(key string, on bool) (string, bool) {
	var phrases [2]string
	switch key {
	case "on", "enabled":
		phrases = [2]string{"turned off", "turned on"}
	case "disabled":
		phrases = [2]string{"turned on", "turned off"}
	case "archived":
		phrases = [2]string{"restored", "archived"}
	case "deprecated", "stale":
		phrases = [2]string{"no longer " + key, "marked as " + key}
	default:
		return "", false
	}
	if on {
		return phrases[1], true
	}
	return phrases[0], true
}

// items says what differs between two lists: what was added and removed, and
// what changed in items that are there still. Items are matched by what
// identifies them, else by their place.
func (w *changeWalk) items(label string, before, after render.Value, depth int) {
	if before.Len() > maxChangeItems || after.Len() > maxChangeItems {
		if !before.Equal(after) {
			w.say(label, " changed (%d → %d entries)", before.Len(), after.Len())
		}
		return
	}
	w.nodes += before.Len() + after.Len()
	was, isKeyed := byIdentity(before)
	now, alsoKeyed := byIdentity(after)
	if !isKeyed || !alsoKeyed {
		w.inPlace(label, before, after, depth)
		return
	}
	w.list(label, "added", missing(after, was))
	w.list(label, "removed", missing(before, now))
	same := true
	var old []string // what is in both, in the old order
	for item := range before.Items() {
		if _, stays := now[identity(item)]; stays {
			old = append(old, identity(item))
		}
	}
	at := 0
	for item := range after.Items() {
		id := identity(item)
		previous, stays := was[id]
		if !stays {
			continue
		}
		same = same && old[at] == id
		at++
		switch name := within(label, itemLabel(item, at)); {
		case item.Kind() != render.KindObject || w.full():
		case isTarget(item):
			w.target(name, previous, item, depth+1)
		default:
			w.differ(name, previous, item, depth+1)
		}
	}
	if !same {
		w.say(label, ": order changed")
	}
}

// inPlace compares lists whose items nothing identifies: what is alike at both
// ends is left out, and the rest compared place by place.
func (w *changeWalk) inPlace(label string, before, after render.Value, depth int) {
	from := 0
	shorter := min(before.Len(), after.Len())
	for from < shorter && before.At(from).Equal(after.At(from)) {
		from++
	}
	back := 0
	for back < shorter-from && before.At(before.Len()-1-back).Equal(after.At(after.Len()-1-back)) {
		back++
	}
	i := from
	for ; i < min(before.Len(), after.Len())-back; i++ {
		w.differ(label, before.At(i), after.At(i), depth+1)
	}
	var added, removed []render.Value
	for j := i; j < after.Len()-back; j++ {
		added = append(added, after.At(j))
	}
	for j := i; j < before.Len()-back; j++ {
		removed = append(removed, before.At(j))
	}
	w.list(label, "added", added)
	w.list(label, "removed", removed)
}

// list says what was added to a list or removed from it.
func (w *changeWalk) list(label, verb string, items []render.Value) {
	if len(items) == 0 {
		return
	}
	const named = 5
	texts := make([]string, 0, named)
	for _, item := range items[:min(len(items), named)] {
		texts = append(texts, inWords(item, noPercent))
	}
	more := ""
	if len(items) > named {
		more = fmt.Sprintf(" and %d more", len(items)-named)
	}
	w.say(label, ": %s %s%s", verb, strings.Join(texts, ", "), more)
}

// missing are the items that the other list does not have.
func missing(list render.Value, other map[string]render.Value) []render.Value {
	var items []render.Value
	for item := range list.Items() {
		if _, has := other[identity(item)]; !has {
			items = append(items, item)
		}
	}
	return items
}

// byIdentity gives the items of a list by what identifies them, and whether
// something identifies each of them.
func byIdentity(list render.Value) (map[string]render.Value, bool) {
	items := make(map[string]render.Value, list.Len())
	for item := range list.Items() {
		id := identity(item)
		if _, repeated := items[id]; repeated || id == "" {
			return nil, false
		}
		items[id] = item
	}
	return items, true
}

// identity is what tells an item of a list from the others: a text or number
// itself, an object's id, key or name; "" when there is nothing.
func identity(item render.Value) string {
	switch item.Kind() {
	case render.KindString, render.KindNumber, render.KindBool:
		return string(item.AppendJSON(nil))
	case render.KindObject:
		for _, key := range []string{"id", "_id", "key", "name", "variationId", "ref", "variation"} {
			if v := item.Get(key); v.Kind() == render.KindString && v.AsString() != "" || v.Kind() == render.KindNumber {
				return key + string(v.AppendJSON(nil))
			}
		}
	}
	return ""
}
