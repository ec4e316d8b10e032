package hookstest

import "net/http"

// slack answers as an incoming webhook: "ok", or a word for what is wrong.
func slack(r *http.Request, body []byte) Reply {
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	var c checker
	root := c.object(body)
	if len(c.problems) > 0 {
		return refuse(http.StatusBadRequest, "invalid_payload")
	}
	if !root.has("text") && !root.has("blocks") && !root.has("attachments") {
		return refuse(http.StatusBadRequest, "no_text")
	}
	root.get("text").maybe(40_000)
	for _, block := range root.get("blocks").items(50) {
		slackBlock(block)
	}
	if reply := c.reply(http.StatusBadRequest, Reply{Body: "ok"}); reply.Status != 0 {
		return refuse(reply.Status, "invalid_blocks: %s", reply.Body)
	}
	return Reply{Body: "ok"}
}

func slackBlock(block member) {
	switch block.get("type").str() {
	case "header":
		block.get("text").get("type").oneOf("plain_text")
		block.get("text").get("text").text(150)
	case "section":
		block.get("text").get("type").oneOf("plain_text", "mrkdwn")
		block.get("text").get("text").text(3000)
	case "context":
		for _, element := range block.get("elements").items(10) {
			element.get("type").oneOf("plain_text", "mrkdwn")
			element.get("text").text(3000)
		}
	case "rich_text":
		for _, part := range block.get("elements").items(100) {
			part.get("type").oneOf("rich_text_section", "rich_text_quote", "rich_text_preformatted")
			for _, element := range part.get("elements").items(100) {
				slackInline(element)
			}
		}
	default:
		block.get("type").failf("there is no block %q", block.get("type").value)
	}
}

func slackInline(element member) {
	switch element.get("type").str() {
	case "text":
		visible(element.get("text"), 3000)
	case "link":
		visible(element.get("text"), 3000)
		element.get("url").link()
		element.get("url").text(3000)
	case "emoji":
		element.get("name").text(100)
	default:
		element.get("type").failf("there is no element %q", element.get("type").value)
	}
}

// visible is a text that may be a blank, as between two words, but not empty.
func visible(m member, atMost int) {
	if m.str() == "" {
		m.failf("must be a text that is not empty")
	}
	m.maybe(atMost)
}

// teams is a workflow that posts the card of a message.
func teams(r *http.Request, body []byte) Reply {
	if refusal, ok := posted(r, http.MethodPost, mediaJSON); !ok {
		return refusal
	}
	if len(body) > 28<<10 {
		return refuse(http.StatusRequestEntityTooLarge, "Message size too large: %d bytes", len(body))
	}
	var c checker
	root := c.object(body)
	root.get("type").oneOf("message")
	for _, a := range root.get("attachments").items(1) {
		a.get("contentType").oneOf("application/vnd.microsoft.card.adaptive")
		card := a.get("content")
		card.get("type").oneOf("AdaptiveCard")
		card.get("version").oneOf("1.0", "1.1", "1.2", "1.3", "1.4", "1.5")
		if len(card.get("body").items(100)) == 0 {
			card.failf("has no body")
		}
		for _, element := range card.get("body").items(100) {
			teamsElement(element)
		}
		for _, action := range card.get("actions").items(6) {
			action.get("type").oneOf("Action.OpenUrl")
			action.get("title").text(100)
			action.get("url").link()
		}
	}
	return c.reply(http.StatusBadRequest, Reply{Status: http.StatusAccepted})
}

func teamsElement(m member) {
	switch m.get("type").str() {
	case "Container":
		m.get("style").oneOf("default", "emphasis", "good", "attention", "warning", "accent")
		for _, element := range m.get("items").items(100) {
			teamsElement(element)
		}
	case "TextBlock":
		m.get("text").text(28 << 10)
	case "RichTextBlock":
		for _, run := range m.get("inlines").items(100) {
			run.get("type").oneOf("TextRun")
			visible(run.get("text"), 28<<10)
		}
	default:
		m.get("type").failf("there is no element %q", m.get("type").value)
	}
}
