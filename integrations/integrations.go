// Package integrations holds the catalog that flaghook brings along: one
// folder an integration, its name the integration's key, embedded in the
// binary. The folders are data (manifest, templates, icons, README); the only
// Go here gives access to them and tests them.
package integrations

import (
	"embed"
	"io/fs"
)

// What the binary needs of each folder; goldens (testdata) stay out of it.
//
//go:embed */manifest.json */README.md */assets */templates
var folders embed.FS

// FS returns the catalog, read-only: one folder an integration, as
// manifest.Load reads it.
func FS() fs.FS { return folders }
