package hookstest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A Tool plays a tool that deliveries go to: it checks a request as the real one is documented to (method, media type,
// credentials, the body's members and their limits) and answers with its status codes and words. What a tool refuses
// has a status of 400 or more. The README of the integration names the pages
// that the rules are from.
type Tool func(r *http.Request, body []byte) Reply

// tools are the tools by the key of their integration.
var tools = map[string]Tool{
	"slack": slack, "msteams": teams, "mattermost": mattermost, "discord": discord, "google-chat": googleChat,
	"rocketchat": rocketChat, "webex": webex, "telegram": telegram, "zulip": zulip, "matrix": matrix,
	"ntfy": ntfy,

	"pagerduty": pagerDuty, "opsgenie": opsgenie, "incident-io": incidentIO, "rootly": rootly,
	"grafana-oncall": grafanaOnCall, "squadcast": squadcast, "splunk-on-call": splunkOnCall,

	"datadog": datadog, "splunk": splunk, "webhook": webhook,
	"loki": loki, "elastic": document, "opensearch": document, "grafana": grafana, "honeycomb": honeycomb,
	"prometheus-alertmanager": alertmanager, "opentelemetry": otlp, "rollbar": rollbar, "segment": segment,
	"github": github, "notion": notion, "signalfx": signalFX, "sumo-logic": sumoLogic,

	"zapier": zapier, "make": makeCom, "n8n": n8n, "ifttt": ifttt, "azure-event-grid": eventGrid,
}

// Tools lists the keys of the integrations whose tools can be played, sorted.
func Tools() []string { return slices.Sorted(maps.Keys(tools)) }

// ToolFor returns the tool of an integration, and whether it is one of Tools. Otherwise it is one that takes any body
// of the media type that it claims to have.
func ToolFor(integration string) (tool Tool, strict bool) {
	if tool, strict = tools[integration]; strict {
		return tool, true
	}
	return anyTool, false
}

// ServeHTTP answers a request.
func (t Tool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxRecordedBody))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusRequestEntityTooLarge)
		return
	}
	reply := t(r, body)
	for name, values := range reply.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if reply.Status == 0 {
		reply.Status = http.StatusOK
	}
	w.WriteHeader(reply.Status)
	_, _ = io.WriteString(w, reply.Body) // the client may have left
}

func anyTool(r *http.Request, body []byte) Reply {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return refuse(http.StatusUnsupportedMediaType, "no media type")
	case media == mediaJSON, strings.HasSuffix(media, "+json"):
		if !json.Valid(body) {
			return refuse(http.StatusBadRequest, "not JSON")
		}
	case media == "application/x-www-form-urlencoded":
		if _, err := url.ParseQuery(string(body)); err != nil {
			return refuse(http.StatusBadRequest, "not a form")
		}
	case media == "application/x-ndjson":
		for line := range strings.Lines(string(body)) {
			if strings.TrimSpace(line) != "" && !json.Valid([]byte(line)) {
				return refuse(http.StatusBadRequest, "a line is not JSON")
			}
		}
	case !utf8.Valid(body):
		return refuse(http.StatusBadRequest, "not UTF-8")
	}
	return Reply{}
}

func refuse(status int, format string, args ...any) Reply {
	return Reply{Status: status, Body: fmt.Sprintf(format, args...)}
}

// A checker collects what is wrong with a body of JSON. Its methods take a member of an object and report, with the
// member's path, what breaks the rule.
type checker struct {
	problems []string
	utf16    bool // lengths are counted in units of UTF-16, as in JavaScript, and not in code points
}

// object reads a body that must be an object of JSON.
func (c *checker) object(body []byte) member {
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		c.failf("the body is no object of JSON: %v", err)
	}
	return member{c, "", v}
}

func (c *checker) failf(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// reply is a refusal with all problems, or what the tool answers when there is none.
func (c *checker) reply(status int, ok Reply) Reply {
	if len(c.problems) == 0 {
		return ok
	}
	return refuse(status, "%s", strings.Join(c.problems, "; "))
}

// A member is a value somewhere in a body.
type member struct {
	c     *checker
	path  string
	value any
}

func (m member) get(key string) member {
	o, _ := m.value.(map[string]any)
	return member{m.c, strings.TrimPrefix(m.path+"."+key, "."), o[key]}
}

func (m member) has(key string) bool {
	o, _ := m.value.(map[string]any)
	_, has := o[key]
	return has
}

func (m member) failf(format string, args ...any) {
	m.c.failf("%s: %s", m.path, fmt.Sprintf(format, args...))
}

func (m member) str() string { s, _ := m.value.(string); return s }

// items are those of an array, at most so many of them.
func (m member) items(atMost int) []member {
	a, isArray := m.value.([]any)
	if m.value != nil && !isArray {
		m.failf("is no array")
	}
	if len(a) > atMost {
		m.failf("has %d items; at most %d are allowed", len(a), atMost)
	}
	list := make([]member, len(a))
	for i, v := range a {
		list[i] = member{m.c, fmt.Sprintf("%s[%d]", m.path, i), v}
	}
	return list
}

// text wants a text that is not blank, of at most so many characters.
func (m member) text(atMost int) string {
	s, isText := m.value.(string)
	if !isText || strings.TrimSpace(s) == "" {
		m.failf("must be a text that is not empty")
	}
	return m.limit(s, atMost)
}

// maybe is text for a member that may be missing or empty.
func (m member) maybe(atMost int) string {
	s, isText := m.value.(string)
	if m.value != nil && !isText {
		m.failf("must be a text")
	}
	return m.limit(s, atMost)
}

func (m member) limit(s string, atMost int) string {
	n := utf8.RuneCountInString(s)
	if m.c.utf16 {
		n = len(utf16.Encode([]rune(s)))
	}
	if n > atMost {
		m.failf("has %d characters; at most %d are allowed", n, atMost)
	}
	return s
}

func (m member) oneOf(values ...string) {
	if !slices.Contains(values, m.str()) {
		m.failf("is %q; it must be one of %s", m.value, strings.Join(values, ", "))
	}
}

// link wants an absolute http or https URL.
func (m member) link() {
	u, err := url.Parse(m.str())
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		m.failf("%q is no absolute URL", m.value)
	}
}

// only reports members of an object that the tool does not know.
func (m member) only(keys ...string) {
	o, isObject := m.value.(map[string]any)
	if !isObject {
		m.failf("must be an object")
	}
	for key := range o {
		if !slices.Contains(keys, key) {
			m.failf("has an unknown member %q", key)
		}
	}
}

// posted checks method and media type, which is often all that is asked of a request beside its body.
func posted(r *http.Request, method, media string) (refusal Reply, ok bool) {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method != method:
		return refuse(http.StatusMethodNotAllowed, "method %s is not allowed", r.Method), false
	case err != nil || got != media:
		return refuse(http.StatusUnsupportedMediaType, "media type %q is not %s", got, media), false
	}
	return Reply{}, true
}
