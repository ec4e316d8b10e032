package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// jobKind is the kind of the records that jobs are.
const jobKind = "job"

// A JobKind is what a job does to the deliveries of a subscription.
type JobKind string

// The kinds of jobs.
const (
	JobRetry  JobKind = "retry"  // its dead deliveries are due again
	JobCancel JobKind = "cancel" // its pending deliveries are cancelled
	JobReplay JobKind = "replay" // stored events that its policy lets through are delivered again
)

// JobState says where a job stands.
type JobState string

// The states of a job.
const (
	JobRunning   JobState = "running" // or waiting for its turn
	JobDone      JobState = "done"
	JobFailed    JobState = "failed"
	JobCancelled JobState = "cancelled"
)

// A Job is bulk work on one subscription, done in the background and kept over
// a restart. Its counts are of deliveries or, for a replay, of events.
type Job struct {
	ID             string    `json:"_id"`
	Kind           JobKind   `json:"kind"`
	SubscriptionID string    `json:"subscriptionId"`
	Since          time.Time `json:"since,omitzero"` // accepted at or after it; zero for no bound
	Until          time.Time `json:"until"`          // and before it: the start of the job unless it was given
	State          JobState  `json:"state"`
	Error          string    `json:"error,omitempty"` // of JobFailed
	Done           int       `json:"done"`            // those that were changed or made
	Failed         int       `json:"failed"`          // those that could not be: they were in another state by then
	Left           int       `json:"left"`            // those not looked at yet, as counted at the start
	CreatedAt      time.Time `json:"createdAt"`
	FinishedAt     time.Time `json:"finishedAt,omitzero"`

	page    int    // how much is done in a step, less where that is too much to accept at once
	Cursor  string `json:"cursor,omitempty"` // where it goes on after a restart
	Counted bool   `json:"counted"`          // Left has been counted
	Version uint64 `json:"-"`
}

// jobPage is how much of a job is done in one step, after which its progress is
// stored.
const jobPage = 200

// jobs are those that wait for their turn or are under way.
type jobs struct {
	mu      sync.Mutex
	waiting []string        // in the order in which they came
	cancel  map[string]bool // all of them; true for one that is to end
	wake    chan struct{}
}

func newJobs() jobs { return jobs{cancel: make(map[string]bool), wake: make(chan struct{}, 1)} }

// add puts a job at the end of the line, once.
func (j *jobs) add(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, known := j.cancel[id]; known {
		return
	}
	j.cancel[id] = false
	j.waiting = append(j.waiting, id)
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *jobs) next() (string, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.waiting) == 0 {
		return "", false
	}
	id := j.waiting[0]
	j.waiting = j.waiting[1:]
	return id, true
}

// end asks a job to end; it does nothing to one that has.
func (j *jobs) end(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, known := j.cancel[id]; known {
		j.cancel[id] = true
	}
}

func (j *jobs) cancelled(id string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.cancel[id]
}

func (j *jobs) finished(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.cancel, id)
}

// StartJob stores a job, of which Kind, SubscriptionID, Since and Until are
// given, and returns it; it is done while Run runs, at most 16 jobs at a time.
// The errors are ErrNotFound for the subscription, *InvalidError, or the store's.
func (e *Engine) StartJob(ctx context.Context, j Job) (*Job, error) {
	if _, err := e.Subscription(j.SubscriptionID); err != nil {
		return nil, err
	}
	var bad InvalidError
	switch j.Kind {
	case JobRetry, JobCancel, JobReplay:
	default:
		bad.add("kind", "it is %q; it can be %s, %s or %s", j.Kind, JobRetry, JobCancel, JobReplay)
	}
	now := time.Now().UTC()
	if j.Until.IsZero() || j.Until.After(now) {
		j.Until = now
	}
	if j.Since.After(j.Until) {
		bad.add("since", "it is later than until")
	}
	if len(bad.Fields) > 0 {
		return nil, &bad
	}
	j = Job{ID: NewID(), Kind: j.Kind, SubscriptionID: j.SubscriptionID, Since: j.Since, Until: j.Until, State: JobRunning, CreatedAt: now}
	if err := e.putJob(ctx, &j); err != nil {
		return nil, err
	}
	e.jobs.add(j.ID)
	return &j, nil
}

// CancelJob ends a job after the step that it is at; ErrNotFound when there is
// none. What it has done stays done.
func (e *Engine) CancelJob(ctx context.Context, id string) error {
	j, err := e.Job(ctx, id)
	if err != nil || j.State != JobRunning {
		return err
	}
	e.jobs.end(id)
	return nil
}

