package render_test

import (
	"errors"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/flaghook/flaghook/render"
)

// FuzzCompile looks for templates that crash, hang, give an error without a place, or get as far as an error of
// raymond's parser, which would leave a goroutine behind.
func FuzzCompile(f *testing.F) {
	for _, file := range []string{"probes.json", "own.json"} {
		for _, p := range readProbes(f, "testdata/"+file) {
			f.Add(p.Template)
		}
	}
	f.Fuzz(func(t *testing.T, source string) {
		start := time.Now()
		tpl, err := render.Compile(source, render.Options{Name: "f"})
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("took %v", d)
		}
		if err == nil {
			tpl.Reaches("oauth")
			start = time.Now()
			tpl.Inspect(inspected)
			if d := time.Since(start); d > 2*time.Second {
				t.Errorf("inspecting took %v", d)
			}
			return
		}
		var e *render.Error
		if !errors.As(err, &e) || (e.Line < 1 && len(source) <= 64<<10) {
			t.Errorf("%q: %v has no place", source, err)
		}
	})
}

// FuzzRender looks for templates and contexts that crash or hang, and for outputs that are no UTF-8 or differ between
// two renderings.
func FuzzRender(f *testing.F) {
	for _, p := range readProbes(f, "testdata/probes.json") {
		f.Add(p.Template, p.Context.AppendJSON(nil), uint8(len(p.Name)))
	}
	f.Fuzz(func(t *testing.T, source string, data []byte, mode uint8) {
		tpl, err := render.Compile(source, render.Options{Escape: render.Escape(mode % 3)})
		if err != nil {
			return
		}
		context, err := render.ParseJSON(data)
		if err != nil {
			return
		}
		var origins render.Origins
		o := render.RenderOptions{Strict: mode&8 != 0, OnMissing: func(render.Missing) {}, Origins: &origins}
		start := time.Now()
		first, err := tpl.RenderWith(context, o)
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("took %v", d)
		}
		if line, column := origins.At(len(first) / 2); line < 1 || column < 1 {
			t.Errorf("the middle comes from %d:%d", line, column)
		}
		tpl.Inspect(render.ShapeOf(context))
		second, again := tpl.RenderWith(context, o)
		if first != second || (err == nil) != (again == nil) || !utf8.ValidString(first) || len(first) > 1<<20 {
			t.Errorf("%q, %v and then %q, %v", first, err, second, again)
		}
	})
}
