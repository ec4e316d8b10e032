package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/flaghook/flaghook/integrations"
)

// slackCopy writes the embedded slack under another name into dir.
func slackCopy(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.CopyFS(dir, integrations.FS()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "slack", manifestFile)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `"name": "Slack"`, `"name": "`+name+`"`, 1)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFirstIntegrationsFolderWins(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	slackCopy(t, first, "First")
	slackCopy(t, second, "Second")
	dirs := []string{first, second}
	catalog, _, err := loadCatalog(dirs, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	served, _ := catalog.Get("slack")
	previewed, _, err := findIntegration("slack", dirs)
	if err != nil {
		t.Fatal(err)
	}
	if served.Manifest.Name != "First" || previewed.Manifest.Name != "First" {
		t.Errorf("served %q, previewed %q, want First", served.Manifest.Name, previewed.Manifest.Name)
	}
}

func TestBrokenFolderDoesNotBringTheEmbeddedOneBack(t *testing.T) {
	dir := t.TempDir()
	slackCopy(t, dir, "Ours")
	if err := os.WriteFile(filepath.Join(dir, "slack", manifestFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dir, filepath.Join(dir, "slack")} {
		catalog, _, err := loadCatalog([]string{dir}, nil, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if i, ok := catalog.Get("slack"); ok {
			t.Errorf("%s: %q is served", dir, i.Manifest.Name)
		}
		if _, ok := catalog.Get("webhook"); !ok {
			t.Errorf("%s: webhook is gone too", dir)
		}
	}
}

func TestFlagThenEnvironmentThenDefault(t *testing.T) {
	var given, set, unset string
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.StringVar(&given, "given-flag", "default", "")
	flags.StringVar(&set, "set-flag", "default", "")
	flags.StringVar(&unset, "unset-flag", "default", "")
	if err := flags.Parse([]string{"--given-flag=flag"}); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"FLAGHOOK_GIVEN_FLAG": "env", "FLAGHOOK_SET_FLAG": "env"}
	err := fromEnvironment(flags, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil || given != "flag" || set != "env" || unset != "default" {
		t.Errorf("%q %q %q %v", given, set, unset, err)
	}
}
