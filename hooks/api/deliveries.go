package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// The bounds of a page of deliveries.
const (
	defaultPage = 20
	maxPage     = 1000
)

// deliveryJSON is a delivery as it is shown: as hooks has it, and each
// attempt's duration in milliseconds too.
type deliveryJSON struct {
	*hooks.Delivery
	Attempts []attemptJSON `json:"attempts"` // instead of Delivery's
}

type attemptJSON struct {
	hooks.Attempt
	DurationMs float64 `json:"durationMs"` // to the microsecond
}

func showDelivery(d *hooks.Delivery) deliveryJSON {
	attempts := make([]attemptJSON, len(d.Attempts))
	for i, t := range d.Attempts {
		ms := math.Round(float64(t.Duration)/float64(time.Microsecond)) / 1000
		attempts[i] = attemptJSON{Attempt: t, DurationMs: ms}
	}
	return deliveryJSON{Delivery: d, Attempts: attempts}
}

// deliveryPage is a page of a list, newest first.
type deliveryPage struct {
	Items []deliveryJSON `json:"items"`
	Next  string         `json:"next,omitempty"` // the cursor of the next page; absent on the last
}

// GET /api/v1/subscriptions/{id}/deliveries
func (a *API) listSubscriptionDeliveries(r *http.Request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	return a.deliveries(r, id)
}

// GET /api/v1/deliveries?subscription={id}
func (a *API) listDeliveries(r *http.Request) (answer, error) {
	id := r.URL.Query().Get("subscription")
	if id == "" {
		return answer{}, invalid(detail{Attribute: "subscription", Reason: "it is required: the id of the subscription whose deliveries to list"})
	}
	return a.deliveries(r, id)
}

func (a *API) deliveries(r *http.Request, subscriptionID string) (answer, error) {
	query := r.URL.Query()
	limit, err := pageLimit(query.Get("limit"))
	if err != nil {
		return answer{}, err
	}
	before, err := a.openCursor(subscriptionID, query.Get("cursor"))
	if err != nil {
		return answer{}, err
	}
	if _, err := a.engine.Subscription(subscriptionID); err != nil {
		return answer{}, err // else one that does not exist would look like one without deliveries
	}
	found, err := a.engine.Deliveries(r.Context(), subscriptionID, before, limit)
	if err != nil {
		return answer{}, err
	}
	list := deliveryPage{Items: make([]deliveryJSON, len(found.Items))}
	for i, d := range found.Items {
		list.Items[i] = showDelivery(d)
	}
	if found.Cursor != "" {
		list.Next = a.sealCursor(subscriptionID, found.Cursor)
	}
	return answer{body: list}, nil
}

func pageLimit(text string) (int, error) {
	if text == "" {
		return defaultPage, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxPage {
		return 0, invalid(detail{Attribute: "limit", Reason: fmt.Sprintf("it must be a number from 1 to %d", maxPage)})
	}
	return limit, nil
}

// sealSize is how many bytes of a MAC stand before a cursor.
const sealSize = 12

// sealCursor makes a store's cursor fit for a query, with a MAC before it: a
// store gets back only cursors that it gave, for the same subscription, so it
// need not defend itself against made-up ones.
func (a *API) sealCursor(subscriptionID, cursor string) string {
	h := hmac.New(sha256.New, a.token[:])
	fmt.Fprintf(h, "cursor\x00%s\x00%s", subscriptionID, cursor)
	return base64.RawURLEncoding.EncodeToString(append(h.Sum(nil)[:sealSize], cursor...))
}

// openCursor is the other way; the empty text is the first page's.
func (a *API) openCursor(subscriptionID, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && len(data) > sealSize {
		cursor := string(data[sealSize:])
		if hmac.Equal([]byte(a.sealCursor(subscriptionID, cursor)), []byte(text)) {
			return cursor, nil
		}
	}
	return "", invalid(detail{Attribute: "cursor", Reason: "it is not what an earlier page of this list gave as next"})
}

// GET /api/v1/deliveries/{id}
func (a *API) getDelivery(r *http.Request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	d, err := a.engine.Delivery(r.Context(), id)
	if err != nil {
		return answer{}, err
	}
	return answer{body: showDelivery(d)}, nil
}
