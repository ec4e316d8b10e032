package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// bodies are the templates that a new folder begins with: style, template and
// the file's extensions make their names.
//
//go:embed scaffold/*.hbs
var bodies embed.FS

// A scaffold is what a new integration is to be.
type scaffold struct {
	key, name, author, email string
	endpoint, method         string
	auth, authName, body     string
}

var (
	endpointVariable = regexp.MustCompile(`\{\{\{?\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}?\}\}`)
	headerToken      = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$") // RFC 9110, section 5.6.2
)

// check fills in what was left out, and refuses what the folder's own check
// would report in words of files that the user has not seen.
func (s *scaffold) check() error {
	if s.name == "" {
		s.name = strings.Join(strings.FieldsFunc(s.key, func(r rune) bool { return r == '-' || r == '_' || r == '.' }), " ")
		if first, n := utf8.DecodeRuneInString(s.name); n > 0 {
			s.name = strings.ToUpper(string(first)) + s.name[n:]
		}
	}
	if s.key == "testdata" {
		return usagef(`an integration cannot be called "testdata": folders of that name are passed over`)
	}
	if s.endpoint != "" {
		// A form variable may be the scheme, the host or anything behind it.
		u, err := url.Parse(endpointVariable.ReplaceAllString(s.endpoint, "x"))
		begins := strings.HasPrefix(s.endpoint, "{{")
		if !begins && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			return usagef("--endpoint: it must be an absolute http or https URL, such as https://api.example.com/events")
		}
	}
	switch s.auth {
	case "header":
		if s.authName == "" {
			s.authName = "X-Api-Key"
		}
		if !headerToken.MatchString(s.authName) {
			return usagef("--auth-name %q: it cannot be the name of a header", s.authName)
		}
	case "query":
		if s.authName == "" {
			s.authName = "api_key"
		}
		s.authName = url.QueryEscape(s.authName)
	default:
		if s.authName != "" {
			return usagef("--auth-name goes with --auth header and --auth query")
		}
	}
	return nil
}

// authentication is the form variables, the header and the query that a way of
// authentication needs.
func (s *scaffold) authentication() (variables []manifest.FormVariable, header *manifest.Header, query string) {
	secret := func(key, name, description string) manifest.FormVariable {
		return manifest.FormVariable{Key: key, Name: name, Type: manifest.TypeString, Description: description, IsSecret: true}
	}
	switch s.auth {
	case "bearer":
		return []manifest.FormVariable{secret("token", "Token", "The access token of "+s.name+".")},
			&manifest.Header{Name: "Authorization", Value: "Bearer {{token}}"}, ""
	case "header":
		return []manifest.FormVariable{secret("apiKey", "API key", "The API key of "+s.name+".")},
			&manifest.Header{Name: s.authName, Value: "{{apiKey}}"}, ""
	case "basic":
		return []manifest.FormVariable{
			{Key: "username", Name: "User name", Type: manifest.TypeString, Description: "The user name at " + s.name + "."},
			secret("password", "Password", "The password at "+s.name+"."),
		}, &manifest.Header{Name: "Authorization", Value: "{{basicAuthHeaderValue username password}}"}, ""
	case "query":
		return []manifest.FormVariable{secret("apiKey", "API key", "The API key of "+s.name+".")},
			nil, s.authName + "={{queryEncode apiKey}}"
	}
	return nil, nil, ""
}

// contentTypes are those of the body styles.
var contentTypes = map[string]string{
	"json": "application/json", "slack": "application/json",
	"form": "application/x-www-form-urlencoded", "text": "text/plain; charset=utf-8",
}

