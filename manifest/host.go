package manifest

import (
	"fmt"
	"strings"
)

// openHosts names integrations of the public framework that ask for the error
// responses of a host that the admin may choose freely. Its own check misses
// them (it does not see a name between blanks, as in {{ endpointUrl }}). They
// load, and the option stays off.
var openHosts = map[string]bool{"last9": true}

// checkResponseBody reports whether answers of the endpoint may be shown to the
// admin: only where its host is literal or chosen from enum variables. With a
// host of the admin's choice the server would read internal pages out to them.
func (c *checker) checkResponseBody(url string) bool {
	const at = hookAt + "/includeErrorResponseBody"
	culprit := c.freeHost(url)
	if culprit == "" {
		return true
	}
	if openHosts[c.key] {
		c.warn("response-body-off", at, fmt.Sprintf("error responses are not shown, since %s decides about the host", culprit), "make it an enum, or take includeErrorResponseBody out")
		return false
	}
	c.fail("response-body", at, fmt.Sprintf("includeErrorResponseBody needs a fixed host, and %s decides about it", culprit),
		"write the host out, make the variable an enum, or take includeErrorResponseBody out")
	return false
}

// freeHost names the expression in a URL's scheme or host that is neither
// literal text nor an enum variable, "" if there is none. What it cannot follow
// counts as free.
func (c *checker) freeHost(url string) string {
	state := authority{}
	for rest := url; rest != ""; {
		open := strings.Index(rest, "{{")
		if open < 0 {
			open = len(rest)
		}
		if state.literal(rest[:open]) || open == len(rest) {
			return ""
		}
		closing := strings.Index(rest[open:], "}}")
		if closing < 0 {
			return "an open {{"
		}
		end := open + closing + len("}}")
		if strings.HasPrefix(rest[open:], "{{{") && strings.HasPrefix(rest[end:], "}") {
			end++
		}
		tag := rest[open:end]
		rest = rest[end:]
		if culprit := c.freeTag(tag, &state); culprit != "" {
			return culprit
		}
	}
	return ""
}

// freeTag judges one {{...}} in front of the host's end.
func (c *checker) freeTag(tag string, state *authority) string {
	inside := strings.TrimSpace(strings.Trim(tag, "{}~ "))
	switch {
	case strings.HasPrefix(inside, "#"):
		if strings.HasPrefix(inside, "#if ") || strings.HasPrefix(inside, "#unless ") {
			state.depth++ // which of several fixed texts stands there is no matter
			return ""
		}
		return tag
	case strings.HasPrefix(inside, "/"):
		state.depth--
	case inside == "else" || inside == "^" || strings.HasPrefix(inside, "else if "):
	default:
		variable, _ := c.variable(strings.TrimSpace(strings.TrimPrefix(inside, "&")))
		if variable.Get("type").AsString() != TypeEnum {
			return tag
		}
		state.begun = true
	}
	return ""
}

// An authority follows a URL up to the end of its host.
type authority struct {
	depth  int  // open blocks; what is inside of one may be absent
	begun  bool // there is something in front already
	scheme bool // the // before the host has been seen
}

// literal takes in text and reports whether the host ends in it.
func (a *authority) literal(text string) bool {
	if text == "" {
		return false
	}
	if !a.scheme {
		if a.begun && strings.HasPrefix(text, "//") {
			a.scheme = true
			text = text[2:]
		} else if at := strings.Index(text, "://"); at >= 0 && !strings.ContainsAny(text[:at], "/?#") {
			a.scheme = true
			text = text[at+3:]
		}
	}
	a.begun = true
	return strings.ContainsAny(text, "/?#") && a.depth == 0
}
