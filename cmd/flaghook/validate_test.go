package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/manifest"
)

// Colours change nothing about the line.
func TestPaintedLine(t *testing.T) {
	escape := regexp.MustCompile(`\x1b\[[0-9]+m`)
	for _, severity := range []manifest.Severity{manifest.SeverityError, manifest.SeverityWarning} {
		f := manifest.Finding{Severity: severity, Path: "a: error: b/manifest.json", Line: 3, Column: 4, Rule: "json", Message: "x: error: y [json]", Remedy: "z"}
		if severity == manifest.SeverityError {
			f.Path = "b/manifest.json"
		}
		painted := findingLine(f, painter(true))
		if plain := escape.ReplaceAllString(painted, ""); plain != f.String() || plain == painted || findingLine(f, painter(false)) != plain {
			t.Errorf("painted %q\nwant    %q", painted, f.String())
		}
	}
}

func TestColoursNeedATerminal(t *testing.T) {
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a device is as good as a terminal here
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if !coloured(device) || coloured(file) || coloured(new(bytes.Buffer)) || progressBar(device) == nil || progressBar(file) != nil {
		t.Error("colours and bars are for terminals, and for those alone")
	}
	t.Setenv("NO_COLOR", "1")
	if coloured(device) {
		t.Error("NO_COLOR is not honoured")
	}
	t.Setenv("TERM", "dumb")
	if progressBar(device) != nil {
		t.Error("a dumb terminal shows no bar")
	}
}

func TestProgressBar(t *testing.T) {
	var few, many bytes.Buffer
	for done := range 13 {
		drawProgress(&few, done, 12)
	}
	for done := range 130 {
		drawProgress(&many, done, 129)
	}
	if few.Len() > 0 {
		t.Errorf("a bar for a few folders: %q", few.String())
	}
	frames := strings.Split(many.String(), "\r")
	if n := len(frames); n < 20 || n > 45 || frames[1] != "["+strings.Repeat(" ", 40)+"] 0/129" || strings.TrimSpace(frames[n-2]) != "" || frames[n-1] != "" {
		t.Errorf("the bar: %d frames, %q ... %q", n, frames[1], frames[n-2:])
	}
}
