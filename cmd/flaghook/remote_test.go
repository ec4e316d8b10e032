package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/hooks/api/client"
)

// answering is a server that gives one answer to everything.
func answering(t *testing.T, answer string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s
}

// JSON is the server's: members that this version does not know, their order,
// how numbers and texts are written.
func TestRemoteJSON(t *testing.T) {
	const item = `{"z":1.50,"_id":"x","name":"<&> \u00e9 é","future":{"b":null,"a":[1e3,10000000000000000001]},"integration":"slack"}`
	const page = `{"items":[` + item + `],"next":"n","more":true}`
	for _, test := range []struct {
		args   string
		answer string
	}{
		{"subscriptions list", page},
		{"subscriptions show x", item},
		{"subscriptions on x", item},
		{"deliveries list", page},
		{"deliveries show x", item},
		{"deliveries retry x", item},
		{"tokens list", page},
		{"tokens create x --role reader", item},
		{"replay --event x", item},
	} {
		s := answering(t, test.answer)
		out := flaghook(t, append(strings.Fields(test.args), "--server", s.URL, "--token", hereToken, "--format", "json")...)
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(out)); err != nil || compact.String() != test.answer {
			t.Errorf("%s: %v\n got %s\nwant %s", test.args, err, compact.String(), test.answer)
		}
	}
}

// Texts of others neither break a table nor reach the terminal as commands.
func TestRemoteTable(t *testing.T) {
	s := answering(t, `{"items":[
		{"_id":"1","integration":"slack","name":"two\nlines\u001b[2J","on":true,"status":{"successCount":7,"errorCount":1,"failingSince":"2026-01-31T12:00:00.5+01:00"}},
		{"_id":"long-id","integration":"msteams","name":"élan 🔥","status":{}}]}`)
	out := flaghook(t, "subscriptions", "list", "--server", s.URL, "--token", hereToken)
	want := strings.Join([]string{
		"ID       INTEGRATION  NAME           STATE  DELIVERED  FAILED  FAILING SINCE",
		"1        slack        two lines␛[2J  on     7          1       2026-01-31T11:00:00Z",
		"long-id  msteams      élan 🔥         off    0          0       -", "",
	}, "\n")
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// However long the cells are and whatever they hold: a row is a line, and the
// cells of a column begin below each other.
func TestTableAligns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 5).Draw(t, "columns")
		cell := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "dead", "a b", "x\n\ty", "\x1b[2J"}))
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, columns, columns), 1, 8).Draw(t, "rows")
		table := newTable()
		for _, row := range rows {
			table.add(row...)
		}
		var b bytes.Buffer
		if err := table.write(&b); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(lines) != len(rows) {
			t.Fatalf("%d rows are %d lines: %q", len(rows), len(lines), b.String())
		}
		at := make([]int, columns)
		for n, line := range lines {
			begin := 0
			for i, c := range table.rows[n] {
				rest := []rune(line)[begin:]
				if !strings.HasPrefix(string(rest), c) {
					t.Fatalf("cell %q of row %d does not begin at %d of %q", c, n, begin, line)
				}
				if n == 0 {
					at[i] = begin
				}
				if at[i] != begin {
					t.Fatalf("cell %q of row %d begins at %d, the one above at %d", c, n, begin, at[i])
				}
				if i+1 == columns {
					break
				}
				begin += utf8.RuneCountInString(c)
				widest := 0
				for _, row := range table.rows {
					widest = max(widest, utf8.RuneCountInString(row[i]))
				}
				begin += widest - utf8.RuneCountInString(c) + 2
			}
			if strings.ContainsFunc(line, unicode.IsControl) {
				t.Fatalf("%q holds a control character", line)
			}
		}
	})
}

func TestRemoteCA(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+hereToken {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, `{"items":[]}`)
	}))
	var refusals bytes.Buffer
	s.Config.ErrorLog = log.New(&refusals, "", 0)
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"tokens", "list", "--format", "json", "--server", s.URL, "--token", hereToken}
	if out := flaghook(t, append(args, "--ca", ca)...); !strings.Contains(out, `"items"`) {
		t.Errorf("with --ca: %s", out)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &errs); code != exitFailed || !strings.Contains(errs.String(), "--ca names the certificate") {
		t.Errorf("without --ca: exit code %d, %s", code, &errs)
	}
	s.Close()
	if n := strings.Count(refusals.String(), "\n"); n != 1 {
		t.Errorf("a certificate that is not trusted was tried %d times", n)
	}
}

// An interrupt ends a command that waits, and says that it did.
func TestRemoteInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, `{"_id":"j","kind":"replay","state":"running","subscriptionId":"s"}`)
			return
		}
		cancel()
		_, _ = io.WriteString(w, `{"_id":"j","kind":"replay","state":"running"}`)
	}))
	defer s.Close()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"replay", "--subscription", "s", "--since", "1h", "--server", s.URL, "--token", hereToken}, strings.NewReader(""), &out, &errs)
	if code != exitFailed || !strings.Contains(errs.String(), "interrupted: job j: ") || !strings.Contains(errs.String(), "it may go on at the server") {
		t.Errorf("exit code %d, %s", code, &errs)
	}
}

