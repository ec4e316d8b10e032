package render

import (
	"strings"
	"unicode/utf8"
)

// Limits on what a template may be made of. They are far above what any template needs, and keep the time that a
// hostile one can take short.
const (
	maxTemplate = 64 << 10 // bytes of a template
	maxTag      = 4 << 10  // bytes from {{ to }}
	maxPath     = 1 << 10  // bytes of a path
	maxBlanks   = 1 << 10  // blanks in a row inside a comment
	maxNesting  = 100      // blocks and subexpressions inside each other
)

type tokenKind uint8

const (
	tokenEOF tokenKind = iota
	tokenContent
	tokenComment
	tokenOpen        // {{ and {{&
	tokenUnescaped   // {{{
	tokenBlock       // {{#
	tokenInverse     // {{^
	tokenEnd         // {{/
	tokenElse        // {{else}} and {{^}}
	tokenElseChain   // {{else
	tokenRaw         // {{{{
	tokenEndRaw      // {{{{/name}}}}
	tokenPartial     // {{> and {{#>
	tokenDecorator   // {{* and {{#*
	tokenClose       // }}
	tokenCloseThree  // }}}
	tokenCloseRaw    // }}}}
	tokenSub         // (
	tokenCloseSub    // )
	tokenID          // a name, or .. or . or this
	tokenSep         // . or /
	tokenEquals      // =
	tokenData        // @
	tokenString      // "..." or '...'
	tokenNumber      //
	tokenBool        // true, false
	tokenUndefined   //
	tokenNull        //
	tokenParams      // as |
	tokenCloseParams // |
)

// token is a piece of a template: text as it stands there, value as it is meant.
type token struct {
	kind  tokenKind
	pos   int
	text  string
	value string
}

// literalID reports whether an ID was written in brackets, so that [this] is a name and this is not.
func (t token) literalID() bool { return t.text != t.value }

// scanner splits a template into tokens by the rules of Handlebars.js 4.7 (its src/handlebars.l, in which the first
// rule that matches wins). It is ours and not raymond's because raymond's lexer differs from those rules, takes time
// quadratic in the length of comments and paths, and leaves a goroutine behind on an error.
type scanner struct {
	src    string
	pos    int
	tokens []token
}

// scan returns the tokens of a template, the last of them tokenEOF.
func scan(src string) ([]token, *fault) {
	switch {
	case len(src) > maxTemplate:
		return nil, faultf(-1, "split it, or move long texts out of it", "the template has %d bytes; at most %d are allowed",
			len(src), maxTemplate)
	case !utf8.ValidString(src):
		return nil, faultf(firstInvalid(src), "save the file as UTF-8", "the template is not valid UTF-8")
	case strings.IndexByte(src, 0) >= 0:
		return nil, faultf(strings.IndexByte(src, 0), "", "the template has a NUL character")
	}
	s := &scanner{src: src}
	for s.pos < len(src) {
		if err := s.content(); err != nil {
			return nil, err
		}
	}
	s.add(tokenEOF, 0)
	return s.tokens, nil
}

func firstInvalid(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return len(s)
}

// add appends the next n bytes as a token.
func (s *scanner) add(kind tokenKind, n int) *token {
	text := s.src[s.pos : s.pos+n]
	s.tokens = append(s.tokens, token{kind: kind, pos: s.pos, text: text, value: text})
	s.pos += n
	return &s.tokens[len(s.tokens)-1]
}

func (s *scanner) addContent(n, dropped int) {
	if n > dropped {
		t := s.add(tokenContent, n-dropped)
		t.value = t.text
	} else {
		s.pos += n - dropped
	}
	s.pos += dropped
}

