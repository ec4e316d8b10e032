package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/manifest"
)

// manifestFile makes a folder an integration.
const manifestFile = "manifest.json"

// integrationDirs adds the --integrations flag.
func integrationDirs(cmd *cobra.Command, dirs *[]string) {
	cmd.Flags().StringSliceVar(dirs, "integrations", nil, "`DIR` with integration folders (repeatable)")
}

// isPath tells a path from a key.
func isPath(name string) bool {
	return strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".")
}

// orDefault is the folders that were asked for, else ./integrations where that
// exists.
func orDefault(dirs []string) []string {
	if len(dirs) == 0 {
		if info, err := os.Stat("integrations"); err == nil && info.IsDir() {
			return []string{"integrations"}
		}
	}
	return dirs
}

// locate finds the folder of the integration that a user named: by a path, or
// by a key in dirs or in ./integrations. It is "" for one that can only be in
// the embedded catalog.
func locate(name string, dirs []string) (string, error) {
	if isPath(name) {
		return name, nil
	}
	for _, dir := range orDefault(dirs) {
		folder := filepath.Join(dir, name)
		if _, err := os.Stat(filepath.Join(folder, manifestFile)); err == nil {
			return folder, nil
		} else if _, err := os.Stat(dir); err != nil {
			return "", usagef("cannot read the integrations folder: %w", err)
		}
	}
	return "", nil
}

// findIntegration loads the integration that a user named: by a path, or by a
// key in dirs, in ./integrations, or in the embedded catalog.
func findIntegration(name string, dirs []string) (*manifest.Integration, []manifest.Finding, error) {
	folder, err := locate(name, dirs)
	if err != nil {
		return nil, nil, err
	}
	if folder != "" {
		return loadFolder(folder)
	}
	if _, err := fs.Stat(integrations.FS(), name+"/"+manifestFile); err == nil {
		sub, err := fs.Sub(integrations.FS(), name)
		if err != nil {
			return nil, nil, err
		}
		i, findings := manifest.LoadFolder(sub, name)
		return i, findings, nil
	}
	catalog, findings := manifest.Load(integrations.FS()) // for what it may be
	near := ""
	if keys := catalog.Nearest(name); len(keys) > 0 {
		near = fmt.Sprintf("; did you mean %s?", strings.Join(keys, " or "))
	}
	return nil, findings, usagef("there is no integration %q%s (a folder is named by its path, such as ./%s)", name, near, name)
}

// loadFolder loads one folder; what it may read ends at the folder.
func loadFolder(dir string) (*manifest.Integration, []manifest.Finding, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, usagef("cannot read the integration: %w", err)
	}
	defer root.Close()
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, usagef("cannot read the integration: %w", err)
	}
	if _, err := root.Stat(manifestFile); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, usagef("%s has no %s; an integration is a folder with one", dir, manifestFile)
	}
	i, findings := manifest.LoadFolder(root.FS(), filepath.Base(abs))
	for n := range findings {
		findings[n].Path = filepath.Join(dir, filepath.FromSlash(findings[n].Path))
	}
	return i, findings, nil
}

// loadUsable loads the integration that a user named, for commands that need
// one that works; what keeps it from working goes to standard error.
func loadUsable(cmd *cobra.Command, name string, dirs []string, purpose string) (*manifest.Integration, error) {
	i, findings, err := findIntegration(name, dirs)
	if err != nil {
		return nil, err
	}
	if i == nil {
		for _, finding := range findings {
			fmt.Fprintln(cmd.ErrOrStderr(), finding)
		}
		return nil, &exitError{code: exitFailed, err: fmt.Errorf("%s has errors and cannot be %s", name, purpose)}
	}
	if i.Hook() == nil {
		return nil, &exitError{code: exitFailed, err: fmt.Errorf("%s has no auditLogEventsHook: it sends no events", name)}
	}
	return i, nil
}

// loadDir loads a folder, or a folder of folders.
func loadDir(dir string) (*manifest.Catalog, []manifest.Finding, error) {
	if _, err := os.Stat(filepath.Join(dir, manifestFile)); err == nil {
		i, findings, err := loadFolder(dir)
		if i == nil || err != nil {
			return manifest.NewCatalog(), findings, err
		}
		return manifest.NewCatalog(i), findings, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, usagef("cannot read the integrations: %w", err)
	}
	defer root.Close()
	catalog, findings := manifest.Load(root.FS())
	for n := range findings {
		findings[n].Path = filepath.Join(dir, filepath.FromSlash(findings[n].Path))
	}
	return catalog, findings, nil
}
