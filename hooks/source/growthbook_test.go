package source_test

import (
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks/source"
)

// What GrowthBook calls reviewRequested, people read as words.
func TestGrowthBookRevisionsInWords(t *testing.T) {
	s := source.Settings{Kind: source.GrowthBook}
	for _, c := range []struct{ event, object, title, details string }{
		{"feature.revision.reviewRequested", `{"featureId":"f","version":3}`, "", "Revision 3: review requested"},
		{"feature.revision.changesRequested", `{"featureId":"f"}`, "", "Revision: changes requested"},
		{"feature.revision.approved", `{"featureId":"f","version":"4"}`, "", "Revision 4: approved"},
		{"savedGroup.revision.created", `{"savedGroupId":"g","name":"Beta"}`, "requested approval for changes to the segment", ""},
		{"savedGroup.revision.published", `{"savedGroupId":"g","name":"Beta"}`, "updated an approval request for the segment", ""},
	} {
		noun, _, _ := strings.Cut(c.event, ".")
		body := `{"event":"` + c.event + `","object":"` + noun + `","created":1772618460000,"projects":["p"],"environments":["e"],"tags":[],"user":null,"data":{"object":` + c.object + `}}`
		doc := events(t, s, post(body), memory{})[0].Doc()
		if title := doc.Get("titleVerb").AsString(); c.title != "" && title != c.title {
			t.Errorf("%s: title verb %q, want %q", c.event, title, c.title)
		}
		if details := doc.Path("details", "plainText").AsString(); details != c.details {
			t.Errorf("%s: details %q, want %q", c.event, details, c.details)
		}
	}
}
