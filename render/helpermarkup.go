package render

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The helpers here make a text plain in the markup of the place where it arrives. Each leaves its letters alone, drops
// control characters, and may write several characters for one: truncate first, then escape.

// zeroWidth stands where a dialect has no escape: it is not seen, and what stands beside it is no longer markup.
const zeroWidth = "\u200b"

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// htmlEscape(value) is the text for HTML: between tags, and in an attribute's value within double quotes. In a body of
// JSON, where {{x}} would put an entity behind a backslash, it is the way to write HTML.
func htmlEscape(args []Value) (Value, error) {
	return String(htmlEscaper.Replace(strings.Map(keep, arg(args, 0).Text()))), nil
}

var lineBreaks = strings.NewReplacer("\r\n", "<br>", "\n", "<br>", "\r", "<br>")

// htmlLines(value) is the text for HTML with its line breaks, which are <br>. It is not for an attribute.
func htmlLines(args []Value) (Value, error) {
	return String(lineBreaks.Replace(htmlEscaper.Replace(strings.Map(keep, arg(args, 0).Text())))), nil
}

// keep drops control characters but for tab and line breaks: nobody sees them, and some tools refuse a message for them.
func keep(r rune) rune {
	if unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' {
		return -1
	}
	return r
}

// markdownEscape(value) is the text for CommonMark and GitHub's Markdown. Backslashes stand before what may be markup,
// also at the beginning of a line; &, < and > are entities, since not all dialects let a backslash escape them; an @
// that could begin a mention has a zero-width space behind it; blanks at the beginning of a line do not break; two blanks
// at its end make the line break stay one.
func markdownEscape(args []Value) (Value, error) {
	return escapeLines(arg(args, 0).Text(), writeMarkdown), nil
}

func writeMarkdown(b *strings.Builder, c char) {
	switch c.r {
	case '&':
		b.WriteString("&amp;")
	case '<':
		b.WriteString("&lt;")
	case '>':
		b.WriteString("&gt;")
	case '@':
		b.WriteByte('@')
		if !unicode.IsLetter(c.before) && !unicode.IsDigit(c.before) {
			b.WriteString(zeroWidth)
		}
	case '=':
		if c.begins {
			b.WriteString("&#61;") // underlines a heading
		} else {
			b.WriteByte('=')
		}
	default:
		if strings.ContainsRune("\\`*_[]#~|", c.r) || c.lineMark() {
			b.WriteByte('\\')
		}
		b.WriteRune(c.r)
	}
	hardBreak(b, c)
}

// hardBreak writes what makes Markdown keep the line break behind a character.
func hardBreak(b *strings.Builder, c char) {
	if c.after == '\n' || c.after == '\r' {
		b.WriteString("  ")
	}
}

// datadogEscape(value) is the text for the Markdown of Datadog's events, which stands between two %%%: as markdownEscape,
// and no percent sign touches another; each @, which notifies people and channels, has a zero-width space behind it.
func datadogEscape(args []Value) (Value, error) {
	return escapeLines(arg(args, 0).Text(), func(b *strings.Builder, c char) {
		switch {
		case c.r == '@':
			b.WriteString("@" + zeroWidth)
			hardBreak(b, c)
		case c.r == '%' && c.after == '%':
			b.WriteString("%" + zeroWidth)
		default:
			writeMarkdown(b, c)
		}
	}), nil
}

// discordEscape(value) is the text for Discord's Markdown, where a backslash escapes any punctuation. An @ has a
// zero-width space behind it; but let allowed_mentions keep a message from pinging.
func discordEscape(args []Value) (Value, error) {
	return escapeLines(arg(args, 0).Text(), func(b *strings.Builder, c char) {
		if strings.ContainsRune("\\`*_[]#~|<>", c.r) || c.lineMark() || (c.r == ':' && !unicode.IsSpace(c.after)) {
			b.WriteByte('\\') // a colon begins emoji and makes links of addresses
		}
		b.WriteRune(c.r)
		if c.r == '@' {
			b.WriteString(zeroWidth)
		}
	}), nil
}

// slackEscape(value) is the text for Slack's mrkdwn: entities for &, < and >, which mentions and links are made of.
// mrkdwn has no escape for formatting; its characters stand between zero-width spaces, so that, taken for blanks or
// for letters, they begin and end nothing.
func slackEscape(args []Value) (Value, error) {
	return escapeLines(arg(args, 0).Text(), func(b *strings.Builder, c char) {
		switch c.r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			if c.begins {
				b.WriteString(zeroWidth) // a quotation, also as an entity
			}
			b.WriteString("&gt;")
		case '*', '_', '~', '`':
			b.WriteString(zeroWidth)
			b.WriteRune(c.r)
			b.WriteString(zeroWidth)
		case ':':
			b.WriteByte(':')
			if c.after != '/' && !unicode.IsSpace(c.after) {
				b.WriteString(zeroWidth) // emoji
			}
		default:
			b.WriteRune(c.r)
		}
	}), nil
}

