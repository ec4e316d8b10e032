package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
)

func jobsCommand() *cobra.Command {
	return group("jobs", "List, show and cancel jobs",
		"Works on the jobs of a running server: replays, retries and cancellations of many\ndeliveries, which go on after the command that began them.",
		`  flaghook jobs list
  flaghook jobs show ID
  flaghook jobs cancel ID`,
		jobsListCommand(),
		jobCommand("show", "Show a job", "Shows how far a job is.", (*client.Client).Job),
		jobCommand("cancel", "End a job", "Ends a job after the step that it is at. What it has done stays done.", (*client.Client).CancelJob))
}

func jobsListCommand() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List jobs, oldest first",
		Long:    "Lists jobs, oldest first. DONE counts what was changed or made, FAILED what was in\nanother state by then, LEFT what is still to be looked at.",
		Example: "  flaghook jobs list",
		Args:    exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l := listing[client.Job]{
				things: "jobs",
				header: []string{"ID", "KIND", "STATE", "DONE", "FAILED", "LEFT", "STARTED", "SUBSCRIPTION"},
				row: func(j *client.Job) []string {
					return []string{
						j.ID, string(j.Kind), string(j.State), strconv.Itoa(j.Done), strconv.Itoa(j.Failed), strconv.Itoa(j.Left),
						when(j.CreatedAt), j.SubscriptionID,
					}
				},
				page: func(ctx context.Context, c *client.Client, p client.Paging) (*client.Page[client.Job], error) {
					return c.Jobs(ctx, p)
				},
			}
			return l.show(cmd, &f)
		},
	}
	f.add(cmd)
	return cmd
}

// jobCommand is a command that asks for one job, and shows it.
func jobCommand(word, short, long string, ask func(*client.Client, context.Context, string) (*client.Job, error)) *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use: word + " ID", Short: short, Long: long,
		Example: fmt.Sprintf("  flaghook jobs %s ID", word),
		Args:    exactArgs(1, "the id of one job"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				j, err := ask(c, ctx, args[0])
				if err != nil {
					return fmt.Errorf("job %s: %w", args[0], err)
				}
				if f.json() {
					return writeAnswer(cmd, j.JSON())
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), jobLine(j))
				return err
			})
		},
	}
	f.add(cmd, true)
	return cmd
}
