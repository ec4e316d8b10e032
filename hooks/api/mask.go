package api

import (
	"fmt"
	"strings"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// mask hides the secrets of a config. Of an integration that has left the
// catalog nobody knows which they are, so all but booleans is hidden.
func mask(i *manifest.Integration, config render.Value) render.Value {
	if i != nil {
		return i.Mask(config)
	}
	var members []render.Member
	for key, v := range config.Members() {
		if v.Kind() != render.KindBool && v.Kind() != render.KindNull {
			v = render.String(manifest.MaskedSecret)
		}
		members = append(members, render.Member{Key: key, Value: v})
	}
	return render.Object(members...)
}

// isSecret reports whether a form variable's value is never shown.
func isSecret(i *manifest.Integration, key string) bool {
	if i == nil {
		return true
	}
	v := i.Variable(key)
	return v != nil && v.IsSecret
}

// unmask puts stored values back where a new config has their mask: the mask at
// its own place means unchanged. Masks elsewhere stay, and are refused by
// misplacedMasks.
func unmask(i *manifest.Integration, old, config render.Value) render.Value {
	shown := mask(i, old)
	for key, v := range config.Members() {
		if v.AsString() == manifest.MaskedSecret && shown.Get(key).AsString() == manifest.MaskedSecret {
			config = config.With(key, old.Get(key))
		}
	}
	return config
}

// restoreSecrets puts the stored secrets back into a changed config. Who may not
// read them may not have them sent elsewhere either: unless an admin asks, a
// secret is kept only while the endpoint keeps its scheme and host.
func restoreSecrets(r *request, i *manifest.Integration, old, next *hooks.Subscription) error {
	shown := next.Config
	next.Config = unmask(i, old.Config, shown)
	if i == nil || r.grant.Role == hooks.RoleAdmin || next.Config.Equal(old.Config) {
		return nil // without its integration a config cannot change
	}
	if origin := i.Origin(old.Config); origin != "" && origin == i.Origin(next.Config) {
		return nil
	}
	var details []detail
	for key, v := range next.Config.Members() {
		if !shown.Get(key).Equal(v) {
			details = append(details, detail{Attribute: "config." + key, Reason: "the endpoint's host changes; give the secret itself"})
		}
	}
	if reason := signsOn(i, old, next); reason != "" {
		details = append(details, detail{Attribute: "secretOverlap", Reason: reason})
	}
	if len(details) > 0 {
		return invalid(details...)
	}
	return nil
}

// signsOn says why a secret of before would still sign after the change, "" when
// none would.
func signsOn(i *manifest.Integration, old, next *hooks.Subscription) string {
	if time.Now().Before(old.PreviousUntil) {
		return fmt.Sprintf("the endpoint's host changes, and the secret of before signs until %s; change it then", old.PreviousUntil.UTC().Format(time.RFC3339))
	}
	for key := range old.Config.Members() {
		if isSecret(i, key) && next.Delivery.SecretOverlap > 0 {
			return "the endpoint's host changes, and the old secret would sign beside the new one; set secretOverlap to 0s"
		}
	}
	return ""
}

// misplacedMasks finds the mask where it stands for no stored secret: somebody
// sent back what they had read, to another place.
func misplacedMasks(s hooks.Subscription) []detail {
	var details []detail
	check := func(attribute string, found bool) {
		if found {
			details = append(details, detail{Attribute: attribute,
				Reason: "it holds " + manifest.MaskedSecret + ", which stands for a secret that is stored at this place, and none is; give the value itself"})
		}
	}
	check("name", hasMask(s.Name))
	for key, v := range s.Config.Members() {
		check("config."+key, holdsMask(v))
	}
	for i, tag := range s.Tags {
		check(fmt.Sprintf("tags[%d]", i), hasMask(tag))
	}
	check("statements", holdsMask(statementsJSON(s.Statements)))
	return details
}

func hasMask(text string) bool { return strings.Contains(text, manifest.MaskedSecret) }

// holdsMask looks into arrays and objects, whose depth the parser has bounded.
func holdsMask(v render.Value) bool {
	switch v.Kind() {
	case render.KindString:
		return hasMask(v.AsString())
	case render.KindArray:
		for item := range v.Items() {
			if holdsMask(item) {
				return true
			}
		}
	case render.KindObject:
		for key, item := range v.Members() {
			if hasMask(key) || holdsMask(item) {
				return true
			}
		}
	}
	return false
}
