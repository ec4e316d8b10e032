package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/source"
	"github.com/flaghook/flaghook/policy"
)

// policyFromCommands write the filters of other systems as policies.
func policyFromCommands() []*cobra.Command {
	return []*cobra.Command{policyFromFlipt(), policyFromFlagship(), policyFromFlagsmith()}
}

// policyPlaces are the projects and environments that a policy is bounded to.
type policyPlaces struct{ projects, environments []string }

func (p *policyPlaces) flags(cmd *cobra.Command, project string) {
	flags := cmd.Flags()
	flags.StringSliceVar(&p.projects, project, nil, "`keys`, separated by commas; all when not given")
	flags.StringSliceVar(&p.environments, "environments", nil, "`keys`, separated by commas; all when not given")
}

func policyFromFlipt() *cobra.Command {
	var places policyPlaces
	cmd := &cobra.Command{
		Use:   "from-flipt [NOUN:VERB...]",
		Short: "Write Flipt's audit filter as a policy",
		Long: `Writes the value of Flipt's audit.events as a policy on standard output, as JSON.

Each argument is a noun and a verb, either of which may be *. Without arguments all
events are let through.`,
		Example: `  flaghook policy from-flipt 'flag:*'
  flaghook policy from-flipt flag:created flag:updated '*:deleted' --environments production`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var pairs []string
			for _, arg := range args {
				pairs = append(pairs, strings.Fields(strings.ReplaceAll(arg, ",", " "))...)
			}
			statements, err := source.FliptFilter(pairs, places.projects, places.environments)
			return writePolicy(cmd, statements, err)
		},
	}
	places.flags(cmd, "namespaces")
	return cmd
}

func policyFromFlagship() *cobra.Command {
	var places policyPlaces
	var events []string
	cmd := &cobra.Command{
		Use:   "from-flagship",
		Short: "Write the filter of a goflagship webhook as a policy",
		Long:  `Writes a goflagship webhook's events and environments as a policy on standard output, as JSON.`,
		Example: `  flaghook policy from-flagship --events flag.updated --environments prod
  flaghook policy from-flagship --events flag.created,flag.deleted`,
		Args: exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			statements, err := source.GoflagshipFilter(events, places.projects, places.environments)
			return writePolicy(cmd, statements, err)
		},
	}
	cmd.Flags().StringSliceVar(&events, "events", nil, "`names`, separated by commas: flag.created, flag.updated, flag.deleted; all when not given")
	places.flags(cmd, "projects")
	return cmd
}

func policyFromFlagsmith() *cobra.Command {
	var places policyPlaces
	cmd := &cobra.Command{
		Use:     "from-flagsmith",
		Short:   "Write what a Flagsmith environment webhook sends as a policy",
		Long:    `Writes what webhooks of these Flagsmith environments would send as a policy on standard output, as JSON.`,
		Example: `  flaghook policy from-flagsmith --projects harbour-shop --environments production`,
		Args:    exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return writePolicy(cmd, source.FlagsmithFilter(places.projects, places.environments), nil)
		},
	}
	places.flags(cmd, "projects")
	return cmd
}

// writePolicy prints a policy that a subscription can have.
func writePolicy(cmd *cobra.Command, statements []policy.Statement, err error) error {
	if err == nil {
		_, err = policy.Parse(statements)
	}
	if err != nil {
		return usagef("%w", err)
	}
	return writeIndented(cmd.OutOrStdout(), statements)
}
