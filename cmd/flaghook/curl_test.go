package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
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
// and every sample exactly that arrives which preview shows, be the form
// variables given by --set or by the shell.
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
	for _, i := range catalog.All() {
		for n, name := range schemas.SampleNames() {
			t.Run(i.Key+"/"+name, func(t *testing.T) {
				t.Parallel()
				d := delivery{integration: i, args: []string{i.Key, "--sample", name, "--at", "2026-01-31T12:00:00Z"}, shell: shells[n%len(shells)]}
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

// fixedHost is the host of an integration that lets nobody choose.
const fixedHost = "https://events.pagerduty.com"

func (d delivery) try(t *testing.T, set bool) {
	receiver := hookstest.NewReceiver(t)
	defer receiver.Close()
	var settings, env []string
	config, _ := d.integration.Placeholders(nil)
	for key, v := range config.Members() {
		if v.Kind() != render.KindString {
			continue
		}
		value := awkward
		if strings.Contains(strings.ToLower(key), "url") {
			value = receiver.URL()
			if key == "url" {
				value += "/hook?a=1&b=[2]{3}"
			}
			if key == "url" && set {
				value = strings.Replace(value, "/hook", "/a/../hook", 1) // which curl would tidy up
			}
		}
		settings = append(settings, "--set", key+"="+value)
		env = append(env, strings.TrimPrefix(v.AsString(), "$")+"="+value)
	}
	var want struct{ Request previewRequest }
	shown := flaghook(t, append(append([]string{"preview", "--format", "json"}, d.args...), settings...)...)
	if err := json.Unmarshal([]byte(shown), &want); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"curl"}, d.args...)
	if set {
		args, env = append(args, settings...), nil
	}
	script := strings.ReplaceAll(flaghook(t, args...), "'"+fixedHost, "'"+receiver.URL())
	cmd := exec.CommandContext(t.Context(), d.shell, "-c", script)
	cmd.Env = append(os.Environ(), append(env, "CURL_HOME="+t.TempDir(), "HOME="+t.TempDir())...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, script)
	}
	all := receiver.Requests()
	if len(all) != 1 {
		t.Fatalf("%d requests arrived\n%s", len(all), script)
	}
	got := all[0]
	path := strings.TrimPrefix(strings.TrimPrefix(*want.Request.URL, receiver.URL()), fixedHost)
	if diff := cmp.Diff([]string{*want.Request.Method, path, want.Request.Body}, []string{got.Method, got.Path, string(got.Body)}); diff != "" {
		t.Errorf("method, path and body (-preview +arrived):\n%s\n%s", diff, script)
	}
	for _, h := range want.Request.Headers {
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
