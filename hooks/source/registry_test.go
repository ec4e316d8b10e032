package source_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/hooks/source"
	"github.com/flaghook/flaghook/manifest"
)

// An installation is a registry on a real engine and a real file.
type installation struct {
	*source.Registry
	engine *hooks.Engine
	db     *bolt.DB
	sender *send.Sender
}

func install(t testing.TB, dir string) *installation {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, "test.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sender, err := send.New(send.Options{})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := hooks.New(t.Context(), hooks.Options{Store: db, Queue: db, Sender: sender, Catalog: manifest.NewCatalog()})
	if err != nil {
		t.Fatal(err)
	}
	return &installation{source.NewRegistry(db, engine, nil), engine, db, sender}
}

func (i *installation) close(t testing.TB) {
	t.Helper()
	i.sender.Close()
	if err := i.db.Close(); err != nil {
		t.Error(err)
	}
}

func (i *installation) create(t testing.TB, s source.Settings) *source.Source {
	t.Helper()
	made, err := i.Create(t.Context(), source.Source{Name: "test", On: true, Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (i *installation) receive(t testing.TB, s *source.Source, r *source.Request) *source.Receipt {
	t.Helper()
	receipt, err := i.Receive(t.Context(), s.Kind, address(s), r)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// address is the last segment of a source's path.
func address(s *source.Source) string { return s.Path()[strings.LastIndexByte(s.Path(), '/')+1:] }

const flagOn = `{"key":"f","name":"F","description":"","enabled":true,"namespace_key":"web"}`

func TestASourceTakesEventsInOnce(t *testing.T) {
	dir := t.TempDir()
	i := install(t, dir)
	flipt := i.create(t, source.Settings{Kind: source.Flipt, Unsigned: true})
	unleash := i.create(t, source.Settings{Kind: source.Unleash, Unsigned: true})
	on := fliptBody("flag", "updated", flagOn)
	moved := `{"id":1022,"type":"feature-project-change","createdBy":"a@example.com","createdAt":"2026-03-04T12:25:00.000Z",
		"data":{"newProject":"growth","oldProject":"shop"},"preData":null,"tags":[],"featureName":"f","project":"growth","environment":null}`

	first, both := i.receive(t, flipt, post(on)), i.receive(t, unleash, post(moved))
	if first.Status != source.Accepted || len(first.Events) != 1 || len(both.Events) != 2 || both.Events[0] == both.Events[1] {
		t.Fatalf("receipts %+v, %+v", first, both)
	}
	event, err := i.engine.Event(t.Context(), first.Events[0])
	if err != nil || event.Doc().Path("source", "kind").AsString() != "flipt" || event.Doc().Path("source", "id").AsString() != flipt.ID {
		t.Fatalf("%v: %s", err, event.Doc().AppendJSON(nil))
	}
	// Again at once, and after a restart: the same ids, although the state
	// that the first was compared with is another by now.
	for range 2 {
		for s, want := range map[*source.Source]*source.Receipt{flipt: first, unleash: both} {
			body := map[source.Kind]string{source.Flipt: on, source.Unleash: moved}[s.Kind]
			again := i.receive(t, s, post(body))
			if again.Status != source.Duplicate || strings.Join(again.Events, " ") != strings.Join(want.Events, " ") {
				t.Errorf("%s again: %+v, want %+v", s.Kind, again, want)
			}
		}
		i.close(t)
		i = install(t, dir)
	}
	defer i.close(t)
	other := i.create(t, source.Settings{Kind: source.Flipt, Unsigned: true})
	if r := i.receive(t, other, post(on)); r.Status != source.Accepted || r.Events[0] == first.Events[0] {
		t.Errorf("the same body to another source: %+v", r)
	}
}

// In one batch, as in two requests, source and id make a CloudEvent the same one.
func TestABatchStoresAnEventOnce(t *testing.T) {
	i := install(t, t.TempDir())
	defer i.close(t)
	s := i.create(t, source.Settings{Kind: source.CloudEvents, Unsigned: true})
	event := func(from, id string) string {
		return `{"specversion":"1.0","id":"` + id + `","source":"` + from + `","type":"x.flag.updated.v1","data":{"project":"p","key":"f"}}`
	}
	send := func(events ...string) *source.Receipt {
		return i.receive(t, s, post("["+strings.Join(events, ",")+"]", "Content-Type", "application/cloudevents-batch+json"))
	}
	first := send(event("/a", "1"), event("/b", "1"), event("/a", "1"), event("/a", "2"), event("/b", "1"))
	if first.Status != source.Accepted || len(first.Events) != 3 || first.Reason == "" {
		t.Errorf("receipt %+v", first)
	}
	if again := send(event("/a", "1"), event("/a", "1")); again.Status != source.Duplicate || len(again.Events) != 1 || again.Events[0] != first.Events[0] {
		t.Errorf("again: %+v, after %+v", again, first)
	}
	page, err := i.engine.Events(t.Context(), hooks.EventQuery{Limit: 10})
	if err != nil || len(page.Items) != 3 {
		t.Errorf("%d events are stored, %v", len(page.Items), err)
	}
}

func TestStatesOutliveARestart(t *testing.T) {
	dir := t.TempDir()
	i := install(t, dir)
	s := i.create(t, source.Settings{Kind: source.Flipt, Unsigned: true})
	i.receive(t, s, post(fliptBody("flag", "created", strings.Replace(flagOn, "true", "false", 1))))
	i.close(t)
	i = install(t, dir)
	defer i.close(t)
	r := i.receive(t, s, post(fliptBody("flag", "updated", strings.Replace(strings.Replace(flagOn, "true", "false", 1), `"F"`, `"G"`, 1))))
	event, err := i.engine.Event(t.Context(), r.Events[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := accesses(event.Event); got != "updateName proj/web:env/production:flag/f" {
		t.Error(got)
	}
	if got := event.Doc().Path("details", "plainText").AsString(); got != `Name "F" → "G"` {
		t.Error(got)
	}
	if err := i.Delete(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"source", "source-status", "source-state"} {
		if left, err := i.db.Records(t.Context(), kind, "", 1000); err != nil || len(left) > 0 {
			t.Errorf("%d records of kind %s are left, %v", len(left), kind, err)
		}
	}
}

// A body that is all that identifies a delivery does so for a quarter of an hour
// from when it was accepted, wherever in a window that was.
func TestBodiesAreForgottenAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := install(t, t.TempDir())
		defer i.close(t)
		s := i.create(t, source.Settings{Kind: source.Flipt, Unsigned: true})
		body := fliptBody("flag", "updated", flagOn)
		time.Sleep(14 * time.Minute)
		first := i.receive(t, s, post(body))
		for _, step := range []struct {
			wait time.Duration
			want string
		}{{14 * time.Minute, source.Duplicate}, {59 * time.Second, source.Duplicate}, {time.Second, source.Accepted}, {time.Minute, source.Duplicate}} {
			time.Sleep(step.wait)
			got := i.receive(t, s, post(body))
			if got.Status != step.want || (got.Events[0] == first.Events[0]) != (step.want == source.Duplicate) {
				t.Errorf("after another %v: %+v, first %+v", step.wait, got, first)
			}
			if got.Status == source.Accepted {
				first = got
			}
		}
	})
}

func TestBodiesWithoutATimeAreNeverDuplicates(t *testing.T) {
	i := install(t, t.TempDir())
	defer i.close(t)
	s := i.create(t, source.Settings{Kind: source.Flagsmith, Unsigned: true})
	body := `{"event_type":"FLAG_UPDATED","data":{"timestamp":"","changed_by":"","new_state":{"enabled":true,"feature":{"name":"f"}}}}`
	if a, b := i.receive(t, s, post(body)), i.receive(t, s, post(body)); b.Status != source.Accepted || a.Events[0] == b.Events[0] {
		t.Errorf("%+v, %+v", a, b)
	}
}

func TestOfManyCopiesAtOnceOneIsAccepted(t *testing.T) {
	i := install(t, t.TempDir())
	defer i.close(t)
	s := i.create(t, source.Settings{Kind: source.CloudEvents, Unsigned: true})
	const copies = 16
	receipts := make([]*source.Receipt, copies)
	var wg sync.WaitGroup
	for n := range copies {
		wg.Go(func() {
			// Each with an event of its own beside the one that all have.
			body := fmt.Sprintf(`[{"specversion":"1.0","id":"all","source":"/s","type":"x.flag.updated.v1","data":{"key":"f"}},
				{"specversion":"1.0","id":"own%d","source":"/s","type":"x.flag.updated.v1","data":{"key":"f"}}]`, n)
			receipts[n], _ = i.Receive(context.Background(), s.Kind, address(s), post(body, "Content-Type", "application/cloudevents-batch+json"))
		})
	}
	wg.Wait()
	all := map[string]bool{}
	for n, r := range receipts {
		if r == nil {
			t.Fatalf("copy %d was refused", n)
		}
		if r.Events[0] != receipts[0].Events[0] {
			t.Errorf("copy %d: %+v", n, r)
		}
		for _, id := range r.Events {
			all[id] = true
			if _, err := i.engine.Event(t.Context(), id); err != nil {
				t.Errorf("event %s: %v", id, err)
			}
		}
	}
	if len(all) != copies+1 {
		t.Errorf("%d events, want %d", len(all), copies+1)
	}
}

func TestRequestsAreRefused(t *testing.T) {
	i := install(t, t.TempDir())
	defer i.close(t)
	signed := i.create(t, source.Settings{Kind: source.Unleash, Secrets: []string{"the-secret"}})
	none := i.create(t, source.Settings{Kind: source.GrowthBook})
	off := i.create(t, source.Settings{Kind: source.Flipt, Unsigned: true})
	off.On = false
	if _, err := i.Update(t.Context(), *off); err != nil {
		t.Fatal(err)
	}
	good := post(`{"id":1,"type":"feature-archived","createdBy":"a","featureName":"f","project":"p"}`, "Authorization", "the-secret")
	for name, c := range map[string]struct {
		kind    source.Kind
		address string
		r       *source.Request
		want    error
	}{
		"good":               {source.Unleash, address(signed), good, nil},
		"wrong secret":       {source.Unleash, address(signed), post("{}", "Authorization", "another"), source.ErrUnauthorized},
		"no secret given":    {source.Unleash, address(signed), post("{}"), source.ErrUnauthorized},
		"no secret set":      {source.GrowthBook, address(none), post("{}"), source.ErrUnauthorized},
		"not JSON":           {source.Unleash, address(signed), post("{", "Authorization", "the-secret"), source.ErrMalformed},
		"another kind":       {source.Flipt, address(signed), good, hooks.ErrNotFound},
		"the id alone":       {source.Unleash, signed.ID, good, hooks.ErrNotFound},
		"another door":       {source.Unleash, signed.ID + "-" + none.Door, good, hooks.ErrNotFound},
		"nothing":            {source.Unleash, "", good, hooks.ErrNotFound},
		"a very long nought": {source.Unleash, strings.Repeat("x", 10_000), good, hooks.ErrNotFound},
		"off":                {source.Flipt, address(off), post("{}"), source.ErrOff},
	} {
		if _, err := i.Receive(t.Context(), c.kind, c.address, c.r); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for n := range 12 {
		i.Refused(t.Context(), signed.Kind, address(signed), http.StatusUnauthorized, fmt.Sprint("reason ", n))
	}
	i.Refused(t.Context(), signed.Kind, signed.ID, http.StatusUnauthorized, "not at its address")
	status, err := i.Status(t.Context(), signed.ID)
	if err != nil || status.Accepted != 1 || status.Events != 1 || status.Refused != 12 || len(status.Refusals) != 10 || status.Refusals[0].Reason != "reason 11" {
		t.Errorf("%v: %+v", err, status)
	}
}

func TestSourcesAreKept(t *testing.T) {
	dir := t.TempDir()
	i := install(t, dir)
	made := i.create(t, source.Settings{Kind: source.Flagsmith, Secrets: []string{"s"}, Project: "p", Environments: []string{"a", "b"},
		ProjectKeys: map[string]string{"1": "x"}, BaseURL: "https://flagsmith.example.com", DropDuplicates: true})
	if err := i.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	i.close(t)
	i = install(t, dir)
	defer i.close(t)
	read, err := i.Source(t.Context(), made.ID)
	if err != nil || fmt.Sprint(*read) != fmt.Sprint(*made) {
		t.Fatalf("%v: %+v, made %+v", err, read, made)
	}
	if list, err := i.Sources(t.Context(), "", 10); err != nil || len(list) != 1 || list[0].ID != made.ID {
		t.Errorf("%v: %v", err, list)
	}
	if _, err := i.Update(t.Context(), *read); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Update(t.Context(), *read); !errors.Is(err, hooks.ErrConflict) {
		t.Errorf("of two updates of one version the second: %v", err)
	}
	if err := i.Delete(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	if err := i.Delete(t.Context(), made.ID); !errors.Is(err, hooks.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	if _, err := i.Create(t.Context(), source.Source{Settings: source.Settings{Kind: source.Flipt}}); err == nil {
		t.Error("a source without a name is taken")
	}
	for _, kind := range source.Kinds() {
		s := source.Settings{Kind: kind, Secrets: []string{"hidden"}}
		if text := s.Snippet("https://hooks.example.com/in/x"); !strings.Contains(text, "https://hooks.example.com/in/x") || strings.Contains(text, "hidden") {
			t.Errorf("%s: %s", kind, text)
		}
	}
}
