package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/flaghook/flaghook/hooks"
)

// A kind is a way for a call to fail.
type kind uint8

const (
	kindInternal kind = iota
	kindInvalid
	kindUnauthorized
	kindForbidden
	kindNotFound
	kindMethodNotAllowed
	kindLocked
	kindConflict
	kindPrecondition
	kindTooLarge
	kindMediaType
	kindRateLimited
	kindBacklog
	kindUnavailable
)

// kinds is the one table from kind to status and code. The codes that
// LaunchDarkly has are LaunchDarkly's.
var kinds = [...]struct {
	status     int
	code       string
	retryAfter string // seconds that a client should wait before it tries again
}{
	kindInternal:         {http.StatusInternalServerError, "internal_error", ""},
	kindInvalid:          {http.StatusBadRequest, "invalid_request", ""},
	kindUnauthorized:     {http.StatusUnauthorized, "unauthorized", ""},
	kindForbidden:        {http.StatusForbidden, "forbidden", ""},
	kindNotFound:         {http.StatusNotFound, "not_found", ""},
	kindMethodNotAllowed: {http.StatusMethodNotAllowed, "method_not_allowed", ""},
	kindLocked:           {http.StatusConflict, "optimistic_locking_error", ""},
	kindConflict:         {http.StatusConflict, "conflict", ""},
	kindPrecondition:     {http.StatusPreconditionFailed, "precondition_failed", ""},
	kindTooLarge:         {http.StatusRequestEntityTooLarge, "request_too_large", ""},
	kindMediaType:        {http.StatusUnsupportedMediaType, "unsupported_media_type", ""},
	kindRateLimited:      {http.StatusTooManyRequests, "rate_limited", "1"},
	kindBacklog:          {http.StatusTooManyRequests, "too_many_waiting", "5"},
	kindUnavailable:      {http.StatusServiceUnavailable, "service_unavailable", "2"},
}

// A fault is what a call is refused with.
type fault struct {
	kind    kind
	message string
	details []detail // each thing that is wrong
}

// A detail is one thing wrong with a body: where, and what would be right.
type detail struct {
	// Attribute is the place: for a subscription a path such as
	// config.apiKey or statements[0].resources[1], for a patch patch[2].path,
	// for an event a JSON pointer, else a member of the body or query.
	Attribute string `json:"attribute"`
	Reason    string `json:"reason"`
}

func (f *fault) Error() string { return f.message }

// fail makes a fault with a message for people.
func fail(k kind, format string, args ...any) *fault {
	return &fault{kind: k, message: fmt.Sprintf(format, args...)}
}

// maxDetails bounds the faults that one answer lists.
const maxDetails = 100

// invalid makes the fault of a body with these things wrong, at least one.
func invalid(details ...detail) *fault {
	if more := len(details) - maxDetails; more > 0 {
		details = append(details[:maxDetails:maxDetails], detail{Reason: fmt.Sprintf("%d more are not shown", more)})
	}
	const inMessage = 3
	var texts []string
	for _, d := range details[:min(len(details), inMessage)] {
		text := d.Reason
		if d.Attribute != "" {
			text = d.Attribute + ": " + text
		}
		texts = append(texts, text)
	}
	if more := len(details) - inMessage; more > 0 {
		texts = append(texts, fmt.Sprintf("and more, see errors (%d)", more))
	}
	return &fault{kind: kindInvalid, message: strings.Join(texts, "; "), details: details}
}

// fieldDetails are the engine's findings as an answer lists them.
func fieldDetails(fields []hooks.FieldError) []detail {
	details := make([]detail, len(fields))
	for i, f := range fields {
		details[i] = detail{Attribute: f.Field, Reason: f.Message}
	}
	return details
}

const internalMessage = "something went wrong on the server; its log says what"

// faultOf says how an error is answered. What it does not know is internal, and
// its text is not shown.
func faultOf(err error) *fault {
	var (
		known   *fault
		bad     *hooks.InvalidError
		unknown *hooks.UnknownIntegrationError
		taken   *hooks.EventConflictError
		large   *http.MaxBytesError
		many    *hooks.TooManyError
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &bad):
		return invalid(fieldDetails(bad.Fields)...)
	case errors.As(err, &unknown):
		return fail(kindNotFound, "%s", unknown.Error())
	case errors.As(err, &taken):
		return fail(kindConflict, "%s", taken.Error())
	case errors.As(err, &large):
		return fail(kindTooLarge, "the body is larger than %d bytes; send less at once", large.Limit)
	case errors.As(err, &many):
		return fail(kindTooLarge, "%s", many.Error())
	case errors.Is(err, hooks.ErrNotFound):
		return fail(kindNotFound, "%s", err.Error())
	case errors.Is(err, hooks.ErrConflict):
		return fail(kindLocked, "it was changed by another request meanwhile; read it and try again")
	case errors.Is(err, hooks.ErrBacklog):
		return fail(kindBacklog, "too many deliveries wait already, and none is dropped; try again later")
	case errors.Is(err, hooks.ErrUnavailable):
		return fail(kindUnavailable, "the storage cannot take or give anything now; try again")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fail(kindUnavailable, "the request ended before its answer was ready")
	}
	return fail(kindInternal, internalMessage)
}
