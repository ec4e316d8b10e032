package render_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/render"
)

// probe is a template and what Handlebars.js 4.7.10 made of it, by default and with its option strict.
// Outputs that begin with ERR are errors, whose wording is ours.
type probe struct {
	Name     string       `json:"name"`
	Template string       `json:"template"`
	Context  render.Value `json:"context"`
	Output   string       `json:"output"`
	Strict   string       `json:"strict"`
}

// exceptions are the probes where something else than what Handlebars.js gave is asked for.
var exceptions = map[string]struct{ output, strict, reason string }{
	"partial-inline":   {"ERR", "ERR", "partials and decorators are refused when a template is compiled"},
	"eq-missing-empty": {"y", "y", "equal compares texts in strict rendering too"},
	"eq-bool-str":      {"y", "y", "equal compares texts in strict rendering too"},
	"fmtoffset": {
		"2020-02-04 01:54:45|2020-02-04T00:54:45Z|1580777675|1580777685229",
		"2020-02-04 01:54:45|2020-02-04T00:54:45Z|1580777675|1580777685229",
		"simple has two digits for the hour and rfc3339 has whole seconds, strict or not",
	},
	"sum-1":      {"12", "12", "two numbers are printed, not added"},
	"sum-4":      {"12", "12", "two numbers are printed, not added"},
	"sum-7":      {"truetrue", "truetrue", "two booleans are printed, not added"},
	"bracket-bp": {"3", "3", "a block parameter may have a blank in its name"},
	"raw-hash":   {"ERR", "ERR", "helpers that do not exist are refused when a template is compiled"},
}

func readProbes(t testing.TB, file string) []probe {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var probes []probe
	if err := json.Unmarshal(data, &probes); err != nil {
		t.Fatal(err)
	}
	return probes
}

// TestProbes goes through the probes that the project was given, own ones for the corners, and a choice of templates
// that were generated at random; what Handlebars.js made of them was recorded once.
func TestProbes(t *testing.T) {
	for file, atLeast := range map[string]int{"probes.json": 110, "own.json": 130, "generated.json": 200} {
		probes := readProbes(t, "testdata/"+file)
		if len(probes) < atLeast {
			t.Fatalf("%s has only %d probes", file, len(probes))
		}
		for _, p := range probes {
			t.Run(p.Name, func(t *testing.T) {
				if e, ok := exceptions[p.Name]; ok {
					p.Output, p.Strict = e.output, e.strict
				}
				checkProbe(t, p)
			})
		}
	}
}

func checkProbe(t *testing.T, p probe) {
	t.Helper()
	for _, c := range []struct {
		mode, want string
		options    render.RenderOptions
	}{{"default", p.Output, render.RenderOptions{}}, {"strict", p.Strict, render.RenderOptions{Strict: true}}} {
		got, err := renderText(p.Template, p.Context, render.EscapeHTML, c.options)
		if strings.HasPrefix(c.want, "ERR") {
			var e *render.Error
			if err == nil {
				t.Errorf("%s: %q gives %q, want an error", c.mode, p.Template, got)
			} else if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 {
				t.Errorf("%s: the error of %q has no place: %v", c.mode, p.Template, err)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%s: %q with %s\n got %q, %v\nwant %q", c.mode, p.Template, p.Context.AppendJSON(nil), got, err, c.want)
		}
	}
}

func renderText(template string, context render.Value, escape render.Escape, o render.RenderOptions) (string, error) {
	tpl, err := render.Compile(template, render.Options{Name: "t.hbs", Escape: escape})
	if err != nil {
		return "", err
	}
	return tpl.RenderWith(context, o)
}
