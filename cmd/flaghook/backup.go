package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
)

func backupCommand() *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write a snapshot of a running server's store to a file",
		Long: `Writes a consistent snapshot of a running server's store to FILE, which only you can
read: it holds secrets. FILE is written whole or not at all; one that is there is
replaced. 'flaghook restore' makes a data directory of it.

It needs an admin's token.`,
		Example: `  flaghook backup flaghook-$(date +%F).db
  FLAGHOOK_SERVER=https://hooks.example.com flaghook backup --token-file admin.token /backups/hooks.db`,
		Args: exactArgs(1, "one file to write"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, func(ctx context.Context, c *client.Client) error { return backup(ctx, cmd, c, args[0]) })
		},
	}
	f.add(cmd, false)
	return cmd
}

func backup(ctx context.Context, cmd *cobra.Command, c *client.Client, file string) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), ".flaghook-backup-") // mode 0600
	if err != nil {
		return usagef("%w", err)
	}
	buffered := bufio.NewWriterSize(temporary, 1<<20)
	size, err := c.Backup(ctx, buffered)
	if err == nil {
		err = errors.Join(buffered.Flush(), temporary.Sync())
	}
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes\n", file, size)
	return err
}
