package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks/api/client"
)

// pages serves a list of three pages, an empty one among them.
func pages(w http.ResponseWriter, r *http.Request) {
	next := map[string]string{
		"":  `{"items":[{"_id":"1","eventId":"1","name":"1","subscriptionId":"1"},{"_id":"2","subscriptionId":"2"}],"next":"b"}`,
		"b": `{"items":[],"next":"c"}`,
		"c": `{"items":[{"_id":"3","subscriptionId":"3"}]}`,
	}
	answers(http.StatusOK, next[r.URL.Query().Get("cursor")])(w, r)
}

func TestAll(t *testing.T) {
	s := serve(t, pages)
	c := dial(t, s.URL)
	gather := map[string]func() ([]string, error){
		"deliveries": func() (ids []string, err error) {
			for d, err := range c.AllDeliveries(t.Context(), client.DeliveryQuery{SubscriptionID: "s"}) {
				if err != nil {
					return ids, err
				}
				ids = append(ids, d.ID)
			}
			return ids, nil
		},
		"subscriptions": func() (ids []string, err error) {
			for d, err := range c.AllSubscriptions(t.Context(), client.SubscriptionQuery{Integration: "slack"}) {
				if err != nil {
					return ids, err
				}
				ids = append(ids, d.ID)
			}
			return ids, nil
		},
		"jobs": func() (ids []string, err error) {
			for d, err := range c.AllJobs(t.Context(), client.Paging{}) {
				if err != nil {
					return ids, err
				}
				ids = append(ids, d.ID)
			}
			return ids, nil
		},
		"sources": func() (ids []string, err error) {
			for d, err := range c.AllSources(t.Context(), client.Paging{}) {
				if err != nil {
					return ids, err
				}
				ids = append(ids, d.ID)
			}
			return ids, nil
		},
		"tokens": func() (ids []string, err error) {
			for d, err := range c.AllTokens(t.Context(), client.Paging{}) {
				if err != nil {
					return ids, err
				}
				ids = append(ids, d.ID)
			}
			return ids, nil
		},
		"events": func() (ids []string, err error) {
			for d, err := range c.AllEvents(t.Context(), client.EventQuery{}) {
				if err != nil {
					return ids, err
				}
				ids = append(ids, strings.Split(string(d.JSON()), `"`)[3])
			}
			return ids, nil
		},
		"explanations": func() (ids []string, err error) {
			for d, err := range c.AllExplanations(t.Context(), "e", client.Paging{}) {
				if err != nil {
					return ids, err
				}
				ids = append(ids, d.SubscriptionID)
			}
			return ids, nil
		},
	}
	for name, f := range gather {
		ids, err := f()
		if err != nil || !slices.Equal(ids, []string{"1", "2", "3"}) {
			t.Errorf("%s: %v, %v", name, ids, err)
		}
	}
	for _, r := range s.requests() {
		if !strings.Contains(r.target, "limit=100") {
			t.Errorf("asked for %s", r.target)
		}
		if strings.Contains(r.target, "/deliveries") && !strings.Contains(r.target, "subscription=s") {
			t.Errorf("a page of another query: %s", r.target)
		}
	}
}

// Who stops early asks for no page more, and a sequence can be gone through
// again.
func TestAllStops(t *testing.T) {
	s := serve(t, pages)
	seq := dial(t, s.URL).AllDeliveries(t.Context(), client.DeliveryQuery{Paging: client.Paging{Limit: 2}})
	for range 2 {
		for range seq {
			break
		}
	}
	got := s.requests()
	if len(got) != 2 || got[0].target != "/api/v1/deliveries?limit=2" || got[1].target != got[0].target {
		t.Errorf("asked for %+v", got)
	}
}

// An error ends a sequence, and so does a server that goes in circles.
func TestAllFails(t *testing.T) {
	for want, next := range map[string]string{"gone (404 not_found)": "gone", "names itself as the next": "same"} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("cursor") == "gone" {
				answers(http.StatusNotFound, `{"code":"not_found","message":"gone"}`)(w, r)
				return
			}
			answers(http.StatusOK, fmt.Sprintf(`{"items":[{"_id":"1"}],"next":%q}`, next))(w, r)
		})
		n := 0
		var last error
		for _, err := range dial(t, s.URL).AllJobs(t.Context(), client.Paging{}) {
			n++
			last = errors.Join(last, err)
		}
		if last == nil || !strings.Contains(last.Error(), want) || n != 2 {
			t.Errorf("%d items, error %v; want %q", n, last, want)
		}
	}
}
