package api

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/flaghook/flaghook/hooks/source"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// sourceMembers are what a client may give of a source, beside its kind when it
// is made.
var sourceMembers = []string{
	"name", "on", "secret", "secrets", "project", "environments", "overrides", "unsigned", "header",
	"timestamp_tolerance", "suppress_audit_feature_state", "base_url", "fields",
}

// sourceTarget is what a JSON Patch of a source may touch. A secret can be
// replaced, and neither moved nor copied.
var sourceTarget = patchTarget{
	paths: regexp.MustCompile(`^/(name|on|secret|secrets(/(-|[0-3]))?|project|environments(/(-|0|[1-9][0-9]?))?|` +
		`overrides(/(projects|environments)(/[^/]+)?)?|unsigned|header|timestamp_tolerance|suppress_audit_feature_state|base_url|fields(/[a-z]+)?)$`),
	named:  "/" + strings.Join(sourceMembers, ", /") + ", and what they hold",
	alias:  noAlias,
	secret: func(path string) bool { return strings.HasPrefix(path, "/secret") },
}

// sourceDocument is a source as a client gives it, its secrets masked.
func sourceDocument(s *source.Source) render.Value {
	secrets := make([]string, len(s.Secrets))
	for i := range secrets {
		secrets[i] = manifest.MaskedSecret
	}
	members := []render.Member{
		{Key: "name", Value: render.String(s.Name)},
		{Key: "on", Value: render.Bool(s.On)},
		{Key: "secrets", Value: textsJSON(secrets, true)},
		{Key: "unsigned", Value: render.Bool(s.Unsigned)},
	}
	add := func(key, text string) {
		if text != "" {
			members = append(members, render.Member{Key: key, Value: render.String(text)})
		}
	}
	add("project", s.Project)
	if len(s.Environments) > 0 {
		members = append(members, render.Member{Key: "environments", Value: textsJSON(s.Environments, true)})
	}
	if len(s.ProjectKeys)+len(s.EnvironmentKeys) > 0 {
		members = append(members, render.Member{Key: "overrides", Value: render.Object(
			render.Member{Key: "projects", Value: wordsJSON(s.ProjectKeys)},
			render.Member{Key: "environments", Value: wordsJSON(s.EnvironmentKeys)})})
	}
	add("header", s.Header)
	if s.Tolerance > 0 {
		members = append(members, render.Member{Key: "timestamp_tolerance", Value: render.Number(s.Tolerance.Seconds())})
	}
	add("base_url", s.BaseURL)
	if len(s.Fields) > 0 {
		members = append(members, render.Member{Key: "fields", Value: wordsJSON(s.Fields)})
	}
	if s.Kind == source.Flagsmith {
		members = append(members, render.Member{Key: "suppress_audit_feature_state", Value: render.Bool(s.DropDuplicates)})
	}
	return render.Object(members...)
}

