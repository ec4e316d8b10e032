package hookstest

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// list reads a body that must be an array of JSON of objects.
func (c *checker) list(body []byte) []member {
	return c.object(slices.Concat([]byte(`{"body":`), body, []byte(`}`))).get("body").items(1000)
}

// number wants a number of at least so much.
func (m member) number(atLeast float64) {
	if n, isNumber := m.value.(float64); !isNumber || n < atLeast {
		m.failf("%v is no number of %v or more", m.value, atLeast)
	}
}

// texts wants an object of texts alone, with names of a form.
func (m member) texts(names *regexp.Regexp, atMost int) {
	o, isObject := m.value.(map[string]any)
	if !isObject {
		m.failf("must be an object")
	}
	for name := range o {
		if !names.MatchString(name) {
			m.failf("%q cannot be a name", name)
		}
		if _, isText := o[name].(string); !isText {
			m.get(name).failf("must be a text")
		}
		m.get(name).maybe(atMost)
	}
}

var (
	labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	anyName   = regexp.MustCompile(`^.{1,200}$`)
	// nanoseconds is a Unix time of this century.
	nanoseconds = regexp.MustCompile(`^[1-4][0-9]{18}$`)
)

// loki takes lines: 204.
func loki(r *http.Request, body []byte) Reply {
	if r.URL.Path != "/loki/api/v1/push" {
		return refuse(http.StatusNotFound, "no such call")
	}
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	streams := c.object(body).get("streams").items(100)
	if len(streams) == 0 {
		c.failf("no streams")
	}
	for _, stream := range streams {
		stream.get("stream").texts(labelName, 2048)
		for _, entry := range stream.get("values").items(100) {
			parts := entry.items(3)
			if len(parts) < 2 || !nanoseconds.MatchString(parts[0].str()) {
				entry.failf("must begin with a time in nanoseconds, as text, and a line")
				continue
			}
			parts[1].text(256 << 10)
			if len(parts) == 3 {
				parts[2].texts(anyName, 64<<10) // structured metadata
			}
		}
	}
	return c.reply(http.StatusBadRequest, Reply{Status: http.StatusNoContent})
}

var documentPath = regexp.MustCompile(`^/[^/]+/_(?:doc|create)/([^/]+)$`)

// document is Elasticsearch or OpenSearch, which index one document by its id: 201.
func document(r *http.Request, body []byte) Reply {
	id := documentPath.FindStringSubmatch(r.URL.Path)
	switch {
	case id == nil:
		return refuse(http.StatusBadRequest, `{"error":{"type":"illegal_argument_exception"}}`)
	case len(id[1]) > 512:
		return refuse(http.StatusBadRequest, "id is too long, must be no longer than 512 bytes")
	case r.Header.Get("Authorization") == "":
		return refuse(http.StatusUnauthorized, `{"error":{"type":"security_exception"}}`)
	}
	if refusal, ok := posted(r, http.MethodPut, mediaJSON); !ok {
		return refusal
	}
	var c checker
	c.object(body).get("@timestamp").maybeTime()
	return c.reply(http.StatusBadRequest, Reply{Status: http.StatusCreated, Body: `{"result":"created"}`})
}

