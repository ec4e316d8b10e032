package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func curlCommand() *cobra.Command {
	var f previewFlags
	cmd := &cobra.Command{
		Use:   "curl NAME",
		Short: "Print the request as a curl command",
		Long: `Prints a command for sh that sends what preview shows, byte for byte. Form
variables that are not --set become shell variables, so that nothing needs
editing: set them in the shell, or once:

  flaghook curl NAME | APIKEY=... sh

The variable of api-key is API_KEY; a name that means something to the shell gets
FORM_ in front, as in FORM_PATH. A condition on a variable sees it as not empty.

Values that land in a body are escaped by the command as the template does it,
with sed; such a value is one line without control characters. Where a value goes
through a helper (queryEncode, basicAuthHeaderValue, truncate, ...) no shell can
do that: the command then says which --set it needs, and exits with 1.

A signature is computed by openssl when its secret is a shell variable, and that of
Standard Webhooks always, for the time at which the command runs. While that variable
is empty nothing is signed, as in production. The delivery's id is made up where it
is needed, unless DELIVERY_ID or --set delivery.id holds one.`,
		Example: `  flaghook curl slack --set url=https://hooks.slack.example/services/T/B/x
  flaghook curl pagerduty --sample flag-off > try.sh
  flaghook curl webhook | URL=http://127.0.0.1:9000 SECRET=s sh`,
		Args: exactArgs(1, "the name of one integration"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			s, err := newSubject(cmd, args[0], f)
			if err != nil {
				return err
			}
			at, err := s.occasion(cmd, f)
			if err != nil {
				return err
			}
			p, err := newPreview(s, at)
			if err != nil {
				return err
			}
			script, err := curlScript(s, at)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(cmd.OutOrStdout(), script); err != nil {
				return err
			}
			return report(cmd, s, []*preview{p}, f.strict)
		},
	}
	f.add(cmd)
	return cmd
}

// curlScript writes the command for an event.
func curlScript(s *subject, at *occasion) (string, error) {
	t, err := trace(s, at)
	if err != nil {
		return "", err
	}
	switch {
	case t.skipped != "":
		return "", &exitError{code: exitFailed, err: fmt.Errorf("nothing is sent: %s", t.skipped)}
	case s.integration.Hook().Endpoint == nil:
		return "", &exitError{code: exitFailed, err: fmt.Errorf("%s has no endpoint to send to", s.integration.Key)}
	case len(t.url) == 0:
		return "", &exitError{code: exitFailed, err: errors.New("nothing can be sent: the URL is empty")}
	}
	for _, key := range t.decided {
		s.warnings = append(s.warnings, fmt.Sprintf("%s: the request depends on whether it is empty; the command takes it as not empty (--set %s= for the other)", key, key))
	}
	return t.script(), nil
}
