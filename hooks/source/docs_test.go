package source_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/source"
)

// docs/sources.md has a part for each kind, and what it says of the shortest
// events is so.
func TestDocumentation(t *testing.T) {
	data, err := os.ReadFile("../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, kind := range source.Kinds() {
		if !regexp.MustCompile(`(?im)^## ` + string(kind) + `$`).MatchString(page) {
			t.Errorf("there is no part about %s", kind)
		}
	}
	_, own, _ := strings.Cut(page, "## Events of your own\n")
	example := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(own)
	if example == nil {
		t.Fatal("there is no example of an event")
	}
	e, err := hooks.NewEvent(parse(t, example[1]), hooks.EventOptions{Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	said := append([]string{e.Doc().Get("titleVerb").AsString()}, strings.Split(e.Doc().Path("details", "plainText").AsString(), "\n")...)
	for _, text := range said {
		if !strings.Contains(own, "`"+text+"`") {
			t.Errorf("the page does not say that the event gives %q", text)
		}
	}
	curl := regexp.MustCompile(`(?s)cloudevents\+json' .*? -d '(\{.*?\n\})'`).FindStringSubmatch(page)
	if curl == nil {
		t.Fatal("there is no example of a CloudEvent")
	}
	r := post(curl[1], "Content-Type", "application/cloudevents+json")
	if got := accesses(events(t, source.Settings{Kind: source.CloudEvents}, r, memory{})[0]); got != "updateOn proj/shop:env/production:flag/checkout" {
		t.Errorf("the CloudEvent does %s", got)
	}
}
