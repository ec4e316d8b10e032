package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func testCommand() *cobra.Command {
	var dirs []string
	var update bool
	cmd := &cobra.Command{
		Use:   "test [NAME...]",
		Short: "Run the goldens of integrations",
		Long: `Renders the events of an integration's goldens, testdata/*.json, and compares what
would be sent with what they hold, byte for byte. Without NAME it tests all in
--integrations DIR, else in ./integrations, else the folder that it stands in.

A golden says which event, which form variables and what must be sent:
  {
    "sample": "flag-on",
    "formVariables": {"url": "https://example.com/hook"},
    "request": {"method": "POST", "url": "...", "headers": [...], "body": {...}, "bodyEnd": "\n"}
  }
In place of "sample" it may hold an "event", as preview --event takes it; with
"template" it forces one. A JSON body stands there just as it is sent, with the
white space behind it in "bodyEnd"; any other body is a string. Where nothing is
sent, "request" is null and "reason" says why.

--update writes what is rendered now. A golden without "request" gets one; an
integration without goldens gets one for every sample. Read the diff.

Exit 0 when all agree, 1 when one does not, 2 when one cannot be read.`,
		Example: `  flaghook test
  flaghook test ./acme
  flaghook test ./acme --update
  echo '{"sample": "flag-off", "formVariables": {"url": "https://example.com/"}}' > acme/testdata/flag-off.json`,
		ValidArgsFunction: func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			if isPath(typed) {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			return integrationKeys(dirs), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, names []string) error {
			folders, err := testFolders(names, dirs)
			if err != nil {
				return err
			}
			t := &tester{out: cmd.OutOrStdout(), err: cmd.ErrOrStderr(), update: update}
			for _, folder := range folders {
				if err := t.folder(folder); err != nil {
					return err
				}
			}
			return t.end()
		},
	}
	integrationDirs(cmd, &dirs)
	cmd.Flags().BoolVar(&update, "update", false, "write the goldens anew")
	return cmd
}

// testFolders are the folders of the integrations that were named, or of all.
func testFolders(names, dirs []string) ([]string, error) {
	var folders []string
	for _, name := range names {
		folder, err := locate(name, dirs)
		switch {
		case err != nil:
			return nil, err
		case folder == "":
			if _, _, err := findIntegration(name, dirs); err != nil {
				return nil, err
			}
			return nil, usagef("%s is part of this program, without its goldens; name a folder, such as ./%s", name, name)
		}
		folders = append(folders, folder)
	}
	if len(names) > 0 {
		return folders, nil
	}
	if _, err := os.Stat(manifestFile); err == nil && len(dirs) == 0 {
		return []string{"."}, nil
	}
	dirs = orDefault(dirs)
	if len(dirs) == 0 {
		return nil, usagef("there is nothing to test here: no %s and no folder integrations; name an integration's folder", manifestFile)
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, usagef("cannot read the integrations folder: %w", err)
		}
		for _, e := range entries {
			folder := filepath.Join(dir, e.Name())
			if _, err := os.Stat(filepath.Join(folder, manifestFile)); err == nil {
				folders = append(folders, folder)
			}
		}
	}
	if len(folders) == 0 {
		return nil, usagef("there is no integration in %s", strings.Join(dirs, ", "))
	}
	return folders, nil
}
