package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/manifest"
)

// loadCatalog reads the embedded integrations and over them those of the folders,
// the first of which wins. A folder with an error is left out and named, and what
// it would have taken the place of is left out too: nobody wants another
// integration under the same key. Where the catalog is read again, present is
// the one in use: what it has under such a key stays as it is, so that a folder
// that is being edited goes on working.
func loadCatalog(dirs []string, present *manifest.Catalog, log *slog.Logger) (*manifest.Catalog, []manifest.Finding, error) {
	catalog, findings := manifest.Load(integrations.FS())
	for _, dir := range slices.Backward(dirs) {
		over, more, err := loadDir(dir)
		if err != nil {
			return nil, nil, err
		}
		keys := broken(dir, more)
		catalog = without(catalog, keys).Merge(kept(present, keys)).Merge(over)
		findings = append(findings, more...)
	}
	for _, finding := range findings {
		switch {
		case finding.Severity != manifest.SeverityError:
			log.Debug("integration", "finding", finding.String())
		case present == nil:
			log.Error("integration left out", "finding", finding.String())
		default:
			log.Error("integration not reloaded", "finding", finding.String())
		}
	}
	return catalog, findings, nil
}

// broken lists the keys of the folders of dir that have errors.
func broken(dir string, findings []manifest.Finding) map[string]bool {
	keys := map[string]bool{}
	for _, finding := range findings {
		if finding.Severity != manifest.SeverityError {
			continue
		}
		keys[filepath.Base(dir)] = true // it may be an integration itself
		if below, err := filepath.Rel(dir, finding.Path); err == nil {
			key, _, _ := strings.Cut(filepath.ToSlash(below), "/")
			keys[key] = true
		}
	}
	return keys
}

func without(catalog *manifest.Catalog, keys map[string]bool) *manifest.Catalog {
	return manifest.NewCatalog(slices.DeleteFunc(catalog.All(), func(i *manifest.Integration) bool { return keys[i.Key] })...)
}

// kept is the part of a catalog, which may be nil, that has these keys.
func kept(catalog *manifest.Catalog, keys map[string]bool) *manifest.Catalog {
	if catalog == nil {
		return manifest.NewCatalog()
	}
	return manifest.NewCatalog(slices.DeleteFunc(catalog.All(), func(i *manifest.Integration) bool { return !keys[i.Key] })...)
}

// reload reads the catalog again.
func (s *server) reload(context.Context) (int, []manifest.Finding, error) {
	s.loading.Lock()
	defer s.loading.Unlock()
	catalog, findings, err := s.config.LoadCatalog(s.engine.Catalog())
	if err != nil {
		return 0, nil, err
	}
	s.engine.SetCatalog(catalog)
	n := len(catalog.All())
	s.config.Logger.Info("catalog reloaded", "integrations", n, "findings", len(findings))
	return n, findings, nil
}

// reloadOnSignal reloads whenever an operator asks for it, until ctx ends.
func (s *server) reloadOnSignal(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-signals:
			if _, _, err := s.reload(ctx); err != nil {
				s.config.Logger.Error("cannot reload the catalog; the old one stays", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}
