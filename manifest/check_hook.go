package manifest

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

const hookAt = "/capabilities/auditLogEventsHook"

// compiled are the templates of a hook, ready to render.
type compiled struct {
	url      inline // without a template where there is no endpoint
	headers  []inline
	delivery bool             // one of these can reach delivery
	bodies   map[string]*body // by key of templates
}

// An inline template is one that stands in the manifest itself.
type inline struct {
	template *render.Template
	name     string // for messages: file and member
	pointer  string // to it in the manifest
	source   string
}

// A body is a template file. Keys that name one file share one body, so that
// what can be rendered once for an event is.
type body struct {
	template    *render.Template
	file        string
	contentType string
	escape      render.Escape
	shared      bool // cannot reach formVariables or oauth: the same for every subscription
}

// checkHook checks the hook for audit-log events and gives it to i.
func (c *checker) checkHook(i *Integration) {
	hook := c.get(hookAt)
	if hook.Kind() != render.KindObject {
		return
	}
	i.compiled.bodies = c.compileBodies(hook.Get("templates"))
	if standard := hook.Get("useStandardWebhookPayload"); standard.AsBool() && hook.Get("templates").Len() > 0 {
		c.warn("templates-unused", hookAt+"/templates", "the templates are never used, since useStandardWebhookPayload is true", "take out one or the other")
	}
	statements := c.checkPolicy(hook.Get("defaultPolicy"))
	endpoint := c.checkEndpoint(hook.Get("endpoint"), &i.compiled)
	i.hook = &Hook{
		Endpoint:                  endpoint,
		Templates:                 map[string]string{},
		DefaultPolicy:             statements,
		IncludeErrorResponseBody:  hook.Get("includeErrorResponseBody").AsBool() && endpoint != nil && c.checkResponseBody(endpoint.URL),
		UseStandardWebhookPayload: hook.Get("useStandardWebhookPayload").AsBool(),
		DeliveryMethod:            hook.Get("deliveryMethod").AsString(),
	}
	for key, file := range hook.Get("templates").Members() {
		i.hook.Templates[key] = file.AsString()
	}
}

// compileBodies compiles the template files.
func (c *checker) compileBodies(templates render.Value) map[string]*body {
	bodies, byFile := map[string]*body{}, map[string]*body{}
	for key, file := range templates.Members() {
		if file.Kind() != render.KindString {
			continue // the schema has said so
		}
		name := path.Clean(file.AsString())
		if _, done := byFile[name]; !done {
			byFile[name] = c.compileBody(join(hookAt+"/templates", key), file.AsString())
		}
		if b := byFile[name]; b != nil {
			bodies[key] = b
		}
	}
	return bodies
}

func (c *checker) compileBody(pointer, file string) *body {
	data, problem := c.open(file, MaxTemplate)
	if problem != "" {
		c.fail("template-file", pointer, fmt.Sprintf("the template %s cannot be used: %s", shown(file), problem), "name a file inside the folder")
		return nil
	}
	name := path.Clean(file)
	if at := invalidUTF8(data); at >= 0 {
		line, column := (&index{data: data}).position(at)
		c.inTemplate("template", name, line, column, fmt.Sprintf("byte 0x%02x is not UTF-8", data[at]), "save the file as UTF-8")
		return nil
	}
	compiled, err := render.Compile(string(data), render.Options{Name: name, Escape: render.EscapeFor(name)})
	if err != nil {
		var e *render.Error
		if !errors.As(err, &e) {
			e = &render.Error{Message: err.Error()}
		}
		c.inTemplate("template", name, e.Line, e.Column, e.Message, e.Hint)
		return nil
	}
	return &body{
		template:    compiled,
		file:        name,
		contentType: contentType(name),
		escape:      render.EscapeFor(name),
		shared:      !compiled.Reaches("formVariables") && !compiled.Reaches("oauth"),
	}
}

// contentType is what a body is sent as when the manifest does not say.
func contentType(file string) string {
	name := strings.TrimSuffix(strings.ToLower(file), ".hbs")
	switch {
	case strings.HasSuffix(name, ".json"):
		return "application/json"
	case strings.HasSuffix(name, ".html"), strings.HasSuffix(name, ".htm"):
		return "text/html; charset=utf-8"
	}
	return "text/plain; charset=utf-8"
}

