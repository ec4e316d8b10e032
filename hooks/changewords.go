package hooks

import (
	"html"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/flaghook/flaghook/render"
)

// maxWords bounds one value in a sentence, in characters.
const maxWords = 120

// A percent says how a number is a share.
type percent uint8

const (
	noPercent  percent = iota
	ofHundred          // 25 is 25 %
	ofOneWhole         // 0.25 is 25 %
)

// percentKind tells from a place's name whether a number there is a share.
func percentKind(label string) percent {
	word := label[strings.LastIndexByte(label, ' ')+1:]
	switch strings.ToLower(word) {
	case "rollout", "percentage", "share":
		return ofHundred
	case "coverage":
		return ofOneWhole
	}
	return noPercent
}

// plainWords are names of members that sentences call otherwise.
var plainWords = map[string]string{
	"feature_state_value": "value", "multivariate_feature_state_values": "variants", "percentage_allocation": "share",
	"percentage": "rollout", "match_type": "match", "included": "included targets", "excluded": "excluded targets",
}

// within names a member of a place in words: "Config: colour".
func within(label, key string) string {
	if containers[key] {
		return label
	}
	word := plainWords[key]
	if word == "" {
		word = inPlainWords(key)
	}
	if label == "" {
		return word
	}
	return label + ": " + word
}

// inPlainWords splits a name as programs write it: default_variant and
// defaultVariant are "default variant". A name with other characters is a
// person's own, and is kept.
func inPlainWords(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case r == '_' && i > 0:
			b.WriteByte(' ')
		case r == '_':
		case r > unicode.MaxASCII, !unicode.IsLetter(r) && !unicode.IsDigit(r):
			return short(name)
		case unicode.IsUpper(r) && i > 0 && unicode.IsLower(runes[i-1]):
			b.WriteByte(' ')
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(r)
		}
	}
	return short(b.String())
}

// capital begins a sentence.
func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// short cuts a text to what a sentence can hold, on one line.
func short(s string) string {
	if strings.ContainsFunc(s, unicode.IsControl) {
		s = strings.Join(strings.FieldsFunc(s, unicode.IsControl), " ")
	}
	if len(s) <= maxWords {
		return s
	}
	n := 0
	for i := range s {
		if n == maxWords-1 {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// inWords writes a value as a sentence would.
func inWords(v render.Value, p percent) string {
	switch v.Kind() {
	case render.KindString:
		if n, err := strconv.ParseFloat(v.AsString(), 64); err == nil && p != noPercent {
			return portion(n, p)
		}
		return quoted(v.AsString())
	case render.KindNumber:
		return portion(v.AsNumber(), p)
	case render.KindArray:
		var texts []string
		for item := range v.Items() {
			if len(texts) == 5 {
				texts = append(texts, "…")
				break
			}
			texts = append(texts, inWords(item, p))
		}
		if len(texts) == 0 {
			return "nothing"
		}
		return short(strings.Join(texts, ", "))
	case render.KindObject:
		return objectInWords(v)
	}
	return string(v.AppendJSON(nil)) // true, false, null
}

func quoted(s string) string { return `"` + short(s) + `"` }

func portion(n float64, p percent) string {
	switch p {
	case ofHundred:
		return number(n) + " %"
	case ofOneWhole:
		return number(math.Round(n*1e6)/1e4) + " %"
	}
	return number(n)
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// objectInWords writes an object by its name where it has one, a condition as
// one reads it (country in "DE", "FR"), and else its members one after another.
func objectInWords(v render.Value) string {
	if name := itemName(v); name != "" {
		return quoted(name)
	}
	if text, is := condition(v); is {
		return text
	}
	if text, is := rolloutInWords(v); is {
		return text
	}
	var parts []string
	for key, x := range v.Members() {
		if bookkeeping[key] || present(x).Kind() == render.KindUndefined || x.Kind() == render.KindArray && x.Len() == 0 {
			continue
		}
		if len(parts) == 5 {
			parts = append(parts, "…")
			break
		}
		label := within("", key)
		if containers[key] {
			parts = append(parts, inWords(x, noPercent))
			continue
		}
		parts = append(parts, label+" "+inWords(x, percentKind(label)))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return short(strings.Join(parts, ", "))
}

// itemName is what people call an object, "" when it has no name.
func itemName(v render.Value) string {
	for _, key := range []string{"name", "title", "key", "description"} {
		if name := v.Get(key).AsString(); name != "" {
			return short(name)
		}
	}
	return v.Path("multivariate_feature_option", "value").AsString()
}

// condition writes the clause of a rule as one reads it.
func condition(v render.Value) (string, bool) {
	subject := first(v, "attribute", "property", "contextName")
	operator := first(v, "op", "operator")
	if subject == "" || operator == "" {
		return "", false
	}
	if strings.ToUpper(operator) == operator { // Unleash: STR_ENDS_WITH
		operator = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(operator), "str_"), "num_")
	}
	not := ""
	if v.Get("negate").AsBool() || v.Get("inverted").AsBool() {
		not = "not "
	}
	object := v.Get("values")
	if object.Len() == 0 {
		object = v.Get("value")
	}
	text := short(subject) + " " + not + inPlainWords(operator)
	if present(object).IsDefined() {
		text += " " + inWords(object, noPercent)
	}
	return short(text), true
}

// first is the first of the members that is a text.
func first(v render.Value, keys ...string) string {
	for _, key := range keys {
		if s := v.Get(key).AsString(); s != "" {
			return s
		}
	}
	return ""
}

// listForms writes sentences in the three forms.
func listForms(sentences []string) threeForms {
	if len(sentences) == 0 {
		return threeForms{}
	}
	var md, htm strings.Builder
	htm.WriteString("<ul>")
	for i, s := range sentences {
		md.WriteString("* " + mdEscape(s) + "\n")
		if i > 0 {
			htm.WriteByte('\n')
		}
		htm.WriteString("<li>" + html.EscapeString(s) + "</li>")
	}
	htm.WriteString("</ul>")
	return threeForms{strings.Join(sentences, "\n"), md.String(), htm.String()}
}
