package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// previewFlags are those that preview and curl share.
type previewFlags struct {
	dirs     []string
	sample   string
	event    string
	template string
	at       string
	set      []string
	strict   bool
}

const defaultSample = "flag-on"

func (f *previewFlags) add(cmd *cobra.Command) {
	integrationDirs(cmd, &f.dirs)
	flags := cmd.Flags()
	flags.StringVar(&f.sample, "sample", "", fmt.Sprintf("sample event by `NAME` (default %s): %s", defaultSample, strings.Join(schemas.SampleNames(), ", ")))
	flags.StringVar(&f.event, "event", "", "`FILE` with an event, or with a ready template context; - for standard input")
	flags.StringVar(&f.template, "template", "", "use this `template` (flag, default, validation, ...) whatever the event is")
	flags.StringVar(&f.at, "at", "", "stamp the sample with this RFC 3339 `time` (default: now)")
	flags.StringArrayVar(&f.set, "set", nil, "a form variable, `key=value` (repeatable)")
	flags.BoolVar(&f.strict, "strict", false, "exit 1 when there is a warning")
}

func previewCommand() *cobra.Command {
	var f previewFlags
	var format string
	cmd := &cobra.Command{
		Use:   "preview NAME",
		Short: "Show the request that an integration sends for an event",
		Long: `Renders the request as production does. NAME is a key in --integrations DIR, else
in ./integrations where that exists, else in the embedded catalog; or a path.
Form variables that are not --set show as $NAME.`,
		Example: `  flaghook preview slack
  flaghook preview datadog --sample flag-rules --set apiKey=abc
  flaghook preview ./acme --event event.json --format json`,
		Args: exactArgs(1, "the name of one integration"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPreview(cmd, args[0], f)
			if err != nil {
				return err
			}
			write := p.writeText
			if format == "json" {
				write = p.writeJSON
			}
			if err := write(cmd.OutOrStdout()); err != nil {
				return err
			}
			return p.report(cmd, f.strict)
		},
	}
	f.add(cmd)
	formatFlag(cmd, &format)
	return cmd
}

// A preview is one rendered request with all that explains it.
type preview struct {
	integration *manifest.Integration
	rendered    *manifest.Rendered
	doc         render.Value
	policy      *policyVerdict
	unset       map[string]string // placeholders in use: $NAME by form variable
	warnings    []string
}

// policyVerdict says whether the default policy lets the event through.
type policyVerdict struct {
	Allowed   bool   `json:"allowed"`
	Statement *int   `json:"statement"` // which one decided, null when none did
	Reason    string `json:"reason"`
}

func newPreview(cmd *cobra.Command, name string, f previewFlags) (*preview, error) {
	integration, findings, err := findIntegration(name, f.dirs)
	if err != nil {
		return nil, err
	}
	if integration == nil {
		for _, finding := range findings {
			fmt.Fprintln(cmd.ErrOrStderr(), finding)
		}
		return nil, &exitError{code: exitFailed, err: fmt.Errorf("%s has errors and cannot be previewed", name)}
	}
	if integration.Hook() == nil {
		return nil, &exitError{code: exitFailed, err: fmt.Errorf("%s has no auditLogEventsHook: it sends no events", name)}
	}
	p := &preview{integration: integration}
	event, err := p.loadEvent(cmd, f)
	if err != nil {
		return nil, err
	}
	set := make(map[string]string, len(f.set))
	for _, s := range f.set {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, usagef("--set %s: it must be key=value", s)
		}
		set[key] = value
	}
	config, warnings := integration.Placeholders(set)
	p.warnings = append(p.warnings, warnings...)
	p.unset = placeholders(integration, set)
	templates := integration.Hook().Templates
	if _, known := templates[f.template]; f.template != "" && !known && len(templates) > 0 {
		return nil, usagef("%s has no template %q; it has %s", integration.Key, f.template, strings.Join(slices.Sorted(maps.Keys(templates)), ", "))
	}
	p.rendered, err = integration.Render(event, manifest.RenderInput{
		Config: config, OAuth: oauthPlaceholders(integration), Template: f.template,
		OnMissing: func(template string, m render.Missing) {
			p.warnings = append(p.warnings, fmt.Sprintf("%s:%d:%d: %s is missing; it renders as empty", template, m.Line, m.Column, m.Name))
		},
	})
	if err != nil {
		return nil, err
	}
	if r := p.rendered.Request; r != nil && r.URL != "" {
		if err := r.Check(); err != nil {
			p.warnings = append(p.warnings, err.Error())
		}
	}
	return p, nil
}

// placeholders lists the variables that show as $NAME, with that name.
func placeholders(i *manifest.Integration, set map[string]string) map[string]string {
	names := map[string]string{}
	config, _ := i.Placeholders(nil)
	for key, v := range config.Members() {
		if _, given := set[key]; !given && v.Kind() == render.KindString {
			names[key] = v.AsString()
		}
	}
	return names
}

func oauthPlaceholders(i *manifest.Integration) render.Value {
	if !i.Manifest.RequiresOAuth {
		return render.Value{}
	}
	return render.Object(
		render.Member{Key: "baseURI", Value: render.String("$OAUTH_BASE_URI")},
		render.Member{Key: "accessToken", Value: render.String("$OAUTH_ACCESS_TOKEN")})
}