// grafana takes annotations.
func grafana(r *http.Request, body []byte) Reply {
	if r.URL.Path != "/api/annotations" {
		return refuse(http.StatusNotFound, `{"message":"Not found"}`)
	}
	if refusal, ok := bearer(r, "Bearer", mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	root.get("text").text(64 << 10)
	if root.has("time") {
		root.get("time").number(1e12) // milliseconds
	}
	for _, tag := range root.get("tags").items(1000) {
		tag.text(100)
	}
	return c.reply(http.StatusBadRequest, Reply{Body: `{"message":"Annotation added","id":1}`})
}

// honeycomb takes markers: 201.
func honeycomb(r *http.Request, body []byte) Reply {
	if !strings.HasPrefix(r.URL.Path, "/1/markers/") {
		return refuse(http.StatusNotFound, `{"error":"not found"}`)
	}
	if r.Header.Get("X-Honeycomb-Team") == "" {
		return refuse(http.StatusUnauthorized, `{"error":"unknown API key - check your credentials"}`)
	}
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	root.only("start_time", "end_time", "message", "type", "url")
	if root.has("start_time") {
		root.get("start_time").number(1e9)
	}
	if n, _ := root.get("start_time").value.(float64); n > 1e11 {
		root.get("start_time").failf("is no number of seconds")
	}
	root.get("message").text(10_000)
	root.get("type").text(255)
	return c.reply(http.StatusUnprocessableEntity, Reply{Status: http.StatusCreated})
}

// alertmanager takes alerts.
func alertmanager(r *http.Request, body []byte) Reply {
	if r.URL.Path != "/api/v2/alerts" {
		return refuse(http.StatusNotFound, "no such call")
	}
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	alerts := c.list(body)
	if len(alerts) == 0 {
		c.failf("no alerts")
	}
	for _, alert := range alerts {
		alert.get("labels").texts(labelName, 10_000)
		alert.get("annotations").texts(labelName, 64<<10)
		alert.get("labels").get("alertname").text(255)
		alert.get("startsAt").maybeTime()
		alert.get("endsAt").maybeTime()
		if alert.has("generatorURL") {
			alert.get("generatorURL").link()
		}
	}
	return c.reply(http.StatusBadRequest, Reply{})
}

// otlp is an OpenTelemetry collector that takes logs over HTTP, as JSON.
func otlp(r *http.Request, body []byte) Reply {
	if !strings.HasSuffix(r.URL.Path, "/v1/logs") {
		return refuse(http.StatusNotFound, "no such signal")
	}
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	records := 0
	for _, resource := range c.object(body).get("resourceLogs").items(10) {
		for _, scope := range resource.get("scopeLogs").items(10) {
			for _, record := range scope.get("logRecords").items(10) {
				records++
				if !nanoseconds.MatchString(record.get("timeUnixNano").str()) {
					record.get("timeUnixNano").failf("%v is no text of nanoseconds", record.get("timeUnixNano").value)
				}
				if n, isNumber := record.get("severityNumber").value.(float64); !isNumber || n < 1 || n > 24 {
					record.get("severityNumber").failf("must be 1 to 24")
				}
				for _, attribute := range record.get("attributes").items(128) {
					attribute.only("key", "value")
					attribute.get("key").text(255)
				}
			}
		}
	}
	if records == 0 {
		c.failf("no log records")
	}
	return c.reply(http.StatusBadRequest, Reply{Body: "{}"})
}

// rollbar takes items: 422 for an invalid one.
func rollbar(r *http.Request, body []byte) Reply {
	if r.Header.Get("X-Rollbar-Access-Token") == "" {
		return refuse(http.StatusUnauthorized, `{"err":1,"message":"access token required"}`)
	}
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	if len(body) > 512<<10 {
		return refuse(http.StatusRequestEntityTooLarge, "too large")
	}
	var c checker
	data := c.object(body).get("data")
	data.get("environment").text(255)
	data.get("level").oneOf("critical", "error", "warning", "info", "debug")
	data.get("title").maybe(255)
	data.get("body").get("message").get("body").text(100_000)
	return c.reply(http.StatusUnprocessableEntity, Reply{Body: `{"err":0}`})
}

// segment takes one event: 400 beyond 32 KB.
func segment(r *http.Request, body []byte) Reply {
	if _, _, ok := r.BasicAuth(); !ok {
		return refuse(http.StatusUnauthorized, "no write key")
	}
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	if len(body) > 32<<10 {
		c.failf("%d bytes; at most 32 KB are allowed", len(body))
	}
	if root.get("userId").maybe(255) == "" && root.get("anonymousId").maybe(255) == "" {
		c.failf("neither userId nor anonymousId")
	}
	root.get("event").text(255)
	root.get("timestamp").maybeTime()
	root.get("messageId").maybe(100)
	return c.reply(http.StatusBadRequest, Reply{Body: `{"success":true}`})
}

// github dispatches an event to a repository: 204, 401, 422.
func github(r *http.Request, body []byte) Reply {
	if !strings.HasSuffix(r.URL.Path, "/dispatches") {
		return refuse(http.StatusNotFound, `{"message":"Not Found"}`)
	}
	if refusal, ok := bearer(r, "Bearer", mediaJSON); !ok {
		return refusal
	}
	if len(body) >= 64<<10 {
		return refuse(http.StatusUnprocessableEntity, `{"message":"client_payload is too large."}`)
	}
	var c checker
	root := c.object(body)
	root.only("event_type", "client_payload")
	root.get("event_type").text(100)
	if n := len(keysOf(root.get("client_payload"))); n > 10 {
		root.get("client_payload").failf("has %d members; at most 10 are allowed", n)
	}
	return c.reply(http.StatusUnprocessableEntity, Reply{Status: http.StatusNoContent})
}

// notion adds a page: 400 for a text of more than 2,000 characters.
func notion(r *http.Request, body []byte) Reply {
	if r.Header.Get("Notion-Version") == "" {
		return refuse(http.StatusBadRequest, `{"code":"missing_version"}`)
	}
	if refusal, ok := bearer(r, "Bearer", mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	children := root.get("children").items(100)
	for _, child := range append(children, root.get("properties")) {
		richTexts(child)
	}
	return c.reply(http.StatusBadRequest, Reply{Body: `{"object":"page"}`})
}

// richTexts checks every rich text below a value.
func richTexts(m member) {
	switch v := m.value.(type) {
	case map[string]any:
		if text := m.get("text"); m.get("type").str() == "text" && text.value != nil {
			text.get("content").maybe(2000)
			if link := text.get("link"); link.value != nil {
				link.get("url").text(2000)
			}
		}
		for key := range v {
			richTexts(m.get(key))
		}
	case []any:
		for _, item := range m.items(100) {
			richTexts(item)
		}
	}
}
