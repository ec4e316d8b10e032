package render

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// helper is one entry of the table of helpers, which holds all that templates can call.
type helper struct {
	name     string
	min, max int  // how many arguments it is meant to get
	extra    bool // neither Handlebars.js nor LaunchDarkly's framework has it
	block    blockKind
	// call returns the value of a helper that is a blockValue. It must bear any arguments, and any number of them.
	call func(args []Value) (Value, error)
	// lint, if there is one, finds what is wrong with arguments that are literals; others are not IsDefined.
	lint func(args []Value) error
}

// helpers is the table. The first five of Handlebars.js itself, and log; then those of LaunchDarkly's framework, whose
// oddities with missing arguments are kept; then our own.
var helpers = table(
	helper{name: "if", min: 1, max: 1, block: blockIf},
	helper{name: "unless", min: 1, max: 1, block: blockUnless},
	helper{name: "each", min: 1, max: 1, block: blockEach},
	helper{name: "with", min: 1, max: 1, block: blockWith},
	helper{name: "lookup", min: 2, max: 2, call: lookup},
	helper{name: "log", min: 0, max: 16, call: func([]Value) (Value, error) { return Value{}, nil }},

	helper{name: "equal", min: 2, max: 2, block: blockEqual},
	helper{name: "equalWithElse", min: 2, max: 2, block: blockEqual},
	helper{name: "pathEncode", min: 1, max: 1, call: pathEncode},
	helper{name: "queryEncode", min: 1, max: 1, call: queryEncode},
	helper{name: "basicAuthHeaderValue", min: 2, max: 2, call: basicAuthHeaderValue},
	helper{name: "formatWithOffset", min: 3, max: 3, call: formatWithOffset},

	helper{name: "json", min: 1, max: 1, extra: true, call: toJSON},
	helper{name: "truncate", min: 2, max: 3, extra: true, call: truncate},
	helper{name: "default", min: 2, max: 2, extra: true, call: fallback},
	helper{name: "join", min: 1, max: 2, extra: true, call: join},
	helper{name: "firstItems", min: 2, max: 2, extra: true, call: firstItems},
	helper{name: "nonBlankItems", min: 1, max: 1, extra: true, call: nonBlankItems},
	helper{name: "lower", min: 1, max: 1, extra: true, call: lower},
	helper{name: "upper", min: 1, max: 1, extra: true, call: upper},
	helper{name: "formatTime", min: 2, max: 3, extra: true, call: formatTime, lint: lintFormatTime},
	helper{name: "startsWith", min: 2, max: 2, extra: true, call: startsWith},
	helper{name: "replace", min: 3, max: 3, extra: true, call: replace},
	helper{name: "trimSuffix", min: 2, max: 2, extra: true, call: trimSuffix},
	helper{name: "within", min: 2, max: 2, extra: true, call: within},
	helper{name: "safeLink", min: 1, max: 1, extra: true, call: safeLink},
	helper{name: "htmlEscape", min: 1, max: 1, extra: true, call: htmlEscape},
	helper{name: "htmlLines", min: 1, max: 1, extra: true, call: htmlLines},
	helper{name: "markdownEscape", min: 1, max: 1, extra: true, call: markdownEscape},
	helper{name: "slackEscape", min: 1, max: 1, extra: true, call: slackEscape},
	helper{name: "discordEscape", min: 1, max: 1, extra: true, call: discordEscape},
	helper{name: "zulipEscape", min: 1, max: 1, extra: true, call: zulipEscape},
	helper{name: "datadogEscape", min: 1, max: 1, extra: true, call: datadogEscape},
)

var helperNames = slices.Sorted(maps.Keys(helpers))

func table(all ...helper) map[string]*helper {
	t := make(map[string]*helper, len(all))
	for _, h := range all {
		if h.call != nil {
			h.block = blockValue
		}
		t[h.name] = &h
	}
	return t
}

// check finds what is wrong with a call whatever the context.
func (h *helper) check(args []expr, pos int) *fault {
	if h.lint == nil {
		return nil
	}
	known := make([]Value, len(args))
	for i, a := range args {
		if l, ok := a.(*literal); ok {
			known[i] = l.value
		}
	}
	if err := h.lint(known); err != nil {
		return faultf(pos, "", "%s: %s", h.name, err)
	}
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// arg returns the i-th argument, undefined if it was not given.
func arg(args []Value, i int) Value {
	if i < len(args) {
		return args[i]
	}
	return Value{}
}

// scriptArg returns the i-th argument as a JavaScript helper gets it: behind the last one given stands Handlebars'
// own object of options.
func scriptArg(args []Value, i int) Value {
	if i == len(args) {
		return nullContext
	}
	return arg(args, i)
}

// lookup(value, name) is the member of that name, or the item at that index.
func lookup(args []Value) (Value, error) {
	if len(args) != 2 {
		if len(args) == 1 && !args[0].truthy() {
			return args[0], nil
		}
		return Value{}, fmt.Errorf("takes 2 values, not %d", len(args))
	}
	if !args[0].truthy() {
		return args[0], nil
	}
	v, _ := property(args[0], args[1].scriptText())
	return v, nil
}

// encodeURI leaves letters, digits and these as they are.
const (
	unreserved = "-_.!~*'()"
	reserved   = ";/?:@&=+$,#"
)

// pathEncode(value) percent-encodes as JavaScript's encodeURI does: all but what has a meaning in a URL.
func pathEncode(args []Value) (Value, error) {
	return percentEncode(scriptArg(args, 0).scriptText(), unreserved+reserved), nil
}

// queryEncode(value) percent-encodes as JavaScript's encodeURIComponent does: for a part of a path or a query.
func queryEncode(args []Value) (Value, error) {
	return percentEncode(scriptArg(args, 0).scriptText(), unreserved), nil
}

func percentEncode(s, kept string) Value {
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(s)+16)
	for i := range len(s) {
		c := s[i]
		if (c|0x20 >= 'a' && c|0x20 <= 'z') || (c >= '0' && c <= '9') || strings.IndexByte(kept, c) >= 0 {
			out = append(out, c)
		} else {
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return Value{kind: KindString, str: string(out)}
}

// basicAuthHeaderValue(user, password) is the value of an Authorization header (RFC 7617, in UTF-8).
func basicAuthHeaderValue(args []Value) (Value, error) {
	pair := scriptArg(args, 0).scriptText() + ":" + scriptArg(args, 1).scriptText()
	return String("Basic " + base64.StdEncoding.EncodeToString([]byte(pair))), nil
}

// toJSON, the helper json(value), is the value as JSON. It is written as it stands: not escaped again. What is not
// there is null, so that the text is JSON whatever the context.
func toJSON(args []Value) (Value, error) {
	return Value{kind: KindString, safe: true, str: string(arg(args, 0).AppendJSON(nil))}, nil
}

// fallback, the helper default(value, other), is the other value where the first is not there, null or "".
func fallback(args []Value) (Value, error) {
	if v := arg(args, 0); !v.nullish() && (v.kind != KindString || v.str != "") {
		return v, nil
	}
	return arg(args, 1), nil
}
