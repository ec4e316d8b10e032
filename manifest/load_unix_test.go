//go:build unix

package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/flaghook/flaghook/manifest"
)

// A pipe must not be opened: that would wait for its writer for ever.
func TestPipe(t *testing.T) {
	dir := onDisk(t, files("manifest.json", strings.Replace(manifestWith(`"otherCapabilities": ["webhooks"]`), `"horizontal": "square.svg"`, `"horizontal": "pipe.svg"`, 1)))
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.svg"), 0o600); err != nil {
		t.Skip("no named pipes here:", err)
	}
	_, findings := manifest.LoadFolder(os.DirFS(dir), "acme")
	if !strings.Contains(golden(findings), "it is not a regular file") {
		t.Error(findings)
	}
}
