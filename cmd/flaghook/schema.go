package main

import (
	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/schemas"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema manifest|event",
		Short: "Print the JSON Schema of manifests or of posted events",
		Long: `Prints a JSON Schema (draft-07) on standard output: that of an integration's
manifest.json, or that of one posted event. Editors complete and explain a
manifest that names the file in its settings.`,
		Example: `  flaghook schema manifest > manifest.schema.json
  flaghook schema event`,
		ValidArgs: []string{"manifest", "event"},
		Args:      exactArgs(1, "one name: manifest or event"),
		RunE: func(cmd *cobra.Command, args []string) error {
			schema := schemas.Manifest()
			switch args[0] {
			case "manifest":
			case "event":
				schema = schemas.Event()
			default:
				return usagef("there is no schema %q; it is manifest or event", args[0])
			}
			_, err := cmd.OutOrStdout().Write(schema)
			return err
		},
	}
}
