package source

import (
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/flaghook/flaghook/render"
)

// structuredEvent reads an event in the JSON event format (1.0, section 3).
func structuredEvent(v render.Value) (cloudEvent, error) {
	e := cloudEvent{attributes: map[string]string{}}
	if v.Kind() != render.KindObject {
		return e, malformed("a CloudEvent in JSON is an object")
	}
	for name, x := range v.Members() {
		switch {
		case name == "data" || name == "data_base64" || !isSet(x):
		case x.Kind() == render.KindString:
			e.attributes[name] = x.AsString()
		case x.Kind() == render.KindNumber || x.Kind() == render.KindBool:
			e.attributes[name] = string(x.AppendJSON(nil))
		default:
			return e, malformed("the attribute %q is no text, number or boolean", clip(name))
		}
	}
	if err := e.check(); err != nil {
		return e, err
	}
	encoded := v.Get("data_base64")
	switch {
	case isSet(encoded) && isSet(v.Get("data")):
		return e, malformed("it has both data and data_base64")
	case isSet(encoded):
		raw, err := base64.StdEncoding.DecodeString(encoded.AsString())
		if err != nil {
			return e, malformed("data_base64 is not base64")
		}
		if isJSONType(e.attributes["datacontenttype"]) {
			if e.data, err = readJSON(raw); err != nil {
				return e, err
			}
		}
	case isJSONType(e.attributes["datacontenttype"]):
		e.data = v.Get("data")
	}
	return e, nil
}

// isBinaryEvent says whether attributes came as headers.
func isBinaryEvent(h http.Header) bool {
	for _, name := range []string{"Ce-Specversion", "Ce-Id", "Ce-Source", "Ce-Type"} {
		if h.Get(name) != "" {
			return true
		}
	}
	return false
}

// binaryEvent reads an event whose attributes are headers and whose body is the
// data.
func (p *parser) binaryEvent(contentType string) (cloudEvent, error) {
	e := cloudEvent{attributes: map[string]string{}}
	for name, values := range p.r.Header {
		attribute, is := strings.CutPrefix(strings.ToLower(name), "ce-")
		if !is || len(values) == 0 {
			continue
		}
		value, ok := headerValue(values[0])
		if !ok {
			return e, malformed("the header %s is not percent-encoded UTF-8", clip(name))
		}
		e.attributes[attribute] = value
	}
	if contentType != "" {
		e.attributes["datacontenttype"] = contentType
	}
	if err := e.check(); err != nil {
		return e, err
	}
	if !isJSONType(contentType) || len(p.r.Body) == 0 {
		return e, nil
	}
	var err error
	e.data, err = readJSON(p.r.Body)
	return e, err
}

// headerValue decodes an attribute in a header: quotes off, then percent-decoded
// once (HTTP protocol binding, section 3.1.3.2).
func headerValue(value string) (string, bool) {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = unquote(value[1 : len(value)-1])
	}
	decoded, err := url.PathUnescape(value)
	return decoded, err == nil && utf8.ValidString(decoded)
}

// unquote takes the backslashes out of a quoted string (RFC 9110, section 5.6.4).
func unquote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func isJSONType(contentType string) bool {
	if contentType == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return strings.HasSuffix(media, "/json") || strings.HasSuffix(media, "+json")
}

// check asks for the attributes that every event has.
func (e cloudEvent) check() error {
	switch version := e.attributes["specversion"]; version {
	case "1.0":
	case "":
		return malformed("the CloudEvent has no specversion")
	default:
		return notRead("the specversion %q of CloudEvents; send 1.0", clip(version))
	}
	for _, name := range []string{"id", "source", "type"} {
		if e.attributes[name] == "" {
			return malformed("the CloudEvent has no %s", name)
		}
	}
	if _, err := url.Parse(e.attributes["source"]); err != nil {
		return malformed("the source of the CloudEvent is no URI reference")
	}
	if at := e.attributes["time"]; at != "" && !timeOf(render.String(at)).IsDefined() {
		return malformed("the time of the CloudEvent is not in RFC 3339")
	}
	return nil
}
