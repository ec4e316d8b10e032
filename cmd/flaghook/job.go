package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
)

// jobFlags say what a job is about, and whether the command follows it.
type jobFlags struct {
	since, until moment
	noWait       bool
}

func (f *jobFlags) add(cmd *cobra.Command) {
	momentFlag(cmd, &f.since, "since", "what was accepted since")
	momentFlag(cmd, &f.until, "until", "what was accepted before")
	cmd.Flags().BoolVar(&f.noWait, "no-wait", false, "do not follow the job")
}

// start begins a job and follows it to its end. A job that does not get there is
// an error.
func (f *jobFlags) start(ctx context.Context, cmd *cobra.Command, c *client.Client, r *remoteFlags, kind client.JobKind, subscription string) error {
	j, err := c.StartJob(ctx, kind, subscription, f.since.Time, f.until.Time)
	if err != nil {
		return fmt.Errorf("subscription %s: %w", subscription, err)
	}
	if !f.noWait {
		id := j.ID
		progress := newProgress(cmd.ErrOrStderr())
		j, err = c.WaitJob(ctx, id, progress.show)
		progress.end()
		if err != nil {
			return fmt.Errorf("job %s: %w; it may go on at the server: flaghook jobs show %s", id, err, id)
		}
	}
	if r.json() {
		err = writeAnswer(cmd, j.JSON())
	} else {
		_, err = fmt.Fprintln(cmd.OutOrStdout(), jobLine(j))
	}
	if err == nil && (j.State == client.JobFailed || j.State == client.JobCancelled) {
		err = &exitError{code: exitFailed}
	}
	return err
}

// jobLine says where a job stands.
func jobLine(j *client.Job) string {
	text := fmt.Sprintf("job %s, %s for subscription %s: %s", j.ID, j.Kind, j.SubscriptionID, j.State)
	if j.State == client.JobRunning {
		return text
	}
	text += fmt.Sprintf(", %d done", j.Done)
	if j.Failed > 0 {
		text += fmt.Sprintf(", %d left as they were", j.Failed)
	}
	if j.Error != "" {
		text += ": " + visible(j.Error)
	}
	return text
}

// lineEvery is how long a job without a terminal goes on in silence.
const lineEvery = 10 * time.Second

// A progress shows how far a job is: a bar on a terminal, else now and then a
// line.
type progress struct {
	w    io.Writer
	bar  bool
	last time.Time // of a line
	wide int       // of what stands in the bar's line
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, bar: terminal(w) && os.Getenv("TERM") != "dumb", last: time.Now()}
}

func (p *progress) show(j *client.Job) {
	total := j.Done + j.Failed + j.Left
	switch {
	case j.State != client.JobRunning:
	case p.bar:
		line := barLine(j.Done+j.Failed, total)
		fmt.Fprintf(p.w, "\r%-*s", p.wide, line)
		p.wide = max(p.wide, len(line))
	case time.Since(p.last) >= lineEvery:
		p.last = time.Now()
		fmt.Fprintf(p.w, "job %s: %d of %d\n", j.ID, j.Done+j.Failed, total)
	}
}

// end wipes the bar out.
func (p *progress) end() {
	if p.wide > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.wide))
	}
}

// barLine draws how much is done.
func barLine(done, total int) string {
	const width = 40
	filled := min(done*width/max(total, 1), width)
	return fmt.Sprintf("[%s%s] %d/%d", strings.Repeat("#", filled), strings.Repeat(" ", width-filled), done, total)
}
