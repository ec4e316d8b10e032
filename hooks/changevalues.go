package hooks

import (
	"fmt"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// setTo says that a value took the place of another one, either of which may be
// undefined: in words where it has some, and that it changed where it is code.
func (w *changeWalk) setTo(label string, before, after render.Value) {
	before, after = unpacked(before), unpacked(after)
	p := percentKind(label)
	share, shared := rolloutInWords(after)
	switch {
	case isCode(before), isCode(after):
		w.say(label, " changed")
	case !before.IsDefined() && shared:
		w.say(label, " %s", share)
	case !before.IsDefined():
		w.say(label, " set to %s", valueInWords(after, p))
	case !after.IsDefined():
		w.say(label, " %s removed", valueInWords(before, p))
	default:
		w.say(label, " %s → %s", valueInWords(before, p), valueInWords(after, p))
	}
}

// rollout says how the shares of variations differ, and then what else does.
func (w *changeWalk) rollout(label string, before, after render.Value, depth int) {
	was, _ := rolloutInWords(before)
	now, _ := rolloutInWords(after)
	if was != now {
		w.say(label, " %s → %s", was, now)
	}
	w.members(label, before.With("variations", render.Value{}), after.With("variations", render.Value{}), depth)
}

func isRollout(v render.Value) bool {
	_, is := rolloutInWords(v)
	return is
}

// rolloutInWords writes a percentage rollout of LaunchDarkly: "50 % variation 0,
// 50 % variation 1". Its weights are thousandths of a percent.
func rolloutInWords(v render.Value) (string, bool) {
	list := v.Get("variations")
	if list.Kind() != render.KindArray || list.Len() == 0 {
		return "", false
	}
	var shares []string
	for item := range list.Items() {
		variation, weight := item.Get("variation"), item.Get("weight")
		if variation.Kind() != render.KindNumber || weight.Kind() != render.KindNumber {
			return "", false
		}
		shares = append(shares, portion(weight.AsNumber()/1000, ofHundred)+" variation "+number(variation.AsNumber()))
	}
	return short(strings.Join(shares, ", ")), true
}

// unpacked gives the list that a text has as JSON, where all of its items are
// simple; any other value as it is.
func unpacked(v render.Value) render.Value {
	if !strings.HasPrefix(strings.TrimSpace(v.AsString()), "[") {
		return v
	}
	list, err := render.ParseJSON([]byte(v.AsString()))
	if err != nil || list.Kind() != render.KindArray || list.Len() == 0 {
		return v
	}
	for item := range list.Items() {
		if item.Kind() == render.KindObject || item.Kind() == render.KindArray {
			return v
		}
	}
	return list
}

// isCode reports whether a text is made for programs: an object or an array in
// JSON, such as a condition. Nobody reads that in a sentence.
func isCode(v render.Value) bool {
	text := strings.TrimSpace(v.AsString())
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return false
	}
	_, err := render.ParseJSON([]byte(text))
	return err == nil
}

// valueInWords is inWords, and writes a list of plain words without quotes.
func valueInWords(v render.Value, p percent) string {
	if v.Kind() != render.KindArray {
		return inWords(v, p)
	}
	var words []string
	for item := range v.Items() {
		word := item.AsString()
		if word == "" || strings.ContainsFunc(word, notInWord) {
			return inWords(v, p)
		}
		if len(words) == 5 {
			words = append(words, "…")
			break
		}
		words = append(words, word)
	}
	if len(words) == 0 {
		return "nothing"
	}
	return short(strings.Join(words, ", "))
}

// notInWord finds what would not stand out as one word in a list.
func notInWord(r rune) bool { return r <= ' ' || strings.ContainsRune(`,"'…`, r) || r == 0x7f }

// itemLabel names an item of a list that is in both states: as people call it,
// else by its variation or its place, counted from 1.
func itemLabel(item render.Value, place int) string {
	if name := itemName(item); name != "" {
		return name
	}
	if isTarget(item) {
		return "variation " + number(item.Get("variation").AsNumber())
	}
	return fmt.Sprintf("entry %d", place)
}

// isTarget reports whether an item says who gets a variation, as in
// LaunchDarkly's targets.
func isTarget(item render.Value) bool {
	return item.Get("variation").Kind() == render.KindNumber && item.Get("values").Kind() == render.KindArray
}

// target compares who gets a variation: its name says what the values are.
func (w *changeWalk) target(label string, before, after render.Value, depth int) {
	w.differ(label, before.Get("values"), after.Get("values"), depth+1)
	w.members(label, before.With("values", render.Value{}), after.With("values", render.Value{}), depth)
}
