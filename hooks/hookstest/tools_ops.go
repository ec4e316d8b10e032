package hookstest

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// pagerDuty takes change events: 202, 400 for an invalid one, 413 beyond 512 KB.
func pagerDuty(r *http.Request, body []byte) Reply {
	if r.URL.Path != "/v2/change/enqueue" {
		return refuse(http.StatusNotFound, "no such call")
	}
	if len(body) > 512<<10 {
		return refuse(http.StatusRequestEntityTooLarge, "too large")
	}
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	root.only("routing_key", "payload", "links", "images")
	root.get("routing_key").text(200)
	payload := root.get("payload")
	payload.only("summary", "source", "timestamp", "custom_details")
	payload.get("summary").text(1024)
	payload.get("source").maybe(1024)
	payload.get("timestamp").maybeTime()
	if _, isObject := payload.get("custom_details").value.(map[string]any); !isObject {
		payload.get("custom_details").failf("must be an object")
	}
	for _, link := range root.get("links").items(50) {
		link.only("href", "text")
		link.get("href").link()
	}
	if len(c.problems) > 0 {
		return c.reply(http.StatusBadRequest, Reply{})
	}
	return Reply{Status: http.StatusAccepted, Body: `{"status":"success"}`}
}

// maybeTime wants an RFC 3339 time, or nothing.
func (m member) maybeTime() {
	if m.value == nil {
		return
	}
	if _, err := time.Parse(time.RFC3339, m.str()); err != nil {
		m.failf("%v is no time", m.value)
	}
}

// opsgenie creates alerts: 202, 401 without a key, 422 for an invalid one.
func opsgenie(r *http.Request, body []byte) Reply {
	if r.URL.Path != "/v2/alerts" {
		return refuse(http.StatusNotFound, "no such call")
	}
	if refusal, ok := bearer(r, "GenieKey", mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	root.only("message", "alias", "description", "priority", "source", "entity", "user", "tags", "details")
	root.get("message").text(130)
	root.get("alias").text(512)
	root.get("description").text(15_000)
	root.get("priority").oneOf("P1", "P2", "P3", "P4", "P5")
	root.get("source").maybe(100)
	root.get("entity").maybe(512)
	root.get("user").maybe(100)
	for _, tag := range root.get("tags").items(20) {
		tag.text(50)
	}
	details, _ := root.get("details").value.(map[string]any)
	total := 0
	for key := range details {
		total += len([]rune(key)) + len([]rune(root.get("details").get(key).maybe(8000)))
	}
	if total > 8000 {
		root.get("details").failf("has %d characters in all; at most 8000 are allowed", total)
	}
	return c.reply(http.StatusUnprocessableEntity, Reply{Status: http.StatusAccepted, Body: `{"result":"Request will be processed"}`})
}

// bearer checks what posted does, and a token of that scheme.
func bearer(r *http.Request, scheme, media string) (refusal Reply, ok bool) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), scheme+" "); !ok || token == "" {
		return refuse(http.StatusUnauthorized, "no %s token", scheme), false
	}
	return posted(r, http.MethodPost, media)
}