// Job returns one or ErrNotFound.
func (e *Engine) Job(ctx context.Context, id string) (*Job, error) {
	r, err := e.o.Store.Record(ctx, jobKind, id)
	if err != nil {
		return nil, err // which names it
	}
	return readJob(r)
}

// Jobs lists jobs, the oldest first, at most limit (1 to 1000) of those after
// an id.
func (e *Engine) Jobs(ctx context.Context, after string, limit int) ([]*Job, error) {
	records, err := e.o.Store.Records(ctx, jobKind, after, limit)
	if err != nil {
		return nil, err
	}
	list := make([]*Job, len(records))
	for i, r := range records {
		if list[i], err = readJob(r); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func readJob(r Record) (*Job, error) {
	j := &Job{Version: r.Version}
	if err := json.Unmarshal(r.Data, j); err != nil {
		return nil, fmt.Errorf("job %s: %w", r.ID, err)
	}
	return j, nil
}

func (e *Engine) putJob(ctx context.Context, j *Job) error {
	data, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("job %s: %w", j.ID, err)
	}
	if err := e.o.Store.PutRecord(ctx, jobKind, Record{ID: j.ID, Version: j.Version + 1, Data: data}); err != nil {
		return fmt.Errorf("store job %s: %w", j.ID, err)
	}
	j.Version++
	return nil
}

// maxJobs is how many jobs are done at once; others wait for their turn.
const maxJobs = 16

// runJobs does jobs until ctx ends, those first that an earlier run left.
func (e *Engine) runJobs(ctx context.Context) {
	e.resumeJobs(ctx)
	places := make(chan struct{}, maxJobs)
	var running sync.WaitGroup
	defer running.Wait()
	for ctx.Err() == nil {
		id, ok := e.jobs.next()
		if !ok {
			select {
			case <-e.jobs.wake:
			case <-ctx.Done():
			}
			continue
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return // it goes on after the next start
		}
		running.Go(func() {
			e.runJob(ctx, id)
			<-places
		})
	}
}

// keptJobs is how many finished jobs are kept.
const keptJobs = 100

// resumeJobs finds the unfinished jobs of an earlier run, and drops old ones.
func (e *Engine) resumeJobs(ctx context.Context) {
	var finished []string
	for after := ""; ; {
		page, err := e.Jobs(ctx, after, 1000)
		if err != nil {
			if ctx.Err() == nil {
				e.log.Error("cannot read the jobs; those that were under way wait for the next start", "error", err)
			}
			return
		}
		for _, j := range page {
			after = j.ID
			if j.State != JobRunning {
				finished = append(finished, j.ID)
			} else {
				e.jobs.add(j.ID)
			}
		}
		if len(page) < 1000 {
			break
		}
	}
	for len(finished) > keptJobs {
		if err := e.o.Store.DeleteRecord(ctx, jobKind, finished[0]); err != nil && !errors.Is(err, ErrNotFound) {
			e.log.Error("cannot drop a finished job", "job", finished[0], "error", err)
			return
		}
		finished = finished[1:]
	}
}

// runJob does a job to its end, or until ctx ends.
func (e *Engine) runJob(ctx context.Context, id string) {
	defer e.jobs.finished(id)
	j, err := e.Job(ctx, id)
	if err != nil {
		if ctx.Err() == nil {
			e.log.Error("cannot read a job", "job", id, "error", err)
		}
		return
	}
	j.page = jobPage
	for j.State == JobRunning {
		err := e.stepJob(ctx, j)
		var many *TooManyError
		waits := errors.Is(err, ErrUnavailable) || errors.Is(err, ErrBacklog)
		switch {
		case ctx.Err() != nil:
			return // it goes on after the next start
		case errors.As(err, &many) && j.page > 1:
			j.page = max(min(j.page/2, many.Max), 1)
			continue
		case waits && !e.jobs.cancelled(id):
			j.page = max(j.page/2, 1) // fewer may find room
			select {
			case <-time.After(queueRetry):
			case <-ctx.Done():
			}
			continue // the step is repeated
		case waits:
			j.State = JobCancelled
		case err != nil:
			j.State, j.Error = JobFailed, err.Error()
		case e.jobs.cancelled(id):
			j.State = JobCancelled
		}
		if j.State != JobRunning {
			j.FinishedAt = time.Now().UTC()
		}
		if err := e.putJob(ctx, j); err != nil {
			e.log.Error("cannot store a job's progress; it goes on after the next start", "job", id, "error", err)
			return
		}
	}
	e.log.Info("job ended", "job", j.ID, "kind", string(j.Kind), "subscription", j.SubscriptionID, "state", string(j.State), "done", j.Done, "failed", j.Failed)
}
