package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// goldenDir is where an integration's goldens are, one JSON file each.
const goldenDir = "testdata"

// A tester runs goldens and counts.
type tester struct {
	out, err io.Writer
	update   bool

	passed, failed, written, unreadable int
}

// folder tests one integration. An error ends everything.
func (t *tester) folder(dir string) error {
	i, findings, err := loadFolder(dir)
	if err != nil {
		return err
	}
	if i == nil {
		for _, f := range findings {
			fmt.Fprintln(t.err, f)
		}
		t.fail(filepath.Base(dir), "the integration has errors")
		return nil
	}
	if i.Hook() == nil {
		fmt.Fprintf(t.out, "-     %s: it sends no events\n", i.Key)
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return usagef("cannot read the integration: %w", err)
	}
	defer root.Close()
	names, err := goldenNames(root.FS())
	if err != nil {
		return usagef("cannot read the goldens of %s: %w", i.Key, err)
	}
	if len(names) == 0 {
		if !t.update {
			fmt.Fprintf(t.out, "-     %s: no goldens; flaghook test %s --update writes one for every sample\n", i.Key, dir)
			return nil
		}
		return t.begin(root, i)
	}
	for _, name := range names {
		if err := t.golden(root, i, name); err != nil {
			return err
		}
	}
	return nil
}

func goldenNames(folder fs.FS) ([]string, error) {
	names, err := fs.Glob(folder, goldenDir+"/*.json")
	slices.Sort(names)
	return names, err
}

// begin writes a golden for every sample.
func (t *tester) begin(root *os.Root, i *manifest.Integration) error {
	for _, name := range schemas.SampleNames() {
		g := &manifest.Golden{Sample: name, FormVariables: i.Example()}
		if err := t.run(root, i, path.Join(goldenDir, name+".json"), g); err != nil {
			return err
		}
	}
	return nil
}

// golden reads and runs one.
func (t *tester) golden(root *os.Root, i *manifest.Integration, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return usagef("cannot read the golden: %w", err)
	}
	defer f.Close()
	data, err := readBounded(f, name)
	if err != nil {
		return err
	}
	g, err := manifest.ParseGolden(data)
	if err != nil {
		t.unreadable++
		t.fail(label(i, name), fmt.Sprintf("the golden cannot be read: %v", err))
		return nil
	}
	return t.run(root, i, name, g)
}

// run renders and compares, or writes.
func (t *tester) run(root *os.Root, i *manifest.Integration, name string, g *manifest.Golden) error {
	now, err := runGolden(i, g)
	switch {
	case err != nil:
		t.fail(label(i, name), err.Error())
	case t.update:
		return t.write(root, i, name, g, now)
	case g.Outcome == nil:
		t.fail(label(i, name), "no request is recorded yet; --update does it")
	case !g.Outcome.Equal(now):
		t.fail(label(i, name), "what is rendered (+) is not what the golden holds (-)")
		t.diff(g.Outcome.Text(), now.Text())
	default:
		t.passed++
		fmt.Fprintf(t.out, "ok    %s\n", label(i, name))
	}
	return nil
}

// runGolden renders a golden's event as it was posted, at a time that stays.
func runGolden(i *manifest.Integration, g *manifest.Golden) (*manifest.Outcome, error) {
	doc, err := g.Document()
	if err != nil {
		return nil, err
	}
	event, err := goldenEvent(doc)
	if err != nil {
		return nil, err
	}
	return g.Run(i, event)
}

// goldenEvent fills in what an event may lack, always the same way.
func goldenEvent(doc render.Value) (*manifest.Event, error) {
	if !isEvent(doc) {
		return hooks.FromContext(doc), nil
	}
	event, err := hooks.NewEvent(doc, hooks.EventOptions{
		Now:   time.Date(2026, time.January, 31, 12, 0, 0, 0, time.UTC),
		NewID: func() string { return "00000000-0000-7000-8000-000000000000" },
	})
	if err != nil {
		return nil, err
	}
	return event.Rendered(), nil
}

func (t *tester) write(root *os.Root, i *manifest.Integration, name string, g *manifest.Golden, now *manifest.Outcome) error {
	if g.Outcome.Equal(now) {
		t.passed++
		fmt.Fprintf(t.out, "ok    %s\n", label(i, name))
		return nil
	}
	g.Outcome = now
	data, err := g.Format()
	if err != nil {
		t.fail(label(i, name), err.Error())
		return nil
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return usagef("cannot write the golden: %w", err)
	}
	if err := root.WriteFile(name, data, 0o644); err != nil {
		return usagef("cannot write the golden: %w", err)
	}
	t.written++
	fmt.Fprintf(t.out, "wrote %s\n", label(i, name))
	return nil
}

// label names a golden: acme/flag-on.
func label(i *manifest.Integration, name string) string {
	return i.Key + "/" + strings.TrimSuffix(path.Base(name), ".json")
}

func (t *tester) fail(name, message string) {
	t.failed++
	fmt.Fprintf(t.out, "%s %s: %s\n", painter(coloured(t.out))(red, "FAIL "), name, message)
}

// diff shows the lines that differ, with some around them.
func (t *tester) diff(was, is string) {
	const around, most = 3, 200
	paint := painter(coloured(t.out))
	codes := map[byte]string{'-': red, '+': green}
	for n, line := range near(diffLines(was, is), around) {
		if n == most {
			fmt.Fprintln(t.out, "      ... more differs")
			break
		}
		text := line.text
		if line.sign != 0 {
			text = string(line.sign) + " " + text
		}
		if code := codes[line.sign]; code != "" {
			text = paint(code, text)
		}
		if line.sign == ' ' && line.text == "" {
			fmt.Fprintln(t.out)
			continue
		}
		fmt.Fprintf(t.out, "      %s\n", text)
	}
}

// end says how it went.
func (t *tester) end() error {
	written := ""
	if t.written > 0 {
		written = fmt.Sprintf(", %d written", t.written)
	}
	fmt.Fprintf(t.err, "%s, %d ok%s, %d failed\n", count(t.passed+t.failed+t.written, "golden"), t.passed, written, t.failed)
	switch {
	case t.unreadable > 0:
		return &exitError{code: exitUsage, err: errors.New("a golden cannot be read")}
	case t.failed > 0:
		return &exitError{code: exitFailed}
	}
	return nil
}
