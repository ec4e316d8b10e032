// Command flaghook carries feature-flag changes to the tools people work in.
// Package main holds the wiring and the commands, one file a command; what
// they do stands in the packages that they call.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log" //nolint:depguard // to silence it
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	// net/http quotes an endpoint's stray bytes to the standard logger, and
	// an endpoint may send our own secrets back; we log by slog alone.
	log.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes of every command.
const (
	exitOK     = 0 // success, clean, allowed
	exitFailed = 1 // findings, denied, failed
	exitUsage  = 2 // wrong usage or unreadable input
)

// An exitError ends the program with a code. Its error is printed; it may be
// nil when all has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usagef is an error for which the user should call again with other words.
func usagef(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// run is the program: it writes to stdout and stderr alone and returns the
// exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand() //nolint:contextcheck // commands get ctx from ExecuteContext
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitFailed
	var exit *exitError
	if errors.As(err, &exit) {
		code, err = exit.code, exit.err
	}
	if err != nil {
		fmt.Fprintf(stderr, "flaghook: %v\n", err)
	}
	return code
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "flaghook",
		Short: "Carries feature-flag changes to the tools people work in",
		Long: `flaghook takes change events from any feature-flag system, matches them with
policies, and delivers rendered, signed requests to the tools people work in.

Exit codes: 0 success, clean or allowed; 1 findings, denied or failed; 2 wrong
usage or unreadable input.`,
		Example: `  flaghook demo --once              # see it work, in a few seconds
  flaghook serve                    # the server, on 127.0.0.1:8480
  flaghook preview slack --sample flag-on
  flaghook validate ./integrations`,
		SilenceErrors: true,

		SuggestionsMinimumDistance: 2,
		SilenceUsage:               true,
		Args:                       unknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see '%s --help'", err, cmd.CommandPath())
	})
	root.SetHelpCommand(helpCommand())
	root.AddCommand(serveCommand(), demoCommand(), validateCommand(), previewCommand(), curlCommand(), newCommand(), testCommand(), samplesCommand(), renderCommand(), policyCommand(), schemaCommand(), docsCommand(), versionCommand())
	root.AddCommand(remoteCommands()...)
	return root
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf(" (did you mean %q?)", near[0])
	}
	return usagef("there is no command %q%s; see '%s --help'", args[0], hint, cmd.CommandPath())
}

// helpCommand is cobra's, but for what it does about a command that there is
// not: that is wrong usage.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Explain a command",
		Long:    "Explains a command, as its --help does.",
		Example: "  flaghook help preview",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			of, _, err := cmd.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, c := range of.Commands() {
				if c.IsAvailableCommand() {
					names = append(names, c.Name()+"\t"+c.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			switch {
			case err != nil || of == nil:
				return unknownCommand(cmd.Root(), args)
			case len(rest) > 0:
				return unknownCommand(of, rest)
			}
			of.InitDefaultHelpFlag()
			return of.Help()
		},
	}
}

// exactArgs is cobra's check with our exit code.
func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("%s takes %s; see '%s --help'", cmd.Name(), what, cmd.CommandPath())
		}
		return nil
	}
}
