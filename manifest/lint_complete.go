package manifest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
)

// goldenFiles are an integration's tests: an event, the settings and the request. See [Golden].
const goldenFiles = "testdata/*.json"

// complete reports what a folder that works still lacks for others to use it: a README, goldens, icons that any page
// can show.
func (l *linter) complete() {
	if text, err := readFile(l.fsys, "README.md", MaxReadme); err != nil {
		l.warn("readme", "", "README.md cannot be read: "+reason(err), "say in it what arrives and where to get each setting")
	} else if len(bytes.TrimSpace(text)) == 0 {
		l.warn("readme", "", "README.md is empty", "say in it what arrives and where to get each setting")
	}
	if l.i.hook != nil && l.i.hook.Endpoint != nil {
		if found, err := fs.Glob(l.fsys, goldenFiles); err != nil || len(found) == 0 {
			l.warn("goldens", "", "there is no golden, that is no file "+goldenFiles, "write them with: flaghook test FOLDER --update")
		}
	}
	for _, name := range []string{"square", "horizontal"} {
		icon := l.i.icons[name]
		if len(icon) == 0 {
			continue // told already
		}
		if problem := checkSVG(icon); problem != "" {
			pointer := join("/icons", name)
			l.warn("icon-svg", pointer, fmt.Sprintf("the icon %s %s", shown(l.get(pointer).AsString()), problem), "draw it of shapes and texts alone")
		}
	}
}

// foreign are references in CSS to anything but a part of the same image.
var foreign = regexp.MustCompile(`(?i)@import|url\(\s*["']?\s*[^#"'\s)]`)

// checkSVG tells what keeps bytes from being an SVG image that is safe to show: XML that is not well-formed, another
// kind of document, script, references to what lies elsewhere. "" if there is nothing.
func checkSVG(data []byte) string {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	depth, root := 0, false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "is no well-formed XML"
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 0 && (root || token.Name.Local != "svg") {
				return fmt.Sprintf("holds %s where its one root element, svg, belongs", shown(token.Name.Local))
			}
			root = true
			depth++
			if problem := checkElement(token); problem != "" {
				return problem
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if foreign.Match(token) {
				return "refers to what lies elsewhere in its style"
			}
		case xml.Directive:
			if bytes.Contains(bytes.ToUpper(token), []byte("ENTITY")) {
				return "declares entities"
			}
		case xml.ProcInst:
			if token.Target != "xml" {
				return "has a processing instruction"
			}
		}
	}
	if !root {
		return "holds no <svg>"
	}
	return ""
}

func checkElement(e xml.StartElement) string {
	switch strings.ToLower(e.Name.Local) {
	case "script", "foreignobject", "iframe", "embed", "object", "handler":
		return "holds an element " + shown(e.Name.Local)
	}
	for _, a := range e.Attr {
		name, value := strings.ToLower(a.Name.Local), strings.ToLower(strings.TrimSpace(a.Value))
		switch {
		case strings.HasPrefix(name, "on"):
			return "runs script in the attribute " + shown(a.Name.Local)
		case name == "href" || name == "src":
			if !strings.HasPrefix(value, "#") && !strings.HasPrefix(value, "data:image/") {
				return "refers to what lies elsewhere in the attribute " + shown(a.Name.Local)
			}
		case a.Name.Space != "xmlns" && name != "xmlns" && foreign.MatchString(value):
			return "refers to what lies elsewhere in the attribute " + shown(a.Name.Local)
		}
	}
	return ""
}