func wordsJSON(words map[string]string) render.Value {
	keys := make([]string, 0, len(words))
	for k := range words {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	members := make([]render.Member, len(keys))
	for i, k := range keys {
		members[i] = render.Member{Key: k, Value: render.String(words[k])}
	}
	return render.Object(members...)
}

// readSource fills s with what a document gives of it; known are its members. A
// mask in the place of a secret stands for the one of stored that was shown there.
func readSource(doc render.Value, s *source.Source, stored, known []string) error {
	if doc.Kind() != render.KindObject {
		return invalid(detail{Reason: fmt.Sprintf("the body is %s; a source is an object with name and kind", kindText[doc.Kind()])})
	}
	d := &reader{doc: doc}
	d.refuseOthers(known)
	s.Name = d.text("name")
	if slices.Contains(known, "kind") {
		s.Kind = source.Kind(d.text("kind"))
	}
	s.On = d.bool("on", s.On)
	s.Secrets = d.secrets(stored)
	s.Unsigned = d.bool("unsigned", false)
	s.Project = d.text("project")
	s.Environments, _ = d.texts("environments", "the key of an environment")
	s.Header = d.text("header")
	s.DropDuplicates = d.bool("suppress_audit_feature_state", s.DropDuplicates)
	s.Tolerance = 0
	if seconds := d.int("timestamp_tolerance", 0); seconds != nil {
		s.Tolerance = time.Duration(*seconds) * time.Second
	}
	s.BaseURL = d.text("base_url")
	s.Fields = d.words("fields", d.doc.Get("fields"))
	overrides, _ := d.member("overrides", render.KindObject)
	for key := range overrides.Members() {
		if key != "projects" && key != "environments" {
			d.fail("overrides."+shownKey(key), "there is no such member; these are known: projects, environments")
		}
	}
	s.ProjectKeys = d.words("overrides.projects", overrides.Get("projects"))
	s.EnvironmentKeys = d.words("overrides.environments", overrides.Get("environments"))
	return d.err()
}

// secrets reads secret or secrets.
func (d *reader) secrets(stored []string) []string {
	one := d.text("secret")
	several, listed := d.texts("secrets", "a secret")
	switch {
	case one != "" && len(several) > 0:
		d.fail("secret", "it stands beside secrets; give one of them")
	case one != "":
		several = []string{one}
	case !listed:
		return nil
	}
	masks := 0
	for i, secret := range several {
		if secret != manifest.MaskedSecret {
			continue
		}
		if masks == len(stored) {
			d.fail("secrets", "%s stands for a secret that is stored, and there are only %d; give the value itself", manifest.MaskedSecret, len(stored))
			return nil
		}
		several[i] = stored[masks]
		masks++
	}
	return several
}

// words is an object of texts; nil when it is absent.
func (d *reader) words(attribute string, v render.Value) map[string]string {
	if !given(v) {
		return nil
	}
	if v.Kind() != render.KindObject {
		d.fail(attribute, "it is %s; it must be an object of texts", kindText[v.Kind()])
		return nil
	}
	words := map[string]string{}
	for key, x := range v.Members() {
		if x.Kind() != render.KindString {
			d.fail(attribute+"."+shownKey(key), "it is %s; it must be a string", kindText[x.Kind()])
		}
		words[key] = x.AsString()
	}
	return words
}

// showSource is a source as clients read it. Its address is shown to those who
// may change it: who knows that of an unsigned source can send events.
func (a *API) showSource(r *request, s *source.Source) (render.Value, error) {
	status, err := a.o.Sources.Status(r.Context(), s.ID)
	if err != nil {
		return render.Value{}, err
	}
	members := []render.Member{
		{Key: "_id", Value: render.String(s.ID)},
		{Key: "kind", Value: render.String(string(s.Kind))},
	}
	for key, v := range sourceDocument(s).Members() {
		members = append(members, render.Member{Key: key, Value: v})
	}
	if len(s.Secrets) > 0 {
		members = append(members, render.Member{Key: "secret", Value: render.String(manifest.MaskedSecret)})
	}
	if r.grant != nil && writers.has(r.grant.Role) {
		address := a.publicURL(r) + s.Path()
		members = append(members,
			render.Member{Key: "path", Value: render.String(linkBase(r) + s.Path())},
			render.Member{Key: "url", Value: render.String(address)},
			render.Member{Key: "snippet", Value: render.String(s.Snippet(address))})
	}
	return render.Object(append(members,
		render.Member{Key: "status", Value: sourceStatusJSON(status)},
		render.Member{Key: "_version", Value: render.Number(float64(s.Version))},
		render.Member{Key: "createdAt", Value: render.String(s.CreatedAt.Format(time.RFC3339Nano))},
		render.Member{Key: "updatedAt", Value: render.String(s.UpdatedAt.Format(time.RFC3339Nano))},
		render.Member{Key: "_links", Value: render.Object(link("self", linkBase(r)+sourcesPath+"/"+s.ID))})...), nil
}

// publicURL is where the API is reached, without a slash at its end.
func (a *API) publicURL(r *request) string {
	if a.o.PublicURL != "" {
		return strings.TrimRight(a.o.PublicURL, "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + linkBase(r)
}

func sourceStatusJSON(s source.Status) render.Value {
	refusals := make([]render.Value, len(s.Refusals))
	for i, f := range s.Refusals {
		refusals[i] = render.Object(
			render.Member{Key: "at", Value: timeJSON(f.At)},
			render.Member{Key: "status", Value: render.Number(float64(f.Status))},
			render.Member{Key: "reason", Value: render.String(f.Reason)})
	}
	count := func(key string, n int64) render.Member {
		return render.Member{Key: key, Value: render.Number(float64(n))}
	}
	members := []render.Member{
		count("accepted", s.Accepted), count("events", s.Events), count("duplicates", s.Duplicates),
		count("suppressed", s.Suppressed), count("refused", s.Refused),
		{Key: "lastEventAt", Value: timeJSON(s.LastEventAt)},
		{Key: "lastRequestAt", Value: timeJSON(s.LastRequestAt)},
		{Key: "refusals", Value: render.Array(refusals...)},
	}
	if s.LastSuppressed != "" {
		members = append(members, render.Member{Key: "lastSuppressed", Value: render.String(s.LastSuppressed)})
	}
	return render.Object(members...)
}

// timeJSON is null for no time.
func timeJSON(t time.Time) render.Value {
	if t.IsZero() {
		return render.Null
	}
	return render.String(t.UTC().Format(time.RFC3339Nano))
}
