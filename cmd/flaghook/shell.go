package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Limits of what is handed to curl as an argument.
const (
	// maxArgument is less than the 128 KiB that Linux allows for one argument
	// (MAX_ARG_STRLEN), with room for the variables in it.
	maxArgument = 96 << 10
	// expectFrom is less than the 1 KiB from which old curls wait for the server
	// to say "100 Continue", with room for variables.
	expectFrom = 512
)

// script writes the request as commands for sh.
func (t *traced) script() string {
	var b strings.Builder
	t.writeID(&b)
	t.writeEscapes(&b)
	stream := t.streams()
	shellSigns := t.standard.by != nil || t.hmac.by != nil && !(t.hmac.secret.literal() && t.body.literal())
	data := t.word(t.body)
	switch {
	case stream:
		fmt.Fprintf(&b, "body() { %s; }\n", t.printf(t.body))
	case shellSigns:
		fmt.Fprintf(&b, "body=%s\n", data)
		data = `"$body"`
	}
	signatures := t.sign(&b, stream)
	if stream {
		b.WriteString("body | ")
	}
	b.WriteString("curl --globoff")
	if strings.Contains(t.url.text(), "/.") {
		b.WriteString(" --path-as-is")
	}
	fmt.Fprintf(&b, " --request %s %s", bare(t.method), t.word(urlPieces(t.url)))
	for n, name := range t.names {
		fmt.Fprintf(&b, " \\\n  --header %s", t.header(name, t.values[n]))
	}
	for _, arguments := range signatures {
		b.WriteString(" \\\n  " + arguments)
	}
	if size := len(t.body.text()); size > expectFrom && !slices.ContainsFunc(t.names, func(n string) bool { return strings.EqualFold(n, "Expect") }) {
		b.WriteString(" \\\n  --header 'Expect:'")
	}
	if stream {
		b.WriteString(" \\\n  --data-binary @-")
	} else {
		fmt.Fprintf(&b, " \\\n  --data-raw %s", data)
	}
	b.WriteByte('\n')
	return b.String()
}

// text is the literal part of the pieces.
func (ps pieces) text() string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.text)
	}
	return b.String()
}

// streams reports whether the body goes through a pipe: what is too long for an
// argument, and control characters, which no argument can hold (NUL) or which a
// terminal takes for keys when they are pasted.
func (t *traced) streams() bool {
	text := t.body.text()
	return len(text) > maxArgument || strings.IndexFunc(text, isControl) >= 0
}

func isControl(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }

// writeEscapes sets a variable for every value that is written escaped.
func (t *traced) writeEscapes(b *strings.Builder) {
	seen := map[string]bool{}
	for _, text := range append([]pieces{t.url, t.body}, t.values...) {
		for _, p := range text {
			if p.variable < 0 || p.escape == 0 {
				continue
			}
			name := t.variable(p)
			if !seen[name] {
				fmt.Fprintf(b, "%s=$(printf %%s \"$%s\" | sed %s)\n", name, t.variables[p.variable], quote(escapings[p.escape].sed))
			}
			seen[name] = true
		}
	}
}

// variable is the shell's name for a piece: that of the variable, or of the one
// that holds it escaped, in small letters, which no form variable's has.
func (t *traced) variable(p piece) string {
	name := t.variables[p.variable]
	if p.escape == 0 {
		return name
	}
	return strings.ToLower(name) + "_" + escapings[p.escape].name
}

// header writes "Name: value", or "Name;" with which curl sends it empty.
func (t *traced) header(name string, value pieces) string {
	if value.literal() && strings.TrimSpace(value.text()) == "" {
		return quote(name + ";")
	}
	return t.word(append(pieces{{text: name + ": ", variable: -1}}, value...))
}

