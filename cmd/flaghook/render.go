package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/render"
)

// maxInput bounds a file that a command reads.
const maxInput = 16 << 20

func renderCommand() *cobra.Command {
	var contextFile, escape string
	var strict bool
	cmd := &cobra.Command{
		Use:   "render FILE",
		Short: "Evaluate one template",
		Long: `Evaluates a Handlebars template and writes what it renders, byte for byte, to
standard output. FILE and --context may be - for standard input.

Exit 1 when the template does not compile or fails, 2 when a file cannot be read.`,
		Example: `  flaghook render flag.json.hbs --context event.json
  echo '{"name":"Ann & Bob"}' | flaghook render greeting.hbs --context - --escape none`,
		Args: exactArgs(1, "one template file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return renderFile(cmd, args[0], contextFile, escape, strict)
		},
	}
	cmd.Flags().StringVar(&contextFile, "context", "", "`FILE` with the JSON that the template sees (default: an empty object)")
	cmd.Flags().Var(&oneOf{value: &escape, allowed: []string{"json", "html", "none"}}, "escape", "`how` values are escaped: json, html or none (default html; json for *.json and *.json.hbs)")
	cmd.Flags().BoolVar(&strict, "strict", false, "a name that is missing is an error")
	return cmd
}

func renderFile(cmd *cobra.Command, file, contextFile, escape string, strict bool) error {
	if file == "-" && contextFile == "-" {
		return usagef("the template and --context cannot both come from standard input")
	}
	source, err := readInput(cmd, file)
	if err != nil {
		return err
	}
	context := render.Object()
	if contextFile != "" {
		if context, err = readJSON(cmd, contextFile); err != nil {
			return err
		}
	}
	mode := render.EscapeFor(file)
	if escape != "" {
		mode = map[string]render.Escape{"json": render.EscapeJSON, "html": render.EscapeHTML, "none": render.EscapeNone}[escape]
	}
	t, err := render.Compile(string(source), render.Options{Name: file, Escape: mode})
	if err != nil {
		return err
	}
	out, err := t.RenderWith(context, render.RenderOptions{Strict: strict})
	if err != nil {
		return err
	}
	_, err = io.WriteString(cmd.OutOrStdout(), out)
	return err
}

// readInput reads a file, or standard input for "-".
func readInput(cmd *cobra.Command, file string) ([]byte, error) {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, usagef("%w", err)
		}
		defer f.Close()
		in = f
	}
	return readBounded(in, file)
}

// readBounded reads all of a file that is called so in messages.
func readBounded(in io.Reader, file string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err != nil {
		return nil, usagef("cannot read %s: %w", file, err)
	}
	if len(data) > maxInput {
		return nil, usagef("%s is larger than %d MiB", file, maxInput>>20)
	}
	return data, nil
}

func readJSON(cmd *cobra.Command, file string) (render.Value, error) {
	data, err := readInput(cmd, file)
	if err != nil {
		return render.Value{}, err
	}
	v, err := render.ParseJSON(data)
	if err != nil {
		return render.Value{}, usagef("%s: %w", file, err)
	}
	return v, nil
}

// warnf tells of something that does not stop the command.
func warnf(cmd *cobra.Command, format string, args ...any) {
	fmt.Fprintf(cmd.ErrOrStderr(), "warning: "+format+"\n", args...)
}
