package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// aboutSamples says in a line what each sample event is there for.
var aboutSamples = map[string]string{
	"flag-on":            "a flag is turned on in production, with a comment and custom properties",
	"flag-off":           "a program turns a flag off in production: a token, no member",
	"flag-create":        "a flag is created in three environments at once",
	"flag-rules":         "targeting rules change: two actions, details of several lines",
	"flag-copy":          "a flag's settings are copied from production to staging",
	"flag-archive":       "a flag is archived in all environments",
	"flag-delete":        "a flag is deleted: no comment, no details",
	"hostile-text":       "quotes, emoji, markup, control characters and right-to-left text in every field",
	"segment-update":     "members of a segment change in production",
	"environment-update": "an OAuth application changes the settings of an environment",
	"project-create":     "a project is created: no environment",
	"member-update":      "the role of an account member changes: no project",
}

// sampleInfo is an item of 'samples --format json'.
type sampleInfo struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Actions []string `json:"actions"`
	About   string   `json:"about"`
}

func samplesCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "samples",
		Short: "List the sample events",
		Long: `Lists the sample events that preview, curl, test and policy check know by name:
its kind, what was done, and what it is there for.`,
		Example: `  flaghook samples
  flaghook samples show flag-on > event.json
  flaghook samples --format json | jq -r '.[].name'`,
		SuggestionsMinimumDistance: 2,

		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := sampleList()
			if err != nil {
				return err
			}
			if format == "json" {
				return encode(cmd.OutOrStdout(), list)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, s := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Name, s.Kind, strings.Join(s.Actions, ", "), s.About)
			}
			return w.Flush()
		},
	}
	formatFlag(cmd, &format)
	cmd.AddCommand(samplesShowCommand())
	return cmd
}

func sampleList() ([]sampleInfo, error) {
	var list []sampleInfo
	for _, name := range schemas.SampleNames() {
		data, _ := schemas.Sample(name)
		doc, err := render.ParseJSON(data)
		if err != nil {
			return nil, fmt.Errorf("sample %s: %w", name, err)
		}
		s := sampleInfo{Name: name, Kind: doc.Get("kind").AsString(), About: aboutSamples[name]}
		seen := map[string]bool{}
		for a := range doc.Get("accesses").Items() {
			if action := a.Get("action").AsString(); !seen[action] {
				seen[action] = true
				s.Actions = append(s.Actions, action)
			}
		}
		list = append(list, s)
	}
	return list, nil
}

func samplesShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Print a sample event",
		Long: `Prints a sample event as JSON: what preview --event reads, what the API takes, and
the names that templates see.`,
		Example: `  flaghook samples show hostile-text
  flaghook samples show flag-on | flaghook preview slack --event -`,
		Args:              exactArgs(1, "the name of one sample"),
		ValidArgsFunction: oneArgument(sampleNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, ok := schemas.Sample(args[0])
			if !ok {
				return usagef("there is no sample %q; there are: %s", args[0], strings.Join(schemas.SampleNames(), ", "))
			}
			_, err := cmd.OutOrStdout().Write(data)
			return err
		},
	}
}
