package hookstest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const mediaJSON = "application/json"

var hexColour = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// mattermost is an incoming webhook.
func mattermost(r *http.Request, body []byte) Reply {
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	root.only("text", "channel", "username", "icon_url", "icon_emoji", "attachments", "type", "props", "priority")
	attachments := root.get("attachments").items(20)
	if root.get("text").maybe(16_383) == "" && len(attachments) == 0 {
		return refuse(http.StatusBadRequest, "No text specified")
	}
	for _, a := range attachments {
		a.only("fallback", "color", "pretext", "text", "author_name", "author_link", "author_icon", "title", "title_link", "fields", "image_url", "thumb_url", "footer", "footer_icon")
		a.get("fallback").text(16_383)
		a.get("text").text(16_383)
		a.get("footer").maybe(300)
		if !hexColour.MatchString(a.get("color").str()) {
			a.get("color").failf("%q is no colour", a.get("color").value)
		}
		for _, field := range a.get("fields").items(20) {
			field.only("short", "title", "value")
			field.get("title").text(100)
			field.get("value").text(16_383)
		}
	}
	return c.reply(http.StatusBadRequest, Reply{Body: "ok"})
}

// discord is a channel's webhook: 204, or 400 with a code for a body that breaks a limit.
func discord(r *http.Request, body []byte) Reply {
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	c := checker{utf16: true}
	root := c.object(body)
	embeds := root.get("embeds").items(10)
	if root.get("content").maybe(2000) == "" && len(embeds) == 0 {
		return refuse(http.StatusBadRequest, `{"message": "Cannot send an empty message", "code": 50006}`)
	}
	total := 0
	count := func(s string) { total += len(utf16.Encode([]rune(s))) }
	for _, e := range embeds {
		count(e.get("title").text(256))
		count(e.get("description").maybe(4096))
		count(e.get("footer").get("text").maybe(2048))
		for _, field := range e.get("fields").items(25) {
			count(field.get("name").text(256))
			count(field.get("value").text(1024))
		}
		if n, isNumber := e.get("color").value.(float64); !isNumber || n < 0 || n > 0xffffff {
			e.get("color").failf("%v is no colour", e.get("color").value)
		}
		if e.has("url") {
			e.get("url").link()
			e.get("url").text(2048)
		}
	}
	if total > 6000 {
		c.failf("embeds: %d characters in all; at most 6000 are allowed", total)
	}
	return c.reply(http.StatusBadRequest, Reply{Status: http.StatusNoContent})
}

// googleChat is a space's webhook.
func googleChat(r *http.Request, body []byte) Reply {
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	if q := r.URL.Query(); q.Get("key") == "" || q.Get("token") == "" {
		return refuse(http.StatusUnauthorized, "no key or token")
	}
	var c checker
	root := c.object(body)
	if len(body) > 32_000 {
		c.failf("%d bytes; at most 32000 are allowed", len(body))
	}
	root.only("text", "cardsV2", "thread", "fallbackText")
	root.get("text").maybe(4096)
	for _, card := range root.get("cardsV2").items(100) {
		card.get("cardId").text(100)
		sections := card.get("card").get("sections").items(100)
		if len(sections) == 0 {
			card.failf("has no sections")
		}
		for _, section := range sections {
			for _, widget := range section.get("widgets").items(100) {
				widget.only("textParagraph", "decoratedText")
				if widget.has("textParagraph") {
					widget.get("textParagraph").get("text").text(32_000)
				} else {
					widget.get("decoratedText").only("topLabel", "text", "wrapText")
					widget.get("decoratedText").get("text").text(32_000)
				}
			}
		}
	}
	return c.reply(http.StatusBadRequest, Reply{Header: http.Header{"Content-Type": {mediaJSON}}, Body: "{}"})
}

// rocketChat is an incoming integration.
func rocketChat(r *http.Request, body []byte) Reply {
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	attachments := root.get("attachments").items(20)
	if root.get("text").maybe(5000) == "" && len(attachments) == 0 {
		c.failf("no text and no attachment")
	}
	for _, a := range attachments {
		a.only("title", "title_link", "text", "color", "ts", "fields")
		a.get("title").text(5000)
		a.get("text").maybe(5000)
		if a.has("title_link") {
			a.get("title_link").link()
		}
		for _, field := range a.get("fields").items(20) {
			field.only("short", "title", "value")
			field.get("title").text(100)
			field.get("value").text(5000)
		}
	}
	return c.reply(http.StatusBadRequest, Reply{Body: `{"success":true}`})
}

// webex is an incoming webhook: 204.
func webex(r *http.Request, body []byte) Reply {
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	root.only("text", "markdown")
	if text := root.get("text").text(7439); len(text) > 7439 {
		root.get("text").failf("has %d bytes; at most 7439 are allowed", len(text))
	}
	return c.reply(http.StatusBadRequest, Reply{Status: http.StatusNoContent})
}

var (
	telegramPath = regexp.MustCompile(`^/bot[0-9]+:[A-Za-z0-9_-]+/sendMessage$`)
	telegramTag  = regexp.MustCompile(`</?(?:b|i|u|s|code|pre|blockquote)>|<a href="[^"<>]*">|</a>`)
	reference    = regexp.MustCompile(`&(?:#[0-9]+|lt|gt|amp|quot);`)
)

