package hooks_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/hookstest"
	"github.com/flaghook/flaghook/render"
)

func TestASubscriptionIsTriedOut(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	reply := hookstest.Status(403)
	reply.Header = map[string][]string{"X-Request-Id": {"r1"}}
	tool.Respond(hookstest.Sequence(hookstest.Reply{}, reply))
	b := newBench(t, "", nil).start()
	s := b.subscribe(tool.URL()+"/hook", func(s *hooks.Subscription) {
		s.On = false // it can be tried out all the same
		s.Config = s.Config.With("secret", render.String("s3cret-value"))
	})
	v, err := b.Validate(t.Context(), hooks.Actor{Name: "ann"}, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	if v.Delivery.State != hooks.StateDelivered || v.Template != "flag" || v.Request == nil || v.Skipped != "" {
		t.Errorf("%+v", v)
	}
	r := arrive(t, tool, 1)[0]
	if r.Header.Get("webhook-id") != v.Delivery.ID || r.Header.Get("X-Signature") == "" || !strings.Contains(string(r.Body), "ann turned on the flag Test flag") {
		t.Errorf("%v\n%s", r.Header, r.Body)
	}

	if v, err = b.Validate(t.Context(), hooks.Actor{}, s.ID); err != nil {
		t.Fatal(err)
	}
	if d := v.Delivery; d.State != hooks.StateDead || len(d.Attempts) != 1 || d.Attempts[0].StatusCode != 403 || !strings.Contains(d.Reason, "403") {
		t.Errorf("%+v", d)
	}
	page, err := b.Deliveries(t.Context(), hooks.DeliveryQuery{SubscriptionID: s.ID, Limit: 10})
	if err != nil || len(page.Items) != 2 {
		t.Errorf("%d deliveries are logged, want both: %v", len(page.Items), err)
	}
	status, err := b.Status(t.Context(), s.ID)
	if err != nil || status.SuccessCount != 1 || status.ErrorCount != 1 {
		t.Errorf("%+v, %v", status, err)
	}
	if n := len(tool.Requests()); n != 2 {
		t.Errorf("%d requests, want 2: a validation is not tried again", n)
	}

	if _, err := b.Validate(t.Context(), hooks.Actor{}, "none"); !errors.Is(err, hooks.ErrNotFound) {
		t.Error(err)
	}
}
