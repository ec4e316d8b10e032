package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
)

// replayFlags say what is delivered again.
type replayFlags struct {
	remoteFlags
	jobFlags

	subscriptions []string
	event         string
	dead          bool
}

func replayCommand() *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Deliver again: events since a time, one event, or what is dead",
		Long: `Delivers again:

- to a subscription the stored events since a time that its policy lets through now
  (--subscription ID --since TIME);
- one event (--event ID), to all whose policy lets it through or to those of
  --subscription;
- everything that is dead (--dead), of all subscriptions or those of --subscription.

The server does the first and the last in the background;
the command follows them to their end, unless --no-wait is given. Interrupting the
command does not stop them.

What is replayed is a delivery of its own, with a new id; what was dead keeps its id.`,
		Example: `  flaghook replay --subscription ID --since 24h
  flaghook replay --event EVENT-ID --subscription ID
  flaghook replay --dead --no-wait`,
		Args: exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.replay(cmd) },
	}
	f.remoteFlags.add(cmd, true)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.subscriptions, "subscription", nil, "to this subscription, by its `ID` (repeatable)")
	flags.StringVar(&f.event, "event", "", "one event, by its `ID`")
	flags.BoolVar(&f.dead, "dead", false, "what is dead")
	f.jobFlags.add(cmd)
	return cmd
}

func (f *replayFlags) replay(cmd *cobra.Command) error {
	ranged := !f.since.IsZero() || !f.until.IsZero()
	switch {
	case f.event != "" && (f.dead || ranged):
		return usagef("--event goes with --subscription alone")
	case f.event != "":
		return f.run(cmd, func(ctx context.Context, c *client.Client) error { return f.replayEvent(ctx, cmd, c) })
	case f.dead:
		return f.run(cmd, func(ctx context.Context, c *client.Client) error { return f.retryDead(ctx, cmd, c) })
	case len(f.subscriptions) == 0 || f.since.IsZero():
		return usagef("say what to deliver again: --subscription with --since, --event, or --dead; see 'flaghook replay --help'")
	}
	return f.run(cmd, func(ctx context.Context, c *client.Client) error {
		for _, id := range f.subscriptions {
			if err := f.start(ctx, cmd, c, &f.remoteFlags, client.JobReplay, id); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *replayFlags) replayEvent(ctx context.Context, cmd *cobra.Command, c *client.Client) error {
	r, err := c.ReplayEvent(ctx, f.event, f.subscriptions...)
	if err != nil {
		return err
	}
	if f.json() {
		return writeAnswer(cmd, r.JSON())
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "replay %s: event %s goes to %s again\n", r.ID, f.event, count(r.Deliveries, "subscription"))
	return err
}

// retryDead starts a job for each subscription that has something dead.
func (f *replayFlags) retryDead(ctx context.Context, cmd *cobra.Command, c *client.Client) error {
	ids := f.subscriptions
	if len(ids) == 0 {
		for s, err := range c.AllSubscriptions(ctx, client.SubscriptionQuery{}) {
			if err != nil {
				return err
			}
			ids = append(ids, s.ID)
		}
	}
	started := 0
	for _, id := range ids {
		dead, err := f.hasDead(ctx, c, id)
		if err != nil {
			return err
		}
		if !dead {
			continue
		}
		if err := f.start(ctx, cmd, c, &f.remoteFlags, client.JobRetry, id); err != nil {
			return err
		}
		started++
	}
	if started == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "nothing is dead")
	}
	return nil
}

func (f *replayFlags) hasDead(ctx context.Context, c *client.Client, subscription string) (bool, error) {
	q := client.DeliveryQuery{SubscriptionID: subscription, States: []client.State{client.StateDead}, Since: f.since.Time, Until: f.until.Time}
	for _, err := range c.AllDeliveries(ctx, q) { // a page may be empty and not the last
		return err == nil, err
	}
	return false, nil
}
