package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/hooks/hookstest"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// awkward is what a value may hold in the worst case.
const awkward = `it's "q\u0041" $HOME $(id) ` + "`id`" + ` & <b> 100% \ é🔥 = ; # !`

// TestCurlDelivers pastes what curl prints into a shell: for every integration
// exactly that arrives which preview shows, be the form variables given by
// --set or by the shell. All integrations have the sample that is hardest to
// quote, and one of them has every sample.
func TestCurlDelivers(t *testing.T) {
	for _, program := range []string{"sh", "curl", "openssl", "sed"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: the commands were not run", program)
		}
	}
	shells := []string{"sh"}
	for _, more := range []string{"bash", "zsh"} {
		if _, err := exec.LookPath(more); err == nil {
			shells = append(shells, more)
		}
	}
	catalog, _ := manifest.Load(integrations.FS())
	for n, i := range catalog.All() {
		samples := []string{"hostile-text"}
		if i.Key == "slack" {
			samples = schemas.SampleNames()
		}
		for m, name := range samples {
			t.Run(i.Key+"/"+name, func(t *testing.T) {
				t.Parallel()
				d := delivery{integration: i, args: []string{i.Key, "--sample", name, "--at", "2026-01-31T12:00:00Z", "--set", "delivery.id=0123456789abcdef0123456789abcdef"}, shell: shells[(n+m)%len(shells)]}
				t.Run("set", func(t *testing.T) { d.try(t, true) })
				t.Run("shell", func(t *testing.T) { d.try(t, false) })
			})
		}
	}
}

// A delivery is one request that curl is to make.
type delivery struct {
	integration *manifest.Integration
	args        []string
	shell       string
}

// value is what a form variable of text is given: the worst that the request
// can hold where it stands. "" leaves it to its default.
func (d delivery) value(key string, receiver string, set bool) string {
	v, url := d.integration.Variable(key), d.integration.Hook().Endpoint.URL
	whole := url == "{{"+key+"}}"
	switch {
	case v != nil && len(v.Options()) > 0:
		return v.Options()[0]
	case whole && set:
		return receiver + "/a/../hook?a=1&b=[2]{3}" // which curl would tidy up
	case whole:
		return receiver + "/hook?a=1&b=[2]{3}"
	case strings.HasPrefix(url, "{{"+key+"}}"), strings.HasPrefix(url, "{{trimSuffix "+key+" "), strings.Contains(strings.ToLower(key), "url"):
		return receiver + "/base"
	case strings.Contains(url, key):
		return "part-of-the-url"
	}
	return awkward
}

// needed are the form variables that curl refuses to leave to the shell, since
// a helper of the templates makes something else of them.
var needed = regexp.MustCompile(`--set ([^=]+)=\.\.\.`)

