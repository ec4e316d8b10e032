package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
)

func tokensCommand() *cobra.Command {
	return group("tokens", "Create, list and revoke tokens",
		"Works on the tokens of a running server: what programs and people call it with.",
		`  flaghook tokens create ci --role sender
  flaghook tokens list
  flaghook tokens revoke ID`,
		tokensCreateCommand(), tokensListCommand(), tokensRevokeCommand())
}

// tokenRoles are the words that --role takes.
var tokenRoles = []string{client.RoleAdmin, client.RoleWriter, client.RoleReader, client.RoleSender}

func tokensCreateCommand() *cobra.Command {
	var f remoteFlags
	var policies []string
	t := client.NewToken{}
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a token",
		Long: `Creates a token and writes it to standard output, alone in a line: it cannot be had
again. What it is stands on standard error.

Roles: admin may do everything; writer everything but tokens, backups and secrets
in clear; reader reads; sender sends events and nothing else. A sender may be bound
by policies: every access of an event that it sends must then be allowed.`,
		Example: `  flaghook tokens create ci --role sender --policy 'proj/web:env/*:flag/*'
  flaghook tokens create dashboard --role reader > token.txt
  flaghook tokens create ops --role admin --format json`,
		Args: exactArgs(1, "the name of one token"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if t.Role == "" {
				return usagef("--role is missing: admin, writer, reader or sender")
			}
			var err error
			if t.Statements, err = readStatements(cmd, policies); err != nil {
				return err
			}
			t.Name = args[0]
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				made, err := c.CreateToken(ctx, t)
				if err != nil {
					return err
				}
				if f.json() {
					return writeAnswer(cmd, made.JSON())
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "token %s %s (%s); it is not shown again:\n", made.ID, visible(made.Name), made.Role)
				_, err = fmt.Fprintln(cmd.OutOrStdout(), made.Secret)
				return err
			})
		},
	}
	f.add(cmd, true)
	cmd.Flags().Var(&oneOf{value: &t.Role, allowed: tokenRoles}, "role", "what it may do: `ROLE` admin, writer, reader or sender (required)")
	cmd.Flags().StringArrayVar(&policies, "policy", nil, "`FILE|SPECIFIER` of what a sender may send (repeatable)")
	flagWords(cmd, "role", func(*cobra.Command, []string) []string { return tokenRoles })
	return cmd
}

func tokensListCommand() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List tokens",
		Long:    "Lists tokens, without what one calls the server with: nobody has that any more.",
		Example: "  flaghook tokens list\n  flaghook tokens list --format json",
		Args:    exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l := listing[client.Token]{
				things: "tokens",
				header: []string{"ID", "NAME", "ROLE", "CREATED", "LAST USED", "MAY SEND"},
				row: func(t *client.Token) []string {
					return []string{t.ID, t.Name, t.Role, when(t.CreatedAt), when(t.LastUsedAt), maySend(t)}
				},
				page: func(ctx context.Context, c *client.Client, p client.Paging) (*client.Page[client.Token], error) {
					return c.Tokens(ctx, p)
				},
			}
			return l.show(cmd, &f)
		},
	}
	f.add(cmd)
	return cmd
}

// maySend says what binds a token, of which most have nothing.
func maySend(t *client.Token) string {
	if t.Statements == nil {
		return "-"
	}
	lines := policyLines(t.Statements)
	if len(lines) > 1 {
		return count(len(lines), "statement")
	}
	return lines[0]
}

func tokensRevokeCommand() *cobra.Command {
	var f remoteFlags
	cmd := &cobra.Command{
		Use:     "revoke ID...",
		Short:   "Revoke tokens: they are worth nothing from now on",
		Long:    "Revokes tokens: they are worth nothing from now on.",
		Example: "  flaghook tokens revoke ID",
		Args:    someArgs("the ids of tokens"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, func(ctx context.Context, c *client.Client) error {
				for _, id := range args {
					if err := c.RevokeToken(ctx, id); err != nil {
						return fmt.Errorf("token %s: %w", id, err)
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s is revoked\n", id)
				}
				return nil
			})
		},
	}
	f.add(cmd, false)
	return cmd
}
