package api

import (
	"net/http"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// jobJSON is a job as it is shown: without what the engine keeps to go on.
type jobJSON struct {
	ID             string         `json:"_id"`
	Kind           hooks.JobKind  `json:"kind"`
	SubscriptionID string         `json:"subscriptionId"`
	Since          time.Time      `json:"since,omitzero"`
	Until          time.Time      `json:"until"`
	State          hooks.JobState `json:"state"`
	Done           int            `json:"done"`
	Failed         int            `json:"failed"`
	Left           int            `json:"left"`
	Error          string         `json:"error,omitempty"`
	CreatedAt      time.Time      `json:"createdAt"`
	FinishedAt     time.Time      `json:"finishedAt,omitzero"`
}

func showJob(j *hooks.Job) jobJSON {
	return jobJSON{
		ID: j.ID, Kind: j.Kind, SubscriptionID: j.SubscriptionID, Since: j.Since, Until: j.Until, State: j.State,
		Done: j.Done, Failed: j.Failed, Left: j.Left, Error: j.Error, CreatedAt: j.CreatedAt, FinishedAt: j.FinishedAt,
	}
}

// startJob makes the handler of POST /api/v1/subscriptions/{id}/retry, cancel
// or replay.
func (a *API) startJob(kind hooks.JobKind) handler {
	return func(r *request) (answer, error) {
		id, err := idVar(r)
		if err != nil {
			return answer{}, err
		}
		d, err := readObject(r, "since", "until")
		if err != nil {
			return answer{}, err
		}
		job := hooks.Job{Kind: kind, SubscriptionID: id, Since: d.time("since"), Until: d.time("until")}
		if err := d.err(); err != nil {
			return answer{}, err
		}
		started, err := a.engine.StartJob(r.Context(), job)
		if err != nil {
			return answer{}, err
		}
		return answer{status: http.StatusAccepted, body: showJob(started), location: linkBase(r) + "/api/v1/jobs/" + started.ID}, nil
	}
}

// GET /api/v1/jobs, the oldest first.
func (a *API) listJobs(r *request) (answer, error) {
	q := queryOf(r)
	after, limit := q.cursor(a, "jobs"), q.limit()
	if err := q.err(); err != nil {
		return answer{}, err
	}
	found, err := a.engine.Jobs(r.Context(), after, limit)
	if err != nil {
		return answer{}, err
	}
	page := list[jobJSON]{Items: make([]jobJSON, len(found))}
	for i, j := range found {
		page.Items[i] = showJob(j)
	}
	if len(found) == limit {
		page.Next = a.next(found[limit-1].ID, "jobs")
	}
	return answer{body: page}, nil
}

// GET /api/v1/jobs/{id}
func (a *API) getJob(r *request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	j, err := a.engine.Job(r.Context(), id)
	if err != nil {
		return answer{}, err
	}
	return answer{body: showJob(j)}, nil
}

// POST /api/v1/jobs/{id}/cancel ends it after the step that it is at; one that
// has ended stays as it is.
func (a *API) cancelJob(r *request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	if err := a.engine.CancelJob(r.Context(), id); err != nil {
		return answer{}, err
	}
	return a.getJob(r)
}
