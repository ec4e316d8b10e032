package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestBodyIsIndentedAndColouredForPeople(t *testing.T) {
	const body = "{\"a\\\"\":[1.5e-7,true,null],\"b\" : \"x: {}\"}\n"
	for name, c := range map[string]struct {
		style bodyStyle
		want  string
	}{
		"as it is":     {bodyStyle{}, body},
		"indented":     {bodyStyle{pretty: true}, "{\n  \"a\\\"\": [\n    1.5e-7,\n    true,\n    null\n  ],\n  \"b\": \"x: {}\"\n}\n"},
		"raw, however": {bodyStyle{raw: true, pretty: true, colour: true}, body},
		"coloured": {bodyStyle{pretty: true, colour: true}, "{\n  \x1b[36m\"a\\\"\"\x1b[0m: [\n    \x1b[33m1.5e-7\x1b[0m,\n    \x1b[34mtrue\x1b[0m,\n    \x1b[34mnull\x1b[0m\n  ],\n" +
			"  \x1b[36m\"b\"\x1b[0m: \x1b[32m\"x: {}\"\x1b[0m\n}\n"},
	} {
		if got := string(c.style.body([]byte(body))); got != c.want {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
	const wild = "\x1b]0;title\a\x7f\u009b\n"
	if got := string(bodyStyle{pretty: true}.body([]byte(wild))); got != "␛]0;title␇␡\ufffd\n" {
		t.Errorf("a terminal is shown %q", got)
	}
	if got := string(bodyStyle{}.body([]byte(wild))); got != wild {
		t.Errorf("a file is shown %q", got)
	}
	for _, text := range []string{"a=1&b=2", "{not json", ""} {
		if got := string(bodyStyle{pretty: true, colour: true}.body([]byte(text))); got != text+"\n" {
			t.Errorf("%q is shown as %q", text, got)
		}
		if got := string(bodyStyle{raw: true}.body([]byte(text))); got != text {
			t.Errorf("raw, %q is shown as %q", text, got)
		}
	}
}

// Colours change nothing but colours, whatever the text is.
func TestColoursKeepTheText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[{}\[\]:," a-z0-9.eE+\\-]{0,40}`)).Draw(rt, "text")
		if strings.ContainsRune(text, '\x1b') {
			rt.Skip("it has escapes of its own")
		}
		if got := sgr.ReplaceAllString(string(colourJSON([]byte(text))), ""); got != text {
			rt.Fatalf("%q became %q", text, got)
		}
		if quoted, err := json.Marshal(text); err == nil {
			if got := sgr.ReplaceAllString(string(colourJSON(quoted)), ""); got != string(quoted) {
				rt.Fatalf("%q became %q", quoted, got)
			}
		}
	})
}

// A diff holds both texts, and what it shows of them is what differs.
func TestDiffHoldsBoth(t *testing.T) {
	lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", ""}), 0, 12)
	rapid.Check(t, func(rt *rapid.T) {
		was, is := strings.Join(lines.Draw(rt, "was"), "\n"), strings.Join(lines.Draw(rt, "is"), "\n")
		var a, b []string
		all := diffLines(was, is)
		for _, l := range all {
			if l.sign != '+' {
				a = append(a, l.text)
			}
			if l.sign != '-' {
				b = append(b, l.text)
			}
		}
		if strings.Join(a, "\n") != was || strings.Join(b, "\n") != is {
			rt.Fatalf("of %q and %q: %v", was, is, all)
		}
		if short := near(all, 1); (len(short) == 0) != (was == is) {
			rt.Fatalf("of %q and %q is shown: %v", was, is, short)
		}
	})
}
