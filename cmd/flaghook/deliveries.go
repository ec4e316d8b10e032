package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
)

func deliveriesCommand() *cobra.Command {
	return group("deliveries", "List, show, retry and cancel deliveries",
		"Works on the delivery log of a running server: a delivery is one event for one\nsubscription.",
		`  flaghook deliveries list --status dead
  flaghook deliveries show ID
  flaghook deliveries retry ID`,
		deliveriesListCommand(), deliveriesShowCommand(),
		deliveriesChangeCommand("retry", "Make finished deliveries due again",
			`Makes dead, skipped or cancelled deliveries due now, with their ids and attempts
kept. With --subscription all dead ones of a subscription, as a job.`,
			client.JobRetry, (*client.Client).RetryDelivery),
		deliveriesChangeCommand("cancel", "Cancel deliveries that wait",
			`Cancels deliveries that wait for an attempt; one that is under way may still
arrive. With --subscription all that wait of a subscription, as a job.`,
			client.JobCancel, (*client.Client).CancelDelivery))
}

// deliveryStates are the words that --status takes.
var deliveryStates = []string{"pending", "delivered", "dead", "skipped", "cancelled"}

// deliveryFlags choose deliveries.
type deliveryFlags struct {
	listFlags

	subscription, event string
	states              []string
	since, until        moment
}

func deliveriesListCommand() *cobra.Command {
	var f deliveryFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List deliveries, newest first",
		Long: `Lists deliveries, newest first; those of all subscriptions subscription by
subscription.`,
		Example: `  flaghook deliveries list --status dead,pending
  flaghook deliveries list --subscription ID --since 24h
  flaghook deliveries list --status dead --all --format json | jq -r ._id`,
		Args: exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.list(cmd) },
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.subscription, "subscription", "", "those of this subscription, by its `ID`")
	flags.StringVar(&f.event, "event", "", "those of this event, by its `ID`")
	flags.StringSliceVar(&f.states, "status", nil, "those in these `STATES`: "+strings.Join(deliveryStates, ", "))
	momentFlag(cmd, &f.since, "since", "those accepted since")
	momentFlag(cmd, &f.until, "until", "those accepted before")
	flagWords(cmd, "status", func(*cobra.Command, []string) []string { return deliveryStates })
	return cmd
}

func (f *deliveryFlags) list(cmd *cobra.Command) error {
	q := client.DeliveryQuery{SubscriptionID: f.subscription, EventID: f.event, Since: f.since.Time, Until: f.until.Time}
	for _, s := range f.states {
		if !slices.Contains(deliveryStates, s) {
			return usagef("--status %s: it can be %s", s, strings.Join(deliveryStates, ", "))
		}
		q.States = append(q.States, client.State(s))
	}
	l := listing[client.Delivery]{
		things: "such deliveries",
		header: []string{"ACCEPTED", "ID", "STATE", "ATTEMPTS", "LAST", "EVENT", "SUBSCRIPTION"},
		row: func(d *client.Delivery) []string {
			return []string{when(d.CreatedAt), d.ID, stateOf(d), strconv.Itoa(len(d.Attempts)), lastAttempt(d), d.EventID, d.SubscriptionID}
		},
		page: func(ctx context.Context, c *client.Client, p client.Paging) (*client.Page[client.Delivery], error) {
			q.Paging = p
			return c.Deliveries(ctx, q)
		},
	}
	f.listFlags.since, f.listFlags.until = &f.since, &f.until
	return l.show(cmd, &f.listFlags)
}

// stateOf is the state, held where a delivery waits for an earlier one.
func stateOf(d *client.Delivery) string {
	if d.Held {
		return "held"
	}
	return string(d.State)
}

// lastAttempt says in a word how the last attempt ended: the status, or the
// class of error where there was no answer.
func lastAttempt(d *client.Delivery) string {
	if len(d.Attempts) == 0 {
		return "-"
	}
	return attemptResult(d.Attempts[len(d.Attempts)-1])
}