type headerJSON struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// hook is the capability, and the form variables that it uses.
func (s *scaffold) hook(templates map[string]string) (render.Value, []manifest.FormVariable, error) {
	variables, header, query := s.authentication()
	endpoint := s.endpoint
	if endpoint == "" {
		endpoint = "{{url}}"
	}
	var of []manifest.FormVariable
	for _, m := range endpointVariable.FindAllStringSubmatch(endpoint, -1) {
		v := manifest.FormVariable{Key: m[1], Name: title(m[1]), Type: manifest.TypeString, Description: "Part of the URL that changes are sent to."}
		if endpoint == m[0] {
			v = manifest.FormVariable{Key: m[1], Name: "URL", Type: manifest.TypeURI, Description: "Where changes are sent.", Placeholder: "https://example.com/hook"}
		}
		same := func(o manifest.FormVariable) bool { return o.Key == m[1] }
		if !slices.ContainsFunc(of, same) && !slices.ContainsFunc(variables, same) {
			of = append(of, v)
		}
	}
	if query != "" {
		// What stands behind # never leaves the client.
		if at := strings.LastIndexByte(endpoint, '#'); at > 0 && endpoint[at-1] != '{' && endpoint[at-1] != '~' {
			endpoint = endpoint[:at]
		}
		separator := "?"
		if strings.Contains(endpoint, "?") {
			separator = "&"
		}
		endpoint += separator + query
	}
	headers := []headerJSON{{"Content-Type", contentTypes[s.body]}}
	if header != nil {
		headers = append(headers, headerJSON(*header))
	}
	var hook struct {
		Endpoint struct {
			URL     string       `json:"url"`
			Method  string       `json:"method"`
			Headers []headerJSON `json:"headers"`
		} `json:"endpoint"`
		Templates     map[string]string  `json:"templates"`
		DefaultPolicy []policy.Statement `json:"defaultPolicy"`
	}
	hook.Endpoint.URL, hook.Endpoint.Method, hook.Endpoint.Headers = endpoint, strings.ToUpper(s.method), headers
	hook.Templates = templates
	hook.DefaultPolicy = []policy.Statement{{Effect: "allow", Resources: []string{"proj/*:env/production:flag/*"}, Actions: []string{"*"}}}
	data, err := json.Marshal(hook)
	if err != nil {
		return render.Value{}, nil, err
	}
	v, err := render.ParseJSON(data)
	return v, append(of, variables...), err
}

