package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/flaghook/flaghook/hooks/api/client"
)

// A flag service tells flaghook what changed. The id makes a repeat of the same
// change a duplicate.
func ExampleClient_Publish() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"items": [{"id": "change-17", "matched": 2}]}`)
	}))
	defer server.Close()

	c, err := client.New(client.Options{URL: server.URL, Token: "the-token"})
	if err != nil {
		panic(err)
	}
	receipts, err := c.Publish(context.Background(), client.PublishOptions{}, client.NewEvent{
		ID: "change-17", Action: "updateOn", Resource: "proj/web:env/production:flag/checkout",
		Member: &client.Member{Email: "ann@example.com"}, Comment: "Black Friday",
		Before: map[string]any{"on": false}, After: map[string]any{"on": true},
	})
	var refused *client.Error
	switch {
	case errors.As(err, &refused):
		fmt.Println("refused:", refused.Errors)
	case err != nil:
		fmt.Println("try again later:", err)
	default:
		fmt.Println("goes to", receipts.Items[0].Matched, "subscriptions")
	}
	// Output: goes to 2 subscriptions
}
