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
	DeliveryID string // sent as webhook-id and signed, the same over all attempts
	Request    *manifest.Request
	Timeout    time.Duration // for the whole exchange; 0 means the Sender's default
	// SkipTLSVerify accepts any certificate. Only integrations that offer it
	// as a form variable (skip-ca-verification) ask for it.
	SkipTLSVerify bool
	// Secrets are values that must not come back in a Response, whatever the
	// endpoint answers; see manifest.Integration.SecretValues. Those under four
	// bytes are not looked for.
	Secrets []string
}

// A Response is what came of a Send. StatusCode is 0 when there was no answer;
// ErrorClass is empty when StatusCode is 2xx, and then only.
type Response struct {
	StatusCode int
	Body       []byte // at most 64 KiB; secrets are hidden
	// Header is the part of the answer's header that is fit for a log: at most
	// 32 fields in the order of their canonical names, which have at most 128
	// bytes, with values of at most 512 bytes, in UTF-8 and without control
	// characters. Cookies and credentials are left out, secrets are hidden.
	Header     []ResponseHeader
	RetryAfter time.Duration // from Retry-After, 0 when there was none
	ErrorClass ErrorClass
	Error      string // for people: no secret, no more of the URL than scheme and host
	// Permanent says that trying again cannot help: the request must not be
	// sent as it is.
	Permanent bool
}

// A ResponseHeader is one header field of an answer.
type ResponseHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
