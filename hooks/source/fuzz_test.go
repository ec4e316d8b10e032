package source_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/source"
)

// fuzz feeds a parser with a system's bodies and what becomes of them. Whatever
// comes, it is refused, suppressed, or gives events that can be told in words.
func fuzz(f *testing.F, kind source.Kind) {
	for _, x := range fixtures(f) {
		if x.kind != kind {
			continue
		}
		for _, c := range x.cases {
			r := x.request(f, c.BodyFile)
			f.Add(r.Body, r.Header.Get("Content-Type"), r.Header.Get("Ce-Subject"))
		}
	}
	f.Add([]byte("[]"), "application/CloudEvents-batch+json", "")
	f.Fuzz(func(t *testing.T, body []byte, contentType, subject string) {
		r := &source.Request{Method: http.MethodPost, Header: http.Header{}, Query: url.Values{}, Body: body}
		for name, value := range map[string]string{"Content-Type": contentType, "Ce-Subject": subject} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if contentType == "application/json" {
			for name, value := range map[string]string{"Ce-Specversion": "1.0", "Ce-Id": "1", "Ce-Source": "/s", "Ce-Type": "x.flag.created.v1"} {
				r.Header.Set(name, value)
			}
		}
		seen := memory{}
		for range 2 { // the second time with states
			result, err := source.Parse(source.Settings{ID: "s", Kind: kind}, r, seen)
			if err != nil {
				return
			}
			if len(result.Events)+len(result.Suppressed) == 0 {
				t.Fatal("neither an event nor a reason why there is none")
			}
			for _, e := range result.Events {
				// The rest, a key that is too long say, is refused with its place.
				_, _ = hooks.NewEvent(e.Posted, hooks.EventOptions{Now: testNow})
			}
			seen.keep(result.States)
		}
	})
}

func FuzzFlipt(f *testing.F)        { fuzz(f, source.Flipt) }
func FuzzFlagsmith(f *testing.F)    { fuzz(f, source.Flagsmith) }
func FuzzGoflagship(f *testing.F)   { fuzz(f, source.Goflagship) }
func FuzzLaunchDarkly(f *testing.F) { fuzz(f, source.LaunchDarkly) }
func FuzzUnleash(f *testing.F)      { fuzz(f, source.Unleash) }
func FuzzGrowthBook(f *testing.F)   { fuzz(f, source.GrowthBook) }
func FuzzCloudEvents(f *testing.F)  { fuzz(f, source.CloudEvents) }
