package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
	"github.com/flaghook/flaghook/policy"
)

// subscribeFlags say how an integration is subscribed.
type subscribeFlags struct {
	remoteFlags

	name, description string
	set, setFile      []string
	policies          []string
	tags              []string
	off, ordered      bool
	timeout           int
	maxRetries        int
	maxElapsed        time.Duration
	retryOn           string
	secretOverlap     time.Duration
}

func subscribeCommand() *cobra.Command {
	var f subscribeFlags
	cmd := &cobra.Command{
		Use:   "subscribe INTEGRATION",
		Short: "Subscribe an integration at a running server",
		Long: `Subscribes an integration of the server's catalog, and shows the subscription.

--set gives a form variable; what is secret is better read from a file, which
--set-file does (- for standard input). --policy says which events it gets: a FILE
with statements (its name ends in .json, or it is -), or a resource specifier, all
actions on which are then allowed; it may be given again. Without it the
integration's default policy applies. docs/policies.md describes the language.`,
		Example: `  flaghook subscribe slack --name Releases --set url=https://hooks.slack.com/services/... \
    --policy 'proj/*:env/production:flag/*'
  flaghook subscribe datadog --name Production --set-file apiKey=key.txt --policy policy.json --tag team-a
  flaghook subscribe webhook --name Archive --set url=https://archive.example/hook --ordered --max-elapsed 48h`,
		Args: exactArgs(1, "the key of one integration"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.subscribe(cmd, args[0]) },
	}
	f.add(cmd, true)
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "what people call the subscription (required)")
	flags.StringVar(&f.description, "description", "", "what it is there for")
	flags.StringArrayVar(&f.set, "set", nil, "a form variable, `key=value` (repeatable)")
	flags.StringArrayVar(&f.setFile, "set-file", nil, "a form variable whose value is in a file, `key=FILE` (repeatable)")
	flags.StringArrayVar(&f.policies, "policy", nil, "`FILE|SPECIFIER` of the events it gets (repeatable)")
	flags.StringArrayVar(&f.tags, "tag", nil, "a tag (repeatable)")
	flags.BoolVar(&f.off, "off", false, "make it switched off")
	flags.BoolVar(&f.ordered, "ordered", false, "deliver what happens to one resource in order")
	flags.IntVar(&f.timeout, "timeout", 0, "`SECONDS` that one attempt may take, 1 to 30")
	flags.IntVar(&f.maxRetries, "max-retries", 0, "how often an attempt is repeated, 0 to 100")
	flags.DurationVar(&f.maxElapsed, "max-elapsed", 0, "no attempt begins later than this after the event, such as 48h")
	flags.StringVar(&f.retryOn, "retry-on", "", "which answers are worth a repeat: transient or non2xx")
	flags.DurationVar(&f.secretOverlap, "secret-overlap", 0, "how long an old secret signs beside a new one, such as 24h")
	cmd.ValidArgsFunction = oneArgument(func(*cobra.Command, []string) []string { return integrationKeys(nil) })
	return cmd
}

func (f *subscribeFlags) subscribe(cmd *cobra.Command, integration string) error {
	if f.name == "" {
		return usagef("--name is missing: what people call the subscription")
	}
	statements, err := readStatements(cmd, f.policies)
	if err != nil {
		return err
	}
	settings, err := readSettings(cmd, f.set, f.setFile)
	if err != nil {
		return err
	}
	on := !f.off
	s := client.NewSubscription{
		Integration: integration, Name: f.name, Description: f.description, Tags: f.tags, On: &on, Statements: statements,
		DeliverySettings: client.DeliverySettings{
			Ordered: f.ordered, TimeoutSeconds: f.timeout, MaxElapsed: client.Duration(f.maxElapsed),
			RetryOn: f.retryOn, SecretOverlap: client.Duration(f.secretOverlap),
		},
	}
	if cmd.Flags().Changed("max-retries") {
		s.MaxRetries = &f.maxRetries
	}
	return f.run(cmd, func(ctx context.Context, c *client.Client) error {
		i, err := c.Integration(ctx, integration)
		if err != nil {
			return err
		}
		if s.Config, err = configOf(i, settings); err != nil {
			return err
		}
		made, err := c.Subscribe(ctx, s)
		if err != nil {
			return err
		}
		return showSubscription(cmd, &f.remoteFlags, made)
	})
}

// A setting is one --set or --set-file.
type setting struct{ key, value string }

// readSettings reads what --set and --set-file give. A file's last line feed is
// no part of the value.
func readSettings(cmd *cobra.Command, set, files []string) ([]setting, error) {
	var all []setting
	for _, s := range set {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return nil, usagef("--set %s: it must be key=value", key) // without =, what stands there may be a secret's name alone
		}
		all = append(all, setting{key, value})
	}
	for _, s := range files {
		key, file, ok := strings.Cut(s, "=")
		if !ok || key == "" || file == "" {
			return nil, usagef("--set-file %s: it must be key=FILE", s)
		}
		data, err := readInput(cmd, file)
		if err != nil {
			return nil, err
		}
		all = append(all, setting{key, strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")})
	}
	return all, nil
}

// configOf gives settings the types that the integration's form variables have.
// A list is given by repeating the key. What there is no variable for, the
// server refuses better.
func configOf(i *client.Integration, settings []setting) (map[string]any, error) {
	types := map[string]string{}
	for _, v := range i.FormVariables {
		types[v.Key] = v.Type
	}
	config := map[string]any{}
	for _, s := range settings {
		old, again := config[s.key]
		switch kind := types[s.key]; {
		case kind == "multiselect" || kind == "environmentSelector" || kind == "environmentSelectors":
			list, _ := old.([]string)
			config[s.key] = append(list, s.value)
		case again:
			return nil, usagef("%s is set twice, and is no list", s.key)
		case kind == "boolean" && (s.value == "true" || s.value == "false"):
			config[s.key] = s.value == "true"
		case kind == "boolean":
			return nil, usagef("--set %s: it must be true or false", s.key)
		default:
			config[s.key] = s.value
		}
	}
	return config, nil
}

// readStatements reads policies, nil for none. Each is a file of statements, or
// a specifier.
func readStatements(cmd *cobra.Command, policies []string) ([]client.Statement, error) {
	var all []client.Statement
	var specifiers []string
	for _, text := range policies {
		if text != "-" && !strings.HasSuffix(text, ".json") {
			specifiers = append(specifiers, text)
			continue
		}
		rules, err := readPolicy(cmd, text)
		if err != nil {
			return nil, badPolicy(text, err)
		}
		if all == nil {
			all = []client.Statement{}
		}
		for _, s := range rules.Statements() {
			all = append(all, client.Statement(s))
		}
	}
	if len(specifiers) == 0 {
		return all, nil
	}
	s := policy.Statement{Effect: "allow", Resources: specifiers, Actions: []string{"*"}}
	if _, err := policy.Parse([]policy.Statement{s}); err != nil {
		return nil, badPolicy("--policy", err)
	}
	return append(all, client.Statement(s)), nil
}

// badPolicy tells all that is wrong with a policy.
func badPolicy(name string, err error) error {
	var bad policy.Errors
	if !errors.As(err, &bad) {
		return err // readPolicy has said what to do
	}
	var b strings.Builder
	for _, e := range bad {
		fmt.Fprintf(&b, "\n  %v", e)
	}
	return usagef("%s has %s:%s", name, count(len(bad), "error"), b.String())
}