// zulipEscape(value) is the text for Zulip's Markdown, which knows no backslash but reads HTML's character references.
// It is not for the text of a link, where Zulip does not read them.
func zulipEscape(args []Value) (Value, error) {
	return escapeLines(arg(args, 0).Text(), func(b *strings.Builder, c char) {
		if strings.ContainsRune("&<>\\`*_[]#~|@$:", c.r) || c.lineMark() {
			writeReference(b, c.r)
			return
		}
		b.WriteRune(c.r)
	}), nil
}

// safeLink(value) is the text as a link to a page: an http or https URL with a host, percent-encoded where a URL may not
// hold a character (RFC 3986) or markup could end the link there; what is encoded stays as it is. Anything else is "", and
// so is what is then longer than maxLink.
func safeLink(args []Value) (Value, error) {
	s := arg(args, 0).Text()
	scheme, rest, _ := strings.Cut(s, "://")
	if scheme = strings.ToLower(scheme); scheme != "http" && scheme != "https" || !isAuthority(rest) {
		return String(""), nil
	}
	var b strings.Builder
	b.WriteString(scheme + "://")
	for i := range len(rest) {
		c := rest[i]
		encoded := c == '%' && i+2 < len(rest) && isHex(rest[i+1]) && isHex(rest[i+2])
		if outsideURL(c) || c >= 0x7f || c == '%' && !encoded {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	if b.Len() > maxLink {
		return String(""), nil
	}
	return String(b.String()), nil
}

// outsideURL reports whether an ASCII character may stand in no URL, or could end a link in Markdown.
func outsideURL(c byte) bool {
	return c <= ' ' || c == 0x7f || strings.IndexByte("\"<>\\^`{|}()", c) >= 0
}

// isAuthority reports whether what stands behind a URL's :// begins with a host that needs no encoding; brackets are
// only around an address of IPv6. Tools refuse a message for the URL of a host that cannot be.
func isAuthority(rest string) bool {
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	for i := range len(rest) {
		if c := rest[i]; outsideURL(c) || c == '%' || c == '[' && i > 0 || c == ']' && rest[0] != '[' {
			return false
		}
	}
	return rest != ""
}

// maxLink is how many characters a link has at most: a longer one makes tools refuse the whole message, as Notion does
// from 2,000 on, and no page of a flag has one.
const maxLink = 2000

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

// writeReference writes an ASCII character as a numeric character reference.
func writeReference(b *strings.Builder, r rune) {
	b.WriteString("&#")
	if r >= 100 {
		b.WriteByte(byte('0' + r/100))
	}
	b.WriteByte(byte('0' + r/10%10))
	b.WriteByte(byte('0' + r%10))
	b.WriteByte(';')
}

// A char is a character with what its meaning as markup depends on.
type char struct {
	r             rune
	before, after rune // ' ' at the ends of the text
	begins        bool // nothing but blanks stands before it in its line
	numbered      bool // nothing but blanks and then a number
}

// lineMark reports whether the character may begin a list, a rule or the line under a heading: - + = at the beginning of
// a line, . and ) after a number there.
func (c char) lineMark() bool {
	switch c.r {
	case '-', '+', '=':
		return c.begins
	case '.', ')':
		return c.numbered
	}
	return false
}

// escapeLines hands over character by character; blanks at the beginning of a line become ones that do not break,
// since indented text is code in Markdown.
func escapeLines(s string, write func(b *strings.Builder, c char)) Value {
	s = strings.Map(keep, s)
	var b strings.Builder
	b.Grow(len(s) + len(s)/4)
	c := char{before: ' ', begins: true}
	for i, r := range s {
		c.r, c.after = r, ' '
		if next := s[i+utf8.RuneLen(r):]; next != "" {
			c.after, _ = utf8.DecodeRuneInString(next)
		}
		switch {
		case r == '\n' || r == '\r':
			b.WriteRune(r)
			c.begins, c.numbered = true, false
		case c.begins && r == ' ':
			b.WriteString("\u00a0")
		case c.begins && r == '\t':
			b.WriteString("\u00a0\u00a0")
		default:
			write(&b, c)
			digit := r >= '0' && r <= '9'
			c.numbered = digit && (c.begins || c.numbered)
			c.begins = false
		}
		c.before = r
	}
	return String(b.String())
}
