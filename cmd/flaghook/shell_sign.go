package main

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flaghook/flaghook/manifest"
)

// writeID makes up the id of a delivery, where one is needed and none is set.
func (t *traced) writeID(b *strings.Builder) {
	of := slices.IndexFunc(t.id, func(p piece) bool { return p.variable >= 0 })
	if of < 0 {
		return
	}
	same := func(p piece) bool { return p.variable == t.id[of].variable }
	used := t.standard.by != nil
	for _, ps := range append([]pieces{t.url}, t.values...) {
		used = used || slices.ContainsFunc(ps, same)
	}
	if used {
		name := t.variable(t.id[of])
		fmt.Fprintf(b, "[ -n \"$%s\" ] || %s=$(openssl rand -hex 16)\n", name, name)
	}
}

// sign writes how the signatures are made, and returns curl's arguments for
// them. An empty secret signs nothing.
func (t *traced) sign(b *strings.Builder, stream bool) []string {
	from := `printf %s "$body"`
	if stream {
		from = "body"
	}
	var arguments []string
	if t.hmac.by != nil {
		arguments = append(arguments, t.signHMAC(b, from))
	}
	if t.standard.by != nil {
		arguments = append(arguments, t.signStandard(b, from)...)
	}
	return arguments
}

func (t *traced) signHMAC(b *strings.Builder, from string) string {
	s := *t.hmac.by
	if t.hmac.secret.literal() && t.body.literal() {
		s.Secrets = []string{t.hmac.secret.text()}
		r := manifest.Request{Body: []byte(t.body.text()), Signatures: []manifest.Signature{s}}
		h := r.Sign("", time.Time{})[0]
		return "--header " + quote(h.Name+": "+h.Value)
	}
	algorithm := manifest.AlgorithmSHA256
	if s.Algorithm == manifest.AlgorithmSHA512 {
		algorithm = manifest.AlgorithmSHA512
	}
	write := "| sed 's/^.*= *//'"
	if s.Encoding == manifest.EncodingBase64 {
		write = "-binary | openssl base64 -A"
	}
	command := fmt.Sprintf("signature=$(%s | openssl dgst -%s -hmac %s %s)", from, algorithm, t.word(t.hmac.secret), write)
	return t.unlessEmpty(b, t.hmac.secret, command, quote(s.Header+": "+s.Prefix)+`"$signature"`)[0]
}

// signStandard has the shell sign in any case, with the time at which it runs:
// receivers refuse what was signed five minutes ago.
func (t *traced) signStandard(b *strings.Builder, from string) []string {
	b.WriteString("timestamp=$(date +%s)\n")
	key := `"$key"`
	if secret := t.standard.secret; secret.literal() {
		bytes, err := manifest.StandardKey(secret.text())
		if err != nil {
			return nil // what the request is warned of
		}
		key = hex.EncodeToString(bytes)
	} else {
		name := t.secretName(secret)
		const toHex = `| od -An -vtx1 | tr -d ' \n'`
		fmt.Fprintf(b, "case $%s in\nwhsec_*) key=$(printf %%s \"${%s#whsec_}\" | openssl base64 -d -A %s) ;;\n*) key=$(printf %%s \"$%s\" %s) ;;\nesac\n",
			name, name, toHex, name, toHex)
	}
	command := fmt.Sprintf(`standard=$({ printf %%s. %s "$timestamp"; %s; } | openssl dgst -sha256 -mac HMAC -macopt hexkey:%s -binary | openssl base64 -A)`, t.word(t.id), from, key)
	return t.unlessEmpty(b, t.standard.secret, command,
		t.word(append(pieces{{text: manifest.HeaderWebhookID + ": ", variable: -1}}, t.id...)),
		quote(manifest.HeaderWebhookTimestamp+": ")+`"$timestamp"`,
		quote(manifest.HeaderWebhookSignature+": v1,")+`"$standard"`)
}

// unlessEmpty writes a command that is run unless the secret is empty, and
// returns curl's arguments that send the headers in that case.
func (t *traced) unlessEmpty(b *strings.Builder, secret pieces, command string, headers ...string) []string {
	arguments := make([]string, len(headers))
	if secret.literal() {
		b.WriteString(command + "\n")
		for n, h := range headers {
			arguments[n] = "--header " + h
		}
		return arguments
	}
	name := t.secretName(secret)
	fmt.Fprintf(b, "[ -z \"$%s\" ] || %s\n", name, command)
	for n, h := range headers {
		arguments[n] = fmt.Sprintf("${%s:+--header} ${%s:+%s}", name, name, h)
	}
	return arguments
}

// secretName is the shell's variable in a secret.
func (t *traced) secretName(secret pieces) string {
	return t.variable(secret[slices.IndexFunc(secret, func(p piece) bool { return p.variable >= 0 })])
}
