package hooks

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// What a subscription may ask of the way it is delivered to.
const (
	DefaultTimeout = 15 * time.Second
	MaxTimeout     = 30 * time.Second

	DefaultMaxRetries = 11 // after the first attempt
	MaxRetries        = 100

	// MaxElapsedLimit bounds MaxElapsed, and MaxSecretOverlap the time in
	// which an old secret still signs.
	MaxElapsedLimit  = 7 * 24 * time.Hour
	MaxSecretOverlap = 30 * 24 * time.Hour
)

// RetryOn says which answers are worth another attempt.
type RetryOn string

// The values of RetryOn. An exchange that brought no answer is always worth one.
const (
	RetryTransient RetryOn = "transient" // 408, 425, 429 and 5xx; the default
	RetryNon2xx    RetryOn = "non2xx"    // every answer that is not 2xx
)

// DeliverySettings are a subscription's own; what is not set is as the engine's
// Options have it.
type DeliverySettings struct {
	TimeoutSeconds int      `json:"timeoutSeconds,omitempty"` // of one attempt: 1 to 30
	MaxRetries     *int     `json:"maxRetries,omitempty"`     // after the first attempt: 0 to 100
	MaxElapsed     Duration `json:"maxElapsed,omitzero"`      // no attempt begins later than this after the acceptance
	RetryOn        RetryOn  `json:"retryOn,omitempty"`
	// SecretOverlap is how long the old secret signs beside the new one after
	// it was changed; 0 means not at all.
	SecretOverlap Duration `json:"secretOverlap,omitzero"`
}

// Effective is how a subscription is delivered to: its own settings, and the
// engine's where it has none. A MaxElapsed of 0 is no bound.
func (e *Engine) Effective(own DeliverySettings) DeliverySettings {
	retry := e.o.Retry.with(own)
	retries := retry.MaxAttempts - 1
	return DeliverySettings{
		TimeoutSeconds: cmp.Or(own.TimeoutSeconds, int(e.o.AttemptTimeout/time.Second)),
		MaxRetries:     &retries,
		MaxElapsed:     Duration(retry.MaxElapsed),
		RetryOn:        cmp.Or(own.RetryOn, RetryTransient),
		SecretOverlap:  own.SecretOverlap,
	}
}

// check adds what is wrong with the settings.
func (d *DeliverySettings) check(bad *InvalidError) {
	if n := d.TimeoutSeconds; n < 0 || time.Duration(n)*time.Second > MaxTimeout {
		bad.add("timeoutSeconds", "it is %d; 1 to %d are allowed", n, MaxTimeout/time.Second)
	}
	if n := d.MaxRetries; n != nil && (*n < 0 || *n > MaxRetries) {
		bad.add("maxRetries", "it is %d; 0 to %d are allowed", *n, MaxRetries)
	}
	if t := time.Duration(d.MaxElapsed); t < 0 || t > MaxElapsedLimit {
		bad.add("maxElapsed", "it is %v; up to %v are allowed", t, MaxElapsedLimit)
	}
	switch d.RetryOn {
	case "", RetryTransient, RetryNon2xx:
	default:
		bad.add("retryOn", "it is %q; it can be %s or %s", d.RetryOn, RetryTransient, RetryNon2xx)
	}
	if t := time.Duration(d.SecretOverlap); t < 0 || t > MaxSecretOverlap {
		bad.add("secretOverlap", "it is %v; up to %v are allowed", t, MaxSecretOverlap)
	}
}

// A Duration is a length of time that JSON has as text, such as "1h30m", and
// reads also as a number of seconds.
type Duration time.Duration

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var seconds float64
	if json.Unmarshal(data, &seconds) == nil {
		if seconds < 0 || seconds > float64(365*24*time.Hour/time.Second) {
			return fmt.Errorf("a time of %g seconds is too long, or negative", seconds)
		}
		*d = Duration(seconds * float64(time.Second))
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New(`it must be a time such as "90s" or "24h", or a number of seconds`)
	}
	t, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf(`%q is not a time; write one such as "90s" or "24h", or a number of seconds`, text)
	}
	*d = Duration(t)
	return nil
}
