package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
	"github.com/flaghook/flaghook/hooks/source"
)

func sourcesCommand() *cobra.Command {
	return group("sources", "Let flag systems send their webhooks here",
		"Works on the sources of a running server: flag systems that send their webhooks as they are. docs/sources.md tells of each.",
		`  flaghook sources add flipt --secret-file flipt.secret
  flaghook sources list
  flaghook sources show ID
  flaghook sources set ID --secret-file new.secret
  flaghook sources remove ID`,
		sourcesAddCommand(), sourcesListCommand(), sourcesShowCommand(), sourcesSetCommand(), sourcesRemoveCommand())
}

// sourceKinds are the words for a source's kind.
func sourceKinds() []string {
	var kinds []string
	for _, k := range source.Kinds() {
		kinds = append(kinds, string(k))
	}
	return kinds
}

// secretFlags say what a source's secret is. On a command line everybody on the
// machine sees it.
type secretFlags struct{ secret, file string }

func (f *secretFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.secret, "secret", "", "the `SECRET` that the system signs with, or sends")
	flags.StringVar(&f.file, "secret-file", "", "`FILE` with the secret; - for standard input")
}

// read gives the secret, "" for none.
func (f *secretFlags) read(cmd *cobra.Command) (string, error) {
	switch {
	case f.secret != "" && f.file != "":
		return "", usagef("--secret and --secret-file exclude each other")
	case f.file == "":
		return f.secret, nil
	}
	const most = 8 << 10
	in := cmd.InOrStdin()
	if f.file != "-" {
		file, err := os.Open(f.file)
		if err != nil {
			return "", usagef("--secret-file: %w", err)
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, most))
	secret := strings.TrimSpace(string(data))
	if err == nil && secret == "" {
		return "", usagef("--secret-file: %s is empty", f.file)
	}
	if err != nil {
		return "", usagef("--secret-file: %w", err)
	}
	return secret, nil
}

func sourcesAddCommand() *cobra.Command {
	var f remoteFlags
	var secret secretFlags
	var s client.NewSource
	cmd := &cobra.Command{
		Use:   "add KIND",
		Short: "Add a source, and say how the system is set up to send to it",
		Long: `Adds a source of a kind: ` + strings.Join(sourceKinds(), ", ") + `.

Prints the source's address and how the system is set up to send to it. Some systems
make the secret only once they have the address; then add the source without one and
give it later, with 'flaghook sources set'.`,
		Example: `  flaghook sources add flipt --name "Flipt of the shop" --secret-file flipt.secret
  flaghook sources add unleash --secret-file unleash.secret --environments development,production
  flaghook sources add growthbook --format json`,
		Args: exactArgs(1, "the kind of one source"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s.Kind = args[0]
			if !slices.Contains(sourceKinds(), s.Kind) {
				return usagef("there is no kind %q of source; there are %s", s.Kind, strings.Join(sourceKinds(), ", "))
			}
			if s.Name == "" {
				s.Name = s.Kind
			}
			var err error
			if s.Secret, err = secret.read(cmd); err != nil {
				return err
			}
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				made, err := c.CreateSource(ctx, s)
				if err != nil {
					return err
				}
				if f.json() {
					return writeAnswer(cmd, made.JSON())
				}
				if s.Secret == "" && !s.Unsigned {
					fmt.Fprintf(cmd.ErrOrStderr(), "it has no secret yet and refuses everything; then: flaghook sources set %s --secret-file FILE\n", made.ID)
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "source %s (%s)\n%s\n\n%s", made.ID, made.Kind, visible(made.URL), made.Snippet)
				return err
			})
		},
	}
	f.add(cmd, true)
	secret.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&s.Name, "name", "", "`NAME` of the source (default: its kind)")
	flags.BoolVar(&s.Unsigned, "unsigned", false, "take requests without a signature; the address is the only secret then")
	flags.StringVar(&s.Header, "header", "", "`HEADER` that carries the secret as it is, in place of a signature")
	flags.StringVar(&s.Project, "project", "", "`KEY` of the project where the system tells none (default: default)")
	flags.StringSliceVar(&s.Environments, "environments", nil, "`KEYS` of the environments where the system tells none, or means all (default: production)")
	flags.StringVar(&s.BaseURL, "base-url", "", "`URL` where the system's own pages begin, for links")
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return sourceKinds(), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