// word gives one word that the shell expands to the pieces.
func (t *traced) word(ps pieces) string {
	var b strings.Builder
	literal := ""
	flush := func() {
		if literal != "" {
			b.WriteString(quote(literal))
		}
		literal = ""
	}
	for _, p := range ps {
		if p.variable < 0 {
			literal += p.text
			continue
		}
		flush()
		b.WriteString(`"$` + t.variable(p) + `"`)
	}
	flush()
	if b.Len() == 0 {
		return "''"
	}
	return b.String()
}

// printf gives a command that writes the pieces: sh's own printf, which takes
// any length and writes any byte.
func (t *traced) printf(ps pieces) string {
	var format strings.Builder
	var args []string
	for _, p := range ps {
		if p.variable >= 0 {
			format.WriteString("%s")
			args = append(args, ` "$`+t.variable(p)+`"`)
			continue
		}
		for n := range len(p.text) {
			switch c := p.text[n]; {
			case c == '%':
				format.WriteString("%%")
			case c == '\\':
				format.WriteString(`\\`)
			case isControl(rune(c)), c == '-' && format.Len() == 0: // a format that begins with - looks like an option
				fmt.Fprintf(&format, `\%03o`, c)
			default:
				format.WriteByte(c)
			}
		}
	}
	return "printf " + quote(format.String()) + strings.Join(args, "")
}

// quote writes text for sh, literally.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

var bareWord = regexp.MustCompile(`^[A-Za-z]+$`)

// bare leaves the quotes out where none are needed.
func bare(text string) string {
	if bareWord.MatchString(text) {
		return text
	}
	return quote(text)
}

// urlPieces escapes what Go escapes when it sends a URL, and curl would refuse
// or send as it is: blanks, and in the path what is not ASCII.
func urlPieces(ps pieces) pieces {
	out := slices.Clone(ps)
	query := false
	for n, p := range out {
		if p.variable >= 0 {
			continue
		}
		var b strings.Builder
		for i := range len(p.text) {
			c := p.text[i]
			query = query || c == '?'
			if c == ' ' || c >= 0x80 && !query {
				fmt.Fprintf(&b, "%%%02X", c)
			} else {
				b.WriteByte(c)
			}
		}
		out[n].text = b.String()
	}
	return out
}

var shellName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)

// ownNames are variables that sh, bash or curl set, read or protect: a form
// variable with the key "path" is not the shell's PATH.
var ownNames = []string{
	"_", "ALL_PROXY", "BASHOPTS", "CDPATH", "CURL_CA_BUNDLE", "CURL_HOME", "DIRSTACK", "ENV", "EUID", "FUNCNAME", "GID", "GROUPS",
	"HOME", "HTTPS_PROXY", "IFS", "LANG", "LINENO", "NO_PROXY", "OLDPWD", "OPENSSL_CONF", "OPTARG", "OPTERR", "OPTIND", "PATH",
	"PPID", "PS1", "PS2", "PS4", "PWD", "RANDOM", "SECONDS", "SHELLOPTS", "SHLVL", "SSL_CERT_DIR", "SSL_CERT_FILE", "UID",
}

// ownPrefixes begin the names of more such variables.
var ownPrefixes = []string{"BASH_", "LC_", "LD_"}

// shellNames gives each placeholder a variable of its own: $APIKEY is APIKEY.
// What is no name in sh gets underscores, and what has a meaning there, or is
// another placeholder's, FORM_ in front.
func shellNames(unset []placeholder) []string {
	taken := map[string]bool{}
	names := make([]string, len(unset))
	for n, v := range unset {
		name := strings.TrimPrefix(v.text, "$")
		if !shellName.MatchString(name) {
			name = strings.Map(func(r rune) rune {
				if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
					return r
				}
				return '_'
			}, name)
			if name == "" || name[0] <= '9' {
				name = "_" + name
			}
		}
		begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		own := slices.Contains(ownNames, name) || slices.ContainsFunc(ownPrefixes, begins)
		for own || taken[name] {
			name, own = "FORM_"+name, false
		}
		taken[name] = true
		names[n] = name
	}
	return names
}