func attemptResult(a client.Attempt) string {
	if a.StatusCode != 0 {
		return strconv.Itoa(a.StatusCode)
	}
	return a.ErrorClass
}

func deliveriesShowCommand() *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a delivery with its attempts",
		Long:    "Shows a delivery with each of its attempts. ID is also the webhook-id of its\nrequests.",
		Example: "  flaghook deliveries show ID\n  flaghook deliveries show ID --format json | jq '.attempts[-1]'",
		Args:    exactArgs(1, "the id of one delivery"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				d, err := c.Delivery(ctx, args[0])
				if err != nil {
					return err
				}
				if f.json() {
					return writeAnswer(cmd, d.JSON())
				}
				return showDelivery(cmd, d)
			})
		},
	}
	f.add(cmd, true)
	return cmd
}

func showDelivery(cmd *cobra.Command, d *client.Delivery) error {
	t := newTable()
	t.add("id", d.ID)
	t.add("state", stateOf(d))
	if d.Reason != "" {
		t.add("reason", d.Reason)
	}
	t.add("event", d.EventID)
	t.add("subscription", d.SubscriptionID)
	if d.Replay != "" {
		t.add("replay", d.Replay)
	}
	t.add("accepted", when(d.CreatedAt))
	if !d.NextAttemptAt.IsZero() {
		t.add("next attempt", when(d.NextAttemptAt))
	}
	if !d.FinishedAt.IsZero() {
		t.add("finished", when(d.FinishedAt))
	}
	if err := t.write(cmd.OutOrStdout()); err != nil || len(d.Attempts) == 0 {
		return err
	}
	attempts := newTable("ATTEMPT", "AT", "TOOK", "RESULT", "ERROR")
	for i, a := range d.Attempts {
		attempts.add(strconv.Itoa(i+1), when(a.At), fmt.Sprintf("%.0f ms", a.DurationMs), attemptResult(a), a.Error)
	}
	fmt.Fprintln(cmd.OutOrStdout())
	return attempts.write(cmd.OutOrStdout())
}

// deliveriesChangeCommand is retry or cancel: of single deliveries, or of those
// of a subscription.
func deliveriesChangeCommand(word, short, long string, kind client.JobKind, change func(*client.Client, context.Context, string) (*client.Delivery, error)) *cobra.Command {
	var f remoteFlags
	var j jobFlags
	var subscription string
	cmd := &cobra.Command{
		Use: word + " [ID...]", Short: short, Long: long,
		Example: fmt.Sprintf("  flaghook deliveries %[1]s ID\n  flaghook deliveries %[1]s --subscription ID --since 24h", word),
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) > 0) == (subscription != "") {
				return usagef("give the ids of deliveries, or --subscription; see '%s --help'", cmd.CommandPath())
			}
			if len(args) > 0 && (!j.since.IsZero() || !j.until.IsZero()) {
				return usagef("--since and --until go with --subscription")
			}
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				if subscription != "" {
					return j.start(ctx, cmd, c, &f, kind, subscription)
				}
				return changeDeliveries(ctx, cmd, c, &f, args, change)
			})
		},
	}
	f.add(cmd, true)
	cmd.Flags().StringVar(&subscription, "subscription", "", "all of this subscription, by its `ID`")
	j.add(cmd)
	return cmd
}

func changeDeliveries(ctx context.Context, cmd *cobra.Command, c *client.Client, f *remoteFlags, ids []string, change func(*client.Client, context.Context, string) (*client.Delivery, error)) error {
	for _, id := range ids {
		d, err := change(c, ctx, id)
		if err != nil {
			return fmt.Errorf("delivery %s: %w", id, err)
		}
		if f.json() {
			err = writeAnswer(cmd, d.JSON())
		} else {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is %s\n", d.ID, stateOf(d))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
