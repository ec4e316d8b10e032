package manifest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/flaghook/flaghook/manifest"
	"github.com/rogpeppe/go-internal/txtar"
)

// What an icon may hold is what a page can show without fetching or running anything.
func TestIconsThatAreNotSound(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/folders/complete.txtar")
	if err != nil {
		t.Fatal(err)
	}
	const open = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">`
	for _, c := range []struct{ icon, want string }{
		{open + `<rect fill="url(#g)"/><use xlink:href="#g"/><style>a{fill:url("#g")}</style></svg>`, ""},
		{`<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd">` + open + `</svg>`, ""},
		{open + `<image href="data:image/png;base64,AAAA"/></svg>`, ""},
		{open + `<SCRIPT/></svg>`, `holds an element "SCRIPT"`},
		{open + `<foreignObject/></svg>`, `holds an element "foreignObject"`},
		{open + `<rect onload="x()"/></svg>`, `runs script in the attribute "onload"`},
		{open + `<a xlink:href="javascript:x()"/></svg>`, `refers to what lies elsewhere in the attribute "href"`},
		{open + `<image href="//evil.example/x.png"/></svg>`, `refers to what lies elsewhere in the attribute "href"`},
		{open + `<rect style="fill: url( 'https://evil.example/x' )"/></svg>`, `refers to what lies elsewhere in the attribute "style"`},
		{open + `<style>@import "x.css";</style></svg>`, "refers to what lies elsewhere in its style"},
		{`<?xml-stylesheet href="x.css"?>` + open + `</svg>`, "has a processing instruction"},
		{`<!DOCTYPE svg [<!ENTITY x "y">]>` + open + `</svg>`, "declares entities"},
		{`<html></html>`, `holds "html" where its one root element, svg, belongs`},
		{open + `</svg><svg></svg>`, `holds "svg" where its one root element, svg, belongs`},
		{open, "is no well-formed XML"},
		{"text", "holds no <svg>"},
		{"\x89PNG", "is no well-formed XML"},
	} {
		fsys := folderOf(archive)
		fsys["square.svg"] = &fstest.MapFile{Data: []byte(c.icon)}
		_, findings := manifest.LintFolder(fsys, "acme", manifest.LintOptions{Complete: true})
		got := ""
		for _, f := range findings {
			if f.Rule == "icon-svg" && f.Pointer == "/icons/square" {
				got = f.Message
			}
		}
		if got = strings.TrimPrefix(got, `the icon "square.svg" `); got != c.want {
			t.Errorf("%s\n got %q\nwant %q", c.icon, got, c.want)
		}
	}
}

// Only who asks for it hears what a folder lacks, and a golden is one.
func TestCompleteness(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/folders/complete.txtar")
	if err != nil {
		t.Fatal(err)
	}
	fsys := folderOf(archive)
	if _, findings := manifest.LintFolder(fsys, "acme", manifest.LintOptions{Portable: true}); len(findings) == 0 {
		t.Fatal("nothing is said of portability")
	} else {
		for _, f := range findings {
			if f.Rule != "portable" {
				t.Errorf("without Complete: %v", f)
			}
		}
	}
	fsys["wide.svg"] = &fstest.MapFile{Data: []byte(svg)}
	fsys["square.svg"] = &fstest.MapFile{Data: []byte(svg)}
	fsys["README.md"] = &fstest.MapFile{Data: []byte("# Acme\n")}
	fsys["testdata/flag-on.json"] = &fstest.MapFile{Data: []byte("{}")}
	if _, findings := manifest.LintFolder(fsys, "acme", manifest.LintOptions{Complete: true}); len(findings) > 0 {
		t.Errorf("a complete folder has findings: %v", findings)
	}
}
