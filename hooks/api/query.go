package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The bounds of a page of a list.
const (
	defaultPage = 20
	maxPage     = 1000
)

// list is a page of a list.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // the cursor of the next page; absent on the last
}

// A query reads what a request's query asks for, and gathers what is wrong.
type query struct {
	values url.Values
	reader
}

func queryOf(r *request) *query { return &query{values: r.URL.Query()} }

func (q *query) text(name string) string { return q.values.Get(name) }

// limit is how long a page may be.
func (q *query) limit() int {
	text := q.text("limit")
	if text == "" {
		return defaultPage
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxPage {
		q.fail("limit", "it must be a number from 1 to %d", maxPage)
	}
	return limit
}

// time is a bound in time; zero for none.
func (q *query) time(name string) time.Time {
	t, err := parseTime(q.text(name))
	if err != nil {
		q.fail(name, "%v", err)
	}
	return t
}

// parseTime reads RFC 3339 or Unix milliseconds; "" is the zero time.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms < 0 || ms > maxMillis {
		return time.Time{}, fmt.Errorf("it must be a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970")
	}
	return time.UnixMilli(ms).UTC(), nil
}

// maxMillis is the end of the year 9999, the last that RFC 3339 can write.
const maxMillis = 253402300799999

// cursor is where the page begins in what a store lists; the empty one is the
// first page's. name tells this list from all others, its filters included.
func (q *query) cursor(a *API, name ...string) string {
	cursor, ok := a.openCursor(strings.Join(name, "\x00"), q.text("cursor"))
	if !ok {
		q.fail("cursor", "it is not what an earlier page of this list gave as next")
	}
	return cursor
}

// filters are the members of the query that name a list's content, for cursor.
func (q *query) filters(list string, names ...string) []string {
	all := []string{list}
	for _, n := range names {
		all = append(all, q.text(n))
	}
	return all
}

// sealSize is how many bytes of a MAC stand before a cursor.
const sealSize = 12

// next makes a store's cursor fit for a query; "" stays "".
func (a *API) next(cursor string, name ...string) string {
	if cursor == "" {
		return ""
	}
	return a.sealCursor(strings.Join(name, "\x00"), cursor)
}

// sealCursor puts a MAC before a cursor: a store gets back only cursors that it
// gave, for the same list, so it need not defend itself against made-up ones.
func (a *API) sealCursor(name, cursor string) string {
	h := hmac.New(sha256.New, a.token[:])
	fmt.Fprintf(h, "cursor\x00%s\x00%s", name, cursor)
	return base64.RawURLEncoding.EncodeToString(append(h.Sum(nil)[:sealSize], cursor...))
}

// openCursor is the other way.
func (a *API) openCursor(name, text string) (string, bool) {
	if text == "" {
		return "", true
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && len(data) > sealSize {
		cursor := string(data[sealSize:])
		if hmac.Equal([]byte(a.sealCursor(name, cursor)), []byte(text)) {
			return cursor, true
		}
	}
	return "", false
}
