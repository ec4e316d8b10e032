package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

func policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Check and write policies",
		Long:  `A policy says which events a subscription gets; docs/policies.md describes the language.`,
		Example: `  flaghook policy check --policy policy.json --sample flag-on
  flaghook policy check --help`,
		SuggestionsMinimumDistance: 2,

		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(policyCheckCommand())
	cmd.AddCommand(policyFromCommands()...)
	return cmd
}

// policyCheckFlags say which policy is asked about which event.
type policyCheckFlags struct {
	policy, event, sample, action, resource, format string
}

func policyCheckCommand() *cobra.Command {
	var f policyCheckFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say whether a policy lets an event through, and why",
		Long: `Says allow or deny, and for each access of the event which statement decided or,
where none did, which came nearest and what failed.

The policy is a list of statements, or an object with such a list as statements:
what one posts to subscribe an integration. The event is a file, a sample, or a
single access.

Exit 0 when the event is allowed, 1 when it is not, 2 when the policy or the event
is bad; all errors of a policy are told at once.`,
		Example: `  flaghook policy check --policy policy.json --sample flag-on
  flaghook policy check --policy subscription.json --event event.json --format json
  echo '[{"effect":"allow","resources":["proj/*:env/production:flag/*"],"actions":["update*"]}]' |
    flaghook policy check --policy - --action updateOn --resource proj/web:env/staging:flag/checkout`,
		Args: exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return policyCheck(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.policy, "policy", "", "`FILE` with the policy; - for standard input")
	flags.StringVar(&f.event, "event", "", "`FILE` with an event; - for standard input")
	flags.StringVar(&f.sample, "sample", "", "sample event by `NAME`: "+strings.Join(schemas.SampleNames(), ", "))
	flags.StringVar(&f.action, "action", "", "the `action` of a single access, such as updateOn")
	flags.StringVar(&f.resource, "resource", "", "the `resource` of a single access, such as proj/web:env/production:flag/checkout")
	formatFlag(cmd, &f.format)
	flagWords(cmd, "sample", sampleNames)
	return cmd
}

func policyCheck(cmd *cobra.Command, f policyCheckFlags) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	rules, err := readPolicy(cmd, f.policy)
	var bad policy.Errors
	if errors.As(err, &bad) {
		return reportPolicyErrors(cmd, f, bad)
	}
	if err != nil {
		return err
	}
	accesses, err := f.accesses(cmd)
	if err != nil {
		return err
	}
	decision := rules.Explain(accesses)
	if f.format == "json" {
		err = writeIndented(cmd.OutOrStdout(), decision)
	} else {
		err = writeDecision(cmd.OutOrStdout(), decision)
	}
	if err == nil && !decision.Allowed {
		err = &exitError{code: exitFailed}
	}
	return err
}

// check wants a policy and exactly one event.
func (f *policyCheckFlags) check(cmd *cobra.Command) error {
	given := func(name string) bool { return cmd.Flags().Changed(name) }
	events := 0
	for _, is := range []bool{given("event"), given("sample"), given("action") || given("resource")} {
		if is {
			events++
		}
	}
	switch {
	case f.policy == "":
		return usagef("--policy is missing: the file with the policy, or - for standard input")
	case events != 1:
		return usagef("give one of --event, --sample, and --action with --resource; see '%s --help'", cmd.CommandPath())
	case given("action") != given("resource"):
		return usagef("--action and --resource go together: an access is an action on a resource")
	case f.policy == "-" && f.event == "-":
		return usagef("--policy and --event cannot both come from standard input")
	}
	return nil
}

// readPolicy reads a list of statements, or an object that has one. The error is
// or wraps policy.Errors when the statements are at fault.
func readPolicy(cmd *cobra.Command, file string) (*policy.Policy, error) {
	data, err := readInput(cmd, file)
	if err != nil {
		return nil, err
	}
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		if _, err := render.ParseJSON(data); err != nil { // which knows line and column
			return nil, usagef("%s: %w", file, err)
		}
		var body map[string]json.RawMessage
		if err := json.Unmarshal(data, &body); err != nil {
			return nil, usagef("%s: %w", file, err)
		}
		statements, ok := body["statements"]
		switch {
		case !ok && body["effect"] != nil:
			return nil, usagef("%s: this is one statement, and a policy is a list of them; write it in [ ]", file)
		case !ok || string(statements) == "null":
			return nil, usagef("%s: the object has no statements; a subscription without them works by its integration's default policy, which flaghook preview tells of", file)
		}
		data = statements
	}
	parsed, err := policy.ParseStatements(data)
	if err != nil {
		return nil, err
	}
	return policy.Parse(parsed)
}

// accesses reads those that the policy is asked about.
func (f *policyCheckFlags) accesses(cmd *cobra.Command) ([]policy.ParsedAccess, error) {
	name := f.event
	var doc render.Value
	var err error
	switch {
	case cmd.Flags().Changed("action"):
		access, err := policy.ParseAccess(policy.Access{Action: f.action, Resource: f.resource})
		if err != nil {
			return nil, usagef("--%w", err) // it begins with the field's name
		}
		return []policy.ParsedAccess{access}, nil
	case f.event != "":
		doc, err = readJSON(cmd, f.event)
	default:
		name = f.sample
		doc, err = sample(name, time.Now())
	}
	if err != nil {
		return nil, err
	}
	if doc.Kind() == render.KindObject && !isEvent(doc) {
		return nil, usagef("%s: this is no event: it has neither accesses, nor action and resource", name)
	}
	event, err := hooks.NewEvent(doc, hooks.EventOptions{})
	if err != nil {
		return nil, usagef("%s: %w", name, err)
	}
	return event.Accesses(), nil
}

// writeDecision writes the verdict, then each access with what was said of it.
func writeDecision(w io.Writer, d policy.Decision) error {
	var b strings.Builder
	verdict := "deny"
	if d.Allowed {
		verdict = "allow"
	}
	b.WriteString(verdict + "\n")
	for _, a := range d.Accesses {
		fmt.Fprintf(&b, "%s %s\n  %s\n", a.Action, a.Resource, a.Reason)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// policyError is a policy.Error as --format json shows it.
type policyError struct {
	Statement int    `json:"statement"` // -1 outside of statements
	Field     string `json:"field"`
	Item      int    `json:"item"`   // -1 where it is not about one item
	Column    int    `json:"column"` // 1-based, 0 where there is none
	Message   string `json:"message"`
	Hint      string `json:"hint"`
}

// reportPolicyErrors tells all that is wrong with a policy: for people a line each
// on standard error, for programs JSON on standard output.
func reportPolicyErrors(cmd *cobra.Command, f policyCheckFlags, bad policy.Errors) error {
	if f.format == "json" {
		list := make([]policyError, len(bad))
		for i, e := range bad {
			list[i] = policyError(*e)
		}
		if err := writeIndented(cmd.OutOrStdout(), map[string]any{"errors": list}); err != nil {
			return err
		}
	} else {
		for _, e := range bad {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %v\n", f.policy, e)
		}
	}
	return usagef("%s has %s", f.policy, count(len(bad), "error"))
}

// writeIndented writes JSON as people read it, <, > and & as they are.
func writeIndented(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
