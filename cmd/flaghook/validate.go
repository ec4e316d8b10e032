package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/manifest"
)

func validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate [DIR...]",
		Short: "Check integration folders",
		Long: `Checks integration folders: each DIR is one, or a folder of them; without DIR,
./integrations where that exists, else the current folder.

One finding a line on standard output, path:line:col: severity: message [rule];
exit 0 when there is no error, 1 when there is one, 2 when a DIR cannot be read.`,
		Example: `  flaghook validate
  flaghook validate ./integrations/slack
  flaghook validate ~/my-integrations ./integrations`,
		RunE: func(cmd *cobra.Command, dirs []string) error {
			if len(dirs) == 0 {
				dirs = []string{"."}
				if info, err := os.Stat("integrations"); err == nil && info.IsDir() {
					dirs = []string{"integrations"}
				}
			}
			return validate(cmd, dirs)
		},
	}
}

func validate(cmd *cobra.Command, dirs []string) error {
	good, problems, warnings := 0, 0, 0
	for _, dir := range dirs {
		catalog, findings, err := loadDir(dir)
		if err != nil {
			return err
		}
		good += len(catalog.All())
		for _, f := range findings {
			if f.Severity == manifest.SeverityError {
				problems++
			} else {
				warnings++
			}
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), f); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s without errors, %s, %s\n", count(good, "integration"), count(problems, "error"), count(warnings, "warning"))
	if problems > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}

// count writes a number of things: 1 error, 2 errors.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