// checkPolicy parses the default policy.
func (c *checker) checkPolicy(list render.Value) []policy.Statement {
	const at = hookAt + "/defaultPolicy"
	if !list.IsDefined() {
		return nil
	}
	for _, f := range c.findings {
		if f.Pointer == at || strings.HasPrefix(f.Pointer, at+"/") {
			return nil // the schema has found fault with it
		}
	}
	statements, err := policy.ParseStatements(list.AppendJSON(nil))
	if err == nil {
		_, err = policy.Parse(statements)
	}
	if err == nil {
		return statements
	}
	var all policy.Errors
	if !errors.As(err, &all) {
		c.fail("default-policy", at, err.Error(), "")
		return nil
	}
	for _, e := range all {
		pointer := at
		if e.Statement >= 0 {
			pointer = join(pointer, e.Statement)
		}
		if e.Field != "" && e.Statement >= 0 && c.get(join(pointer, e.Field)).IsDefined() {
			pointer = join(pointer, e.Field)
			if e.Item >= 0 {
				pointer = join(pointer, e.Item)
			}
		}
		offset := c.ix.find(pointer).value
		if e.Column > 0 {
			offset = c.ix.inString(offset, e.Column-1)
		}
		c.at("default-policy", SeverityError, offset, pointer, e.Message, e.Hint)
	}
	return nil
}

// mustache finds the tags of a URL or header value.
var mustache = regexp.MustCompile(`(?s)\{\{.*?\}\}`)

// canBeAbsolute judges a URL by the text before its first tag.
func canBeAbsolute(url string) bool {
	text, _, tagged := strings.Cut(strings.ToLower(url), "{{")
	for _, scheme := range []string{"http://", "https://"} {
		if strings.HasPrefix(text, scheme) || tagged && strings.HasPrefix(scheme, text) {
			return true
		}
	}
	return false
}

// checkEndpoint checks and compiles the endpoint.
func (c *checker) checkEndpoint(endpoint render.Value, into *compiled) *Endpoint {
	const at = hookAt + "/endpoint"
	if endpoint.Kind() != render.KindObject {
		return nil
	}
	out := &Endpoint{URL: endpoint.Get("url").AsString(), Method: endpoint.Get("method").AsString()}
	into.url = c.compileInline(at+"/url", "endpoint.url", out.URL)
	if endpoint.Has("url") && !canBeAbsolute(out.URL) {
		c.warn("endpoint-url", at+"/url", "the URL is not absolute", "begin it with https:// or with a form variable that does")
	}
	for n := range endpoint.Get("headers").Len() {
		h := endpoint.Get("headers").At(n)
		pointer := join(at+"/headers", n)
		header := EndpointHeader{Name: h.Get("name").AsString(), Value: h.Get("value").AsString(), OmitEmpty: h.Get("omitEmpty").AsBool()}
		if h.Has("name") && !validHeaderName(header.Name) {
			c.fail("header-name", join(pointer, "name"), fmt.Sprintf("%s cannot be the name of a header", shown(header.Name)), "letters, digits and hyphens make one")
		}
		if strings.ContainsAny(mustache.ReplaceAllString(header.Value, ""), "\r\n") {
			c.warn("header-value", join(pointer, "value"), "the header's value has a line break, and such a request is never sent", "write it in one line")
		}
		out.Headers = append(out.Headers, header)
		into.headers = append(into.headers, c.compileInline(join(pointer, "value"), "header "+header.Name, header.Value))
	}
	for _, in := range append([]inline{into.url}, into.headers...) {
		into.delivery = into.delivery || in.template != nil && in.template.Reaches("delivery")
	}
	c.checkSignatures(at, endpoint, out)
	return out
}

// compileInline compiles a template that stands in the manifest itself, and
// places its error inside the string.
func (c *checker) compileInline(pointer, member, source string) inline {
	name := fmt.Sprintf("%s (%s)", manifestFile, member)
	compiled, err := render.Compile(source, render.Options{Name: name, Escape: render.EscapeNone})
	if err == nil {
		return inline{compiled, name, pointer, source}
	}
	var e *render.Error
	if !errors.As(err, &e) {
		e = &render.Error{Message: err.Error()}
	}
	offset := c.ix.inString(c.ix.find(pointer).value, byteOffset(source, e.Line, e.Column))
	c.at("template", SeverityError, offset, pointer, e.Message, e.Hint)
	return inline{}
}

// byteOffset turns a line and a column in characters, both from 1, into an
// offset.
func byteOffset(text string, line, column int) int {
	offset := 0
	for ; line > 1; line-- {
		end := strings.IndexByte(text[offset:], '\n')
		if end < 0 {
			break
		}
		offset += end + 1
	}
	for ; column > 1 && offset < len(text); column-- {
		_, n := utf8.DecodeRuneInString(text[offset:])
		offset += n
	}
	return offset
}
