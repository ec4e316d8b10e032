package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/bolt"
)

// dataFlag adds --data of the commands that work on files while no server has
// them open. FLAGHOOK_DATA names the directory too, as it does for serve.
func dataFlag(cmd *cobra.Command, data *string) {
	cmd.Flags().StringVar(data, "data", "", "`DIR` that holds everything stored, as of serve (default flaghook-data)")
}

// orData is the directory of the flag, of the variable, or serve's default.
func orData(flag string) string {
	if dir := orEnv(flag, "FLAGHOOK_DATA"); dir != "" {
		return dir
	}
	return "flaghook-data"
}

func restoreCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a data directory of a backup",
		Long: `Checks a snapshot that 'flaghook backup' wrote, all of it, and puts it into a data
directory that has no store yet. The server then starts with it.

Secrets are encrypted in a backup, and the keys are not in it: the server starts with
the key file that the first one had (DATA/keys.json unless it was put elsewhere).`,
		Example: `  flaghook restore flaghook-2026-01-31.db --data /var/lib/flaghook
  cp /safe/keys.json /var/lib/flaghook/
  flaghook serve --data /var/lib/flaghook`,
		Args: exactArgs(1, "one backup file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := orData(data)
			if _, err := os.Stat(args[0]); err != nil {
				return usagef("%w", err)
			}
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return usagef("--data: %w", err)
			}
			if err := bolt.Restore(args[0], databaseIn(dir)); err != nil {
				return err
			}
			if _, err := os.Stat(keyFileIn(dir)); err != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "before you start it, put the key file of the server that was backed up at %s, or give it by --key-file\n", keyFileIn(dir))
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s holds what %s held; start it with: flaghook serve --data %s\n", dir, args[0], dir)
			return err
		},
	}
	dataFlag(cmd, &data)
	return cmd
}

func compactCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "compact",
		Short: "Write a data directory's store anew without its free pages",
		Long: `Writes the store of a data directory anew, without the pages that nothing uses, and
checks it. The server must not run meanwhile. Until the new file is whole the old one
keeps its place, so there must be space for both.

A store reuses its free pages by itself; compact when much was deleted for good, or
to be rid of what pages held before it was encrypted.`,
		Example: "  flaghook compact --data /var/lib/flaghook",
		Args:    exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			file := databaseIn(orData(data))
			before, after, err := bolt.Compact(file)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return usagef("%w; --data names the directory of the server", err)
			case err != nil:
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s had %d bytes and has %d\n", file, before, after)
			return err
		},
	}
	dataFlag(cmd, &data)
	return cmd
}
