package client

import (
	"context"
	"iter"
	"time"
)

// A JobKind is what a job does to the deliveries of a subscription.
type JobKind string

// The kinds of jobs.
const (
	JobRetry  JobKind = "retry"  // its dead deliveries are due again
	JobCancel JobKind = "cancel" // its pending deliveries are cancelled
	JobReplay JobKind = "replay" // stored events that its policy lets through are delivered again
)

// A JobState says where a job stands.
type JobState string

// The states of a job.
const (
	JobRunning   JobState = "running" // or waiting for its turn
	JobDone      JobState = "done"
	JobFailed    JobState = "failed"
	JobCancelled JobState = "cancelled"
)

// A Job is bulk work on one subscription, done in the background. Its counts are
// of deliveries or, for a replay, of events.
type Job struct {
	Document

	ID             string    `json:"_id"`
	Kind           JobKind   `json:"kind"`
	SubscriptionID string    `json:"subscriptionId"`
	Since          time.Time `json:"since"` // accepted at or after it; zero for no bound
	Until          time.Time `json:"until"` // and before it
	State          JobState  `json:"state"`
	Error          string    `json:"error"`  // of a failed one
	Done           int       `json:"done"`   // those that were changed or made
	Failed         int       `json:"failed"` // those that could not be
	Left           int       `json:"left"`   // those not looked at yet, about
	CreatedAt      time.Time `json:"createdAt"`
	FinishedAt     time.Time `json:"finishedAt"`
}

// StartJob begins a job on the deliveries, or for a replay the events, that were
// accepted at or after since and before until; zero is no bound.
func (c *Client) StartJob(ctx context.Context, kind JobKind, subscription string, since, until time.Time) (*Job, error) {
	body := struct {
		Since time.Time `json:"since,omitzero"`
		Until time.Time `json:"until,omitzero"`
	}{since, until}
	return one[Job](ctx, c, post(body, "subscriptions", subscription, string(kind)))
}

// Jobs returns a page of the jobs, oldest first.
func (c *Client) Jobs(ctx context.Context, p Paging) (*Page[Job], error) {
	return list[Job](ctx, c, get("jobs").with(p.query()))
}

// AllJobs goes through all pages.
func (c *Client) AllJobs(ctx context.Context, p Paging) iter.Seq2[*Job, error] {
	return all(ctx, p, c.Jobs)
}

// Job returns one.
func (c *Client) Job(ctx context.Context, id string) (*Job, error) {
	return one[Job](ctx, c, get("jobs", id))
}

// CancelJob ends a job after the step that it is at; what it has done stays
// done.
func (c *Client) CancelJob(ctx context.Context, id string) (*Job, error) {
	return one[Job](ctx, c, post(nil, "jobs", id, "cancel"))
}

// The waits between two looks at a job.
const (
	firstLook = 50 * time.Millisecond
	maxLook   = 2 * time.Second
)

// WaitJob looks at a job until it has ended, and returns it as it is then.
// progress, unless nil, is called with every look.
func (c *Client) WaitJob(ctx context.Context, id string, progress func(*Job)) (*Job, error) {
	for wait := firstLook; ; wait = min(2*wait, maxLook) {
		j, err := c.Job(ctx, id)
		if err != nil {
			return nil, err
		}
		if progress != nil {
			progress(j)
		}
		if j.State != JobRunning {
			return j, nil
		}
		if !sleep(ctx, wait) {
			return nil, ctx.Err()
		}
	}
}
