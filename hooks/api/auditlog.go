package api

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

const auditPath = "/api/v2/auditlog"

// The bounds of LaunchDarkly's audit log.
const (
	defaultEntries = 10
	maxEntries     = 20

	// maxSearched is how many events a page of a search looks at, and
	// searchStep how many at once; a page that has found less than it may by
	// then is short, and has a next one.
	maxSearched = 100_000
	searchStep  = 500
	// maxSearchWork bounds what a page of a search, or counts, may take, in the
	// steps of policy.Work: up to about a second. Such a page is short as well.
	maxSearchWork = 100_000_000
)

// The audit log is the events: those that were posted, and those about changes
// of our own resources. Its times are those of acceptance.
func (a *API) auditRoutes() []route {
	return []route{
		{path: auditPath, methods: map[string]method{"GET": {readers, a.listEntries}, "POST": {readers, a.searchEntries}}},
		{path: auditPath + "/counts", methods: map[string]method{"POST": {readers, a.countEntries}}},
		{path: auditPath + "/{id}", methods: map[string]method{"GET": {readers, a.getEntry}}},
		{path: "/api/v2/caller-identity", methods: map[string]method{"GET": {anybody, a.callerIdentity}}},
	}
}

// A filter says which events a search wants.
type filter struct {
	text   string         // "" for any
	policy *policy.Policy // nil for any
	spec   *policy.Policy // nil for any
}

// work is about what it takes to look at an event.
func (f *filter) work(e *hooks.Event) int {
	work := 1
	for _, p := range f.policies() {
		if p != nil {
			work += p.Work(e.Accesses())
		}
	}
	if f.text != "" {
		work += e.Doc().Size() / 4
	}
	return work
}

// policies are those that must let an event through; nil ones do.
func (f *filter) policies() [2]*policy.Policy { return [...]*policy.Policy{f.spec, f.policy} }

// wants looks at the context for each access of an event, since a policy may be
// long and accesses many.
func (f *filter) wants(ctx context.Context, e *hooks.Event) (bool, error) {
	accesses := e.Accesses()
	for _, p := range f.policies() {
		allowed := p == nil
		for i := 0; i < len(accesses) && !allowed; i++ {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			allowed = p.Effect(&accesses[i]) == policy.Allow
		}
		if !allowed {
			return false, nil
		}
	}
	return f.text == "" || f.hasText(e), ctx.Err()
}

func (f *filter) hasText(e *hooks.Event) bool {
	doc := e.Doc()
	for _, path := range [][]string{
		{"name"}, {"key"}, {"comment"}, {"title", "plainText"}, {"details", "plainText"},
		{"member", "email"}, {"member", "displayName"}, {"token", "name"}, {"app", "name"},
	} {
		if strings.Contains(strings.ToLower(doc.Path(path...).AsString()), f.text) {
			return true
		}
	}
	return false
}

// GET /api/v2/auditlog?before&after&q&spec&limit
func (a *API) listEntries(r *request) (answer, error) { return a.entries(r, nil, "") }

// POST /api/v2/auditlog takes statements as its body.
func (a *API) searchEntries(r *request) (answer, error) {
	statements, text, err := readStatements(r)
	if err != nil {
		return answer{}, err
	}
	return a.entries(r, statements, text)
}

// readStatements reads a body of statements: as a policy, nil when there are
// none, and as text.
func readStatements(r *request) (*policy.Policy, string, error) {
	data, err := readBody(r)
	if err != nil {
		return nil, "", err
	}
	if data = bytes.TrimSpace(data); len(data) == 0 || string(data) == "null" {
		return nil, "", nil
	}
	statements, err := policy.ParseStatements(data)
	if err == nil && len(statements) == 0 {
		return nil, "", nil
	}
	var p *policy.Policy
	if err == nil {
		p, err = policy.Parse(statements)
	}
	if err != nil {
		return nil, "", invalid(fieldDetails(hooks.StatementErrors(err))...)
	}
	return p, string(data), nil
}

// entries answers with a page of the audit log.
func (a *API) entries(r *request, statements *policy.Policy, body string) (answer, error) {
	q := queryOf(r)
	name := append(q.filters("auditlog", "before", "after", "q", "spec"), body)
	f := filter{text: strings.ToLower(q.text("q")), policy: statements, spec: q.spec()}
	limit := q.number("limit", defaultEntries, maxEntries)
	found := hooks.EventQuery{Since: q.after(), Until: q.millis("before"), Before: q.cursor(a, name...)}
	if err := q.err(); err != nil {
		return answer{}, err
	}
	events, cursor, err := a.search(r.Context(), f, found, limit)
	if err != nil {
		return answer{}, err
	}
	items := make([]render.Value, len(events))
	for i, e := range events {
		items[i] = entryJSON(r, e, false)
	}
	links := []render.Member{link("self", linkBase(r)+auditPath+queryText(r.URL.Query()))}
	if next := a.next(cursor, name...); next != "" {
		query := r.URL.Query()
		query.Set("cursor", next)
		links = append(links, link("next", linkBase(r)+auditPath+queryText(query)))
	}
	return answer{body: render.Object(
		render.Member{Key: "_links", Value: render.Object(links...)},
		render.Member{Key: "items", Value: render.Array(items...)},
	)}, nil
}

