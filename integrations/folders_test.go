package integrations_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/schemas"
)

// folders are the keys of the catalog.
func folders(t *testing.T) []string {
	t.Helper()
	entries, err := fs.ReadDir(integrations.FS(), ".")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, e := range entries {
		keys = append(keys, e.Name())
	}
	return keys
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := fs.ReadFile(integrations.FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Icons are drawn by us, of shapes and initials: nothing that runs, nothing
// that is fetched from elsewhere.
func TestIconsAreHarmlessAndLabelled(t *testing.T) {
	allowed := map[string]bool{"svg": true, "rect": true, "text": true}
	for _, key := range folders(t) {
		for _, icon := range []string{"square", "horizontal"} {
			name := key + "/assets/" + icon + ".svg"
			decoder := xml.NewDecoder(strings.NewReader(string(read(t, name))))
			labelled := false
			for {
				token, err := decoder.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				start, ok := token.(xml.StartElement)
				if !ok {
					continue
				}
				if !allowed[start.Name.Local] {
					t.Errorf("%s: element %s", name, start.Name.Local)
				}
				for _, a := range start.Attr {
					labelled = labelled || a.Name.Local == "aria-label"
					if a.Name.Local == "href" || strings.HasPrefix(a.Name.Local, "on") {
						t.Errorf("%s: attribute %s", name, a.Name.Local)
					}
				}
			}
			if !labelled {
				t.Errorf("%s: no aria-label", name)
			}
		}
	}
}

// bodyExample is the first code block behind the heading "What arrives", "" for none. Its fence may be longer than
// three backticks, where the body holds three.
func bodyExample(readme string) string {
	_, rest, _ := strings.Cut(readme, "## What arrives\n")
	_, rest, found := strings.Cut(rest, "\n```")
	if !found {
		return ""
	}
	fence := "```" + rest[:len(rest)-len(strings.TrimLeft(rest, "`"))]
	_, rest, _ = strings.Cut(rest, "\n") // behind the language
	example, _, _ := strings.Cut(rest, "\n"+fence+"\n")
	return example
}

// A README shows what arrives, names every setting, and says which pages it
// was written against and when. What it shows is what is sent.
func TestReadmesAreTrue(t *testing.T) {
	for _, key := range folders(t) {
		t.Run(key, func(t *testing.T) {
			readme := string(read(t, key+"/README.md"))
			for _, heading := range []string{"# ", "## What arrives\n", "## Settings\n", "## Written against\n"} {
				if !strings.Contains(readme, heading) {
					t.Errorf("README.md has no %q", strings.TrimSpace(heading))
				}
			}
			_, against, _ := strings.Cut(readme, "## Written against\n")
			if !regexp.MustCompile(`(?s)\(https://.*as\s+of\s+20\d\d-\d\d-\d\d`).MatchString(against) {
				t.Error("README.md does not link to the pages it was written against, with their date")
			}
			var m struct {
				FormVariables []struct{ Key string }
			}
			if err := json.Unmarshal(read(t, key+"/manifest.json"), &m); err != nil {
				t.Fatal(err)
			}
			for _, v := range m.FormVariables {
				if !strings.Contains(readme, "| `"+v.Key+"` |") {
					t.Errorf("README.md does not explain the setting %s", v.Key)
				}
			}
			example := bodyExample(readme)
			if example == "" {
				t.Fatal("README.md shows no body")
			}
			if !arrives(t, key, example) {
				t.Error("the body that README.md shows is that of no sample event; take it from testdata")
			}
		})
	}
}

// arrives reports whether an example is the body of one of the goldens.
func arrives(t *testing.T, key, example string) bool {
	t.Helper()
	var want any
	isJSON := json.Unmarshal([]byte(example), &want) == nil
	for _, name := range schemas.SampleNames() {
		sent := readGolden(t, filepath.Join(key, "testdata", name+".json")).Outcome.Request
		if sent == nil {
			continue // nothing is sent of this sample
		}
		var got any
		if json.Unmarshal(sent.Body, &got) == nil && isJSON && reflect.DeepEqual(want, got) {
			return true
		}
		if strings.TrimSpace(string(sent.Body)) == strings.TrimSpace(example) {
			return true
		}
	}
	return false
}
