package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/api/client"
)

// listFlags say how much of a list is shown.
type listFlags struct {
	remoteFlags

	limit  int
	cursor string
	all    bool

	since, until *moment // where the list has them
}

func (l *listFlags) add(cmd *cobra.Command) {
	l.remoteFlags.add(cmd, true)
	flags := cmd.Flags()
	flags.IntVar(&l.limit, "limit", 20, "show at most this many, 1 to 1000")
	flags.StringVar(&l.cursor, "cursor", "", "go on at this `CURSOR`, as the page before named it")
	flags.BoolVar(&l.all, "all", false, "show all there are; with --format json an item a line")
}

func (l *listFlags) check() error {
	switch {
	case l.limit < 1 || l.limit > 1000:
		return usagef("--limit %d: it can be 1 to 1000", l.limit)
	case l.all && l.cursor != "":
		return usagef("--all and --cursor exclude each other")
	}
	return nil
}

// A listing is a list as it is shown.
type listing[T any] struct {
	things string // what to call them where there are none
	header []string
	row    func(*T) []string
	page   func(context.Context, *client.Client, client.Paging) (*client.Page[T], error)
}

// show shows a page, or all of them.
func (l *listing[T]) show(cmd *cobra.Command, f *listFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.run(cmd, func(ctx context.Context, c *client.Client) error {
		paging := client.Paging{Limit: f.limit, Cursor: f.cursor}
		if f.all {
			paging.Limit = 1000
		}
		t := newTable(l.header...)
		for {
			page, err := l.page(ctx, c, paging)
			if err != nil {
				return err
			}
			if f.json() {
				err = l.writeJSON(cmd, f, page)
			} else {
				err = l.writeTable(cmd, f, t, page)
			}
			if err != nil || !f.all || page.Next == "" || page.Next == paging.Cursor {
				return err
			}
			paging.Cursor = page.Next
		}
	})
}

func (l *listing[T]) writeJSON(cmd *cobra.Command, f *listFlags, page *client.Page[T]) error {
	if !f.all {
		return writeAnswer(cmd, page.JSON())
	}
	for _, item := range page.Items {
		doc, ok := any(item).(interface{ JSON() json.RawMessage })
		if !ok {
			continue
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", doc.JSON()); err != nil {
			return err
		}
	}
	return nil
}

// writeTable gathers pages until the last that is wanted, so that all rows
// align.
func (l *listing[T]) writeTable(cmd *cobra.Command, f *listFlags, t *table, page *client.Page[T]) error {
	for _, item := range page.Items {
		t.add(l.row(item)...)
	}
	if f.all && page.Next != "" {
		return nil
	}
	if len(t.rows) == 1 && page.Next == "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "there are no %s\n", l.things)
		return nil
	}
	err := t.write(cmd.OutOrStdout())
	if page.Next != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "there are more: %s--cursor %s shows the next, --all all\n", f.span(), page.Next)
	}
	return err
}

// span is the range of time as the next page must have it: a cursor fits the
// very same list alone, and what was ago has moved on by then.
func (l *listFlags) span() string {
	text := ""
	if l.since != nil && !l.since.IsZero() {
		text += "--since " + l.since.String() + " "
	}
	if l.until != nil && !l.until.IsZero() {
		text += "--until " + l.until.String() + " "
	}
	return text
}

// A moment is a flag that takes a time: 90m, 24h or 7d ago, RFC 3339, a day, or
// milliseconds since 1970.
type moment struct{ time.Time }

// momentFlag adds such a flag.
func momentFlag(cmd *cobra.Command, m *moment, name, about string) {
	cmd.Flags().Var(m, name, about+": a `TIME` such as 24h or 7d (ago), 2026-01-31, 2026-01-31T12:00:00Z")
}

func (m *moment) Type() string { return "time" }

func (m *moment) String() string {
	if m.IsZero() {
		return ""
	}
	return m.UTC().Format(time.RFC3339Nano)
}

// Set reads the time.
func (m *moment) Set(text string) error {
	if d, ok := parseAgo(text); ok {
		m.Time = time.Now().UTC().Add(-d).Truncate(time.Second)
		return nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			m.Time = t.UTC()
			return nil
		}
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && ms > 0 {
		m.Time = time.UnixMilli(ms).UTC()
		return nil
	}
	return fmt.Errorf("it is no time such as 24h or 7d (ago), 2026-01-31, 2026-01-31T12:00:00Z")
}

// maxDays bounds what is written in days.
const maxDays = 100 * 365

// parseAgo reads a length of time, days too.
func parseAgo(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err == nil && n >= 0 && n <= maxDays
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= 0
}
