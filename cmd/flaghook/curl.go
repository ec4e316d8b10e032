package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/manifest"
)

// sign is the signature that production puts on a body.
var sign = send.Sign

func curlCommand() *cobra.Command {
	var f previewFlags
	cmd := &cobra.Command{
		Use:   "curl NAME",
		Short: "Print the request as a curl command",
		Long: `Prints a command for sh that sends what preview shows, byte for byte. Form
variables that are not --set become shell variables, so that nothing needs
editing: APIKEY=... sh -c "$(flaghook curl NAME)".`,
		Example: `  flaghook curl slack --set url=https://hooks.slack.example/services/T/B/x
  flaghook curl pagerduty --sample flag-off > try.sh`,
		Args: exactArgs(1, "the name of one integration"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPreview(cmd, args[0], f)
			if err != nil {
				return err
			}
			if err := p.writeCurl(cmd.OutOrStdout()); err != nil {
				return err
			}
			return p.report(cmd, f.strict)
		},
	}
	f.add(cmd)
	return cmd
}

func (p *preview) writeCurl(w io.Writer) error {
	r := p.rendered.Request
	switch {
	case r == nil:
		return &exitError{code: exitFailed, err: fmt.Errorf("nothing is sent: %s", p.rendered.Skipped)}
	case r.URL == "":
		return &exitError{code: exitFailed, err: fmt.Errorf("%s has no endpoint to send to", p.integration.Key)}
	}
	var b strings.Builder
	q := shellQuoter(p.unset)
	data := q.quote(string(r.Body))
	signature := ""
	if s := r.Signature; s != nil {
		signature = sign(s.Secret, r.Body)
		if slices.Contains(q.names, s.Secret) { // the shell knows the secret, we do not
			fmt.Fprintf(&b, "body=%s\n", data)
			data = `"$body"`
			signature = fmt.Sprintf(`$(printf %%s "$body" | openssl dgst -sha256 -hmac "%s" | sed 's/^.*= *//')`, s.Secret)
		}
	}
	fmt.Fprintf(&b, "curl --globoff --request %s %s", q.quote(r.Method), q.quote(r.URL))
	for _, h := range r.Headers {
		fmt.Fprintf(&b, " \\\n  --header %s", q.header(h))
	}
	if signature != "" {
		fmt.Fprintf(&b, " \\\n  --header %s\"%s\"", q.quote(r.Signature.Header+": "), signature)
	}
	if len(r.Body) > 0 {
		fmt.Fprintf(&b, " \\\n  --data-raw %s", data)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// A quoter writes words for sh: everything literal but the placeholders, which
// become shell variables.
type quoter struct{ names []string } // "$APIKEY", the longest first

// shellVariable is a placeholder that sh takes for a variable. A form variable
// may have any key, also one that is a command to sh: that stays text.
var shellVariable = regexp.MustCompile(`^\$[A-Z_][A-Z0-9_]*$`)

func shellQuoter(unset map[string]string) quoter {
	names := []string{"$OAUTH_BASE_URI", "$OAUTH_ACCESS_TOKEN"}
	for _, name := range unset {
		if shellVariable.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	return quoter{names: names}
}

// quote gives one word that the shell expands to s.
func (q quoter) quote(s string) string {
	var b strings.Builder
	literal := func(text string) {
		if text != "" {
			b.WriteString("'" + strings.ReplaceAll(text, "'", `'\''`) + "'")
		}
	}
	for s != "" {
		at, name := q.next(s)
		literal(s[:at])
		if name == "" {
			break
		}
		b.WriteString(`"` + name + `"`)
		s = s[at+len(name):]
	}
	if b.Len() == 0 {
		return "''"
	}
	return b.String()
}

// next finds the first placeholder; at is len(s) when there is none.
func (q quoter) next(s string) (at int, name string) {
	at = len(s)
	for _, n := range q.names {
		if i := strings.Index(s, n); i >= 0 && i < at {
			at, name = i, n
		}
	}
	return at, name
}

// header writes "Name: value", or "Name;" with which curl sends it empty.
func (q quoter) header(h manifest.Header) string {
	if h.Value == "" {
		return q.quote(h.Name + ";")
	}
	return q.quote(h.Name + ": " + h.Value)
}
