package hookstest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/hooks/hookstest"
)

// request is what a tool is asked, if nothing else is said: a POST of JSON to /.
type request struct {
	tool, method, path, media string
	header                    string // name and value
	body                      string
}

func (q request) send(t *testing.T) *httptest.ResponseRecorder {
	t.Helper()
	if q.method == "" {
		q.method = http.MethodPost
	}
	if q.media == "" {
		q.media = "application/json"
	}
	r := httptest.NewRequest(q.method, "https://tool.example.com/"+strings.TrimPrefix(q.path, "/"), strings.NewReader(q.body))
	r.Header.Set("Content-Type", q.media)
	if name, value, ok := strings.Cut(q.header, ": "); ok {
		r.Header.Set(name, value)
	}
	tool, strict := hookstest.ToolFor(q.tool)
	if !strict {
		t.Fatalf("%s is not played", q.tool)
	}
	w := httptest.NewRecorder()
	tool.ServeHTTP(w, r)
	return w
}

func text(n int) string { return strings.Repeat("x", n) }

// Tools answer as the real ones do: what is right, and each thing that they are strict about.
func TestTools(t *testing.T) {
	const (
		block   = `{"blocks": [{"type": "section", "text": {"type": "plain_text", "text": "%"}}]}`
		change  = `{"routing_key": "k", "payload": {"summary": "%", "custom_details": {}}}`
		event   = `{"title": "%", "text": "t", "alert_type": "info"}`
		embed   = `{"embeds": [{"title": "t", "color": 1, "description": "%"}]}`
		message = `{"chat_id": "1", "parse_mode": "HTML", "text": "%"}`
		notice  = `{"msgtype": "m.notice", "body": "%", "m.mentions": {}}`
		room    = "/_matrix/client/v3/rooms/!r:example.com/send/m.room.message/1"
		alert   = `{"message": "%", "alias": "a", "description": "d", "priority": "P5"}`
		cloud   = `{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "subject": "s", "time": "%"}`
	)
	with := func(template, value string) string { return strings.ReplaceAll(template, "%", value) }
	form := func(content string) string {
		return url.Values{"type": {"stream"}, "to": {"c"}, "topic": {"t"}, "content": {content}}.Encode()
	}
	for _, c := range []struct {
		request
		code int
		says string
	}{
		{request{tool: "slack", body: with(block, "x")}, 200, "ok"},
		{request{tool: "slack", body: `{`}, 400, "invalid_payload"},
		{request{tool: "slack", body: `{}`}, 400, "no_text"},
		{request{tool: "slack", body: with(block, text(3001))}, 400, "invalid_blocks"},
		{request{tool: "slack", body: `{"blocks": [{"type": "marquee"}]}`}, 400, "invalid_blocks"},
		{request{tool: "slack", method: "PUT", body: with(block, "x")}, 405, ""},
		{request{tool: "slack", media: "text/plain", body: with(block, "x")}, 415, ""},

		{request{tool: "msteams", body: `{"type": "message", "attachments": [` + text(28<<10) + `]}`}, 413, "too large"},
		{request{tool: "msteams", body: `{"type": "MessageCard"}`}, 400, "type"},

		{request{tool: "mattermost", body: `{"text": "x"}`}, 200, "ok"},
		{request{tool: "mattermost", body: `{"attachments": []}`}, 400, "No text specified"},
		{request{tool: "mattermost", body: `{"attachments": [{"fallback": "f", "text": "t", "color": "red"}]}`}, 400, "colour"},

		{request{tool: "discord", body: with(embed, "d")}, 204, ""},
		{request{tool: "discord", body: `{"content": ""}`}, 400, "50006"},
		{request{tool: "discord", body: `{"content": "` + text(2001) + `"}`}, 400, "2000"},
		{request{tool: "discord", body: with(embed, text(4097))}, 400, "4096"},
		{request{tool: "discord", body: `{"embeds": [{"title": "t", "color": 1, "description": "` + text(4000) + `", "footer": {"text": "` + text(2000) + `"}}]}`}, 400, "6000"},
		{request{tool: "discord", body: with(embed, strings.Repeat("\U0001F525", 2100))}, 400, "4096"},

		{request{tool: "google-chat", body: `{"text": "x"}`}, 401, ""},
		{request{tool: "google-chat", path: "?key=k&token=t", body: `{"text": "` + text(4097) + `"}`}, 400, "4096"},
		{request{tool: "rocketchat", body: `{}`}, 400, "no text"},
		{request{tool: "webex", body: `{"text": "` + strings.Repeat("é", 4000) + `"}`}, 400, "7439"},

		{request{tool: "telegram", path: "/bot1:a/sendMessage", body: with(message, "<b>x</b> &lt;")}, 200, "true"},
		{request{tool: "telegram", path: "/bot/sendMessage", body: with(message, "x")}, 404, ""},
		{request{tool: "telegram", path: "/bot1:a/sendMessage", body: with(message, "a < b")}, 400, "can't parse entities"},
		{request{tool: "telegram", path: "/bot1:a/sendMessage", body: with(message, "<b>x")}, 400, "can't parse entities"},
		{request{tool: "telegram", path: "/bot1:a/sendMessage", body: with(message, "<blink>x</blink>")}, 400, "can't parse entities"},
		{request{tool: "telegram", path: "/bot1:a/sendMessage", body: with(message, text(4097))}, 400, "4096"},

		{request{tool: "zulip", path: "/api/v1/messages", media: "application/x-www-form-urlencoded", header: "Authorization: Basic YTpi", body: form("x")}, 200, "success"},
		{request{tool: "zulip", path: "/api/v1/messages", media: "application/x-www-form-urlencoded", body: form("x")}, 401, ""},
		{request{tool: "zulip", path: "/api/v1/messages", header: "Authorization: Basic YTpi", body: `{}`}, 415, ""},
		{request{tool: "zulip", path: "/api/v1/messages", media: "application/x-www-form-urlencoded", header: "Authorization: Basic YTpi", body: form(text(10001))}, 400, "10000"},
		{request{tool: "zulip", path: "/api/v1/messages", media: "application/x-www-form-urlencoded", header: "Authorization: Basic YTpi", body: form("a\x00b")}, 400, "null bytes"},

		{request{tool: "matrix", method: "PUT", path: room, header: "Authorization: Bearer t", body: with(notice, "x")}, 200, "event_id"},
		{request{tool: "matrix", method: "PUT", path: room, body: with(notice, "x")}, 401, "M_MISSING_TOKEN"},
		{request{tool: "matrix", method: "PUT", path: "/_matrix/x", header: "Authorization: Bearer t", body: with(notice, "x")}, 404, "M_UNRECOGNIZED"},
		{request{tool: "matrix", method: "PUT", path: room, header: "Authorization: Bearer t", body: with(notice, text(60000))}, 413, "M_TOO_LARGE"},

		{request{tool: "pagerduty", path: "/v2/change/enqueue", body: with(change, "x")}, 202, "success"},
		{request{tool: "pagerduty", path: "/v2/change/enqueue", body: with(change, text(1025))}, 400, "1024"},
		{request{tool: "pagerduty", path: "/v2/change/enqueue", body: `{"routing_key": ""}`}, 400, "routing_key"},
		{request{tool: "pagerduty", path: "/v2/change/enqueue", body: with(change, text(512<<10))}, 413, ""},
		{request{tool: "opsgenie", path: "/v2/alerts", header: "Authorization: GenieKey k", body: with(alert, "x")}, 202, ""},
		{request{tool: "opsgenie", path: "/v2/alerts", body: with(alert, "x")}, 401, ""},
		{request{tool: "opsgenie", path: "/v2/alerts", header: "Authorization: GenieKey k", body: with(alert, text(131))}, 422, "130"},
		{request{tool: "incident-io", path: "/v2/alert_events/http/A1", header: "Authorization: Bearer t", body: `{"title": "t", "status": "on fire"}`}, 422, "status"},
		{request{tool: "rootly", path: "/v1/pulses", header: "Authorization: Bearer t", body: `{}`}, 415, ""},
		{request{tool: "rootly", path: "/v1/pulses", media: "application/vnd.api+json", header: "Authorization: Bearer t", body: `{"data": {"type": "pulses", "attributes": {}}}`}, 422, "summary"},
		{request{tool: "grafana-oncall", body: `{"alert_uid": "1", "title": "t", "state": "firing"}`}, 400, "state"},
		{request{tool: "squadcast", body: text(30001)}, 413, ""},
		{request{tool: "squadcast", body: `{"message": "m", "status": "trigger", "priority": "P5"}`}, 400, "description"},

		{request{tool: "splunk-on-call", body: `{"message_type": "SHRUG", "entity_id": "e"}`}, 400, "message_type"},
		{request{tool: "ntfy", body: `{"topic": "t", "message": "m", "priority": 3}`}, 200, ""},
		{request{tool: "ntfy", body: `{"topic": "a/b", "message": "m", "priority": 3}`}, 400, "topic"},
		{request{tool: "ntfy", body: `{"topic": "t", "priority": 3, "message": "` + strings.Repeat("é", 4000) + `"}`}, 400, "4096"},

		{request{tool: "datadog", header: "DD-API-KEY: k", body: with(event, "x")}, 202, "ok"},
		{request{tool: "datadog", body: with(event, "x")}, 403, "Forbidden"},
		{request{tool: "datadog", header: "DD-API-KEY: k", body: with(event, text(501))}, 400, "500"},
		{request{tool: "datadog", header: "DD-API-KEY: k", body: with(event, text(128<<10))}, 413, "too big"},
		{request{tool: "splunk", path: "/services/collector/event", header: "Authorization: Splunk t", body: `{"event": "x"}`}, 200, `"code":0`},
		{request{tool: "splunk", path: "/services/collector/event", body: `{"event": "x"}`}, 401, `"code":2`},
		{request{tool: "splunk", path: "/services/collector/event", header: "Authorization: Splunk t"}, 400, `"code":5`},
		{request{tool: "splunk", path: "/services/collector/event", header: "Authorization: Splunk t", body: `x`}, 400, `"code":6`},
		{request{tool: "splunk", path: "/services/collector/event", header: "Authorization: Splunk t", body: `{}`}, 400, `"code":12`},
		{request{tool: "splunk", path: "/services/collector/event", header: "Authorization: Splunk t", body: `{"event": ""}`}, 400, `"code":13`},

		{request{tool: "loki", path: "/loki/api/v1/push", body: `{"streams": [{"stream": {"a": "b"}, "values": [["1794909455412000000", "line"]]}]}`}, 204, ""},
		{request{tool: "loki", path: "/loki/api/v1/push", body: `{"streams": [{"stream": {"a-b": "c"}, "values": [["1794909455", "line"]]}]}`}, 400, `"a-b" cannot be a name; streams[0].values[0]: must begin`},
		{request{tool: "elastic", method: "PUT", path: "/i/_doc/1", header: "Authorization: ApiKey k", body: `{}`}, 201, "created"},
		{request{tool: "opensearch", method: "PUT", path: "/i/_doc/1", body: `{}`}, 401, "security_exception"},
		{request{tool: "elastic", method: "PUT", path: "/i/_doc/" + text(513), header: "Authorization: ApiKey k", body: `{}`}, 400, "512"},
		{request{tool: "grafana", path: "/api/annotations", header: "Authorization: Bearer t", body: `{"text": "x", "time": 1794909455}`}, 400, "time"},
		{request{tool: "honeycomb", path: "/1/markers/d", header: "X-Honeycomb-Team: k", body: `{"message": "m", "type": "t", "start_time": 1794909455412}`}, 422, "seconds"},
		{request{tool: "honeycomb", path: "/1/markers/d", body: `{}`}, 401, ""},
		{request{tool: "prometheus-alertmanager", path: "/api/v2/alerts", body: `[{"labels": {"alertname": "x"}, "annotations": {}}]`}, 200, ""},
		{request{tool: "prometheus-alertmanager", path: "/api/v2/alerts", body: `[{"labels": {"a.b": 1}}]`}, 400, "a.b"},
		{request{tool: "opentelemetry", path: "/v1/logs", body: `{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": 1, "severityNumber": 9}]}]}]}`}, 400, "timeUnixNano"},
		{request{tool: "rollbar", header: "X-Rollbar-Access-Token: t", body: `{"data": {"environment": "e", "level": "loud"}}`}, 422, "level"},
		{request{tool: "segment", header: "Authorization: Basic azo=", body: `{"event": "e"}`}, 400, "neither userId nor anonymousId"},
		{request{tool: "github", path: "/repos/a/b/dispatches", header: "Authorization: Bearer t", body: `{"event_type": "` + text(101) + `"}`}, 422, "100"},
		{request{tool: "github", path: "/repos/a/b/dispatches", header: "Authorization: Bearer t", body: `{"event_type": "x", "client_payload": {"a": "` + text(64<<10) + `"}}`}, 422, "too large"},
		{request{tool: "signalfx", body: `[]`}, 401, "Unauthorized"},
		{request{tool: "signalfx", header: "X-SF-Token: t", body: `[{"category": "USER_DEFINED", "eventType": "e", "properties": {"a": "b"}}]`}, 200, "OK"},
		{request{tool: "signalfx", header: "X-SF-Token: t", body: `[{"category": "USER_DEFINED", "eventType": "e", "properties": {"a": "` + text(257) + `"}}]`}, 400, "256"},
		{request{tool: "sumo-logic", body: `{"a": "` + text(64<<10) + `"}`}, 413, "64 KB"},
		{request{tool: "notion", header: "Authorization: Bearer t", body: `{}`}, 400, "missing_version"},

		{request{tool: "zapier", body: `{"unheard_of": "x"}`}, 400, "unknown"},
		{request{tool: "ifttt", path: "/trigger/e/with/key/k", body: `{"value1": {}}`}, 400, "value1"},
		{request{tool: "make", body: `{}`}, 401, ""},
		{request{tool: "n8n", body: `{}`}, 403, ""},
		{request{tool: "azure-event-grid", media: "application/cloudevents+json", header: "aeg-sas-key: k", body: with(cloud, "2026-11-17T09:57:35Z")}, 200, ""},
		{request{tool: "azure-event-grid", media: "application/cloudevents+json", body: with(cloud, "2026-11-17T09:57:35Z")}, 401, ""},
		{request{tool: "azure-event-grid", media: "application/cloudevents+json", header: "aeg-sas-key: k", body: with(cloud, "today")}, 400, "time"},
	} {
		got := c.send(t)
		if got.Code != c.code || !strings.Contains(got.Body.String(), c.says) {
			t.Errorf("%s, %.60s: got %d %s; want %d %s", c.tool, c.body, got.Code, got.Body, c.code, c.says)
		}
	}
}

