package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
)

func subscriptionsCommand() *cobra.Command {
	return group("subscriptions", "List, show, switch and delete subscriptions", "Works on the subscriptions of a running server.",
		`  flaghook subscriptions list
  flaghook subscriptions show ID
  flaghook subscriptions off ID`,
		subscriptionsListCommand(), subscriptionsShowCommand(), subscriptionsSwitchCommand(true), subscriptionsSwitchCommand(false),
		subscriptionsDeleteCommand(), subscriptionsValidateCommand())
}

func subscriptionsListCommand() *cobra.Command {
	var f listFlags
	var q client.SubscriptionQuery
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List subscriptions, oldest first",
		Long: `Lists subscriptions with how many attempts succeeded and failed, and since when
none has succeeded.`,
		Example: `  flaghook subscriptions list
  flaghook subscriptions list --integration slack --format json | jq -r '.items[]._id'`,
		Args: exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l := listing[client.Subscription]{
				things: "subscriptions",
				header: []string{"ID", "INTEGRATION", "NAME", "STATE", "DELIVERED", "FAILED", "FAILING SINCE"},
				row: func(s *client.Subscription) []string {
					return []string{
						s.ID, s.Integration, s.Name, onOff(s.On),
						strconv.Itoa(s.Status.SuccessCount), strconv.Itoa(s.Status.ErrorCount), when(s.Status.FailingSince),
					}
				},
				page: func(ctx context.Context, c *client.Client, p client.Paging) (*client.Page[client.Subscription], error) {
					q.Paging = p
					return c.Subscriptions(ctx, q)
				},
			}
			return l.show(cmd, &f)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&q.Integration, "integration", "", "those of this integration, by its `KEY`")
	flagWords(cmd, "integration", func(*cobra.Command, []string) []string { return integrationKeys(nil) })
	return cmd
}

func subscriptionsShowCommand() *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a subscription",
		Long:    "Shows a subscription with its policy, settings and status. Secrets are masked.",
		Example: "  flaghook subscriptions show ID\n  flaghook subscriptions show ID --format json",
		Args:    exactArgs(1, "the id of one subscription"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				s, err := c.Subscription(ctx, args[0])
				if err != nil {
					return err
				}
				return showSubscription(cmd, &f, s)
			})
		},
	}
	f.add(cmd, true)
	return cmd
}

func showSubscription(cmd *cobra.Command, f *remoteFlags, s *client.Subscription) error {
	if f.json() {
		return writeAnswer(cmd, s.JSON())
	}
	t := newTable()
	t.add("id", s.ID)
	t.add("integration", s.Integration)
	t.add("name", s.Name)
	if s.Description != "" {
		t.add("description", s.Description)
	}
	t.add("state", onOff(s.On))
	if s.OffReason != "" {
		t.add("switched off", s.OffReason)
	}
	t.addConfig(s.Config)
	t.addLines("policy", policyLines(s.Statements)...)
	t.addLines("tags", s.Tags...)
	t.add("delivery", deliverySettings(s.DeliverySettings))
	t.add("attempts", fmt.Sprintf("%d delivered, %d failed", s.Status.SuccessCount, s.Status.ErrorCount))
	if !s.Status.FailingSince.IsZero() {
		t.add("failing since", when(s.Status.FailingSince))
	}
	t.add("created", when(s.CreatedAt))
	t.add("changed", fmt.Sprintf("%s, version %d", when(s.UpdatedAt), s.Version))
	for _, w := range s.Warnings {
		t.add("warning", w)
	}
	return t.write(cmd.OutOrStdout())
}

// deliverySettings says in a line how a subscription is delivered to.
func deliverySettings(d client.DeliverySettings) string {
	text := fmt.Sprintf("%d s an attempt", d.TimeoutSeconds)
	if d.MaxRetries != nil {
		text += fmt.Sprintf(", %d repeats", *d.MaxRetries)
	}
	if d.MaxElapsed > 0 {
		text += fmt.Sprintf(" within %s", d.MaxElapsed)
	}
	if d.RetryOn != "" {
		text += " on " + d.RetryOn
	}
	if d.Ordered {
		text += ", in order"
	}
	if d.SecretOverlap > 0 {
		text += fmt.Sprintf(", an old secret signs for %s", d.SecretOverlap)
	}
	return text
}

// subscriptionsSwitchCommand is on or off.
func subscriptionsSwitchCommand(on bool) *cobra.Command {
	var f remoteFlags
	word := onOff(on)
	about := "Switches subscriptions on: they get events, and what waited is delivered."
	if !on {
		about = "Switches subscriptions off: they get no new events, and deliveries that wait are\nkept until they are on again."
	}
	cmd := &cobra.Command{
		Use:     word + " ID...",
		Short:   "Switch subscriptions " + word,
		Long:    about,
		Example: fmt.Sprintf("  flaghook subscriptions %s ID", word),
		Args:    someArgs("the ids of subscriptions"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				for _, id := range args {
					s, err := c.UpdateSubscription(ctx, id, 0, map[string]any{"on": on})
					if err != nil {
						return fmt.Errorf("subscription %s: %w", id, err)
					}
					if f.json() {
						err = writeAnswer(cmd, s.JSON())
					} else {
						_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s is %s\n", s.ID, visible(s.Name), onOff(s.On))
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	f.add(cmd, true)
	return cmd
}

func subscriptionsDeleteCommand() *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:     "delete ID...",
		Short:   "Delete subscriptions, with their delivery logs",
		Long:    "Deletes subscriptions, with their delivery logs. What waited for delivery is not\ndelivered any more.",
		Example: "  flaghook subscriptions delete ID",
		Args:    someArgs("the ids of subscriptions"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				for _, id := range args {
					if err := c.DeleteSubscription(ctx, id, 0); err != nil {
						return fmt.Errorf("subscription %s: %w", id, err)
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s is deleted\n", id)
				}
				return nil
			})
		},
	}
	f.add(cmd, false)
	return cmd
}
