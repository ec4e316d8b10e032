package api

import (
	"net/http"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// explanationPage is a page of what became of one event, the oldest
// subscription first.
type explanationPage struct {
	EventID    string               `json:"eventId"`
	EventTime  time.Time            `json:"eventTime"`           // when the change happened, as the event says
	AcceptedAt time.Time            `json:"acceptedAt,omitzero"` // absent when it is not known
	Items      []*hooks.Explanation `json:"items"`
	Next       string               `json:"next,omitempty"` // the cursor of the next page; absent on the last
}

// GET /api/v1/events/{id}/explain says for each subscription what became of the
// event, and why.
func (a *API) explainEvent(r *http.Request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	query := r.URL.Query()
	limit, err := pageLimit(query.Get("limit"))
	if err != nil {
		return answer{}, err
	}
	list := "explain\x00" + id // no subscription's id, as no id holds a NUL
	after, err := a.openCursor(list, query.Get("cursor"))
	if err != nil {
		return answer{}, err
	}
	found, err := a.engine.Explain(r.Context(), id, after, limit)
	if err != nil {
		return answer{}, err
	}
	page := explanationPage{EventID: found.EventID, EventTime: found.EventTime, AcceptedAt: found.AcceptedAt, Items: found.Items}
	if found.Cursor != "" {
		page.Next = a.sealCursor(list, found.Cursor)
	}
	return answer{body: page}, nil
}
