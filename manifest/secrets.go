package manifest

import (
	"net/url"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// MaskedSecret stands for a secret in what the server shows.
const MaskedSecret = "********"

// Mask returns the config with its secrets replaced by [MaskedSecret]. Empty
// secrets stay empty, so that one can see that nothing is set; what the
// manifest does not know is masked too, since it may once have been a secret.
func (i *Integration) Mask(config render.Value) render.Value {
	for key, value := range config.Members() {
		if absent(value) || value.Kind() == render.KindString && value.AsString() == "" {
			continue
		}
		if v := i.Variable(key); v == nil || v.IsSecret {
			config = config.With(key, render.String(MaskedSecret))
		}
	}
	return config
}

// SecretValues lists the values of a config that must not appear in logs: those
// of secret variables and of variables that the manifest does not know; and of
// every uri, which may hold a secret anywhere behind its host, its user and
// password, path and query as a whole, the last two segments of the path, and
// the values of the query. Parts of a URL under eight bytes are left out, since
// they are words like "hook". No value comes twice; none is empty.
func (i *Integration) SecretValues(config render.Value) []string {
	var all []string
	seen := make(map[string]bool)
	add := func(atLeast int, values ...string) {
		for _, v := range values {
			if len(v) >= atLeast && !seen[v] {
				seen[v] = true
				all = append(all, v)
			}
		}
	}
	for key, value := range config.Members() {
		switch v := i.Variable(key); {
		case v == nil || v.IsSecret:
			add(1, texts(value)...)
		case v.Type == TypeURI:
			add(minSecretPart, urlSecrets(value.AsString())...)
		}
	}
	return all
}

// minSecretPart is the least length of a part of a URL that counts as a secret.
const minSecretPart = 8

// texts lists the strings in a value of a config: one, or those of a list.
func texts(v render.Value) []string {
	switch v.Kind() {
	case render.KindString:
		return []string{v.AsString()}
	case render.KindArray:
		var list []string
		for item := range v.Items() {
			list = append(list, texts(item)...)
		}
		return list
	}
	return nil
}

// urlSecrets lists what may be secret in a URL. What is percent-encoded stands
// both as written and decoded.
func urlSecrets(raw string) []string {
	u, err := url.Parse(raw)
	if err != nil {
		return []string{raw} // CheckConfig lets none through
	}
	var all []string
	if u.User != nil {
		password, _ := u.User.Password()
		all = append(all, u.User.Username(), password)
	}
	path := strings.Trim(u.EscapedPath(), "/")
	if u.RawQuery != "" {
		all = append(all, path+"?"+u.RawQuery)
	}
	all = append(all, path)
	segments := strings.Split(path, "/")
	for _, s := range segments[max(0, len(segments)-2):] {
		decoded, _ := url.PathUnescape(s)
		all = append(all, s, decoded)
	}
	for _, pair := range strings.Split(u.RawQuery, "&") {
		_, value, _ := strings.Cut(pair, "=")
		decoded, _ := url.QueryUnescape(value)
		all = append(all, value, decoded)
	}
	return all
}