// title makes "Base url" of base-url and baseUrl's like.
func title(key string) string {
	text := strings.Join(strings.FieldsFunc(key, func(r rune) bool { return r == '-' || r == '_' }), " ")
	if text == "" {
		return key
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// files are the folder's, but for those that show what is sent.
func (s *scaffold) files() (map[string]string, error) {
	files, templates := map[string]string{}, map[string]string{}
	entries, err := bodies.ReadDir("scaffold")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		style, file, _ := strings.Cut(e.Name(), ".")
		if style != s.body {
			continue
		}
		text, err := bodies.ReadFile(path.Join("scaffold", e.Name()))
		if err != nil {
			return nil, err
		}
		kind, _, _ := strings.Cut(file, ".")
		templates[kind] = "templates/" + file
		files[templates[kind]] = string(text)
	}
	hook, variables, err := s.hook(templates)
	if err != nil {
		return nil, err
	}
	m := manifest.Manifest{
		Name: s.name, Version: "1.0.0", Author: s.author, SupportEmail: s.email,
		Overview:    "Send flag changes to " + s.name + ".",
		Description: "Sends flag changes to " + s.name + " as they happen: who changed what and where, with the comment and the time.",
		Links:       manifest.Links{Site: "https://example.com/", PrivacyPolicy: "https://example.com/privacy"},
		Categories:  []string{"notifications"},
		Icons:       manifest.Icons{Square: "assets/square.svg", Horizontal: "assets/horizontal.svg"},

		FormVariables: variables,
		Capabilities:  map[string]render.Value{"auditLogEventsHook": hook},
	}
	if s.auth == "query" {
		m.Lint = &manifest.LintSettings{Allow: []manifest.Waiver{{Rule: "secret-in-url", Reason: s.name + " takes its key in the query alone."}}}
	}
	var text bytes.Buffer
	if err := encode(&text, m); err != nil {
		return nil, err
	}
	files[manifestFile] = text.String()
	files["assets/square.svg"], files["assets/horizontal.svg"] = icons(s.name)
	return files, nil
}

// goldens are the tests and the README, which both show what is sent.
func (s *scaffold) goldens(i *manifest.Integration) (map[string]string, error) {
	files := map[string]string{}
	for _, g := range []struct{ file, sample, template string }{
		{"flag-on", "flag-on", ""}, {"hostile-text", "hostile-text", ""}, {"validation", "flag-on", manifest.ValidationTemplate},
	} {
		golden := &manifest.Golden{Sample: g.sample, Template: g.template, FormVariables: i.Example()}
		var err error
		if golden.Outcome, err = runGolden(i, golden); err != nil {
			return nil, usagef("that would not be a good integration: %w", err)
		}
		text, err := golden.Format()
		if err != nil {
			return nil, err
		}
		files[path.Join(goldenDir, g.file+".json")] = string(text)
		if g.file == "flag-on" && golden.Outcome.Request != nil {
			files["README.md"] = s.readme(i, string(golden.Outcome.Request.Body))
		}
	}
	return files, nil
}

func (s *scaffold) readme(i *manifest.Integration, body string) string {
	language := "text"
	if strings.HasPrefix(contentTypes[s.body], "application/json") {
		language = "json"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n## What arrives\n\nFor a flag that was turned on:\n\n", s.name, i.Manifest.Description)
	fmt.Fprintf(&b, "```%s\n%s\n```\n\n## Settings\n\n", language, strings.TrimRight(body, "\n"))
	if len(i.Manifest.FormVariables) == 0 {
		b.WriteString("None.\n\n")
	} else {
		b.WriteString("| setting | where to get it |\n|---|---|\n")
		for _, v := range i.Manifest.FormVariables {
			fmt.Fprintf(&b, "| `%s` | %s |\n", v.Key, v.Description)
		}
	}
	fmt.Fprintf(&b, "\nBy default flags of the environment `production` are sent; the subscription's policy decides otherwise.\n\n")
	fmt.Fprintf(&b, "## Written against\n\n[The documentation of %s](https://example.com/), as of %s.\n", s.name, time.Now().UTC().Format(time.DateOnly))
	return b.String()
}

// icons draws initials on a tile, and the name beside it.
func icons(name string) (square, horizontal string) {
	colours := []string{"#1f6feb", "#8250df", "#bf3989", "#cf222e", "#bc4c00", "#4d7c0f", "#0f766e", "#475569"}
	h := fnv.New32a()
	h.Write([]byte(name))
	colour := colours[h.Sum32()%uint32(len(colours))]
	words := strings.Fields(name)
	initials := []rune(name)
	if len(words) > 1 {
		initials = []rune(strings.ToUpper(string([]rune(words[0])[:1]) + string([]rune(words[1])[:1])))
	}
	short, long := htmlText(string(initials[:min(2, len(initials))])), htmlText(name)
	const font = `font-family="system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"`
	draw := func(width int, more string) string {
		return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="96" viewBox="0 0 %[1]d 96" role="img" aria-label="%[2]s">
  <rect width="96" height="96" rx="20" fill="%[3]s"/>
  <text x="48" y="49" fill="#ffffff" %[4]s font-size="40" font-weight="700" text-anchor="middle" dominant-baseline="central">%[5]s</text>
%[6]s</svg>
`, width, long, colour, font, short, more)
	}
	beside := fmt.Sprintf(`  <text x="112" y="49" fill="%s" %s font-size="38" font-weight="600" dominant-baseline="central">%s</text>
`, colour, font, long)
	return draw(96, ""), draw(112+23*utf8.RuneCountInString(name), beside)
}
