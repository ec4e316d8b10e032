package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/api"
)

// takingQueue takes everything and keeps nothing.
type takingQueue struct{ hooks.Queue }

func (takingQueue) Accept(_ context.Context, batch []hooks.Accepted) ([]hooks.Receipt, error) {
	receipts := make([]hooks.Receipt, len(batch))
	for i, a := range batch {
		receipts[i] = hooks.Receipt{EventID: a.Event.ID()}
	}
	return receipts, nil
}

// BenchmarkPostEvent is one event from request to answer, without network and
// disk.
func BenchmarkPostEvent(b *testing.B) {
	s := start(b)
	engine, err := hooks.New(context.Background(), hooks.Options{Store: s.db, Queue: takingQueue{s.db}, Sender: s.sender, Catalog: s.engine.Catalog()})
	if err != nil {
		b.Fatal(err)
	}
	handler, err := api.New(api.Options{Engine: engine, Token: token, RateLimit: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	_, made, err := engine.Tokens().Create(context.Background(), hooks.Actor{Name: "b"}, hooks.Token{Name: "b", Role: hooks.RoleSender})
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{"admin": token, "sender": made} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/api/v1/events", strings.NewReader(flagEvent))
				r.Header.Set("Authorization", text)
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if w.Code != http.StatusAccepted {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
