package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks/hookstest"
)

// An example of docs/api.md is a block of shell commands, the status that its
// first line names, and perhaps the answer.
type docExample struct {
	line    int
	script  string
	status  string
	path    string // of the member that is kept
	name    string // under which it is kept
	answer  string // "" for none
	methods string // METHOD /path of its call
}

// docHead is the first line of an example.
var docHead = regexp.MustCompile(`^# (\d{3})(?:, and (\S+) is \$(\w+) from here on)?$`)

// docExamples reads the examples of the page.
func docExamples(t *testing.T, page string) (all []*docExample) {
	t.Helper()
	language, text := "", ""
	began := 0
	for n, line := range strings.Split(page, "\n") {
		switch {
		case strings.HasPrefix(line, "```") && language == "":
			language, text, began = strings.TrimPrefix(line, "```"), "", n+1
		case line == "```":
			switch {
			case language == "sh":
				all = append(all, docExampleOf(t, began, text))
			case language == "json" && all[len(all)-1].answer == "":
				all[len(all)-1].answer = text
			default:
				t.Fatalf("docs/api.md:%d: a block of %q that is no answer to a command", began, language)
			}
			language = ""
		default:
			text += line + "\n"
		}
	}
	return all
}

func docExampleOf(t *testing.T, line int, text string) *docExample {
	first, script, _ := strings.Cut(text, "\n")
	if strings.HasPrefix(first, "export ") {
		return &docExample{line: line, script: text}
	}
	m := docHead.FindStringSubmatch(first)
	if m == nil {
		t.Fatalf("docs/api.md:%d: the block must begin with the status, such as # 200", line)
	}
	return &docExample{line: line, script: script, status: m[1], path: m[2], name: m[3], methods: docCall(script)}
}

var (
	docMethod = regexp.MustCompile(`-X ([A-Z]+)`)
	docPath   = regexp.MustCompile(`\$SERVER(/[^\s"?]*)`)
)

// docCall is the call that a curl line makes.
func docCall(script string) string {
	method := http.MethodGet
	if strings.Contains(script, " -d ") || strings.Contains(script, "--data-binary") {
		method = http.MethodPost
	}
	if m := docMethod.FindStringSubmatch(script); m != nil {
		method = m[1]
	}
	path := docPath.FindStringSubmatch(script)
	if path == nil {
		return ""
	}
	return method + " " + path[1]
}

// TestAPIDoc runs the page against a server, from top to bottom: each call has
// the status that the page names, and its answer the members that the page shows.
func TestAPIDoc(t *testing.T) {
	for _, program := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: the examples of docs/api.md were not run", program)
		}
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	receiver := hookstest.NewReceiver(t)
	receiver.Respond(func(int, *http.Request) hookstest.Reply {
		return hookstest.Reply{Status: http.StatusServiceUnavailable}
	})
	examples := docExamples(t, strings.ReplaceAll(string(page), "https://hooks.example.com", receiver.URL()))
	url, stop, err := serveHere(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	dir := t.TempDir()
	env := append(os.Environ(), "SERVER="+url, "TOKEN="+hereToken, "HOME="+dir, "CURL_HOME="+dir)
	for _, e := range examples {
		if e.status == "" {
			continue // the variables, which are set here
		}
		status, answer := e.run(t, dir, env)
		if status != e.status {
			t.Fatalf("docs/api.md:%d: status %s, want %s: %s", e.line, status, e.status, answer)
		}
		if e.answer != "" {
			e.compare(t, answer)
		}
		if e.name != "" {
			env = append(env, e.name+"="+memberAt(t, answer, e.path))
		}
	}
	docCovers(t, url, examples)
}

// run runs an example in a shell whose curl also says the status, in a line at
// the end.
func (e *docExample) run(t *testing.T, dir string, env []string) (status, answer string) {
	t.Helper()
	const wrapped = `curl() { command curl --silent --show-error --max-time 30 --write-out '\n%{http_code}' "$@"; }` + "\n"
	cmd := exec.CommandContext(t.Context(), "sh", "-c", wrapped+e.script)
	cmd.Dir, cmd.Env = dir, env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		t.Fatalf("docs/api.md:%d: %v\n%s%s", e.line, err, out, &errs)
	}
	end := strings.LastIndexByte(string(out), '\n')
	return string(out[end+1:]), string(out[:max(end, 0)])
}

// compare wants in the answer what the page shows: members of the same names and
// kinds.
func (e *docExample) compare(t *testing.T, answer string) {
	t.Helper()
	var want, got any
	if err := json.Unmarshal([]byte(e.answer), &want); err != nil {
		t.Fatalf("docs/api.md:%d: the answer that it shows: %v", e.line, err)
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatalf("docs/api.md:%d: the answer: %v: %s", e.line, err, answer)
	}
	for _, lacks := range lacking("", want, got) {
		t.Errorf("docs/api.md:%d: %s; the answer is %s", e.line, lacks, answer)
	}
}

// lacking says what of want is not in got. Of arrays the first items are
// compared.
func lacking(at string, want, got any) (all []string) {
	if fmt.Sprintf("%T", want) != fmt.Sprintf("%T", got) {
		return []string{fmt.Sprintf("%s is %v (%T), the page shows %v", at, got, got, want)}
	}
	switch w := want.(type) {
	case map[string]any:
		g := got.(map[string]any)
		for key, v := range w {
			if has, ok := g[key]; ok {
				all = append(all, lacking(at+"."+key, v, has)...)
			} else {
				all = append(all, "there is no "+at+"."+key)
			}
		}
	case []any:
		g := got.([]any)
		switch {
		case len(w) > 0 && len(g) == 0:
			all = append(all, at+" is empty")
		case len(w) > 0:
			all = append(all, lacking(at+"[0]", w[0], g[0])...)
		}
	}
	return all
}

// memberAt is the text at a path such as items[0]._id.
func memberAt(t *testing.T, answer, path string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(answer), &v); err != nil {
		t.Fatal(err)
	}
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			if i, err := strconv.Atoi(step); err == nil && i < len(at) {
				v = at[i]
			}
		}
	}
	text, ok := v.(string)
	if !ok {
		t.Fatalf("there is no text at %s in %s", path, answer)
	}
	return text
}

// docCovers wants an example for each call of /api/v1 that the server's own
// description has.
func docCovers(t *testing.T, url string, examples []*docExample) {
	t.Helper()
	response, err := http.Get(url + "/api/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var description struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.NewDecoder(response.Body).Decode(&description); err != nil {
		t.Fatal(err)
	}
	parameter := regexp.MustCompile(`\\\{[^}]*\\\}`)
	for path, operations := range description.Paths {
		if !strings.HasPrefix(path, "/api/v1/") {
			continue
		}
		pattern := parameter.ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`)
		for method := range operations {
			call := regexp.MustCompile("^" + strings.ToUpper(method) + " " + pattern + "$")
			found := false
			for _, e := range examples {
				found = found || call.MatchString(e.methods)
			}
			if !found && method != "parameters" {
				t.Errorf("docs/api.md has no example of %s %s", strings.ToUpper(method), path)
			}
		}
	}
}
