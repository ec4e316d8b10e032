//go:build unix

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
)

const (
	changeClients = 32
	changeCount   = 1000
)

// subscribed is what a client knows of a subscription that it made.
type subscribed struct {
	id              string // "": the create was not answered
	made, patched   bool   // answered
	name, otherName string // before and after the patch
}

// TestCrashAmidChanges kills the server with SIGKILL amid 1,000 creates and
// patches: each is there wholly or not at all, and what was answered is there.
func TestCrashAmidChanges(t *testing.T) {
	data := dataDir(t)
	c := startServer(t, data, "--log-level", "info")
	all := make([]subscribed, changeCount)
	work := make(chan int)
	killAt := changeCount / 2
	var answered sync.WaitGroup
	for range changeClients {
		answered.Go(func() {
			for i := range work {
				all[i] = c.change(i)
			}
		})
	}
	for i := range changeCount {
		if i == killAt {
			c.signal(syscall.SIGKILL)
		}
		work <- i
	}
	close(work)
	answered.Wait()
	c.exit()
	checkFile(t, filepath.Join(data, "flaghook.db"))

	c = startServer(t, data)
	there := c.subscriptions()
	ids := map[string]string{} // by name, for those that were made and whose answers were lost
	for id, doc := range there {
		ids[doc.Name] = id
	}
	made, patched := 0, 0
	for i, want := range all {
		doc, ok := there[cmp.Or(want.id, ids[want.name], ids[want.otherName])]
		if !ok {
			if want.made {
				t.Errorf("subscription %d was answered with 201 and is gone", i)
			}
			continue
		}
		made++
		before, after := changeBody(i, want.name, false), changeBody(i, want.otherName, true)
		switch {
		case reflect.DeepEqual(doc, after):
			patched++
		case !reflect.DeepEqual(doc, before):
			t.Errorf("subscription %d is neither as it was made nor as it was patched: %+v", i, doc)
		case want.patched:
			t.Errorf("the patch of subscription %d was answered with 200 and is gone", i)
		}
	}
	if made != len(there) {
		t.Errorf("%d subscriptions are there, %d of them known", len(there), made)
	}
	if made < changeCount/10 || made > changeCount-changeClients || patched == 0 {
		t.Errorf("%d were made and %d patched: the kill came at the wrong time", made, patched)
	}
	t.Logf("%d of %d made, %d patched", made, changeCount, patched)
	c.stop()
}

// changeView is a subscription as this test makes and reads it.
type changeView struct {
	Name       string            `json:"name"`
	On         bool              `json:"on"`
	Tags       []string          `json:"tags"`
	Config     map[string]string `json:"config"`
	Statements []map[string]any  `json:"statements"`
}

// changeBody is the whole of a subscription before or after its patch.
func changeBody(i int, name string, patched bool) changeView {
	v := changeView{
		Name: name, On: !patched, Tags: []string{"a", fmt.Sprint(i)},
		Config:     map[string]string{"url": fmt.Sprintf("https://example.com/%d", i)},
		Statements: []map[string]any{{"effect": "allow", "resources": []any{fmt.Sprintf("proj/p%d", i)}, "actions": []any{"*"}}},
	}
	if patched {
		v.Tags = append(v.Tags, "patched")
	}
	return v
}

// change makes a subscription and patches it.
func (c *child) change(i int) (done subscribed) {
	done.name, done.otherName = fmt.Sprintf("made-%d.", i), fmt.Sprintf("patched-%d.", i)
	body, err := json.Marshal(changeBody(i, done.name, false))
	if err != nil {
		c.t.Error(err)
		return done
	}
	status, answer, err := c.request("POST", c.api+"/api/v2/integrations/slack", body)
	if err != nil || status != http.StatusCreated {
		return done
	}
	var made struct {
		ID string `json:"_id"`
	}
	if err := json.Unmarshal(answer, &made); err != nil {
		c.t.Errorf("201 with %s", answer)
		return done
	}
	done.id, done.made = made.ID, true
	patch := fmt.Sprintf(`[{"op": "replace", "path": "/name", "value": %q}, {"op": "replace", "path": "/on", "value": false}, {"op": "add", "path": "/tags/-", "value": "patched"}]`, done.otherName)
	status, _, err = c.request("PATCH", c.api+"/api/v2/integrations/slack/"+made.ID, []byte(patch))
	done.patched = err == nil && status == http.StatusOK
	return done
}

// subscriptions reads all of them, by id.
func (c *child) subscriptions() map[string]changeView {
	c.t.Helper()
	var list struct{ Items []json.RawMessage }
	c.get("/api/v2/integrations/slack", &list)
	all := map[string]changeView{}
	for _, item := range list.Items {
		var doc struct {
			ID string `json:"_id"`
			changeView
		}
		if err := json.NewDecoder(strings.NewReader(string(item))).Decode(&doc); err != nil {
			c.t.Fatal(err)
		}
		all[doc.ID] = doc.changeView
	}
	return all
}
