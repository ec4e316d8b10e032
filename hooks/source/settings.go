package source

import (
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Bounds of a source's settings.
const (
	MaxSecrets      = 4   // secrets that are valid at once
	MaxEnvironments = 100 // environments of a source
	MaxOverrides    = 1000
	maxName         = 256 // bytes of a project, an environment, a header, ...
	maxSecret       = 4096
	maxTolerance    = 24 * time.Hour
)

// A Kind is a system that sends events.
type Kind string

// The systems whose formats are known.
const (
	Flipt        Kind = "flipt"
	Flagsmith    Kind = "flagsmith"
	Goflagship   Kind = "goflagship"
	LaunchDarkly Kind = "launchdarkly"
	Unleash      Kind = "unleash"
	GrowthBook   Kind = "growthbook"
	CloudEvents  Kind = "cloudevents"
)

// Kinds lists all kinds in alphabetical order.
func Kinds() []Kind {
	kinds := make([]Kind, 0, len(systems))
	for k := range systems {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	return kinds
}

// Settings say how one source is read. Project and Environments stand in where
// the format does not tell.
type Settings struct {
	// ID is the source's id, as events name it.
	ID   string
	Kind Kind

	Project      string   // key; default "default"
	Environments []string // keys; default "production"

	// Projects and Environments map the system's ids, names or keys to the
	// keys that resources have: {"12": "shop"}.
	ProjectKeys     map[string]string
	EnvironmentKeys map[string]string

	// Secrets are tried in turn, so that a secret can be changed without a
	// gap. Without one every request is refused, unless Unsigned is set: some
	// systems make the secret themselves, once they have the address.
	Secrets  []string
	Unsigned bool

	// Header names the header that carries a secret as it is, instead of the
	// system's signature: for Unleash, which has none (default
	// Authorization), and for Flipt's webhook templates.
	Header string

	// Tolerance is how far the time that is signed with a body (Standard
	// Webhooks, SDK webhooks of GrowthBook) may be from the time of arrival.
	// 0 takes any: a delivery that comes again is recognised anyway.
	Tolerance time.Duration

	// DropDuplicates leaves out what Flagsmith tells twice to one
	// organisation: audit entries about states of features, and published
	// versions, beside FLAG_UPDATED.
	DropDuplicates bool

	// BaseURL is where the system's pages begin, for links; optional.
	BaseURL string

	// Fields are the places of a CloudEvent's data where project,
	// environment, kind, key, name, action, actor, before, after, tags and
	// comment stand, where they are not named so: {"key": "flag.id"}.
	Fields map[string]string
}

// defaults fills in what may be left out.
func (s Settings) defaults() Settings {
	if s.Project == "" {
		s.Project = "default"
	}
	if len(s.Environments) == 0 {
		s.Environments = []string{"production"}
	}
	if s.Header == "" && s.Kind == Unleash {
		s.Header = "Authorization"
	}
	return s
}

// A SettingError says which setting is wrong and why.
type SettingError struct {
	Setting string // its name in JSON, for instance secrets or environments
	Reason  string
}

func (e *SettingError) Error() string { return e.Setting + ": " + e.Reason }

// Validate names the first setting that is missing or makes no sense. The error
// is a *SettingError and never quotes a secret.
func (s Settings) Validate() error {
	bad := func(setting, format string, args ...any) error {
		return &SettingError{setting, fmt.Sprintf(format, args...)}
	}
	if _, known := systems[s.Kind]; !known {
		names := make([]string, 0, len(systems))
		for _, k := range Kinds() {
			names = append(names, string(k))
		}
		return bad("kind", "%q is not one of %s", clip(string(s.Kind)), strings.Join(names, ", "))
	}
	switch {
	case len(s.Secrets) > 0 && s.Unsigned:
		return bad("unsigned", "it is true beside a secret; give one of them")
	case len(s.Secrets) > MaxSecrets:
		return bad("secrets", "there are %d; at most %d are allowed", len(s.Secrets), MaxSecrets)
	case len(s.Environments) > MaxEnvironments:
		return bad("environments", "there are %d; at most %d are allowed", len(s.Environments), MaxEnvironments)
	case s.Tolerance < 0 || s.Tolerance > maxTolerance:
		return bad("timestamp_tolerance", "it must be a number of seconds up to %d, 0 for no limit", int(maxTolerance.Seconds()))
	case len(s.Project) > maxName:
		return bad("project", "it is longer than %d bytes", maxName)
	case len(s.ProjectKeys)+len(s.EnvironmentKeys)+len(s.Fields) > MaxOverrides:
		return bad("overrides", "there are more than %d", MaxOverrides)
	case s.Header != "" && !isHeaderName(s.Header):
		return bad("header", "%q is not the name of a header", clip(s.Header))
	case s.BaseURL != "" && !isWebAddress(s.BaseURL):
		return bad("base_url", "it is not an http or https URL")
	}
	for _, secret := range s.Secrets {
		if secret == "" || len(secret) > maxSecret {
			return bad("secret", "it must have 1 to %d bytes", maxSecret)
		}
	}
	seen := map[string]bool{}
	for _, e := range s.Environments {
		if e == "" || e == "~" || len(e) > maxName || seen[e] {
			return bad("environments", "%q is empty, ~, repeated or longer than %d bytes", clip(e), maxName)
		}
		seen[e] = true
	}
	for _, keys := range []map[string]string{s.ProjectKeys, s.EnvironmentKeys} {
		for id, key := range keys {
			if id == "" || key == "" || len(id) > maxName || len(key) > maxName {
				return bad("overrides", "%q → %q: neither may be empty or longer than %d bytes", clip(id), clip(key), maxName)
			}
		}
	}
	for field, path := range s.Fields {
		if !slices.Contains(cloudEventFields, field) || path == "" || len(path) > maxName {
			return bad("fields", "%q is not one of %s, or has no path", clip(field), strings.Join(cloudEventFields, ", "))
		}
	}
	return nil
}

func isHeaderName(name string) bool {
	return len(name) <= maxName && strings.IndexFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	}) < 0
}

func isWebAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(address) <= 2048
}

// clip shortens what an error quotes.
func clip(text string) string {
	const most = 64
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// A Request is what arrived, read to its end.
type Request struct {
	Method string
	Header http.Header
	Query  url.Values
	Body   []byte    // the exact bytes: signatures are over them
	At     time.Time // when it arrived
}

// header gives a header that stands once; of a repeated one the first.
func (r *Request) header(name string) string {
	return r.Header.Get(textproto.CanonicalMIMEHeaderKey(name))
}