func sourcesListCommand() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List sources",
		Long:    "Lists sources with what came from them.",
		Example: "  flaghook sources list\n  flaghook sources list --format json",
		Args:    exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l := listing[client.Source]{
				things: "sources",
				header: []string{"ID", "NAME", "KIND", "ON", "EVENTS", "REFUSED", "LAST EVENT"},
				row: func(s *client.Source) []string {
					return []string{s.ID, s.Name, s.Kind, onOff(s.On), fmt.Sprint(s.Status.Events), fmt.Sprint(s.Status.Refused), when(s.Status.LastEventAt)}
				},
				page: func(ctx context.Context, c *client.Client, p client.Paging) (*client.Page[client.Source], error) {
					return c.Sources(ctx, p)
				},
			}
			return l.show(cmd, &f)
		},
	}
	f.add(cmd)
	return cmd
}

func sourcesShowCommand() *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a source: its address, how it is set up, what came from it",
		Long:    "Shows a source: its address, how the system is set up, what came from it, and why requests were refused.",
		Example: "  flaghook sources show ID\n  flaghook sources show ID --format json",
		Args:    exactArgs(1, "the id of one source"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				s, err := c.Source(ctx, args[0])
				if err != nil {
					return err
				}
				if f.json() {
					return writeAnswer(cmd, s.JSON())
				}
				return writeSource(cmd.OutOrStdout(), s)
			})
		},
	}
	f.add(cmd, true)
	return cmd
}

func writeSource(w io.Writer, s *client.Source) error {
	t := newTable()
	signed := count(len(s.Secrets), "secret")
	if s.Unsigned {
		signed = "unsigned"
	}
	for _, row := range [][2]string{
		{"id", s.ID}, {"name", s.Name}, {"kind", s.Kind}, {"on", onOff(s.On)}, {"signed with", signed}, {"project", s.Project},
		{"environments", strings.Join(s.Environments, ", ")}, {"url", s.URL}, {"last event", when(s.Status.LastEventAt)},
		{"requests", fmt.Sprintf("%d accepted (%s), %d duplicate, %d suppressed, %d refused",
			s.Status.Accepted, count(int(s.Status.Events), "event"), s.Status.Duplicates, s.Status.Suppressed, s.Status.Refused)},
		{"last suppressed", s.Status.LastSuppressed},
	} {
		t.add(row[0], row[1])
	}
	for _, r := range s.Status.Refusals {
		t.add("refused", fmt.Sprintf("%s %d %s", when(r.At), r.Status, r.Reason))
	}
	if err := t.write(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s", s.Snippet)
	return err
}

func sourcesSetCommand() *cobra.Command {
	var f remoteFlags
	var secret secretFlags
	var on, off, keep bool
	cmd := &cobra.Command{
		Use:   "set ID",
		Short: "Give a source another secret, or switch it on or off",
		Long: `Gives a source another secret, or switches it on or off.

With --keep the secret that it has stays valid beside the new one, until it is set
again without.`,
		Example: `  flaghook sources set ID --secret-file new.secret --keep
  flaghook sources set ID --off`,
		Args: exactArgs(1, "the id of one source"),
		RunE: func(cmd *cobra.Command, args []string) error {
			value, err := secret.read(cmd)
			switch {
			case err != nil:
				return err
			case on && off:
				return usagef("--on and --off exclude each other")
			case value == "" && !on && !off:
				return usagef("there is nothing to set: give --secret, --secret-file, --on or --off")
			}
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				change := map[string]any{}
				if on || off {
					change["on"] = on
				}
				if value != "" {
					secrets := []string{value}
					if old, err := c.Source(ctx, args[0]); err != nil {
						return err
					} else if keep && len(old.Secrets) > 0 {
						secrets = append(secrets, old.Secrets[0]) // its mask stands for it
					}
					change["secrets"], change["unsigned"] = secrets, false
				}
				s, err := c.PatchSource(ctx, args[0], change)
				if err != nil {
					return err
				}
				if f.json() {
					return writeAnswer(cmd, s.JSON())
				}
				return writeSource(cmd.OutOrStdout(), s)
			})
		},
	}
	f.add(cmd, true)
	secret.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&on, "on", false, "switch it on")
	flags.BoolVar(&off, "off", false, "switch it off: what it sends is refused")
	flags.BoolVar(&keep, "keep", false, "keep the present secret valid beside the new one")
	return cmd
}

func sourcesRemoveCommand() *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:     "remove ID...",
		Short:   "Remove sources: their addresses are gone at once",
		Long:    "Removes sources: their addresses are gone at once. The events that they sent stay.",
		Example: "  flaghook sources remove ID",
		Args:    someArgs("the ids of sources"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				for _, id := range args {
					if err := c.DeleteSource(ctx, id); err != nil {
						return fmt.Errorf("source %s: %w", id, err)
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s is removed\n", id)
				}
				return nil
			})
		},
	}
	f.add(cmd, false)
	return cmd
}