// No tool takes a request without a body, and none breaks on a body of any JSON.
func TestToolsBearAnyBody(t *testing.T) {
	if len(hookstest.Tools()) < 30 {
		t.Errorf("only %d tools are played", len(hookstest.Tools()))
	}
	words := rapid.SampledFrom([]string{`{`, `}`, `[`, `]`, `:`, `,`, `"text"`, `"blocks"`, `"embeds"`, `"attachments"`, `"data"`, `"streams"`, `"labels"`, `null`, `1`, `"x"`, `true`})
	rapid.Check(t, func(t *rapid.T) {
		body := strings.Join(rapid.SliceOfN(words, 0, 12).Draw(t, "body"), "")
		for _, key := range hookstest.Tools() {
			tool, _ := hookstest.ToolFor(key)
			for _, media := range []string{"application/json", "application/x-www-form-urlencoded"} {
				r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
				r.Header.Set("Content-Type", media)
				w := httptest.NewRecorder()
				if tool.ServeHTTP(w, r); body == "" && w.Code < 400 {
					t.Errorf("%s takes a request without a body: %d", key, w.Code)
				}
			}
		}
	})
}

// An integration that nobody plays a tool for goes to one that reads the body by its media type.
func TestUnknownTool(t *testing.T) {
	tool, strict := hookstest.ToolFor("no-such-tool")
	if strict {
		t.Fatal("there is a tool that there should not be")
	}
	for _, c := range []struct {
		media, body string
		code        int
	}{
		{"application/json", `{}`, 200},
		{"application/vnd.api+json", `{`, 400},
		{"application/x-www-form-urlencoded", "a=%41", 200},
		{"application/x-www-form-urlencoded", "a=%4", 400},
		{"application/x-ndjson", "{}\n{}\n", 200},
		{"application/x-ndjson", "{}\n{\n", 400},
		{"text/plain", "\xff", 400},
		{"", "x", 415},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.media)
		w := httptest.NewRecorder()
		if tool.ServeHTTP(w, r); w.Code != c.code {
			t.Errorf("%s %q: got %d, want %d", c.media, c.body, w.Code, c.code)
		}
	}
}
