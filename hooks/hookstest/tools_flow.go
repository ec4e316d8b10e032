package hookstest

import (
	"net/http"
	"net/url"
	"regexp"
)

// webhook wants the members of LaunchDarkly's webhooks.
func webhook(r *http.Request, body []byte) Reply {
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	for _, key := range []string{"_links", "_id", "_accountId", "date", "accesses", "kind", "name", "description", "shortDescription", "titleVerb", "title", "target"} {
		if !root.has(key) {
			root.get(key).failf("is missing")
		}
	}
	return c.reply(http.StatusBadRequest, Reply{})
}

// flat wants a body that is an object of texts alone, with these members.
func flat(r *http.Request, body []byte, keys ...string) *checker {
	var c checker
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		c.failf("%s", refusal.Body)
	}
	root := c.object(body)
	root.only(keys...)
	for _, key := range keysOf(root) {
		root.get(key).maybe(10_000)
	}
	return &c
}

// zapier is a catch hook.
func zapier(r *http.Request, body []byte) Reply {
	c := flat(r, body, "event_id", "happened_at", "summary", "change", "action", "kind", "name", "key", "tags", "project_name", "project_key",
		"environment_name", "environment_key", "changed_by_name", "changed_by_email", "comment", "details", "link")
	return c.reply(http.StatusBadRequest, Reply{Body: `{"status":"success"}`})
}

// ifttt fires an event with three values.
func ifttt(r *http.Request, body []byte) Reply {
	if ok, err := regexp.MatchString(`^/trigger/[A-Za-z0-9_]+/with/key/[^/]+$`, r.URL.Path); err != nil || !ok {
		return refuse(http.StatusUnauthorized, `{"errors":[{"message":"You sent an invalid key."}]}`)
	}
	return flat(r, body, "value1", "value2", "value3").reply(http.StatusBadRequest, Reply{Body: "Congratulations! You've fired the event"})
}

// makeCom is a custom webhook that asks for an API key.
func makeCom(r *http.Request, body []byte) Reply {
	if r.Header.Get("x-make-apikey") == "" {
		return refuse(http.StatusUnauthorized, "Unauthorized")
	}
	return anyObject(r, body, Reply{Body: "Accepted"})
}

// n8n is a Webhook node with header authentication.
func n8n(r *http.Request, body []byte) Reply {
	if r.Header.Get("X-Flaghook-Token") == "" {
		return refuse(http.StatusForbidden, "Authorization data is wrong!")
	}
	return anyObject(r, body, Reply{Body: `{"message":"Workflow was started"}`})
}

func anyObject(r *http.Request, body []byte, ok Reply) Reply {
	if refusal, posted := posted(r, http.MethodPost, mediaJSON); !posted {
		return refusal
	}
	var c checker
	c.object(body)
	return c.reply(http.StatusBadRequest, ok)
}

// eventGrid is a topic whose schema is CloudEvents 1.0, in structured mode: 200, 400, 401, 413 beyond 1 MB.
func eventGrid(r *http.Request, body []byte) Reply {
	if r.Header.Get("aeg-sas-key") == "" {
		return refuse(http.StatusUnauthorized, "no key")
	}
	if len(body) > 1<<20 {
		return refuse(http.StatusRequestEntityTooLarge, "too large")
	}
	if refusal, ok := posted(r, http.MethodPost, "application/cloudevents+json"); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	root.only("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data")
	root.get("specversion").oneOf("1.0")
	root.get("id").text(200)
	if _, err := url.Parse(root.get("source").text(1000)); err != nil {
		root.get("source").failf("is no reference to a URI: %v", err)
	}
	root.get("type").text(200)
	root.get("subject").text(2000)
	root.get("time").maybeTime()
	return c.reply(http.StatusBadRequest, Reply{})
}
