package manifest_test

import (
	"strings"
	"testing"

	"github.com/flaghook/flaghook/manifest"
)

func TestRequestCheck(t *testing.T) {
	type request = manifest.Request
	headers := func(name, value string) []manifest.Header { return []manifest.Header{{Name: name, Value: value}} }
	for _, c := range []struct {
		name string
		r    request
		want string
	}{
		{"good", request{Method: "POST", URL: "https://a.example/s3cret?x=s3cret", Headers: headers("X-Key", "s3cret\twith tab \u00e9")}, ""},
		{"capitals", request{Method: "POST", URL: "HTTP://A.example:8080"}, ""},
		{"IPv6", request{Method: "POST", URL: "http://[::1]:80/"}, ""},
		{"empty header", request{Method: "POST", URL: "http://a.example", Headers: headers("X-Key", "")}, ""},
		{"no endpoint", request{Body: []byte("x")}, "the integration has no endpoint to send to"},
		{"empty URL", request{Method: "POST"}, "the URL is empty"},
		{"placeholder", request{Method: "POST", URL: "$URL/s3cret"}, "the URL is not absolute; it must begin with http:// or https://"},
		{"relative", request{Method: "POST", URL: "//a.example/s3cret"}, "the URL is not absolute; it must begin with http:// or https://"},
		{"scheme", request{Method: "POST", URL: "file:///s3cret"}, "the URL is neither http nor https"},
		{"opaque", request{Method: "POST", URL: "https:s3cret"}, "the URL has no host behind https://"},
		{"port only", request{Method: "POST", URL: "https://:80/s3cret"}, "the URL has no host behind https://"},
		{"line break", request{Method: "POST", URL: "https://a.example/\ns3cret"}, "the URL cannot be read; it must be an absolute http or https URL, such as https://example.com/hook"},
		{"bad escape", request{Method: "POST", URL: "https://a.example/%zzs3cret"}, "the URL cannot be read; it must be an absolute http or https URL, such as https://example.com/hook"},
		{"CRLF", request{Method: "POST", URL: "http://a.example", Headers: headers("X-Key", "s3cret\r\nX-Other: 1")}, "the header X-Key has a line break or another control character in its value"},
		{"NUL", request{Method: "POST", URL: "http://a.example", Headers: headers("X-Key", "s3cret\x00")}, "the header X-Key has a line break or another control character in its value"},
		{"name", request{Method: "POST", URL: "http://a.example", Headers: headers("X Key:", "s3cret")}, `a header has a name that HTTP cannot carry: "X Key:"`},
		{"no name", request{Method: "POST", URL: "http://a.example", Headers: headers("", "s3cret")}, `a header has a name that HTTP cannot carry: ""`},
		{"secret that is no key", request{Method: "POST", URL: "http://a.example", Signatures: []manifest.Signature{{Standard: true, Secrets: []string{"whsec_tok-secret!"}}}},
			"it cannot be signed: the secret begins with whsec_, and what follows is not base64; copy it again, whole"},
		{"signature", request{Method: "POST", URL: "http://a.example", Signatures: []manifest.Signature{{Header: "X\nY", Secrets: []string{"s3cret"}}}}, `the signature's header has a name that HTTP cannot carry: "X\nY"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := c.r.Check(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if strings.Contains(got, "s3cret") {
				t.Error("the error shows a secret")
			}
		})
	}
}
