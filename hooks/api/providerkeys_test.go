package api_test

import (
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/manifest"
)

// providerKeys are the integrations that LaunchDarkly's Terraform provider knows
// (version 3.1.3), with the config that it sends for the least that it takes.
var providerKeys = map[string]string{
	"chronosphere":  `{"receiverURL": "https://x.example.com", "secretToken": "s"}`,
	"cloudtrail":    `{"externalId": "x"}`,
	"datadog":       `{"apiKey": "s"}`,
	"dynatrace":     `{"apiToken": "s", "url": "https://x.example.com"}`,
	"dynatrace-v2":  `{"apiToken": "s", "url": "https://x.example.com"}`,
	"elastic":       `{"url": "https://x.example.com", "token": "s", "index": "i"}`,
	"grafana":       `{"endpointUrl": "https://x.example.com", "apiKey": "s"}`,
	"honeycomb":     `{"datasetName": "d", "apiKey": "s"}`,
	"jira":          `{"url": "https://x.example.com", "secret": "s"}`,
	"kosli":         `{"webhookUrl": "https://x.example.com", "secret": "s"}`,
	"last9":         `{"endpointUrl": "https://x.example.com", "apiToken": "s"}`,
	"logdna":        `{"ingestionKey": "s"}`,
	"mattermost":    `{"url": "https://x.example.com"}`,
	"msteams":       `{"url": "https://x.example.com"}`,
	"new-relic-apm": `{"apiKey": "s", "applicationId": "1"}`,
	"pagerduty":     `{"integrationKey": "s"}`,
	"signalfx":      `{"accessToken": "s", "realm": "us0"}`,
	"slack":         `{"url": "https://x.example.com"}`,
	"splunk":        `{"base-url": "https://x.example.com", "token": "s", "skip-ca-verification": true}`,
	"vercel-native": `{"accessToken": "s", "installationId": "i"}`,
}

// TestProviderKeys: each of them can be subscribed with the catalog that is
// embedded, or is answered with a 404 that helps.
func TestProviderKeys(t *testing.T) {
	catalog, findings := manifest.Load(integrations.FS())
	if manifest.HasErrors(findings) {
		t.Fatal(findings)
	}
	s := start(t)
	s.listenAgain(func(o *hooks.Options) { o.Catalog = catalog })
	if len(providerKeys) != 20 {
		t.Errorf("%d keys, want 20", len(providerKeys))
	}
	for key, config := range providerKeys {
		got := s.do("POST", "/api/v2/integrations/"+key, `{"name": "n", "on": true, "tags": [], "config": `+config+`, "statements": [{"effect": "allow", "resources": ["proj/*"], "actions": ["*"]}]}`)
		if _, ok := catalog.Get(key); ok {
			got.want(201)
			continue
		}
		t.Logf("%s is not in the catalog", key)
		if v := got.wantRefused(404, "not_found"); !strings.Contains(v.Message, key) || !strings.Contains(v.Message, "did you mean") && !strings.Contains(v.Message, "the nearest in the catalog are ") {
			t.Errorf("%s: %s", key, v.Message)
		}
	}
}
