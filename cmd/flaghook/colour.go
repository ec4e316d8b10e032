package main

import "bytes"

// The colours in which things are shown, as numbers of SGR (ECMA-48, 8.3.117).
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
	cyan   = "36"
)

// painter colours texts, or leaves them as they are.
func painter(on bool) func(code, text string) string {
	if !on {
		return func(_, text string) string { return text }
	}
	return func(code, text string) string { return "\x1b[" + code + "m" + text + "\x1b[0m" }
}

// colourJSON colours JSON text: names, strings, numbers and words. It changes
// nothing else, and takes any text without harm.
func colourJSON(text []byte) []byte {
	var out bytes.Buffer
	paint := painter(true)
	for i := 0; i < len(text); {
		end, code := i+1, ""
		switch c := text[i]; {
		case c == '"':
			end, code = stringEnd(text, i), green
			if rest := bytes.TrimLeft(text[end:], " \t\r\n"); len(rest) > 0 && rest[0] == ':' {
				code = cyan
			}
		case c == '-' || c >= '0' && c <= '9':
			end, code = wordEnd(text, i), yellow
		case c >= 'a' && c <= 'z':
			end, code = wordEnd(text, i), blue
		}
		if code == "" {
			out.Write(text[i:end])
		} else {
			out.WriteString(paint(code, string(text[i:end])))
		}
		i = end
	}
	return out.Bytes()
}

// stringEnd is where the string that begins at i ends.
func stringEnd(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// wordEnd is where the number or word that begins at i ends.
func wordEnd(text []byte, i int) int {
	for i++; i < len(text); i++ {
		c := text[i]
		word := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == 'E' || c == '+' || c == '-' || c == '.'
		if !word {
			break
		}
	}
	return i
}
