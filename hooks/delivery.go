package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// State says where a delivery stands.
type State string

// The states of a delivery. Pending is the only one that is not final.
const (
	StatePending   State = "pending"   // waits for its first or its next attempt
	StateDelivered State = "delivered" // the endpoint answered 2xx
	StateDead      State = "dead"      // given up; Delivery.Reason says why
	StateSkipped   State = "skipped"   // nothing to send: no template for the kind, or an empty body
	StateCancelled State = "cancelled" // the subscription was deleted before it was delivered
)

// Final reports whether no further attempt will be made.
func (s State) Final() bool { return s != StatePending }

// A Delivery is one event for one subscription.
type Delivery struct {
	ID             string    `json:"_id"`              // DeliveryID(EventKey, SubscriptionID, Replay); sent as webhook-id
	EventKey       string    `json:"-"`                // Event.Key
	EventID        string    `json:"eventId"`          // the event's _id
	SubscriptionID string    `json:"subscriptionId"`   // the subscription's _id
	Replay         string    `json:"replay,omitempty"` // the replay that made it
	Held           bool      `json:"held,omitempty"`   // pending only: waits for an earlier one of the same resource
	State          State     `json:"state"`
	Reason         string    `json:"reason,omitempty"` // why it is dead, skipped or cancelled
	CreatedAt      time.Time `json:"createdAt"`
	NextAttemptAt  time.Time `json:"nextAttemptAt,omitzero"` // pending only: not before this time
	FinishedAt     time.Time `json:"finishedAt,omitzero"`    // final only
	Attempts       []Attempt `json:"attempts"`               // oldest first
}

// DeliveryID derives the id of the delivery of an event to a subscription:
// 32 lower-case hex digits, the same on every backend and after every crash,
// so that an interrupted expansion can be repeated without sending twice.
// replay is the id of the replay that makes the delivery, "" for none.
func DeliveryID(eventKey, subscriptionID, replay string) string {
	var space [256]byte
	text := append(space[:0], eventKey...)
	text = append(append(text, 0), subscriptionID...) // no id holds a NUL, so no two pairs meet
	if replay != "" {
		text = append(append(text, 0), replay...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// An ErrorClass sorts the ways an attempt fails, for people and for metrics.
type ErrorClass string

// The classes of failed attempts.
const (
	ErrorDNS     ErrorClass = "dns"     // the host name did not resolve
	ErrorConnect ErrorClass = "connect" // no connection, or it broke
	ErrorTLS     ErrorClass = "tls"     // the handshake or the certificate failed
	ErrorTimeout ErrorClass = "timeout" // no whole answer in time
	ErrorStatus  ErrorClass = "status"  // an answer that is not 2xx
	ErrorRender  ErrorClass = "render"  // the request could not be rendered, or must not be sent as it is
	ErrorBlocked ErrorClass = "blocked" // the address is refused (see --egress-allow)
)

// An Attempt is one try of a delivery.
type Attempt struct {
	At         time.Time     `json:"at"`
	Duration   time.Duration `json:"durationNs"`
	StatusCode int           `json:"statusCode,omitempty"` // 0 when there was no answer
	ErrorClass ErrorClass    `json:"errorClass,omitempty"` // empty on success
	Error      string        `json:"error,omitempty"`      // for people; never holds a secret or more of a URL than scheme and host
	// ResponseHeaders are the answer's, at most 32, without those that may
	// hold a secret; ResponseBody is the start of its body, for integrations
	// that show it.
	ResponseHeaders []ResponseHeader `json:"responseHeaders,omitempty"`
	ResponseBody    string           `json:"responseBody,omitempty"`
	RetryAt         time.Time        `json:"retryAt,omitzero"` // when the next attempt was planned for
}

// Status sums up what became of a subscription's attempts.
type Status struct {
	SuccessCount int       `json:"successCount"`
	ErrorCount   int       `json:"errorCount"`
	LastSuccess  time.Time `json:"lastSuccess,omitzero"`
	LastError    time.Time `json:"lastError,omitzero"`
	// FailingSince is when the first attempt failed after which none has
	// succeeded; zero when the last one succeeded.
	FailingSince time.Time     `json:"failingSince,omitzero"`
	Errors       []StatusError `json:"errors,omitempty"` // the newest, newest first, at most MaxStatusErrors
}

// MaxStatusErrors bounds Status.Errors.
const MaxStatusErrors = 10

// A StatusError is one failed attempt as a subscription's status shows it.
type StatusError struct {
	StatusCode   int       `json:"statusCode"` // 0 when there was no answer
	ResponseBody string    `json:"responseBody,omitempty"`
	Message      string    `json:"message,omitempty"`
	Timestamp    time.Time `json:"timestamp"`
}

// Record adds an attempt to the status: a success when it has no error class.
func (s *Status) Record(a Attempt) {
	if a.ErrorClass == "" {
		s.SuccessCount++
		s.LastSuccess = a.At
		s.FailingSince = time.Time{}
		return
	}
	if s.FailingSince.IsZero() {
		s.FailingSince = a.At
	}
	s.ErrorCount++
	s.LastError = a.At
	e := StatusError{StatusCode: a.StatusCode, ResponseBody: a.ResponseBody, Message: a.Error, Timestamp: a.At}
	s.Errors = append([]StatusError{e}, s.Errors...)
	if len(s.Errors) > MaxStatusErrors {
		s.Errors = s.Errors[:MaxStatusErrors]
	}
}
