package api

import (
	"errors"
	"strings"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
)

// validationJSON is what came of trying a subscription out.
type validationJSON struct {
	Delivery deliveryJSON  `json:"delivery"`
	Template *string       `json:"template"`          // null for a standard payload
	Skipped  string        `json:"skipped,omitempty"` // why nothing was sent
	Request  *requestJSON  `json:"request"`           // secrets masked; null when nothing was sent
	Response *responseJSON `json:"response"`          // null when nothing was sent
}

// requestJSON is a rendered request.
type requestJSON struct {
	Method  *string      `json:"method"` // null without an endpoint
	URL     *string      `json:"url"`
	Headers []headerJSON `json:"headers"`
	Body    string       `json:"body"`
}

type headerJSON struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// responseJSON is what an endpoint answered.
type responseJSON struct {
	StatusCode int                    `json:"statusCode"` // 0 when there was no answer
	Headers    []hooks.ResponseHeader `json:"headers"`
	Body       string                 `json:"body,omitempty"`
	Error      string                 `json:"error,omitempty"`
	ErrorClass hooks.ErrorClass       `json:"errorClass,omitempty"`
	DurationMs float64                `json:"durationMs"`
}

// POST /api/v1/subscriptions/{id}/validate sends the test request now.
func (a *API) validateSubscription(r *request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	d, err := readObject(r)
	if err == nil {
		err = d.err()
	}
	if err != nil {
		return answer{}, err
	}
	v, err := a.engine.Validate(r.Context(), r.by(), id)
	var gone *hooks.UnknownIntegrationError
	if errors.As(err, &gone) { // the subscription is there, and its integration is not
		err = fail(kindConflict, "%s", gone.Error())
	}
	if err != nil {
		return answer{}, err
	}
	shown := validationJSON{Delivery: showDelivery(v.Delivery), Template: optional(v.Template), Skipped: v.Skipped}
	if v.Shown != nil {
		shown.Request = showRequest(v.Shown, nil)
	}
	if n := len(v.Delivery.Attempts); n > 0 {
		shown.Response = showAttempt(v.Delivery.Attempts[n-1])
	}
	return answer{body: shown}, nil
}

// showRequest shows a request with more headers behind its own.
func showRequest(q *manifest.Request, more []manifest.Header) *requestJSON {
	shown := &requestJSON{Method: optional(q.Method), URL: optional(q.URL), Headers: []headerJSON{}, Body: strings.ToValidUTF8(string(q.Body), "\ufffd")}
	for _, headers := range [][]manifest.Header{q.Headers, more} {
		for _, h := range headers {
			shown.Headers = append(shown.Headers, headerJSON(h))
		}
	}
	return shown
}

func showAttempt(t hooks.Attempt) *responseJSON {
	headers := t.ResponseHeaders
	if headers == nil {
		headers = []hooks.ResponseHeader{}
	}
	return &responseJSON{
		StatusCode: t.StatusCode, Headers: headers, Body: t.ResponseBody,
		Error: t.Error, ErrorClass: t.ErrorClass, DurationMs: millis(t.Duration),
	}
}

// optional is nil for an empty text.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
