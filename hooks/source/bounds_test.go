package source_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/source"
)

// Events that would be about too much, each of their actions in each environment,
// are refused before that is written out.
func TestChangesInManyEnvironments(t *testing.T) {
	settings := source.Settings{ID: "s", Kind: source.CloudEvents, Project: "p", Unsigned: true}
	for n := range 100 {
		settings.Environments = append(settings.Environments, fmt.Sprintf("e%d", n))
	}
	batch := func(events int, key string) []byte {
		items := make([]string, events)
		for i := range items {
			items[i] = fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"/s","type":"com.x.flag.updated.v1","data":{"kind":"flag","key":"%s","after":{"on":1,"archived":1,"rollout":1,"rules":1,"targets":1}}}`, i, key)
		}
		return []byte("[" + strings.Join(items, ",") + "]")
	}
	for name, c := range map[string]struct {
		body []byte
		want string // of the error
	}{
		"few":          {batch(50, "k"), ""},
		"many":         {batch(source.MaxEvents, "k"), "it tells of 500000 changes"},
		"long keys":    {batch(10, strings.Repeat("k", 10_000)), "whose keys have 50005000 bytes"},
		"one too long": {batch(1, strings.Repeat(":", 9_000)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := source.Parse(settings, &source.Request{
				Method: "POST", Header: http.Header{"Content-Type": {"application/cloudevents-batch+json"}}, Body: c.body, At: time.Now(),
			}, source.NoStates{})
			if c.want != "" {
				if !errors.Is(err, source.ErrMalformed) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %s", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, err = hooks.NewEvent(r.Events[0].Posted, hooks.EventOptions{})
			if tooLong := name == "one too long"; (err != nil) != tooLong || tooLong && !strings.Contains(err.Error(), "/accesses/0/resource") {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
