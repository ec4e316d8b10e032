package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// previewOptions are the flags that are preview's own.
type previewOptions struct {
	previewFlags
	format          string
	all, watch, raw bool
}

func previewCommand() *cobra.Command {
	var o previewOptions
	cmd := &cobra.Command{
		Use:   "preview NAME",
		Short: "Show the request that an integration sends for an event",
		Long: `Renders the request as production does. NAME is a key in --integrations DIR, else
in ./integrations where that exists, else in the embedded catalog; or a path.
Form variables that are not --set show as $NAME, booleans as true, the id of the
delivery as $DELIVERY_ID; the attempt is the first.

On a terminal a JSON body is indented and coloured (NO_COLOR turns colours off);
--raw shows its exact bytes, and so does any output that is no terminal.

--all shows the request of every sample; with --format json that is an array whose
items have "sample", the sample's name, and else the members of a single one.
--watch shows it again whenever a file of the folder is saved, until ^C.`,
		Example: `  flaghook preview slack
  flaghook preview datadog --sample flag-rules --set apiKey=abc
  flaghook preview ./acme --event event.json --format json
  flaghook preview ./acme --sample hostile-text --watch
  flaghook preview pagerduty --all --format json | jq '.[].request.body'`,
		Args: exactArgs(1, "the name of one integration"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			if o.watch {
				return watchPreview(cmd, args[0], o)
			}
			return o.show(cmd, args[0])
		},
	}
	o.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.all, "all", false, "show the request of every sample event")
	flags.BoolVar(&o.watch, "watch", false, "show it again whenever a file is saved")
	flags.BoolVar(&o.raw, "raw", false, "show the body's exact bytes, also on a terminal")
	formatFlag(cmd, &o.format)
	return cmd
}

func (o *previewOptions) check() error {
	switch {
	case o.all && o.sample != "":
		return usagef("--all shows every sample; leave --sample out")
	case o.all && o.event != "":
		return usagef("--all shows the samples; leave --event out")
	case o.watch && o.event == "-":
		return usagef("--watch reads the event again and again, which standard input cannot do; name a file")
	case o.watch && o.strict:
		return usagef("--watch and --strict exclude each other: what is watched ends without a verdict")
	}
	return o.previewFlags.check()
}

// show renders and writes once.
func (o *previewOptions) show(cmd *cobra.Command, name string) error {
	s, err := newSubject(cmd, name, o.previewFlags)
	if err != nil {
		return err
	}
	previews, err := o.previews(cmd, s)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if o.format == "json" {
		err = writePreviewsJSON(out, previews, o.all)
	} else {
		err = writePreviewsText(out, previews, bodyStyle{raw: o.raw, pretty: terminal(out), colour: coloured(out), named: o.all})
	}
	if err != nil {
		return err
	}
	return report(cmd, s, previews, o.strict)
}

// previews renders the event, or all samples.
func (o *previewOptions) previews(cmd *cobra.Command, s *subject) ([]*preview, error) {
	if !o.all {
		at, err := s.occasion(cmd, o.previewFlags)
		if err != nil {
			return nil, err
		}
		p, err := newPreview(s, at)
		return []*preview{p}, err
	}
	var all []*preview
	for _, name := range schemas.SampleNames() {
		at, err := s.sampleOccasion(name, o.at)
		if err != nil {
			return nil, err
		}
		p, err := newPreview(s, at)
		if err != nil {
			return nil, fmt.Errorf("sample %s: %w", name, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// A preview is one rendered request with all that explains it.
type preview struct {
	*occasion

	integration *manifest.Integration
	rendered    *manifest.Rendered
	delivery    string // the delivery's id
	warnings    []string
}

func newPreview(s *subject, at *occasion) (*preview, error) {
	p := &preview{occasion: at, integration: s.integration, delivery: s.delivery}
	var err error
	p.rendered, err = s.render(at, func(template string, m render.Missing) {
		p.warnings = append(p.warnings, fmt.Sprintf("%s:%d:%d: %s is missing; it renders as empty", template, m.Line, m.Column, m.Name))
	})
	if err != nil {
		return nil, err
	}
	if r := p.rendered.Request; r != nil && r.URL != "" {
		if err := r.Check(); err != nil {
			p.warnings = append(p.warnings, err.Error())
		}
	}
	return p, nil
}

// report prints the warnings, each once; with strict they are a failure.
func report(cmd *cobra.Command, s *subject, previews []*preview, strict bool) error {
	warnings := slices.Clone(s.warnings)
	for _, p := range previews {
		warnings = append(warnings, p.warnings...)
	}
	seen := map[string]bool{}
	for _, w := range warnings {
		if !seen[w] {
			warnf(cmd, "%s", w)
		}
		seen[w] = true
	}
	if strict && len(seen) > 0 {
		return &exitError{code: exitFailed, err: fmt.Errorf("%s with --strict", count(len(seen), "warning"))}
	}
	return nil
}

// writePreviewsText writes for people; several stand apart by an empty line.
func writePreviewsText(w io.Writer, previews []*preview, style bodyStyle) error {
	for n, p := range previews {
		if n > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		if err := p.writeText(w, style); err != nil {
			return err
		}
	}
	return nil
}
