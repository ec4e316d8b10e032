package hookstest

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// signalFX takes events: 400 for a value of more than 256 characters.
func signalFX(r *http.Request, body []byte) Reply {
	if r.Header.Get("X-SF-Token") == "" {
		return refuse(http.StatusUnauthorized, "Unauthorized")
	}
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	var events []any
	if err := json.Unmarshal(body, &events); err != nil {
		c.failf("the body is no list of JSON: %v", err)
	}
	for n, event := range events {
		e := member{&c, strconv.Itoa(n), event}
		e.get("category").oneOf("USER_DEFINED")
		e.get("eventType").text(256)
		for _, values := range []member{e.get("dimensions"), e.get("properties")} {
			for _, key := range keysOf(values) {
				values.get(key).maybe(256)
			}
		}
	}
	return c.reply(http.StatusBadRequest, Reply{Body: `"OK"`})
}

// sumoLogic is an HTTP source, which cuts a message at 64 KB; here that is refused.
func sumoLogic(r *http.Request, body []byte) Reply {
	if len(body) > 64<<10 {
		return refuse(http.StatusRequestEntityTooLarge, "the message is cut at 64 KB")
	}
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	c.object(body)
	return c.reply(http.StatusBadRequest, Reply{})
}
