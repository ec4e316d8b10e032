package hooks

import (
	"context"
	"time"

	"github.com/flaghook/flaghook/manifest"
)

// Sender makes one HTTP attempt. It is safe for concurrent use, never follows
// a redirect, reads a bounded part of the answer and honours ctx.
type Sender interface {
	Send(ctx context.Context, r Outgoing) Response
}

// Outgoing is a rendered request on its way out.
type Outgoing struct {
	DeliveryID string // sent as webhook-id, the same over all attempts
	Request    *manifest.Request
	Timeout    time.Duration // for the whole exchange; 0 means the Sender's default
	// SkipTLSVerify accepts any certificate. Only integrations that offer it
	// as a form variable (skip-ca-verification) ask for it.
	SkipTLSVerify bool
	// Secrets are texts that nothing in the Response may show.
	Secrets []string
}

// A Response is what came of a Send. StatusCode is 0 when there was no answer;
// ErrorClass is empty when StatusCode is 2xx, and then only.
type Response struct {
	StatusCode int
	Header     []ResponseHeader
	Body       []byte        // at most 64 KiB
	RetryAfter time.Duration // from Retry-After, 0 when there was none
	ErrorClass ErrorClass
	Error      string // for people: no secret, no more of the URL than scheme and host
	// Permanent says that trying again cannot help: the request must not be
	// sent as it is.
	Permanent bool
}

// A ResponseHeader is one header of an endpoint's answer.
type ResponseHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
