package manifest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// An Integration is a folder that has been loaded without an error. It never
// changes, and is safe for concurrent use.
type Integration struct {
	Key      string // the folder's name
	Manifest Manifest

	hook     *Hook
	compiled compiled
	icons    map[string][]byte // by "square" and "horizontal"
	readme   string
}

// Icon returns the SVG file of a shape, "square" or "horizontal", as it was when
// the folder was loaded; nil for any other shape. The caller must not change it.
func (i *Integration) Icon(shape string) []byte { return i.icons[shape] }

// Readme returns the text of README.md as it was when the folder was loaded, ""
// where there is none or it is larger than MaxReadme.
func (i *Integration) Readme() string { return i.readme }

// Hook returns what sends change events, nil where the integration does not.
// The caller must not change it.
func (i *Integration) Hook() *Hook { return i.hook }

// Subscribable returns nil if subscriptions can be made, else why they cannot.
func (i *Integration) Subscribable() error {
	switch {
	case i.hook == nil:
		return fmt.Errorf("%s cannot be subscribed: it has no auditLogEventsHook, so it receives no events", i.Key)
	case i.hook.Endpoint == nil:
		return fmt.Errorf("%s cannot be subscribed: its auditLogEventsHook has no endpoint to send events to", i.Key)
	}
	return nil
}

// PlainHTTP reports whether a subscription with this config sends its requests
// over http://, where everybody on the way can read and change them. False also
// where only an event decides about it.
func (i *Integration) PlainHTTP(config render.Value) bool {
	if i.hook == nil || i.hook.Endpoint == nil {
		return false
	}
	text, err := i.compiled.url.template.Render(i.withDefaults(config))
	return err == nil && strings.HasPrefix(strings.ToLower(strings.TrimSpace(text)), "http://")
}

// Origin returns where a subscription with this config sends its requests, as
// scheme://host:port in lower case, the port only where the URL has one. "" where
// there is no endpoint, and where the URL cannot be known without an event.
func (i *Integration) Origin(config render.Value) string {
	if i.hook == nil || i.hook.Endpoint == nil {
		return ""
	}
	text, err := i.compiled.url.template.Render(i.withDefaults(config))
	if err != nil {
		return ""
	}
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// DefaultStatements returns a copy of the policy of subscriptions that name no
// statements, nil where the integration has none.
func (i *Integration) DefaultStatements() []policy.Statement {
	if i.hook == nil {
		return nil
	}
	return slices.Clone(i.hook.DefaultPolicy)
}

// Variable returns the form variable of that key, nil where there is none.
func (i *Integration) Variable(key string) *FormVariable {
	for n := range i.Manifest.FormVariables {
		if v := &i.Manifest.FormVariables[n]; v.Key == key {
			return v
		}
	}
	return nil
}

// variableKeys lists the keys of the form variables.
func (i *Integration) variableKeys() []string {
	keys := make([]string, len(i.Manifest.FormVariables))
	for n, v := range i.Manifest.FormVariables {
		keys[n] = v.Key
	}
	return keys
}

var errNoHook = errors.New("the integration has no auditLogEventsHook, so there is nothing to render")
