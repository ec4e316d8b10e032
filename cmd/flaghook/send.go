package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
	"github.com/flaghook/flaghook/render"
)

// sendFlags write an event, or say where events are.
type sendFlags struct {
	remoteFlags

	action, resource, actor, comment, id string
	on, off                              bool
	sample, key                          string
}

func sendCommand() *cobra.Command {
	var f sendFlags
	cmd := &cobra.Command{
		Use:   "send [FILE|-]",
		Short: "Send an event to a running server",
		Long: `Sends events: those in a file or on standard input, one event, an array of them
or one after another (NDJSON); or one that flags write. It ends when they are on
the server's disk, and says how many subscriptions each goes to.

Many events are sent in batches. Each batch is sent under a key of its own, so
that nothing is there twice when a connection breaks on the way; with
--idempotency-key that holds for a second run of the command too.`,
		Example: `  flaghook send --resource proj/web:env/production:flag/checkout --on --actor ann@example.com
  flaghook send --resource proj/web:env/staging:flag/beta --action updateRules --comment "for testers"
  flaghook send event.json
  flaghook samples show flag-off | flaghook send -
  flaghook send history.ndjson --idempotency-key history-2026-01 --format json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return f.send(cmd, args) },
	}
	f.add(cmd, true)
	flags := cmd.Flags()
	flags.StringVar(&f.resource, "resource", "", "what it happened to, such as proj/web:env/production:flag/checkout")
	flags.StringVar(&f.action, "action", "", "what happened, such as updateOn (default with --on or --off) or updateRules")
	flags.StringVar(&f.actor, "actor", "", "who did it: an e-mail address, or the name of a program")
	flags.StringVar(&f.comment, "comment", "", "what they said about it")
	flags.BoolVar(&f.on, "on", false, "it was switched on")
	flags.BoolVar(&f.off, "off", false, "it was switched off")
	flags.StringVar(&f.id, "id", "", "the event's `ID`, by which a repeat is told (default: the server makes one)")
	flags.StringVar(&f.sample, "sample", "", "a sample event by `NAME`, as if it had happened now")
	flags.StringVar(&f.key, "idempotency-key", "", "a `KEY` for all that is sent: under it a repeat is no second event")
	flagWords(cmd, "sample", sampleNames)
	return cmd
}

// send finds out where the events are.
func (f *sendFlags) send(cmd *cobra.Command, args []string) error {
	flags := cmd.Flags()
	written := false
	for _, name := range []string{"resource", "action", "actor", "comment", "on", "off", "id"} {
		written = written || flags.Changed(name)
	}
	sources := 0
	for _, is := range []bool{len(args) > 0, written, f.sample != ""} {
		if is {
			sources++
		}
	}
	if sources != 1 || len(args) > 1 {
		return usagef("give one of: a FILE (- for standard input), --sample NAME, or --resource with what happened; see 'flaghook send --help'")
	}
	if f.key == "" {
		f.key = "cli-" + rand.Text()
	}
	switch {
	case written:
		event, err := f.event()
		if err != nil {
			return err
		}
		return f.publish(cmd, event)
	case f.sample != "":
		doc, err := sample(f.sample, time.Now())
		if err != nil {
			return err
		}
		doc = doc.With("_id", render.Value{}) // what happens now is an event of its own
		return f.publish(cmd, json.RawMessage(doc.AppendJSON(nil)))
	}
	return f.sendFile(cmd, args[0])
}

// event is what the flags write.
func (f *sendFlags) event() (client.NewEvent, error) {
	e := client.NewEvent{ID: f.id, Action: f.action, Resource: f.resource, Comment: f.comment}
	switch {
	case f.resource == "":
		return e, usagef("--resource is missing: what it happened to, such as proj/web:env/production:flag/checkout")
	case f.on && f.off:
		return e, usagef("--on and --off exclude each other")
	case f.action == "" && !f.on && !f.off:
		return e, usagef("give --on, --off or --action: what happened to %s", f.resource)
	}
	if f.on || f.off {
		e.Before, e.After = map[string]bool{"on": !f.on}, map[string]bool{"on": f.on}
		if e.Action == "" {
			e.Action = "updateOn"
		}
	}
	switch {
	case strings.Contains(f.actor, "@"):
		e.Member = &client.Member{Email: f.actor}
	case f.actor != "":
		e.App = &client.Named{Name: f.actor}
	}
	return e, nil
}

// publish sends one event.
func (f *sendFlags) publish(cmd *cobra.Command, event any) error {
	return f.run(cmd, func(ctx context.Context, c *client.Client) error {
		r, err := c.Publish(ctx, client.PublishOptions{IdempotencyKey: f.key}, event)
		if err != nil {
			return err
		}
		if f.json() {
			return writeAnswer(cmd, r.JSON())
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), receiptLine(r.Items[0]))
		return err
	})
}

func receiptLine(r client.Receipt) string {
	if r.Duplicate {
		return fmt.Sprintf("event %s was there already; nothing is sent again", r.ID)
	}
	return fmt.Sprintf("event %s goes to %s", r.ID, count(r.Matched, "subscription"))
}

// fileRetries is much: a long file may meet a server whose backlog is full, or
// that is started anew.
const fileRetries = 10

// sendFile sends what is in a file, batch by batch.
func (f *sendFlags) sendFile(cmd *cobra.Command, name string) error {
	in := cmd.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return usagef("%w", err)
		}
		defer file.Close()
		in = file
	}
	f.retries = fileRetries
	return f.run(cmd, func(ctx context.Context, c *client.Client) error { return f.sendAll(ctx, cmd, c, in, name) })
}

func (f *sendFlags) sendAll(ctx context.Context, cmd *cobra.Command, c *client.Client, in io.Reader, name string) error {
	sent, batches := 0, 0
	for batch, err := range eventBatches(in) {
		if err != nil {
			if sent > 0 {
				err = fmt.Errorf("%w; the %s before are sent", err, count(sent, "event"))
			}
			return usagef("%s: %w", name, err)
		}
		key := f.key
		if batches > 0 {
			key += "-" + strconv.Itoa(batches)
		}
		r, err := c.Publish(ctx, client.PublishOptions{IdempotencyKey: key}, batch...)
		if err != nil {
			if sent > 0 {
				err = fmt.Errorf("events %d to %d: %w; the %s before are sent", sent+1, sent+len(batch), err, count(sent, "event"))
			}
			return err
		}
		sent, batches = sent+len(batch), batches+1
		if err := f.writeReceipts(cmd, r); err != nil {
			return err
		}
	}
	if sent == 0 {
		return usagef("%s: there is no event in it", name)
	}
	return nil
}

func (f *sendFlags) writeReceipts(cmd *cobra.Command, r *client.Receipts) error {
	if f.json() {
		return writeAnswer(cmd, r.JSON())
	}
	var b strings.Builder
	for _, item := range r.Items {
		b.WriteString(receiptLine(item) + "\n")
	}
	_, err := io.WriteString(cmd.OutOrStdout(), b.String())
	return err
}