// A long file goes in batches, each under a key of its own that is the same the
// next time; its events come whole and in order.
func TestSendBatches(t *testing.T) {
	var keys []string
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if len(body) > 600<<10 {
			t.Errorf("a batch has %d bytes", len(body))
		}
		var events []struct{ ID string }
		if err := json.Unmarshal(body, &events); err != nil {
			events = make([]struct{ ID string }, 1)
			if err := json.Unmarshal(body, &events[0]); err != nil {
				t.Error(err)
			}
		}
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		var items []string
		for _, e := range events {
			got = append(got, e.ID)
			items = append(items, fmt.Sprintf(`{"id":%q,"matched":1}`, e.ID))
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(items, ","))
	}))
	defer s.Close()
	var file strings.Builder
	var want []string
	for i := range 2500 {
		id := fmt.Sprintf("e%d", i)
		want = append(want, id)
		comment := ""
		if i >= 2001 && i < 2005 { // the batch is full of bytes before it is full of events
			comment = strings.Repeat("x", 200<<10)
		}
		fmt.Fprintf(&file, "{\"id\": %q, \"comment\": %q}\n", id, comment)
	}
	for range 2 {
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"send", "-", "--idempotency-key", "k", "--server", s.URL, "--token", hereToken}, strings.NewReader(file.String()), &out, &errs)
		if code != exitOK || strings.Count(out.String(), "goes to 1 subscription\n") != 2500 {
			t.Fatalf("exit code %d, %d lines, %s", code, strings.Count(out.String(), "\n"), &errs)
		}
	}
	if diff := cmp.Diff(append(want, want...), got); diff != "" {
		t.Errorf("the events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"k", "k-1", "k-2", "k-3", "k", "k-1", "k-2", "k-3"}, keys); diff != "" {
		t.Errorf("the keys (-want +got):\n%s", diff)
	}
}

// An event without an end is refused before it fills the memory.
func TestSendEndless(t *testing.T) {
	for event, err := range readEvents(io.MultiReader(strings.NewReader(`{"a":"`), endless{})) {
		if err == nil || !strings.Contains(err.Error(), "event 1: it is larger than 16 MiB") {
			t.Errorf("%d bytes, %v", len(event), err)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// Events are read as encoding/json reads them, or refused; never a panic.
func FuzzReadEvents(f *testing.F) {
	for _, text := range []string{"", "{}", "[{},{}]", "{}\n{}\n", "[", "[{}", "[{}]x", "\xef\xbb\xbf[1]", "1 2", "[]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var all []json.RawMessage
		for event, err := range readEvents(strings.NewReader(text)) {
			if err != nil {
				return
			}
			if !json.Valid(event) {
				t.Errorf("%q is no JSON", event)
			}
			all = append(all, event)
		}
		var list []json.RawMessage
		if json.Unmarshal([]byte(text), &list) == nil && list != nil && len(all) != len(list) {
			t.Errorf("%d events of an array of %d", len(all), len(list))
		}
	})
}

// The bar of a job on a terminal, and what is left of it.
func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b, bar: true, last: time.Now()}
	p.show(&client.Job{State: client.JobRunning, Done: 1, Failed: 1, Left: 2})
	p.show(&client.Job{State: client.JobRunning, Left: 0})
	p.show(&client.Job{State: client.JobDone, Done: 4})
	p.end()
	half, none := strings.Repeat("#", 20)+strings.Repeat(" ", 20), strings.Repeat(" ", 40)
	want := "\r[" + half + "] 2/4" + "\r[" + none + "] 0/0" + "\r" + strings.Repeat(" ", 46) + "\r"
	if b.String() != want {
		t.Errorf("%q\nwant %q", b.String(), want)
	}
}

func TestMoment(t *testing.T) {
	now := time.Now()
	for text, ago := range map[string]time.Duration{"24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "90m": 90 * time.Minute, "0s": 0} {
		var m moment
		if err := m.Set(text); err != nil || now.Add(-ago).Sub(m.Time).Abs() > 5*time.Second {
			t.Errorf("%s is %s (%v)", text, m.Time, err)
		}
	}
	for text, want := range map[string]string{
		"2026-01-31": "2026-01-31T00:00:00Z", "2026-01-31T12:00:00+01:00": "2026-01-31T11:00:00Z", "1769860800250": "2026-01-31T12:00:00.25Z",
	} {
		var m moment
		if err := m.Set(text); err != nil || m.String() != want {
			t.Errorf("%s is %s (%v), want %s", text, m.String(), err, want)
		}
	}
	for _, text := range []string{"", "-1h", "-1d", "99999999d", "yesterday", "2026-13-01"} {
		if err := new(moment).Set(text); err == nil {
			t.Errorf("%q is a time", text)
		}
	}
}
