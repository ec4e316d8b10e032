package client_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/api/client"
)

// The client has types of its own; they must not fall behind those of the
// domain, whose JSON the server writes.
func TestShapes(t *testing.T) {
	for _, test := range []struct {
		domain, client reflect.Type
		leave          []string // what the server writes otherwise, or keeps for itself
	}{
		{reflect.TypeFor[hooks.Delivery](), reflect.TypeFor[client.Delivery](), nil},
		{reflect.TypeFor[hooks.Attempt](), reflect.TypeFor[client.Attempt](), []string{"durationNs"}},
		{reflect.TypeFor[hooks.Job](), reflect.TypeFor[client.Job](), []string{"cursor", "counted"}},
		{reflect.TypeFor[hooks.Explanation](), reflect.TypeFor[client.Explanation](), []string{"policy"}},
		{reflect.TypeFor[hooks.DeliverySettings](), reflect.TypeFor[client.DeliverySettings](), nil},
		{reflect.TypeFor[hooks.ResponseHeader](), reflect.TypeFor[client.Header](), nil},
	} {
		has := members(test.client)
		for _, name := range members(test.domain) {
			if !slices.Contains(has, name) && !slices.Contains(test.leave, name) {
				t.Errorf("%s lacks %s, which %s has", test.client, name, test.domain)
			}
		}
	}
	for _, pair := range [][2]string{
		{string(hooks.StatePending), string(client.StatePending)}, {string(hooks.StateDelivered), string(client.StateDelivered)},
		{string(hooks.StateDead), string(client.StateDead)}, {string(hooks.StateSkipped), string(client.StateSkipped)},
		{string(hooks.StateCancelled), string(client.StateCancelled)},
		{string(hooks.JobRetry), string(client.JobRetry)}, {string(hooks.JobCancel), string(client.JobCancel)}, {string(hooks.JobReplay), string(client.JobReplay)},
		{string(hooks.JobRunning), string(client.JobRunning)}, {string(hooks.JobDone), string(client.JobDone)},
		{string(hooks.JobFailed), string(client.JobFailed)}, {string(hooks.JobCancelled), string(client.JobCancelled)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("the client says %q where the domain says %q", pair[1], pair[0])
		}
	}
}

// members are the names that a type has in JSON.
func members(t reflect.Type) (names []string) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
