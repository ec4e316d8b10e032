package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
)

// remoteCommands are those that talk to a running server, and those that work on
// its files while it does not run.
func remoteCommands() []*cobra.Command {
	return []*cobra.Command{
		sendCommand(), subscribeCommand(), subscriptionsCommand(), deliveriesCommand(), replayCommand(), jobsCommand(),
		sourcesCommand(), tokensCommand(), backupCommand(), restoreCommand(), compactCommand(), keysCommand(),
	}
}

// remoteFlags say which server a command talks to, as whom, and how it shows the
// answer.
type remoteFlags struct {
	server, token, tokenFile, ca string
	format                       string // table or json; empty for a command that shows nothing
	retries                      int
}

// defaultRetries is little: somebody waits, and can try again.
const defaultRetries = 2

// aboutRemote stands in the help of every command that talks to a server.
const aboutRemote = `
The server is that of --server or FLAGHOOK_SERVER. The token comes from --token,
--token-file, FLAGHOOK_TOKEN, the file FLAGHOOK_TOKEN_FILE or, at last,
FLAGHOOK_ADMIN_TOKEN. A token on the command line is seen by everybody on the
machine; a file or a variable is not.`

// add adds the flags; format only where something is shown.
func (f *remoteFlags) add(cmd *cobra.Command, format bool) {
	cmd.Long = strings.TrimSpace(cmd.Long) + "\n" + aboutRemote
	flags := cmd.Flags()
	flags.StringVar(&f.server, "server", "", "`URL` of the server (default "+client.DefaultURL+")")
	flags.StringVar(&f.token, "token", "", "the `TOKEN` to call it with")
	flags.StringVar(&f.tokenFile, "token-file", "", "`FILE` with the token")
	flags.StringVar(&f.ca, "ca", "", "`FILE` with the certificates (PEM) that the server's is signed by, in place of the system's")
	if format {
		f.format = "table"
		words := []string{"table", "json"}
		flags.Var(&oneOf{value: &f.format, allowed: words}, "format", "output `format`: table, or json as the server answers")
		flagWords(cmd, "format", func(*cobra.Command, []string) []string { return words })
	}
}

// run makes a client and lets it work; its errors become the program's.
func (f *remoteFlags) run(cmd *cobra.Command, work func(ctx context.Context, c *client.Client) error) error {
	c, err := f.client()
	if err != nil {
		return err
	}
	return f.explain(work(cmd.Context(), c))
}

func (f *remoteFlags) client() (*client.Client, error) {
	token, err := f.findToken()
	if err != nil {
		return nil, err
	}
	o := client.Options{
		URL: orEnv(f.server, "FLAGHOOK_SERVER"), Token: token, UserAgent: "flaghook/" + readBuildInfo().Version,
		Retries: cmp.Or(f.retries, defaultRetries),
	}
	if o.HTTP, err = f.http(); err != nil {
		return nil, err
	}
	c, err := client.New(o)
	if err != nil {
		text := strings.TrimPrefix(err.Error(), "client.Options: ")
		return nil, usagef("%s", strings.Replace(text, "URL", "the server's URL", 1))
	}
	return c, nil
}

// orEnv is a flag's value, or that of a variable.
func orEnv(flag, variable string) string {
	if flag != "" {
		return flag
	}
	return strings.TrimSpace(os.Getenv(variable))
}

func (f *remoteFlags) findToken() (string, error) {
	switch {
	case f.token != "" && f.tokenFile != "":
		return "", usagef("--token and --token-file exclude each other")
	case f.token != "":
		return f.token, nil
	case f.tokenFile != "":
		return readToken(f.tokenFile)
	}
	if token := orEnv("", "FLAGHOOK_TOKEN"); token != "" {
		return token, nil
	}
	if file := orEnv("", "FLAGHOOK_TOKEN_FILE"); file != "" {
		return readToken(file)
	}
	if token := orEnv("", "FLAGHOOK_ADMIN_TOKEN"); token != "" {
		return token, nil
	}
	return "", usagef("there is no token: set FLAGHOOK_TOKEN or give --token-file; a server that was given none keeps its admin token in DATA/admin.token")
}

func (f *remoteFlags) http() (*http.Client, error) {
	file := orEnv(f.ca, "FLAGHOOK_CA")
	if file == "" {
		return &http.Client{}, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, usagef("--ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, usagef("--ca: %s holds no certificate in PEM", file)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport}, nil
}

// shownFaults is how many faults the message of a refusal names itself.
const shownFaults = 3

// explain adds to an error what one can do about it.
func (f *remoteFlags) explain(err error) error {
	var refused *client.Error
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return explainRefusal(err, refused)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w; is the server running there? --server and FLAGHOOK_SERVER name another", err)
	case errors.As(err, &unknown):
		return fmt.Errorf("%w; --ca names the certificate of whoever signed it", err)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted: %w", err)
	}
	return err
}

func explainRefusal(err error, refused *client.Error) error {
	switch {
	case refused.Status == http.StatusUnauthorized:
		return fmt.Errorf("%w; is it this server's token?", err)
	case len(refused.Errors) > shownFaults:
		var b strings.Builder
		for _, e := range refused.Errors {
			fmt.Fprintf(&b, "\n  %s: %s", e.Attribute, e.Reason)
		}
		return fmt.Errorf("%w%s", err, b.String())
	}
	return err
}

// json reports whether answers are shown as the server gave them.
func (f *remoteFlags) json() bool { return f.format == "json" }

// writeAnswer writes the JSON of an answer with nothing changed but the blanks
// between its parts.
func writeAnswer(cmd *cobra.Command, answer json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(answer), "", "  "); err != nil {
		return fmt.Errorf("the server's answer is no JSON: %w", err)
	}
	b.WriteByte('\n')
	_, err := cmd.OutOrStdout().Write(b.Bytes())
	return err
}

// group makes a command that has only subcommands.
func group(use, short, long, example string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example, SuggestionsMinimumDistance: 2,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}

// someArgs wants at least one argument.
func someArgs(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("%s takes %s; see '%s --help'", cmd.Name(), what, cmd.CommandPath())
		}
		return nil
	}
}
