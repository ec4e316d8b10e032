package hooks_test

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/hooks"
)

// storedForms are forms of an event, with and without a scope.
func storedForms(t *testing.T) map[string]*hooks.Event {
	t.Helper()
	posted := parse(t, `{"id": "e1", "action": "updateOn", "resource": "proj/web:env/production:flag/checkout;new",
		"comment": "\"crc32c\":\"00000000\"} ö", "before": {"on": false}, "after": {"on": true}}`)
	events := make(map[string]*hooks.Event)
	for _, scope := range []string{"", "token-1"} {
		e, err := hooks.NewEvent(posted, hooks.EventOptions{Now: testNow, Scope: scope})
		if err != nil {
			t.Fatal(err)
		}
		events["scope "+scope] = e
	}
	return events
}

// facts are what can be seen of an event.
func facts(e *hooks.Event) []string {
	all := []string{e.ID(), e.Key(), e.Digest(), e.Kind(), e.Resource(), e.Time().String(), string(e.Doc().AppendJSON(nil)), string(e.Webhook().AppendJSON(nil))}
	for _, a := range e.Accesses() {
		all = append(all, a.Action, a.Resource.String())
	}
	return all
}

func TestStoredFormIsTheEvent(t *testing.T) {
	checksum := regexp.MustCompile(`,"crc32c":"[0-9a-f]{8}"}$`)
	for name, e := range storedForms(t) {
		t.Run(name, func(t *testing.T) {
			form, err := e.MarshalBinary()
			if err != nil || !checksum.Match(form) {
				t.Fatalf("%s (%v)", form, err)
			}
			earlier := checksum.ReplaceAll(form, []byte("}")) // as earlier versions wrote it
			for _, stored := range [][]byte{form, earlier} {
				var read hooks.Event
				if err := read.UnmarshalBinary(stored); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(facts(e), facts(&read)); diff != "" {
					t.Error(diff)
				}
				if again, err := read.MarshalBinary(); err != nil || !bytes.Equal(again, form) {
					t.Errorf("written again (%v):\n%s\nwant\n%s", err, again, form)
				}
			}
		})
	}
}

// A form in which a byte changed, or that was cut, is refused.
func TestDamagedFormIsRefused(t *testing.T) {
	for name, e := range storedForms(t) {
		t.Run(name, func(t *testing.T) {
			form, err := e.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			for i := range form {
				damaged := bytes.Clone(form)
				damaged[i] ^= 1
				var read hooks.Event
				if err := read.UnmarshalBinary(damaged); err == nil && i < len(form)-len(`,"crc32c":"00000000"}`) {
					t.Errorf("byte %d of %s was changed and is read", i, form)
				}
				if err := new(hooks.Event).UnmarshalBinary(form[:i]); err == nil {
					t.Errorf("%s is read", form[:i])
				}
			}
		})
	}
}
