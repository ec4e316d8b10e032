package source

import (
	"fmt"
	"strings"
)

// secretPlaceholder stands where a person puts the secret.
const secretPlaceholder = "YOUR_SECRET"

// Snippet tells how the system is set up to send to a URL: lines of its own
// configuration, or steps in its pages. The secret is not in it.
func (s *Settings) Snippet(url string) string {
	secret := secretPlaceholder
	if s.Unsigned {
		secret = ""
	}
	lines := snippets[s.Kind](s, url, secret)
	return strings.Join(lines, "\n") + "\n"
}

var snippets = map[Kind]func(s *Settings, url, secret string) []string{
	Flipt: func(s *Settings, url, secret string) []string {
		if s.Header != "" {
			return []string{
				"# Flipt 1.x, config.yml: templates are not signed, so the secret is a header.",
				"audit:", "  events: [\"*:*\"]", "  sinks:", "    webhook:", "      enabled: true", "      templates:",
				"        - url: " + quoteYAML(url), "          headers:", "            Content-Type: application/json",
				"            " + s.Header + ": " + quoteYAML(secret), "          body: |", "            {{ toJson . }}",
			}
		}
		lines := []string{
			"# Flipt 1.x, config.yml. Flipt 2 has no audit webhooks.",
			"audit:", "  events: [\"*:*\"]", "  sinks:", "    webhook:", "      enabled: true", "      url: " + quoteYAML(url),
		}
		if secret != "" {
			lines = append(lines, "      signing_secret: "+quoteYAML(secret))
		}
		return append(lines, "  buffer:", "    capacity: 2", "    flush_period: 2m", "# and leave tracing.sampling_ratio at 1: less drops audit events")
	},
	Flagsmith: func(_ *Settings, url, secret string) []string {
		return []string{
			"1. Flagsmith > an environment > Settings > Webhooks > Create feature webhook,",
			"   or Organisation settings > Webhooks > Create webhook for the audit log of all projects.",
			"2. URL: " + url, "3. Secret: " + orNone(secret), "4. Save; \"Test\" sends a sample.",
		}
	},
	Goflagship: func(_ *Settings, url, _ string) []string {
		return []string{
			"curl -X POST \"$FLAGSHIP/v1/admin/webhooks\" -H \"Authorization: Bearer $FLAGSHIP_TOKEN\" -H 'Content-Type: application/json' \\",
			`  -d '{"url": ` + fmt.Sprintf("%q", url) + `, "events": ["flag.created", "flag.updated", "flag.deleted"]}'`,
			"# The answer holds the secret (whsec_...): give it to this source as its secret.",
		}
	},
	LaunchDarkly: func(_ *Settings, url, secret string) []string {
		lines := []string{"1. LaunchDarkly > Integrations > Webhooks > Add integration.", "2. URL: " + url}
		if secret != "" {
			lines = append(lines, "3. Sign this webhook, with the secret "+secret)
		}
		return append(lines, "4. Leave the policy open, or choose events there.")
	},
	Unleash: func(s *Settings, url, secret string) []string {
		header := s.Header
		if header == "" {
			header = "Authorization"
		}
		lines := []string{"1. Unleash > Integrations > Webhook.", "2. Webhook URL: " + url, "3. Content-Type: leave empty. Body template: leave empty."}
		switch {
		case secret == "":
		case strings.EqualFold(header, "Authorization"):
			lines = append(lines, "4. Authorization: "+secret)
		default:
			lines = append(lines, fmt.Sprintf("4. Extra HTTP headers: {%q: %q}", header, secret))
		}
		return append(lines, "5. Events: choose all; projects and environments: leave open.")
	},
	GrowthBook: func(_ *Settings, url, _ string) []string {
		return []string{
			"1. GrowthBook > Settings > Webhooks > Event webhooks > Create.", "2. Endpoint: " + url,
			"3. Method POST, payload type JSON, all feature, experiment and saved group events.",
			"4. Give the signing key that is shown (ewhk_...) to this source as its secret.",
		}
	},
	CloudEvents: func(_ *Settings, url, secret string) []string {
		lines := []string{"curl -X POST " + shellQuote(url) + " -H 'Content-Type: application/cloudevents+json' \\"}
		if secret != "" {
			lines = append(lines, "  -H 'Authorization: Bearer "+secret+"' \\")
		}
		return append(lines, `  -d '{"specversion": "1.0", "id": "1", "source": "/flags", "type": "com.example.flag.updated.v1",`,
			`       "subject": "proj/shop:env/production:flag/checkout", "data": {"action": "updateOn", "before": {"on": false}, "after": {"on": true}}}'`)
	},
}

func orNone(secret string) string {
	if secret == "" {
		return "(none)"
	}
	return secret
}

func quoteYAML(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
