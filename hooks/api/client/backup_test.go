package client_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flaghook/flaghook/hooks/api/client"
)

func TestBackup(t *testing.T) {
	snapshot := bytes.Repeat([]byte("snapshot "), 100_000)
	s := serve(t, answers(http.StatusOK, string(snapshot), "Content-Type", "application/octet-stream"))
	var got bytes.Buffer
	n, err := dial(t, s.URL).Backup(t.Context(), &got)
	if err != nil || n != int64(len(snapshot)) || !bytes.Equal(got.Bytes(), snapshot) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if target := s.requests()[0].target; target != "/api/v1/backup" {
		t.Errorf("asked for %s", target)
	}
}

// Half a backup is none, and is not asked for again behind what was written.
func TestBackupFails(t *testing.T) {
	for name, test := range map[string]struct {
		handle http.HandlerFunc
		want   string
		bytes  int64
	}{
		"breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
		}, "unexpected EOF", 4},
		"is aborted": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "EOF", 4},
		"is something else": {answers(200, `<html>`, "Content-Type", "text/html"), `of type "text/html" and no backup`, 0},
		"is empty":          {answers(200, ``, "Content-Type", "application/octet-stream"), `the backup is empty`, 0},
		"is refused":        {answers(403, `{"code":"forbidden","message":"admins only"}`), `admins only (403 forbidden)`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, test.handle)
			var w strings.Builder
			n, err := dial(t, s.URL, retry(3)).Backup(t.Context(), &w)
			if err == nil || !strings.Contains(err.Error(), test.want) || n != test.bytes {
				t.Errorf("%d bytes, %v; want %q", n, err, test.want)
			}
			if asked := len(s.requests()); asked != 1 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

// A backup may take longer than the timeout, but not without a byte.
func TestBackupTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowBody{pauses: []time.Duration{5 * time.Second, 9 * time.Second, 9 * time.Second, 11 * time.Second}}
		c := dial(t, "http://flags.example", func(o *client.Options) {
			o.Timeout = 10 * time.Second
			o.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				w := response(200, "", "Content-Type", "application/octet-stream")
				slow.done = r.Context().Done()
				w.Body = io.NopCloser(slow)
				return w, nil
			})}
		})
		began := time.Now()
		n, err := c.Backup(t.Context(), io.Discard)
		if err == nil || !strings.Contains(err.Error(), "within 10s") || n != 3 {
			t.Errorf("%d bytes, %v", n, err)
		}
		if took := time.Since(began); took != 33*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// A slowBody gives a byte after each pause.
type slowBody struct {
	pauses []time.Duration
	done   <-chan struct{}
}

func (b *slowBody) Read(p []byte) (int, error) {
	if len(b.pauses) == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(b.pauses[0]):
		b.pauses = b.pauses[1:]
		return copy(p, "x"), nil
	case <-b.done:
		return 0, io.ErrClosedPipe
	}
}
