package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
)

func subscriptionsValidateCommand() *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:   "validate ID",
		Short: "Send a subscription's test request now",
		Long: `Sends a subscription's test request, whether it is on or off, and shows the request
and what the endpoint answered. Secrets are masked.

Exit 0 when the endpoint took it, 1 when it did not or nothing was sent.`,
		Example: "  flaghook subscriptions validate ID\n  flaghook subscriptions validate ID --format json | jq .response",
		Args:    exactArgs(1, "the id of one subscription"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				v, err := c.ValidateSubscription(ctx, args[0])
				if err != nil {
					return err
				}
				if f.json() {
					err = writeAnswer(cmd, v.JSON())
				} else {
					err = showValidation(cmd, v)
				}
				if err == nil && (v.Response == nil || v.Response.ErrorClass != "") {
					err = &exitError{code: exitFailed}
				}
				return err
			})
		},
	}
	f.add(cmd, true)
	return cmd
}

// showValidation shows the request as HTTP has it, and the answer.
func showValidation(cmd *cobra.Command, v *client.Validation) error {
	paint := painter(coloured(cmd.OutOrStdout()))
	var b strings.Builder
	if r := v.Request; r != nil {
		fmt.Fprintf(&b, "%s %s\n", paint(bold, visible(r.Method)), visible(r.URL))
		writeHeaders(&b, r.Headers)
		b.WriteString("\n" + visible(strings.TrimSuffix(r.Body, "\n")) + "\n\n")
	}
	switch r := v.Response; {
	case v.Request == nil || r == nil:
		fmt.Fprintf(&b, "%s: %s\n", paint(yellow, "nothing was sent"), visible(v.Skipped))
	case r.StatusCode == 0:
		fmt.Fprintf(&b, "%s: %s (%s)\n", paint(red, "no answer"), visible(r.Error), visible(r.ErrorClass))
	default:
		code := green
		if r.ErrorClass != "" {
			code = red
		}
		fmt.Fprintf(&b, "answered with %s after %.0f ms\n", paint(code, fmt.Sprint(r.StatusCode)), r.DurationMs)
		writeHeaders(&b, r.Headers)
		if r.Body != "" {
			b.WriteString("\n" + visible(strings.TrimSuffix(r.Body, "\n")) + "\n")
		}
	}
	if d := v.Delivery; d != nil {
		fmt.Fprintf(&b, "logged as delivery %s\n", visible(d.ID))
	}
	_, err := fmt.Fprint(cmd.OutOrStdout(), b.String())
	return err
}

func writeHeaders(b *strings.Builder, headers []client.Header) {
	for _, h := range headers {
		fmt.Fprintf(b, "%s: %s\n", visible(h.Name), visible(h.Value))
	}
}
