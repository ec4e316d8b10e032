package manifest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// An Outcome is what becomes of an event: a request, or none for a reason.
type Outcome struct {
	Request *Request // its headers hold the signatures, and Signatures is nil
	Reason  string   // why Request is nil
}

// Equal reports whether two outcomes are the same to the byte; one that is nil
// equals nothing.
func (o *Outcome) Equal(other *Outcome) bool {
	switch {
	case o == nil || other == nil:
		return false
	case o.Request == nil || other.Request == nil:
		return o.Request == nil && other.Request == nil && o.Reason == other.Reason
	}
	a, b := o.Request, other.Request
	return a.Method == b.Method && a.URL == b.URL && slices.Equal(a.Headers, b.Headers) && bytes.Equal(a.Body, b.Body)
}

// Text writes the outcome as people read HTTP, to be compared line by line:
// request line, headers, a blank line and the body.
func (o *Outcome) Text() string {
	var b strings.Builder
	switch {
	case o == nil:
		return ""
	case o.Request == nil:
		return "nothing is sent: " + o.Reason + "\n"
	}
	if r := o.Request; r.Method != "" || r.URL != "" {
		fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
	}
	for _, h := range o.Request.Headers {
		fmt.Fprintf(&b, "%s: %s\n", h.Name, h.Value)
	}
	fmt.Fprintf(&b, "\n%s", o.Request.Body)
	if !bytes.HasSuffix(o.Request.Body, []byte("\n")) {
		b.WriteString("\n\\ no line feed at the body's end\n")
	}
	return b.String()
}
