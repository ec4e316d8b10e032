package render

import (
	"strconv"
	"strings"
)

// marker stands in the normal form for a token: it is followed by the token's number.
const marker = "\x00"

// normalizer checks the grammar of a template (Handlebars.js 4.7, its src/handlebars.yy) and writes the template in a
// normal form that raymond's lexer and parser read without fault: tags in their plainest spelling, and the number of
// a token in place of every text, name and literal. So raymond never meets what it would read otherwise than
// Handlebars.js, never needs more than linear time, and never fails: on an error of its own it would leave its
// lexer's goroutine behind for ever. Should the two grammars disagree after all, Compile returns raymond's error and
// that goroutine is lost; FuzzCompile looks for such templates.
type normalizer struct {
	src    string
	tokens []token
	next   int // of tokens
	out    []byte
	depth  int
	starts map[int]pathStart // by the path's offset in the normal form
}

// pathStart is a path's first token, and its name.
type pathStart struct {
	token int
	name  string
}

// pathForm is a path that was read: its name as Handlebars.js prints it, and its normal form.
type pathForm struct{ name, form string }

// normalize returns the normal form.
func (n *normalizer) normalize() (string, *fault) {
	if err := n.program(); err != nil {
		return "", err
	}
	switch t := n.peek(); t.kind {
	case tokenEOF:
		return string(n.out), nil
	case tokenEnd:
		return "", faultf(t.pos, "", "the closing tag %s closes no block", n.tag())
	default:
		return "", faultf(t.pos, "", "%s outside of a block, or after its {{else}}", n.tag())
	}
}

func (n *normalizer) peek() token { return n.tokens[n.next] }

func (n *normalizer) write(parts ...string) {
	for _, p := range parts {
		n.out = append(n.out, p...)
	}
}

func (n *normalizer) mark(i int) string { return marker + strconv.Itoa(i) }

// tag quotes the tag that begins with the next token.
func (n *normalizer) tag() string {
	t := n.peek()
	end := len(n.src)
	if i := strings.Index(n.src[t.pos:], "}}"); i >= 0 {
		end = t.pos + i + 2
	}
	return quote(n.src[t.pos:end])
}

