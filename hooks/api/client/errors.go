package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// The codes that programs look at most; the server's description has them all.
const (
	CodeInvalid      = "invalid_request"
	CodeUnauthorized = "unauthorized"
	CodeNotFound     = "not_found"
	CodeConflict     = "conflict"
	CodeUnavailable  = "service_unavailable"
)

// An Error is the answer to a call that was refused.
type Error struct {
	Status  int          // the HTTP status
	Code    string       // for programs; "" when it is no flaghook that answered
	Message string       // for people; it names the first faults
	Errors  []FieldError // each fault of refused input

	RetryAfter time.Duration // what the server asks to wait, 0 when it does not
	RequestID  string        // X-Request-Id, which the server's log has too; "" when there is none
}

// A FieldError is one thing wrong with what was sent.
type FieldError struct {
	Attribute string `json:"attribute"` // the place, such as config.apiKey or /0/resource
	Reason    string `json:"reason"`
}

// Error is the message, with the status where that says more.
func (e *Error) Error() string {
	if e.Code == "" {
		return e.Message
	}
	return fmt.Sprintf("%s (%d %s)", e.Message, e.Status, e.Code)
}

// maxError bounds what is read of a refusal in bytes, and maxQuoted what is
// quoted of one that is not ours.
const (
	maxError  = 1 << 20
	maxQuoted = 200
)

// readError makes the error of an answer that is no success.
func readError(k call, r *http.Response) error {
	e := &Error{
		Status: r.StatusCode, RequestID: r.Header.Get("X-Request-Id"),
		RetryAfter: retryAfter(r.Header.Get("Retry-After"), time.Now()),
	}
	data, _ := io.ReadAll(io.LimitReader(r.Body, maxError)) // what there is says enough
	var body struct {
		Code, Message string
		Errors        []FieldError
	}
	if err := json.Unmarshal(data, &body); err == nil && body.Code != "" {
		e.Code, e.Message, e.Errors = body.Code, body.Message, body.Errors
		return e
	}
	e.Message = fmt.Sprintf("%s %s was answered with %d %s, and not by a flaghook", k.method, k.path, r.StatusCode, http.StatusText(r.StatusCode))
	if to := r.Header.Get("Location"); r.StatusCode/100 == 3 && to != "" {
		e.Message += fmt.Sprintf("; it redirects to %q, which is not followed: give that server's address", shorten(to))
	} else if text := strings.TrimSpace(string(data)); text != "" {
		e.Message += fmt.Sprintf(": %q", shorten(text))
	}
	return e
}

func shorten(text string) string {
	if len(text) <= maxQuoted {
		return text
	}
	return strings.ToValidUTF8(text[:maxQuoted], "") + "..."
}
