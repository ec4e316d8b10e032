package send

import (
	"net/http"
	"strconv"
	"strings"
)

// appendHead appends the head of an HTTP/1.1 request (RFC 9112, sections 2.1 and
// 3): the request line, Host, User-Agent, Content-Length and the other fields in
// the order of their names, byte by byte as net/http writes it.
//
// The length is always said and always right, so no request is chunked. One
// without a body has none to say, unless its method is one that servers await a
// body with (RFC 9110, section 8.6).
func (r *request) appendHead(b []byte) []byte {
	b = append(b, r.method...)
	b = append(b, ' ')
	b = append(b, r.target...)
	b = append(b, " HTTP/1.1\r\n"...)
	b = appendField(b, "Host", r.host)
	b = appendField(b, "User-Agent", r.fields.get("User-Agent"))
	if len(r.body) > 0 || r.method == http.MethodPost || r.method == http.MethodPut || r.method == http.MethodPatch {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(r.body)), 10)
		b = append(b, "\r\n"...)
	}
	for _, f := range r.fields {
		if f.name != "User-Agent" {
			b = appendField(b, f.name, f.value)
		}
	}
	return append(b, "\r\n"...)
}

// appendField appends a line; the blanks around a value are no part of it.
func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, strings.Trim(value, " \t")...)
	return append(b, "\r\n"...)
}