// content reads text up to the next mustache, and that mustache. A backslash before it makes it text, two of them
// are one backslash.
func (s *scanner) content() *fault {
	rest := s.src[s.pos:]
	i := strings.Index(rest, "{{")
	switch {
	case i < 0:
		s.addContent(len(rest), 0)
		return nil
	case strings.HasSuffix(rest[:i], `\\`):
		s.addContent(i, 1)
	case strings.HasSuffix(rest[:i], `\`):
		s.addContent(i, 1)
		s.addContent(escapedMustache(s.src[s.pos:]), 0)
		return nil
	default:
		s.addContent(i, 0)
	}
	return s.mustache()
}

// escapedMustache returns the length of the text that an escaped mustache stands for: up to the next mustache.
func escapedMustache(rest string) int {
	i := strings.Index(rest[2:], "{{")
	if i < 0 {
		return len(rest)
	}
	i += 2
	for range 2 {
		if i > 2 && rest[i-1] == '\\' {
			i--
		}
	}
	return i
}

// mustache reads one tag, from {{ to }}, and after {{{{...}}}} also the raw text and its end.
func (s *scanner) mustache() *fault {
	if done, err := s.comment(); done || err != nil {
		return err
	}
	start := s.pos
	if done := s.open(); done {
		return nil
	}
	for {
		kind, err := s.inside(start)
		switch {
		case err != nil:
			return err
		case kind == tokenCloseRaw:
			return s.raw(start)
		case kind == tokenClose || kind == tokenCloseThree:
			return nil
		}
	}
}

func (s *scanner) comment() (bool, *fault) {
	rest := s.src[s.pos:]
	body := strings.TrimPrefix(rest[2:], "~")
	if !strings.HasPrefix(body, "!") {
		return false, nil
	}
	end := -1
	if strings.HasPrefix(body, "!--") {
		end = dashedEnd(rest)
	} else if i := strings.Index(rest, "}}"); i >= 0 {
		end = i + 2
	}
	if end < 0 {
		return true, faultf(s.pos, "", "the comment is not closed")
	}
	if i := longBlanks(rest[:end]); i >= 0 {
		return true, faultf(s.pos+i, "", "more than %d blanks in a row inside a comment", maxBlanks)
	}
	s.add(tokenComment, end)
	return true, nil
}

// dashedEnd returns where a comment {{!-- ends: behind the first --}} or --~}}. Its own two dashes may be those.
func dashedEnd(rest string) int {
	for i := 0; ; i++ {
		j := strings.Index(rest[i:], "--")
		if j < 0 {
			return -1
		}
		i += j
		after := rest[i+2:]
		if tail := strings.TrimPrefix(after, "~"); strings.HasPrefix(tail, "}}") {
			return i + 2 + len(after) - len(tail) + 2
		}
	}
}

func longBlanks(s string) int {
	run := 0
	for i, r := range s {
		if !isSpace(r) {
			run = 0
		} else if run++; run > maxBlanks {
			return i
		}
	}
	return -1
}

// open reads what opens a tag. It reports true where that is the whole tag: {{else}} and {{^}}.
func (s *scanner) open() bool {
	rest := s.src[s.pos:]
	if strings.HasPrefix(rest, "{{{{") {
		s.add(tokenRaw, 4)
		return false
	}
	body := strings.TrimPrefix(rest[2:], "~")
	n := len(rest) - len(body)
	for _, o := range openers {
		if strings.HasPrefix(body, o.text) {
			n += len(o.text)
			if m := closer(body[len(o.text):]); o.kind == tokenInverse && m > 0 {
				s.add(tokenElse, n+m)
				return true
			}
			s.add(o.kind, n)
			return false
		}
	}
	word := strings.TrimLeftFunc(body, isSpace)
	if after, ok := strings.CutPrefix(word, "else"); ok && !startsWord(after) {
		n = len(rest) - len(after)
		if m := closer(after); m > 0 {
			s.add(tokenElse, n+m)
			return true
		}
		s.add(tokenElseChain, n)
		return false
	}
	s.add(tokenOpen, n)
	return false
}

var openers = []struct {
	text string
	kind tokenKind
}{
	{">", tokenPartial}, {"#>", tokenPartial}, {"#*", tokenDecorator}, {"*", tokenDecorator}, {"#", tokenBlock},
	{"/", tokenEnd}, {"^", tokenInverse}, {"{", tokenUnescaped}, {"&", tokenOpen},
}

// closer returns the length of "  ~}}" at the start of s, 0 if there is none.
func closer(s string) int {
	tail := strings.TrimPrefix(strings.TrimLeftFunc(s, isSpace), "~")
	if !strings.HasPrefix(tail, "}}") {
		return 0
	}
	return len(s) - len(tail) + 2
}

// startsWord is the \b of a JavaScript regular expression, behind a letter: false at a word's end.
func startsWord(s string) bool {
	return s != "" && (s[0] == '_' || (s[0] >= '0' && s[0] <= '9') || (s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z'))
}

// raw reads the text of a raw block, which may hold other raw blocks, and its end tag.
func (s *scanner) raw(start int) *fault {
	for depth := 1; ; {
		i := strings.Index(s.src[s.pos:], "{{{{")
		if i < 0 {
			return faultf(start, "close it with {{{{/name}}}}", "the raw block is not closed")
		}
		s.addContent(i, 0)
		rest := s.src[s.pos:]
		name := endRaw(rest)
		switch {
		case name == "" && strings.HasPrefix(rest, "{{{{/"):
			return faultf(s.pos, "write {{{{/name}}}} without blanks", "this is no end of a raw block")
		case name == "":
			if depth++; depth > maxNesting {
				return tooDeep(s.pos)
			}
			s.addContent(4, 0)
		case depth > 1:
			depth--
			s.addContent(len(name)+9, 0)
		default:
			s.add(tokenEndRaw, len(name)+9).value = name
			return nil
		}
	}
}

// endRaw returns the name in {{{{/name}}}} at the start of s.
func endRaw(s string) string {
	body, ok := strings.CutPrefix(s, "{{{{/")
	if !ok {
		return ""
	}
	name := body[:idLength(body)]
	if !strings.HasPrefix(body[len(name):], "}}}}") {
		return ""
	}
	return name
}

func tooDeep(pos int) *fault {
	return faultf(pos, "", "nested more than %d deep", maxNesting)
}
