package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/manifest"
)

func validateCommand() *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate [DIR...]",
		Short: "Check integration folders",
		Long: `Checks integration folders: each DIR is one, or a folder of them; without DIR,
./integrations where that exists, else the current folder.

It reads manifests, templates and icons, asks whether what the templates name
can exist, and renders them with the sample events. One finding a line on
standard output, path:line:col: severity: message [rule]; exit 0 when there is
no error, 1 when there is one, 2 when a DIR cannot be read.

A manifest waives a warning by its rule, with a reason:
  "lint": {"allow": [{"rule": "secret-in-url", "reason": "the tool knows no other way"}]}

--format sarif is what code hosts read to annotate pull requests.`,
		Example: `  flaghook validate
  flaghook validate ./integrations/slack --strict
  flaghook validate --format sarif > flaghook.sarif`,
		RunE: func(cmd *cobra.Command, dirs []string) error {
			if len(dirs) == 0 {
				dirs = []string{"."}
				if info, err := os.Stat("integrations"); err == nil && info.IsDir() {
					dirs = []string{"integrations"}
				}
			}
			return validate(cmd, dirs, o)
		},
	}
	cmd.Flags().StringVar(&o.format, "format", "text", "`FORMAT` of the findings: text, json or sarif")
	cmd.Flags().BoolVar(&o.strict, "strict", false, "warnings count as errors; ask for a README, goldens and sound icons too")
	cmd.Flags().BoolVar(&o.portable, "portable", false, "also report what LaunchDarkly's integration framework lacks")
	return cmd
}

type validateOptions struct {
	format           string
	strict, portable bool
}

// A lintReport is what validate has found.
type lintReport struct {
	Findings []manifest.Finding
	Good     int // integrations without errors
	Errors   int
	Warnings int
}

func validate(cmd *cobra.Command, dirs []string, o validateOptions) error {
	write, ok := map[string]func(io.Writer, *lintReport) error{"text": writeText, "json": writeJSON, "sarif": writeSARIF}[o.format]
	if !ok {
		return usagef("--format is text, json or sarif, not %q", o.format)
	}
	report := &lintReport{}
	lint := manifest.LintOptions{Portable: o.portable, Complete: o.strict, Progress: progressBar(cmd.ErrOrStderr())}
	for _, dir := range dirs {
		if err := report.add(dir, lint, o.strict); err != nil {
			return err
		}
	}
	if err := write(cmd.OutOrStdout(), report); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s without errors, %s, %s\n", count(report.Good, "integration"), count(report.Errors, "error"), count(report.Warnings, "warning"))
	if report.Errors > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}

// add lints a folder, or a folder of folders; what it may read ends there.
func (r *lintReport) add(dir string, o manifest.LintOptions, strict bool) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return usagef("cannot read the integrations: %w", err)
	}
	defer root.Close()
	single := false
	if _, err := root.Stat(manifestFile); err == nil {
		single = true
	}
	var findings []manifest.Finding
	faulty := map[string]bool{} // folders with an error
	good := 0
	if single {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return usagef("cannot read the integration: %w", err)
		}
		if _, findings = manifest.LintFolder(root.FS(), filepath.Base(abs), o); !manifest.HasErrors(findings) {
			good = 1
		}
	} else {
		var catalog *manifest.Catalog
		catalog, findings = manifest.Lint(root.FS(), o)
		good = len(catalog.All())
	}
	for _, f := range findings {
		if strict && f.Severity == manifest.SeverityWarning {
			f.Severity = manifest.SeverityError
			folder, _, _ := strings.Cut(f.Path, "/")
			faulty[folder] = true
		}
		if f.Severity == manifest.SeverityError {
			r.Errors++
		} else {
			r.Warnings++
		}
		f.Path = filepath.Join(dir, filepath.FromSlash(f.Path))
		r.Findings = append(r.Findings, f)
	}
	r.Good += good - r.turnedBad(findings, faulty, single)
	return nil
}

// turnedBad counts the folders that only --strict makes faulty.
func (r *lintReport) turnedBad(findings []manifest.Finding, faulty map[string]bool, single bool) int {
	if single {
		if len(faulty) > 0 && !manifest.HasErrors(findings) {
			return 1
		}
		return 0
	}
	for _, f := range findings {
		if f.Severity == manifest.SeverityError {
			folder, _, _ := strings.Cut(f.Path, "/")
			delete(faulty, folder) // it was faulty before
		}
	}
	return len(faulty)
}

// count writes a number of things: 1 error, 2 errors.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// writeText writes one finding a line, in colour on a terminal.
func writeText(w io.Writer, r *lintReport) error {
	paint := painter(coloured(w))
	for _, f := range r.Findings {
		if _, err := fmt.Fprintln(w, findingLine(f, paint)); err != nil {
			return err
		}
	}
	return nil
}

// findingLine is the line of Finding.String with its place in bold, the
// severity in red or yellow and the rule dimmed.
func findingLine(f manifest.Finding, paint func(code, text string) string) string {
	color := yellow
	if f.Severity == manifest.SeverityError {
		color = red
	}
	rule := " [" + f.Rule + "]"
	place, message, _ := strings.Cut(strings.TrimSuffix(f.String(), rule), fmt.Sprintf(": %s: ", f.Severity))
	return paint(bold, place) + ": " + paint(color, string(f.Severity)) + ": " + message + paint(dim, rule)
}

// terminal reports whether w is a terminal, or another device.
func terminal(w io.Writer) bool {
	f, isFile := w.(*os.File)
	if !isFile {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// coloured reports whether colours are wanted on w; see https://no-color.org.
func coloured(w io.Writer) bool {
	return terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// manyFolders is from how many folders on a progress bar is shown.
const manyFolders = 50

// progressBar draws a bar on a terminal, and wipes it out at the end.
func progressBar(w io.Writer) func(done, total int) {
	if !terminal(w) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return func(done, total int) { drawProgress(w, done, total) }
}

func drawProgress(w io.Writer, done, total int) {
	const width = 40
	filled := done * width / max(total, 1)
	switch {
	case total < manyFolders:
	case done == total:
		fmt.Fprintf(w, "\r%s\r", strings.Repeat(" ", width+20))
	case done == 0 || filled > (done-1)*width/total: // there is something new to see
		fmt.Fprintf(w, "\r[%s%s] %d/%d", strings.Repeat("#", filled), strings.Repeat(" ", width-filled), done, total)
	}
}

// rulesByName lists the rules by name, for the reports that describe them.
func rulesByName() []manifest.Rule {
	rules := manifest.Rules()
	slices.SortFunc(rules, func(a, b manifest.Rule) int { return cmp.Compare(a.Name, b.Name) })
	return rules
}