// program reads statements up to what ends a block, or the template.
func (n *normalizer) program() *fault {
	for {
		var err *fault
		switch t := n.peek(); t.kind {
		case tokenContent:
			n.contents()
		case tokenComment:
			n.write("{{", tilde(t.text[2] == '~'), "!", tilde(t.text[len(t.text)-3] == '~'), "}}")
			n.next++
		case tokenOpen, tokenUnescaped:
			err = n.mustache()
		case tokenBlock, tokenInverse:
			err = n.nested(t.pos, n.block)
		case tokenRaw:
			err = n.rawBlock()
		case tokenPartial:
			err = faultf(t.pos, "put its text here", "partials are not supported")
		case tokenDecorator:
			err = faultf(t.pos, "", "decorators and inline partials are not supported")
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// contents writes the texts that follow each other as one: raymond goes through a text by the character, slowly. It
// writes something where there is none, as raymond insists on a text in a raw block.
func (n *normalizer) contents() {
	first := n.next
	for n.peek().kind == tokenContent {
		n.next++
	}
	n.write(strconv.Itoa(first), "-", strconv.Itoa(n.next))
}

// nested runs read one level deeper.
func (n *normalizer) nested(pos int, read func() *fault) *fault {
	if n.depth++; n.depth > maxNesting {
		return tooDeep(pos)
	}
	err := read()
	n.depth--
	return err
}

func tilde(yes bool) string {
	if yes {
		return "~"
	}
	return ""
}

// strips reports whether an opening token takes the white space before it.
func (t token) strips() bool { return strings.Contains(t.text, "~") }

func (n *normalizer) mustache() *fault {
	open := n.peek()
	n.next++
	closing, end := tokenClose, "}}"
	n.write("{{", tilde(open.strips()))
	if open.kind == tokenUnescaped {
		n.write("{")
		closing = tokenCloseThree
	} else if strings.HasSuffix(open.text, "&") {
		n.write("&")
	}
	if _, err := n.expression(); err != nil {
		return err
	}
	t, err := n.close(closing, open)
	if err != nil {
		return err
	}
	if closing == tokenCloseThree {
		n.write("}")
	}
	n.write(tilde(t.strips()), end)
	return nil
}

// close reads what closes the tag that open began.
func (n *normalizer) close(kind tokenKind, open token) (token, *fault) {
	t := n.peek()
	if t.kind == kind {
		n.next++
		return t, nil
	}
	want := map[tokenKind]string{tokenClose: "}}", tokenCloseThree: "}}}", tokenCloseRaw: "}}}}"}[kind]
	return t, faultf(t.pos, "", "found %s where %q must close the tag that %q opens", n.found(), want, open.text)
}

func (n *normalizer) found() string {
	if t := n.peek(); t.kind != tokenEOF {
		return quote(t.text)
	}
	return "the end of the template"
}

// block reads {{#name ...}} ... {{else}} ... {{/name}} or the same begun by {{^name ...}}.
func (n *normalizer) block() *fault {
	open := n.peek()
	sign := "#"
	if open.kind == tokenInverse {
		sign = "^"
	}
	path, err := n.openBlock("{{" + tilde(open.strips()) + sign)
	if err != nil {
		return err
	}
	if err := n.program(); err != nil {
		return err
	}
	if n.peek().kind == tokenElse {
		err = n.elseProgram()
	} else if n.peek().kind == tokenElseChain && open.kind == tokenBlock {
		err = n.nested(n.peek().pos, n.elseChain)
	}
	if err != nil {
		return err
	}
	return n.closeBlock(open, path)
}

// openBlock reads the rest of a tag that opens a block, whose normal form begins with start.
func (n *normalizer) openBlock(start string) (pathForm, *fault) {
	open := n.peek()
	n.next++
	n.write(start)
	path, err := n.expression()
	if err != nil {
		return path, err
	}
	if n.peek().kind == tokenParams {
		if err := n.blockParams(); err != nil {
			return path, err
		}
	}
	t, err := n.close(tokenClose, open)
	n.write(tilde(t.strips()), "}}")
	return path, err
}

func (n *normalizer) blockParams() *fault {
	open := n.peek()
	n.next++
	n.write(" as |")
	for count := 0; ; count++ {
		switch t := n.peek(); {
		case t.kind == tokenID:
			n.write("[", n.mark(n.next), "] ")
		case t.kind == tokenCloseParams && count > 0:
			n.next++
			n.write("|")
			return nil
		default:
			return faultf(t.pos, "write as |item index|", "found %s in the block parameters that %q opens", n.found(), open.text)
		}
		n.next++
	}
}

func (n *normalizer) elseProgram() *fault {
	t := n.peek()
	n.next++
	n.write("{{", tilde(t.text[2] == '~'), "else", tilde(t.text[len(t.text)-3] == '~'), "}}")
	return n.program()
}

// elseChain reads {{else name ...}} and what follows it up to the block's end.
func (n *normalizer) elseChain() *fault {
	if _, err := n.openBlock("{{" + tilde(n.peek().strips()) + "else "); err != nil {
		return err
	}
	if err := n.program(); err != nil {
		return err
	}
	switch t := n.peek(); t.kind {
	case tokenElse:
		return n.elseProgram()
	case tokenElseChain:
		return n.nested(t.pos, n.elseChain)
	}
	return nil
}

func (n *normalizer) closeBlock(open token, path pathForm) *fault {
	t := n.peek()
	if t.kind == tokenEOF {
		return faultf(open.pos, "add {{/"+path.name+"}}", "the block %s%s is not closed", open.text, path.name)
	}
	if t.kind != tokenEnd {
		return faultf(t.pos, "", "%s after the block's {{else}}", n.tag())
	}
	n.next++
	from := len(n.out)
	end, err := n.helperName()
	if err != nil {
		return err
	}
	if end.name != path.name {
		line, column := position(n.src, open.pos)
		return faultf(t.pos, "", "{{/%s}} closes the block %s%s of %d:%d", end.name, open.text, path.name, line, column)
	}
	closing, err := n.close(tokenClose, t)
	if err != nil {
		return err
	}
	n.out = n.out[:from]
	n.write("{{", tilde(t.strips()), "/", path.form, tilde(closing.strips()), "}}")
	return nil
}

func (n *normalizer) rawBlock() *fault {
	open := n.peek()
	n.next++
	n.write("{{{{")
	path, err := n.expression()
	if err != nil {
		return err
	}
	if _, err := n.close(tokenCloseRaw, open); err != nil {
		return err
	}
	n.write("}}}}")
	n.contents()
	if end := n.peek(); end.value != path.name {
		return faultf(end.pos, "", "%s closes the raw block {{{{%s", end.text, path.name)
	}
	n.next++
	n.write("{{{{/", path.form, "}}}}")
	return nil
}