// telegram is the method sendMessage of the Bot API.
func telegram(r *http.Request, body []byte) Reply {
	if !telegramPath.MatchString(r.URL.Path) {
		return refuse(http.StatusNotFound, `{"ok":false,"error_code":404,"description":"Not Found"}`)
	}
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	c := checker{utf16: true}
	root := c.object(body)
	root.get("chat_id").text(100)
	root.get("parse_mode").oneOf("HTML")
	text := root.get("text").str()
	plain := reference.ReplaceAllString(telegramTag.ReplaceAllString(text, ""), "x")
	if strings.ContainsAny(plain, "<>&") {
		c.failf("can't parse entities")
	}
	for _, tag := range []string{"b", "a", "pre", "blockquote"} {
		opened := strings.Count(text, "<"+tag+">") + strings.Count(text, "<"+tag+" ")
		if opened != strings.Count(text, "</"+tag+">") {
			c.failf("can't parse entities: %s is not closed", tag)
		}
	}
	member{&c, "text", plain}.text(4096) // counted after parsing
	return c.reply(http.StatusBadRequest, Reply{Body: `{"ok":true,"result":{}}`})
}

// zulip is the call that sends a message, a form.
func zulip(r *http.Request, body []byte) Reply {
	if r.URL.Path != "/api/v1/messages" {
		return refuse(http.StatusNotFound, "no such call")
	}
	if refusal, ok := posted(r, http.MethodPost, "application/x-www-form-urlencoded"); !ok {
		return refusal
	}
	if _, _, ok := r.BasicAuth(); !ok {
		return refuse(http.StatusUnauthorized, `{"result":"error","msg":"Missing authorization header"}`)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return refuse(http.StatusBadRequest, "the form cannot be read")
	}
	var c checker
	values := map[string]any{}
	for key := range form {
		values[key] = form.Get(key)
	}
	root := member{&c, "", values}
	root.only("type", "to", "topic", "content")
	root.get("type").oneOf("stream", "channel", "direct")
	root.get("to").text(60)
	root.get("topic").text(60)
	content := root.get("content").str()
	if n := utf8.RuneCountInString(content); strings.TrimSpace(content) == "" || n > 10_000 {
		root.get("content").failf("has %d characters; 1 to 10000 are allowed", n)
	}
	if strings.Contains(content, "\x00") {
		root.get("content").failf("Message must not contain null bytes")
	}
	return c.reply(http.StatusBadRequest, Reply{Body: `{"result":"success","msg":"","id":1}`})
}

var matrixPath = regexp.MustCompile(`^/_matrix/client/v3/rooms/![^/:]+:[^/]+/send/m\.room\.message/[^/]+$`)

// matrix is a homeserver that takes an event into a room.
func matrix(r *http.Request, body []byte) Reply {
	switch {
	case !matrixPath.MatchString(r.URL.Path):
		return refuse(http.StatusNotFound, `{"errcode":"M_UNRECOGNIZED"}`)
	case !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "):
		return refuse(http.StatusUnauthorized, `{"errcode":"M_MISSING_TOKEN"}`)
	case len(body) > 60_000: // an event has at most 65,536 bytes with what the server adds
		return refuse(http.StatusRequestEntityTooLarge, `{"errcode":"M_TOO_LARGE"}`)
	}
	if refusal, ok := posted(r, http.MethodPut, mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	root.get("msgtype").oneOf("m.text", "m.notice")
	root.get("body").text(60_000)
	if root.has("format") {
		root.get("format").oneOf("org.matrix.custom.html")
		root.get("formatted_body").text(60_000)
	}
	if mentions, err := json.Marshal(root.get("m.mentions").value); err != nil || string(mentions) != "{}" {
		root.get("m.mentions").failf("is %s", strconv.Quote(string(mentions)))
	}
	return c.reply(http.StatusBadRequest, Reply{Body: `{"event_id":"$made-up"}`})
}

var ntfyTopic = regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`)

// ntfy publishes a message of JSON, at the server's root; one that is too long would become a file.
func ntfy(r *http.Request, body []byte) Reply {
	if r.URL.Path != "/" && r.URL.Path != "" {
		return refuse(http.StatusNotFound, `{"code":40401,"error":"page not found"}`)
	}
	if r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, "POST is wanted")
	}
	var c checker
	root := c.object(body)
	root.only("topic", "title", "message", "tags", "priority", "click", "markdown", "actions", "icon")
	if !ntfyTopic.MatchString(root.get("topic").str()) {
		root.get("topic").failf("%q is no topic", root.get("topic").value)
	}
	root.get("title").maybe(1000)
	if message := root.get("message").text(4096); len(message) > 4096 {
		root.get("message").failf("has %d bytes; more than 4096 make it a file", len(message))
	}
	if n, isNumber := root.get("priority").value.(float64); !isNumber || n < 1 || n > 5 {
		root.get("priority").failf("must be 1 to 5")
	}
	for _, t := range root.get("tags").items(20) {
		t.text(50)
	}
	if root.has("click") {
		root.get("click").link()
	}
	return c.reply(http.StatusBadRequest, Reply{Body: `{"event":"message"}`})
}