func (d delivery) try(t *testing.T, set bool) {
	receiver := hookstest.NewReceiver(t)
	defer receiver.Close()
	var settings, given, env []string
	values := map[string]string{}
	config, _ := d.integration.Placeholders(nil)
	for key, v := range config.Members() {
		if v.Kind() != render.KindString {
			continue
		}
		values[key] = d.value(key, receiver.URL(), set)
		settings = append(settings, "--set", key+"="+values[key])
		env = append(env, strings.TrimPrefix(v.AsString(), "$")+"="+strings.Replace(values[key], "https://", "http://", 1))
	}
	var want struct{ Request previewRequest }
	shown := flaghook(t, append(append([]string{"preview", "--format", "json"}, d.args...), settings...)...)
	if err := json.Unmarshal([]byte(shown), &want); err != nil {
		t.Fatal(err)
	}
	if set {
		given, env = settings, nil
	} else {
		var out, errs bytes.Buffer
		if run(t.Context(), append([]string{"curl"}, d.args...), strings.NewReader(""), &out, &errs) != exitOK {
			for _, m := range needed.FindAllStringSubmatch(errs.String(), -1) {
				given = append(given, "--set", m[1]+"="+values[m[1]])
			}
		}
	}
	// Whatever the host, curl connects to the receiver, which speaks no TLS.
	script := strings.Replace(flaghook(t, append(append([]string{"curl"}, d.args...), given...)...), "'https://", "'http://", 1)
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".curlrc"), fmt.Appendf(nil, "connect-to = \"::%s\"\n", strings.TrimPrefix(receiver.URL(), "http://")), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), d.shell, "-c", script)
	cmd.Env = append(os.Environ(), append(env, "CURL_HOME="+home, "HOME="+home)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, script)
	}
	all := receiver.Requests()
	if len(all) != 1 {
		t.Fatalf("%d requests arrived\n%s", len(all), script)
	}
	got := all[0]
	_, path, _ := strings.Cut(*want.Request.URL, "://")
	_, path, _ = strings.Cut(path, "/")
	path = "/" + path
	if diff := cmp.Diff([]string{*want.Request.Method, path, want.Request.Body}, []string{got.Method, got.Path, string(got.Body)}); diff != "" {
		t.Errorf("method, path and body (-preview +arrived):\n%s\n%s", diff, script)
	}
	for _, h := range want.Request.Headers {
		if name := strings.ToLower(h.Name); name == "webhook-timestamp" || name == "webhook-signature" {
			if got.Header.Get(name) == "" { // it tells the time at which curl ran
				t.Errorf("header %s did not arrive\n%s", h.Name, script)
			}
			continue
		}
		if v := got.Header.Get(h.Name); v != h.Value {
			t.Errorf("header %s arrived as %q; preview shows %q\n%s", h.Name, v, h.Value, script)
		}
	}
	if got.Header.Get("Expect") != "" {
		t.Error("curl waited to be told to go on")
	}
}

// flaghook runs a command that must succeed, and returns its output.
func flaghook(t *testing.T, args ...string) string {
	t.Helper()
	var out, err bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &err); code != exitOK {
		t.Fatalf("flaghook %s: exit code %d\n%s", strings.Join(args, " "), code, err.String())
	}
	return out.String()
}

// TestCurlCarriesAnyBody sends bodies that no argument can hold, or that a
// terminal would not leave alone, and those that a shell could misread.
func TestCurlCarriesAnyBody(t *testing.T) {
	for _, program := range []string{"sh", "curl", "openssl", "sed"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: the commands were not run", program)
		}
	}
	every := make([]byte, 0, 256)
	for c := range 0x80 {
		every = append(every, byte(c))
	}
	for n, body := range []string{
		string(every), "-n", "-- %s %d %% \\n \\0", "%", "'", "a\n\n\n", "\n", "@file", "\r\n\t\x1b[2J", "$LEVEL ${LEVEL}",
		strings.Repeat("long 'quoted' text %\\ ", 20_000), strings.Repeat("\x01", 1000) + "é🔥",
	} {
		for _, secret := range []string{"", `s"$x'`} {
			t.Run(fmt.Sprintf("%d/%v", n, secret != ""), func(t *testing.T) {
				t.Parallel()
				receiver := hookstest.NewReceiver(t)
				defer receiver.Close()
				request := &traced{
					variables: []string{"LEVEL", "SECRET"}, method: "POST", url: pieces{{text: receiver.URL() + "/", variable: -1}},
					names: []string{"Content-Type"}, values: []pieces{{{text: "text/plain", variable: -1}}},
					body: pieces{{text: body, variable: -1}, {variable: 0}, {text: body, variable: -1}}, hmac: signing{&manifest.Signature{Header: "X-Sign"}, pieces{{variable: 1}}},
				}
				script := request.script()
				cmd := exec.CommandContext(t.Context(), "sh")
				cmd.Stdin = strings.NewReader(script)
				cmd.Env = append(os.Environ(), "LEVEL="+awkward, "SECRET="+secret)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				got := receiver.Requests()[0]
				want := body + awkward + body
				if string(got.Body) != want {
					t.Errorf("%q arrived of %q", got.Body[:min(len(got.Body), 300)], want[:min(len(want), 300)])
				}
				signature := ""
				if secret != "" {
					signature = send.Sign(secret, []byte(want))
				}
				if s := got.Header.Get("X-Sign"); s != signature {
					t.Errorf("the signature is %q; want %q", s, signature)
				}
			})
		}
	}
}
