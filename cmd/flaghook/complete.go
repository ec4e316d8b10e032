package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/schemas"
)

// A completer proposes words for one place of a command line. The shell itself
// picks those that begin with what was typed.
type completer func(cmd *cobra.Command, args []string) []string

// oneArgument completes the only argument of a command.
func oneArgument(words completer) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words(cmd, args), cobra.ShellCompDirectiveNoFileComp
	}
}

// flagWords completes a flag's value; there is no such flag, nothing happens.
func flagWords(cmd *cobra.Command, flag string, words completer) {
	complete := func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return words(cmd, args), cobra.ShellCompDirectiveNoFileComp
	}
	if cmd.Flags().Lookup(flag) != nil {
		_ = cmd.RegisterFlagCompletionFunc(flag, complete) // fails only for a flag that is not there, or twice
	}
}

// completeAuthor completes what the commands for authors share: the name of an
// integration, samples, templates and form variables.
func completeAuthor(cmd *cobra.Command, dirs *[]string) {
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		if isPath(typed) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
		return integrationKeys(*dirs), cobra.ShellCompDirectiveNoFileComp
	}
	flagWords(cmd, "sample", sampleNames)
	flagWords(cmd, "template", func(_ *cobra.Command, args []string) []string {
		if i := completing(args, *dirs); i != nil {
			return slices.Sorted(maps.Keys(i.Hook().Templates))
		}
		return eventKinds
	})
	_ = cmd.RegisterFlagCompletionFunc("set", func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var keys []string
		if i := completing(args, *dirs); i != nil {
			for _, v := range i.Manifest.FormVariables {
				keys = append(keys, v.Key+"=")
			}
		}
		return keys, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	})
}

// completing is the integration named on the command line that is being
// completed, nil if there is none yet.
func completing(args, dirs []string) *manifest.Integration {
	if len(args) == 0 {
		return nil
	}
	if i, _, err := findIntegration(args[0], dirs); err == nil && i != nil && i.Hook() != nil {
		return i
	}
	return nil
}

// eventKinds are kinds that templates are written for, with the two that are
// no kinds.
var eventKinds = []string{"default", "environment", "flag", "member", "project", "segment", "validation"}

func sampleNames(*cobra.Command, []string) []string { return schemas.SampleNames() }

// integrationKeys lists what a key may be: the folders in dirs or
// ./integrations, and the embedded catalog. It looks at names alone.
func integrationKeys(dirs []string) []string {
	keys := map[string]bool{}
	for _, dir := range orDefault(dirs) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if _, err := os.Stat(filepath.Join(dir, e.Name(), manifestFile)); err == nil {
				keys[e.Name()] = true
			}
		}
	}
	catalog, _ := manifest.Load(integrations.FS())
	for _, i := range catalog.All() {
		keys[i.Key] = true
	}
	return slices.Sorted(maps.Keys(keys))
}