// loadEvent reads the sample or the file, and asks the default policy.
func (p *preview) loadEvent(cmd *cobra.Command, f previewFlags) (*manifest.Event, error) {
	if f.event != "" {
		if f.sample != "" {
			return nil, usagef("--sample and --event exclude each other")
		}
		if f.at != "" {
			return nil, usagef("--at stamps samples; an --event file has its own time")
		}
		doc, err := readJSON(cmd, f.event)
		if err != nil {
			return nil, err
		}
		if !isEvent(doc) {
			if doc.Kind() != render.KindObject {
				return nil, usagef("%s: an event is a JSON object", f.event)
			}
			p.doc = doc
			return hooks.FromContext(doc), nil
		}
		return p.event(f.event, doc)
	}
	name := f.sample
	if name == "" {
		name = defaultSample
	}
	at := time.Now()
	if f.at != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, f.at); err != nil {
			return nil, usagef("--at %s: it is not an RFC 3339 time such as 2026-01-31T12:00:00Z", f.at)
		}
	}
	doc, err := sample(name, at)
	if err != nil {
		return nil, err
	}
	return p.event(name, doc)
}

// sample reads one of the embedded events and stamps it.
func sample(name string, at time.Time) (render.Value, error) {
	data, ok := schemas.Sample(name)
	if !ok {
		return render.Value{}, usagef("there is no sample %q; there are: %s", name, strings.Join(schemas.SampleNames(), ", "))
	}
	doc, err := render.ParseJSON(data)
	if err != nil {
		return render.Value{}, fmt.Errorf("sample %s: %w", name, err)
	}
	return hooks.Restamp(doc, at), nil
}

// isEvent tells an event from a ready template context.
func isEvent(doc render.Value) bool {
	return doc.Has("accesses") || doc.Has("action") && doc.Has("resource")
}

func (p *preview) event(name string, doc render.Value) (*manifest.Event, error) {
	event, err := hooks.NewEvent(doc, hooks.EventOptions{})
	if err != nil {
		return nil, usagef("%s: %w", name, err)
	}
	p.doc = event.Doc()
	rules, err := policy.Parse(hooks.DefaultStatements(p.integration))
	if err != nil {
		return nil, fmt.Errorf("default policy of %s: %w", p.integration.Key, err)
	}
	decision := rules.Explain(event.Accesses())
	p.policy = &policyVerdict{Allowed: decision.Allowed, Reason: decision.Reason}
	switch {
	case p.integration.DefaultStatements() == nil:
		p.policy.Reason = "the integration has no default policy: every event goes through"
	case decision.Statement >= 0:
		p.policy.Statement = &decision.Statement
	}
	return event.Rendered(), nil
}

// report prints the warnings; with strict they are a failure.
func (p *preview) report(cmd *cobra.Command, strict bool) error {
	for _, w := range p.warnings {
		warnf(cmd, "%s", w)
	}
	if strict && len(p.warnings) > 0 {
		return &exitError{code: exitFailed, err: fmt.Errorf("%s with --strict", count(len(p.warnings), "warning"))}
	}
	return nil
}

// previewJSON is what --format json prints.
type previewJSON struct {
	Integration string          `json:"integration"`
	Template    *string         `json:"template"` // null for a standard payload
	Event       render.Value    `json:"event"`
	Request     *previewRequest `json:"request"` // null when nothing is sent
	Reason      string          `json:"reason,omitempty"`
	Policy      *policyVerdict  `json:"policy"` // null for a ready context
}

type previewRequest struct {
	Method  *string         `json:"method"` // null without an endpoint
	URL     *string         `json:"url"`
	Headers []previewHeader `json:"headers"`
	Body    string          `json:"body"`
}

type previewHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (p *preview) writeJSON(w io.Writer) error {
	out := previewJSON{
		Integration: p.integration.Key, Template: optional(p.rendered.Template),
		Event: p.doc, Reason: p.rendered.Skipped, Policy: p.policy,
	}
	if r := p.rendered.Request; r != nil {
		headers := []previewHeader{}
		for _, h := range signedHeaders(r) {
			headers = append(headers, previewHeader(h))
		}
		out.Request = &previewRequest{Method: optional(r.Method), URL: optional(r.URL), Headers: headers, Body: string(r.Body)}
	}
	var buffer bytes.Buffer
	enc := json.NewEncoder(&buffer)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	_, err := w.Write(buffer.Bytes())
	return err
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// signedHeaders are the request's with the signature that production adds.
func signedHeaders(r *manifest.Request) []manifest.Header {
	headers := append([]manifest.Header{}, r.Headers...)
	if s := r.Signature; s != nil {
		headers = append(headers, manifest.Header{Name: s.Header, Value: sign(s.Secret, r.Body)})
	}
	return headers
}

func (p *preview) writeText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s\n", p.integration.Key, p.summary())
	if r := p.rendered.Request; r != nil {
		if r.Method != "" {
			fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
		}
		for _, h := range signedHeaders(r) {
			fmt.Fprintf(&b, "%s: %s\n", h.Name, h.Value)
		}
		fmt.Fprintf(&b, "\n%s", r.Body)
		if len(r.Body) > 0 && r.Body[len(r.Body)-1] != '\n' {
			b.WriteByte('\n')
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// summary says which template was used and what the default policy thinks.
func (p *preview) summary() string {
	parts := []string{"standard payload"}
	switch {
	case p.rendered.Request == nil:
		parts[0] = "nothing is sent: " + p.rendered.Skipped
	case p.rendered.Template != "":
		parts[0] = "template " + p.rendered.Template
	}
	if p.policy != nil {
		verdict := "the default policy lets this event through"
		if !p.policy.Allowed {
			verdict = "the default policy does not let this event through"
		}
		parts = append(parts, verdict+" ("+p.policy.Reason+")")
	}
	return strings.Join(parts, "; ")
}
