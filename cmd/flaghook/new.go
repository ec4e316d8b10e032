package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/manifest"
)

func newCommand() *cobra.Command {
	var s scaffold
	var dir string
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Make an integration folder to begin with",
		Long: `Makes a folder that validates, previews and tests at once: manifest.json,
templates, icons (initials on a tile), README.md and goldens. NAME is its key and
the folder's name: small letters, digits, dots, hyphens and underscores. The
folder is made in --dir, else in ./integrations where that exists, else here; a
NAME with a slash is a path. What exists is never overwritten.

--endpoint may hold form variables, as in https://{{host}}/hook; without it, the
whole URL is one, "url".

  --auth      sends
  none        nothing
  bearer      Authorization: Bearer {{token}}
  header      X-Api-Key: {{apiKey}}, or another header, --auth-name
  basic       Authorization: Basic, of {{username}} and {{password}}
  query       ?api_key={{apiKey}}, or another parameter, --auth-name

  --body      is
  json        an object with the event's main fields
  slack       a message of Slack's Block Kit
  form        key=value&..., application/x-www-form-urlencoded
  text        a few lines of text`,
		Example: `  flaghook new acme --endpoint https://api.acme.example/v1/events --auth bearer
  flaghook new acme-chat --name "Acme Chat" --body slack
  flaghook new ./plugins/pager --endpoint https://pager.example/in --auth query --auth-name key --body form`,
		Args:              exactArgs(1, "the key of the new integration"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := s.make(args[0], dir)
			if err != nil {
				return err
			}
			return s.announce(cmd, folder, dir == "" && !isPath(args[0]) && filepath.Dir(folder) != ".")
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.name, "name", "", "the tool's `name` for people (default: made of the key)")
	flags.StringVar(&s.endpoint, "endpoint", "", "the `URL` that requests go to (default: a form variable)")
	flags.StringVar(&s.method, "method", "POST", "the HTTP `method`")
	flags.StringVar(&s.author, "author", "Your name", "`who` answers for it")
	flags.StringVar(&s.email, "email", "support@example.com", "e-mail `address` for support")
	flags.StringVar(&dir, "dir", "", "make the folder in this `DIR`")
	flags.StringVar(&s.authName, "auth-name", "", "`name` of the header or of the query parameter (default X-Api-Key, api_key)")
	s.auth, s.body = "none", "json"
	for _, f := range []struct {
		name, usage string
		value       *string
		allowed     []string
	}{
		{"auth", "`how` requests are authenticated: none, bearer, header, basic or query", &s.auth, []string{"none", "bearer", "header", "basic", "query"}},
		{"body", "`style` of the body: json, slack, form or text", &s.body, []string{"json", "slack", "form", "text"}},
	} {
		flags.Var(&oneOf{value: f.value, allowed: f.allowed}, f.name, f.usage)
		flagWords(cmd, f.name, func(*cobra.Command, []string) []string { return f.allowed })
	}
	return cmd
}

// make writes the folder and returns where it is. It is put together beside its
// place and moved there when it is good.
func (s *scaffold) make(name, dir string) (string, error) {
	target, err := newFolder(name, dir)
	if err != nil {
		return "", err
	}
	s.key = filepath.Base(target)
	if err := s.check(); err != nil {
		return "", err
	}
	parent := filepath.Dir(target)
	draft, err := os.MkdirTemp(parent, ".flaghook-new-")
	if err != nil {
		return "", usagef("cannot make the folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(draft) }() // after the move there is none
	if err := s.fill(draft); err != nil {
		return "", err
	}
	if err := os.Rename(draft, target); err != nil {
		return "", usagef("cannot make the folder: %w", err)
	}
	return target, nil
}

// newFolder is where the folder belongs; nothing may be there.
func newFolder(name, dir string) (string, error) {
	switch {
	case dir != "" && isPath(name):
		return "", usagef("--dir says where the folder belongs, and so does %s; leave one out", name)
	case dir == "" && !isPath(name):
		dir = "."
		if dirs := orDefault(nil); len(dirs) > 0 {
			dir = dirs[0]
		}
	}
	target := filepath.Join(dir, name)
	if abs, err := filepath.Abs(target); err == nil && filepath.Base(target) != filepath.Base(abs) {
		target = abs // "." and ".." have a name too
	}
	if _, err := os.Lstat(target); err == nil {
		return "", usagef("%s exists, and nothing is overwritten; choose another name", target)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", usagef("cannot make the folder: %w", err)
	}
	return target, nil
}

// fill writes all files into the draft, and fails where the result would not be
// one that validates without a warning.
func (s *scaffold) fill(draft string) error {
	root, err := os.OpenRoot(draft)
	if err != nil {
		return usagef("cannot make the folder: %w", err)
	}
	defer root.Close()
	if err := root.Chmod(".", 0o755); err != nil { // a temporary folder is closed to others
		return usagef("cannot make the folder: %w", err)
	}
	files, err := s.files()
	if err != nil {
		return err
	}
	if err := writeFiles(root, files); err != nil {
		return err
	}
	i, findings := manifest.LintFolder(root.FS(), s.key, manifest.LintOptions{})
	if i == nil || len(findings) > 0 {
		return s.refused(findings)
	}
	goldens, err := s.goldens(i)
	if err != nil {
		return err
	}
	if err := writeFiles(root, goldens); err != nil {
		return err
	}
	if _, findings = manifest.LintFolder(root.FS(), s.key, manifest.LintOptions{Complete: true}); len(findings) > 0 {
		return s.refused(findings)
	}
	return nil
}

// refused says in the user's words why the folder would not be good: what is
// wrong is what was asked for.
func (s *scaffold) refused(findings []manifest.Finding) error {
	var lines []string
	for _, f := range findings {
		line := f.Message
		if f.Remedy != "" {
			line += "; " + f.Remedy
		}
		lines = append(lines, line)
	}
	return usagef("that would not be a good integration: %s", strings.Join(lines, "\n  "))
}

func writeFiles(root *os.Root, files map[string]string) error {
	for name, text := range files {
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return usagef("cannot make the folder: %w", err)
		}
		if err := root.WriteFile(name, []byte(text), 0o644); err != nil {
			return usagef("cannot make the folder: %w", err)
		}
	}
	return nil
}

// announce lists the files and says what to do next.
func (s *scaffold) announce(cmd *cobra.Command, folder string, byKey bool) error {
	out := cmd.OutOrStdout()
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			fmt.Fprintln(out, filepath.Join(folder, filepath.FromSlash(name)))
		}
		return err
	})
	called := folder
	switch {
	case byKey:
		called = s.key
	case !isPath(folder):
		called = "." + string(filepath.Separator) + folder
	}
	fmt.Fprintf(cmd.ErrOrStderr(), `
Next:
  flaghook preview %[1]s --watch     # the request, again whenever you save
  flaghook validate %[2]s --strict
  flaghook test %[1]s --update       # when what is sent is as you want it
`, called, folder)
	return err
}
