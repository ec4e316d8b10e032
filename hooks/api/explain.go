package api

import (
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
func (a *API) explainEvent(r *request) (answer, error) {
	key, err := eventVar(r)
	if err != nil {
		return answer{}, err
	}
	q := queryOf(r)
	after, limit := q.cursor(a, "explain", key), q.limit()
	if err := q.err(); err != nil {
		return answer{}, err
	}
	found, err := a.engine.Explain(r.Context(), key, after, limit)
	if err != nil {
		return answer{}, err
	}
	return answer{body: explanationPage{
		EventID: hooks.EventIDOf(found.EventID), EventTime: found.EventTime, AcceptedAt: found.AcceptedAt, Items: found.Items,
		Next: a.next(found.Cursor, "explain", key),
	}}, nil
}