// incidentIO is an HTTP alert source: 202.
func incidentIO(r *http.Request, body []byte) Reply {
	if ok, err := regexp.MatchString(`^/v2/alert_events/http/[A-Za-z0-9]+$`, r.URL.Path); err != nil || !ok {
		return refuse(http.StatusNotFound, "no such alert source")
	}
	if refusal, ok := bearer(r, "Bearer", mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	root.only("title", "status", "deduplication_key", "description", "source_url", "metadata")
	root.get("title").text(255)
	root.get("status").oneOf("firing", "resolved")
	root.get("deduplication_key").maybe(255)
	root.get("description").maybe(10_000)
	root.get("metadata").only(keysOf(root.get("metadata"))...)
	return c.reply(http.StatusUnprocessableEntity, Reply{Status: http.StatusAccepted, Body: `{"status":"accepted"}`})
}

func keysOf(m member) (keys []string) {
	o, _ := m.value.(map[string]any)
	for key := range o {
		keys = append(keys, key)
	}
	return keys
}

// rootly creates pulses, by JSON:API: 201.
func rootly(r *http.Request, body []byte) Reply {
	if r.URL.Path != "/v1/pulses" {
		return refuse(http.StatusNotFound, "no such call")
	}
	if refusal, ok := bearer(r, "Bearer", "application/vnd.api+json"); !ok {
		return refusal
	}
	var c checker
	data := c.object(body).get("data")
	data.only("type", "attributes")
	data.get("type").oneOf("pulses")
	a := data.get("attributes")
	a.only("summary", "source", "service_ids", "environment_ids", "started_at", "ended_at", "external_url", "labels", "refs", "data")
	a.get("summary").text(255)
	a.get("started_at").maybeTime()
	a.get("ended_at").maybeTime()
	for _, list := range []string{"labels", "refs"} {
		for _, pair := range a.get(list).items(50) {
			pair.only("key", "value")
			pair.get("key").text(255)
			pair.get("value").text(255)
		}
	}
	return c.reply(http.StatusUnprocessableEntity, Reply{Status: http.StatusCreated})
}

// grafanaOnCall is a formatted webhook; members that it does not know are kept for templates.
func grafanaOnCall(r *http.Request, body []byte) Reply {
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	root.get("alert_uid").text(255)
	root.get("title").text(2000)
	root.get("message").maybe(20_000)
	root.get("state").oneOf("ok", "alerting")
	if root.has("link_to_upstream_details") {
		root.get("link_to_upstream_details").link()
	}
	return c.reply(http.StatusBadRequest, Reply{Body: "Ok."})
}

// squadcast is an incident webhook: 202, 413 beyond 30 KB.
func squadcast(r *http.Request, body []byte) Reply {
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	if len(body) > 30_000 {
		return refuse(http.StatusRequestEntityTooLarge, "payload too large")
	}
	var c checker
	root := c.object(body)
	root.get("message").text(1000)
	root.get("description").text(30_000)
	root.get("status").oneOf("trigger", "acknowledge", "resolve")
	root.get("event_id").maybe(255)
	root.get("priority").oneOf("P1", "P2", "P3", "P4", "P5", "UNSET")
	for _, key := range keysOf(root.get("tags")) {
		tag := root.get("tags").get(key)
		if _, isObject := tag.value.(map[string]any); isObject {
			tag.only("value", "color")
			tag = tag.get("value")
		}
		tag.maybe(1000)
	}
	return c.reply(http.StatusBadRequest, Reply{Status: http.StatusAccepted})
}

// splunkOnCall is the REST endpoint of Splunk On-Call.
func splunkOnCall(r *http.Request, body []byte) Reply {
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	root.get("message_type").oneOf("CRITICAL", "WARNING", "ACKNOWLEDGEMENT", "INFO", "RECOVERY")
	root.get("entity_id").text(512)
	root.get("entity_display_name").maybe(512)
	root.get("state_message").maybe(20_480)
	if root.has("state_start_time") {
		root.get("state_start_time").number(1e9)
	}
	return c.reply(http.StatusBadRequest, Reply{Body: `{"result":"success"}`})
}

// datadog takes events of its API v1: 202, 400, 403 without a key, 413 for what is too large.
func datadog(r *http.Request, body []byte) Reply {
	if r.Header.Get("DD-API-KEY") == "" {
		return refuse(http.StatusForbidden, `{"errors":["Forbidden"]}`)
	}
	if len(body) > 128<<10 {
		return refuse(http.StatusRequestEntityTooLarge, `{"errors":["Payload too big"]}`)
	}
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	root.get("title").text(500)
	root.get("text").text(4000)
	root.get("aggregation_key").maybe(100)
	root.get("alert_type").oneOf("error", "warning", "info", "success", "user_update", "recommendation", "snapshot")
	if _, isNumber := root.get("date_happened").value.(float64); root.has("date_happened") && !isNumber {
		root.get("date_happened").failf("is no number")
	}
	for _, tag := range root.get("tags").items(1000) {
		if strings.HasSuffix(tag.text(200), "_key:") {
			tag.failf("has no value")
		}
	}
	return c.reply(http.StatusBadRequest, Reply{Status: http.StatusAccepted, Body: `{"status":"ok"}`})
}

// splunk is an HTTP event collector, with the codes of its answers.
func splunk(r *http.Request, body []byte) Reply {
	if r.URL.Path != "/services/collector/event" {
		return refuse(http.StatusNotFound, "not found")
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Splunk "); !ok || token == "" {
		return refuse(http.StatusUnauthorized, `{"text":"Token is required","code":2}`)
	}
	if len(body) == 0 {
		return refuse(http.StatusBadRequest, `{"text":"No data","code":5}`)
	}
	var c checker
	root := c.object(body)
	if len(c.problems) > 0 {
		return refuse(http.StatusBadRequest, `{"text":"Invalid data format","code":6}`)
	}
	if !root.has("event") {
		return refuse(http.StatusBadRequest, `{"text":"Event field is required","code":12}`)
	}
	if event, isObject := root.get("event").value.(map[string]any); root.get("event").value == "" || isObject && len(event) == 0 {
		return refuse(http.StatusBadRequest, `{"text":"Event field cannot be blank","code":13}`)
	}
	if _, isNumber := root.get("time").value.(float64); root.has("time") && !isNumber {
		return refuse(http.StatusBadRequest, `{"text":"Error in handling indexed fields","code":15}`)
	}
	return Reply{Body: `{"text":"Success","code":0}`}
}
