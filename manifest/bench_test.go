package manifest_test

import (
	"os"
	"testing"

	"github.com/flaghook/flaghook/manifest"
)

// BenchmarkLoad and BenchmarkLint read the catalog of this repository, six folders.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		manifest.Load(os.DirFS("../integrations"))
	}
}

func BenchmarkLint(b *testing.B) {
	for b.Loop() {
		manifest.Lint(os.DirFS("../integrations"), manifest.LintOptions{})
	}
}
