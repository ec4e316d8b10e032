package render

import (
	"strings"
	"unicode/utf8"
)

// inside reads the next token inside the tag that began at start, and returns its kind.
func (s *scanner) inside(start int) (tokenKind, *fault) {
	rest := s.src[s.pos:]
	blanks := len(rest) - len(strings.TrimLeftFunc(rest, isSpace))
	s.pos += blanks
	if rest = rest[blanks:]; rest == "" {
		return 0, notClosed(s.src, start)
	}
	kind, n := insideKind(rest)
	if s.pos+n-start > maxTag {
		return 0, faultf(start, "", "the tag is longer than %d bytes", maxTag)
	}
	if n == 0 {
		if !strings.Contains(rest, "}}") {
			return 0, notClosed(s.src, start)
		}
		r, _ := utf8.DecodeRuneInString(rest)
		return 0, faultf(s.pos, "names with such characters are written in brackets: [a name]",
			"unexpected %q in a tag", r)
	}
	t := s.add(kind, n)
	switch {
	case kind == tokenString:
		t.value = strings.ReplaceAll(t.text[1:n-1], `\`+t.text[:1], t.text[:1])
	case kind == tokenID && t.text[0] == '[':
		t.value = unbracket(t.text)
	}
	return kind, nil
}

func notClosed(src string, start int) *fault {
	return faultf(start, "", "the tag %s is not closed", quote(src[start:]))
}

// insideKind returns the kind and length of the token that rest begins with; length 0 if it begins with none.
func insideKind(rest string) (tokenKind, int) {
	for _, f := range fixedTokens {
		if strings.HasPrefix(rest, f.text) {
			return f.kind, len(f.text)
		}
	}
	switch c := rest[0]; {
	case c == '.' && isLookahead(rest[1:], "=/.|"):
		return tokenID, 1
	case c == '.' || c == '/':
		return tokenSep, 1
	case c == '"' || c == '\'':
		return tokenString, delimited(rest, c)
	case c == '[':
		return tokenID, delimited(rest, ']')
	}
	for _, w := range wordTokens {
		if after, ok := strings.CutPrefix(rest, w.text); ok && isLookahead(after, "") {
			return w.kind, len(w.text)
		}
	}
	if n := numberLength(rest); n > 0 && isLookahead(rest[n:], "") {
		return tokenNumber, n
	}
	if after, ok := strings.CutPrefix(rest, "as"); ok {
		tail := strings.TrimLeftFunc(after, isSpace)
		if len(tail) < len(after) && strings.HasPrefix(tail, "|") {
			return tokenParams, len(rest) - len(tail) + 1
		}
	}
	if rest[0] == '|' {
		return tokenCloseParams, 1
	}
	if n := idLength(rest); n > 0 && isLookahead(rest[n:], "=/.|") {
		return tokenID, n
	}
	return tokenID, 0
}

// fixedTokens are in the order in which they are tried.
var fixedTokens = []struct {
	text string
	kind tokenKind
}{
	{"(", tokenSub}, {")", tokenCloseSub}, {"}}}}", tokenCloseRaw}, {"}}}", tokenCloseThree},
	{"}~}}", tokenCloseThree}, {"~}}", tokenClose}, {"}}", tokenClose}, {"=", tokenEquals}, {"..", tokenID},
	{"@", tokenData},
}

var wordTokens = []struct {
	text string
	kind tokenKind
}{
	{"true", tokenBool}, {"false", tokenBool}, {"undefined", tokenUndefined}, {"null", tokenNull},
}

// isLookahead reports whether s begins with what may follow a literal, or with one of the extra bytes.
func isLookahead(s, extra string) bool {
	r, size := utf8.DecodeRuneInString(s)
	return size > 0 && (isSpace(r) || r == '~' || r == '}' || r == ')' || strings.ContainsRune(extra, r))
}

// idLength returns the length of the name at the start of s.
func idLength(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool {
		return isSpace(r) || strings.ContainsRune("!\"#%&'()*+,./;<=>@[\\]^`{|}~", r)
	})
	if n < 0 {
		return len(s)
	}
	return n
}

func numberLength(s string) int {
	digits := func(i int) int {
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i
	}
	n := 0
	if s[0] == '-' {
		n = 1
	}
	end := digits(n)
	if end == n {
		return 0
	}
	if end < len(s) && s[end] == '.' {
		if fraction := digits(end + 1); fraction > end+1 {
			return fraction
		}
	}
	return end
}

// delimited returns the length of the string or bracketed name at the start of s, with both its delimiters; 0 if it
// is not closed. A backslash escapes the closing one, unless no other follows.
func delimited(s string, closing byte) int {
	last := 0
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == closing:
			i++
			last = i + 1
		case s[i] == closing:
			return i + 1
		}
	}
	return last
}

// unbracket returns the name in [name]. Handlebars.js leaves the brackets where a name has line breaks.
func unbracket(s string) string {
	plain := strings.NewReplacer(`\\`, `\`, `\]`, `]`).Replace(s)
	if strings.ContainsAny(plain, "\n\r\u2028\u2029") || !strings.HasSuffix(plain, "]") {
		return plain
	}
	return plain[1 : len(plain)-1]
}