// search finds up to limit events that the filter wants, and where to go on, ""
// at the end. It looks at maxSearched events, or at fewer that take maxSearchWork.
func (a *API) search(ctx context.Context, f filter, q hooks.EventQuery, limit int) (found []*hooks.Event, cursor string, err error) {
	// The first step is what a list without a filter needs, which is read once,
	// or one event. Only steps behind a cursor can be cut short below: in front
	// of the first one new events may arrive meanwhile.
	if q.Limit = limit; f != (filter{}) {
		q.Limit = 1
	}
	for looked, work := 0, 0; ; q.Limit = min(searchStep, maxSearched-looked) {
		page, err := a.engine.Events(ctx, q)
		if err != nil {
			return nil, "", err
		}
		for i, e := range page.Items {
			wanted, err := f.wants(ctx, e.Event)
			if err != nil {
				return nil, "", err
			}
			if wanted {
				found = append(found, e.Event)
			}
			work += f.work(e.Event)
			if (len(found) == limit || work >= maxSearchWork) && i < len(page.Items)-1 {
				q.Limit = i + 1
				part, err := a.engine.Events(ctx, q)
				return found, part.Cursor, err
			}
		}
		looked += max(len(page.Items), 1)
		if q.Before = page.Cursor; q.Before == "" || len(found) == limit || looked >= maxSearched || work >= maxSearchWork {
			return found, q.Before, nil
		}
	}
}

func queryText(values url.Values) string {
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// spec reads a resource specifier: events of such resources are wanted.
func (q *query) spec() *policy.Policy {
	text := q.text("spec")
	if text == "" {
		return nil
	}
	p, err := policy.Parse([]policy.Statement{{Effect: "allow", Resources: []string{text}, Actions: []string{"*"}}})
	if err != nil {
		q.fail("spec", "%s", hooks.StatementErrors(err)[0].Message)
	}
	return p
}

// number reads a number from 1 to most.
func (q *query) number(name string, absent, most int) int {
	text := q.text(name)
	if text == "" {
		return absent
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		q.fail(name, "it must be a number from 1 to %d", most)
	}
	return n
}

// millis reads a time in Unix milliseconds; zero when it is absent.
func (q *query) millis(name string) time.Time {
	text := q.text(name)
	if text == "" {
		return time.Time{}
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms < 0 || ms > maxMillis {
		q.fail(name, "it must be a time in milliseconds since 1970")
	}
	return time.UnixMilli(ms).UTC()
}

// after is the first millisecond that counts; zero when it is absent.
func (q *query) after() time.Time {
	t := q.millis("after")
	if !t.IsZero() {
		t = t.Add(time.Millisecond)
	}
	return t
}

// GET /api/v2/auditlog/{id} adds the states before and after.
func (a *API) getEntry(r *request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	e, err := a.engine.Event(r.Context(), id)
	if err != nil {
		return answer{}, err
	}
	return answer{body: entryJSON(r, e.Event, true)}, nil
}

// entryJSON writes an event as an entry of LaunchDarkly's audit log.
func entryJSON(r *request, e *hooks.Event, whole bool) render.Value {
	entry := e.Webhook()
	if !whole {
		entry = entry.With("previousVersion", render.Value{}).With("currentVersion", render.Value{})
	}
	links := entry.Get("_links")
	for _, l := range []render.Member{link("self", linkBase(r)+auditPath+"/"+url.PathEscape(e.ID())), link("parent", linkBase(r)+auditPath)} {
		links = links.With(l.Key, l.Value)
	}
	return entry.With("_links", links)
}

// GET /api/v2/caller-identity says whose token it is.
func (a *API) callerIdentity(r *request) (answer, error) {
	w := map[string]any{
		"accountId": "", "authKind": "token", "tokenKind": "auth", "serviceToken": true,
		"tokenName": r.grant.Name, "tokenId": r.grant.TokenID, "scopes": []string{string(r.grant.Role)},
	}
	return answer{status: http.StatusOK, body: w}, nil
}
