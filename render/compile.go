package render

import (
	"strconv"
	"strings"

	"github.com/aymerick/raymond/ast"
	"github.com/aymerick/raymond/parser"
)

// Compile reads a template. What can be known to be wrong without a context is an error: the grammar, helpers that
// do not exist, partials, decorators, helpers that need a block used without one. Errors are *Error.
func Compile(source string, o Options) (*Template, error) {
	c := &compiler{src: source, escape: o.Escape}
	root, err := c.compile()
	if err != nil {
		return nil, err.at(o.Name, source)
	}
	return &Template{name: o.Name, source: source, root: root, usesDepths: c.usesDepths, reach: reachOf(root)}, nil
}

// compiler turns raymond's tree into nodes.
type compiler struct {
	src        string
	escape     Escape
	tokens     []token
	starts     map[int]pathStart
	scopes     []scope // the blocks around, outermost first, that have block parameters
	slots      int     // block parameters in scope
	usesDepths bool
}

// scope is what a program's block parameters are called, and the slot of the first.
type scope struct {
	names []string
	slot  int
}

func (c *compiler) compile() (*program, *fault) {
	var err *fault
	if c.tokens, err = scan(c.src); err != nil {
		return nil, err
	}
	n := normalizer{src: c.src, tokens: c.tokens, starts: map[int]pathStart{}}
	normal, err := n.normalize()
	if err != nil {
		return nil, err
	}
	c.starts = n.starts
	tree, failure := parser.Parse(normal)
	if failure != nil {
		return nil, faultf(-1, "", "the template cannot be parsed: %s", strings.ReplaceAll(failure.Error(), "\n", " "))
	}
	root, err := c.program(tree)
	if err != nil {
		return nil, err
	}
	stripWhitespace(root, true)
	tidy(root)
	return root, nil
}

func (c *compiler) program(p *ast.Program) (*program, *fault) {
	out := &program{chained: p.Chained}
	if len(p.BlockParams) > 0 {
		for _, name := range p.BlockParams {
			out.params = append(out.params, c.named(name))
		}
		c.scopes = append(c.scopes, scope{names: out.params, slot: c.slots})
		c.slots += len(out.params)
		defer func() {
			c.scopes = c.scopes[:len(c.scopes)-1]
			c.slots -= len(out.params)
		}()
	}
	for _, statement := range p.Body {
		nodes, err := c.statement(statement)
		if err != nil {
			return nil, err
		}
		out.body = append(out.body, nodes...)
	}
	return out, nil
}

func (c *compiler) statement(s ast.Node) ([]node, *fault) {
	switch s := s.(type) {
	case *ast.ContentStatement:
		return c.content(s.Original), nil
	case *ast.CommentStatement:
		return []node{&comment{strip: stripOf(s.Strip)}}, nil
	case *ast.MustacheStatement:
		n, err := c.mustache(s)
		return []node{n}, err
	case *ast.BlockStatement:
		n, err := c.block(s, stripOf(s.CloseStrip), true)
		return []node{n}, err
	}
	return nil, faultf(-1, "", "the template has a statement of an unknown kind")
}

// content returns the texts that a range of tokens stands for. Handlebars.js, too, reads an escaped mustache and the
// text before it as two statements, and removes white space accordingly.
func (c *compiler) content(numbers string) []node {
	from, to, _ := strings.Cut(numbers, "-")
	first, err := strconv.Atoi(from)
	end, err2 := strconv.Atoi(to)
	if err != nil || err2 != nil || end > len(c.tokens) {
		return nil // not what normalize wrote
	}
	var nodes []node
	for _, t := range c.tokens[first:max(first, end)] {
		nodes = append(nodes, &text{pos: t.pos, original: t.value, value: t.value})
	}
	return nodes
}

// token returns the token that a marker stands for, in brackets or not.
func (c *compiler) token(mark string) token {
	i, err := strconv.Atoi(strings.Trim(mark, "[]"+marker))
	if err != nil || i >= len(c.tokens) {
		return token{}
	}
	return c.tokens[i]
}

func (c *compiler) named(mark string) string { return c.token(mark).value }

func stripOf(s *ast.Strip) strip {
	if s == nil {
		return strip{}
	}
	return strip{s.Open, s.Close}
}

func (c *compiler) mustache(s *ast.MustacheStatement) (node, *fault) {
	e, err := c.callOrField(s.Expression, false)
	if err != nil {
		return nil, err
	}
	pos := c.tokens[c.starts[s.Expression.Path.Location().Pos].token].pos
	return &print{pos: pos, expr: e, raw: s.Unescaped, strip: stripOf(s.Strip), escape: c.escape.forPrint(s.Unescaped)}, nil
}

// callOrField compiles what a mustache or a subexpression holds.
func (c *compiler) callOrField(e *ast.Expression, sub bool) (expr, *fault) {
	head := c.head(e.Path)
	h, err := c.helperFor(head, e, sub)
	switch {
	case err != nil:
		return nil, err
	case h == nil:
		head.terminal = true
		return head, nil
	case h.block != blockValue:
		return nil, faultf(head.pos, "write {{#"+h.name+" ...}} ... {{/"+h.name+"}}", "the helper %s needs a block", h.name)
	}
	out := &call{helper: h, pos: head.pos}
	if out.args, out.hash, err = c.arguments(e); err != nil {
		return nil, err
	}
	return out, h.check(out.args, head.pos)
}

// helperFor returns the helper that an expression calls, or nil if it names a field: a name without arguments does
// where no helper has it, and so does a block parameter.
func (c *compiler) helperFor(head *path, e *ast.Expression, sub bool) (*helper, *fault) {
	if head.base == baseParam && len(head.parts) == 0 {
		return nil, nil
	}
	isCall := sub || len(e.Params) > 0 || e.Hash != nil
	if head.base == baseContext && head.depth == 0 && len(head.parts) == 1 && !isScoped(head.name) {
		if h := helpers[head.parts[0]]; h != nil {
			return h, nil
		}
	}
	if !isCall {
		return nil, nil
	}
	return nil, faultf(head.pos, didYouMean(head.name, helperNames), "there is no helper %s", quote(head.name))
}

func (c *compiler) arguments(e *ast.Expression) (args []expr, hash []hashPair, err *fault) {
	for _, p := range e.Params {
		arg, err := c.argument(p)
		if err != nil {
			return nil, nil, err
		}
		args = append(args, arg)
	}
	if e.Hash == nil {
		return args, nil, nil
	}
	for _, pair := range e.Hash.Pairs {
		value, err := c.argument(pair.Val)
		if err != nil {
			return nil, nil, err
		}
		hash = append(hash, hashPair{c.named(pair.Key), value})
	}
	return args, hash, nil
}

func (c *compiler) argument(n ast.Node) (expr, *fault) {
	if sub, ok := n.(*ast.SubExpression); ok {
		return c.callOrField(sub.Expression, true)
	}
	switch t := c.tokens[c.starts[n.Location().Pos].token]; t.kind {
	case tokenString:
		return &literal{t.pos, String(t.value)}, nil
	case tokenNumber:
		return &literal{t.pos, Number(parseNumber(t.value))}, nil
	case tokenBool:
		return &literal{t.pos, Bool(t.value == "true")}, nil
	case tokenNull:
		return &literal{t.pos, Null}, nil
	case tokenUndefined:
		return &literal{pos: t.pos}, nil
	}
	return c.head(n), nil
}

// head compiles a path. A literal in its place is the name of a field.
func (c *compiler) head(n ast.Node) *path {
	start := c.starts[n.Location().Pos]
	t := c.tokens[start.token]
	p := &path{name: start.name, pos: t.pos}
	from, ok := n.(*ast.PathExpression)
	switch {
	case !ok:
		return p
	case t.kind == tokenNumber:
		p.name = Number(parseNumber(t.value)).Text()
		p.parts = []string{p.name}
	case t.kind != tokenID && t.kind != tokenData:
		p.parts = []string{p.name}
	default:
		p.depth = from.Depth
		for _, part := range from.Parts {
			p.parts = append(p.parts, c.named(part))
		}
	}
	c.resolve(p, from.Data)
	return p
}

// resolve finds out where a path begins.
func (c *compiler) resolve(p *path, data bool) {
	if len(p.parts) > 0 && p.depth == 0 && !isScoped(p.name) {
		for i := len(c.scopes) - 1; i >= 0; i-- {
			for j, name := range c.scopes[i].names {
				if name == p.parts[0] {
					p.base, p.slot, p.parts = baseParam, c.scopes[i].slot+j, p.parts[1:]
					return
				}
			}
		}
	}
	switch {
	case len(p.parts) == 0 || p.parts[0] == "":
		p.parts = nil
		c.usesDepths = c.usesDepths || p.depth > 0
	case data:
		for len(p.parts) > 1 && p.parts[0] == "_parent" {
			p.depth++
			p.parts = p.parts[1:]
		}
		p.base, p.field, p.parts = baseData, dataFields[p.parts[0]], p.parts[1:]
	default:
		c.usesDepths = c.usesDepths || p.depth > 0
		p.reserved = p.depth == 0 && !isScoped(p.name) && reservedRoots[p.parts[0]]
	}
}

// isScoped reports whether Handlebars.js takes a path for one that begins with . or this, by the expression
// /^\.|this\b/, which it applies to the whole of it.
func isScoped(name string) bool {
	if strings.HasPrefix(name, ".") {
		return true
	}
	for i := 0; ; {
		j := strings.Index(name[i:], "this")
		if j < 0 {
			return false
		}
		if i += j + len("this"); !startsWord(name[i:]) {
			return true
		}
	}
}

// block compiles a block whose closing tag strips as given. Of a chain of {{else name}} each block takes its closing
// tag's flags from where Handlebars.js does: the first from the closing tag, the others from their own tag.
func (c *compiler) block(s *ast.BlockStatement, closing strip, top bool) (*block, *fault) {
	head := c.head(s.Expression.Path)
	h, err := c.helperFor(head, s.Expression, false)
	if err != nil {
		return nil, err
	}
	b := &block{name: head.name, pos: head.pos, open: stripOf(s.OpenStrip), close: closing}
	if h == nil {
		head.terminal = true
		b.args = []expr{head}
	} else {
		b.kind = h.block
		b.helper = h
		b.escape = c.escape.forPrint(true)
		if b.args, b.hash, err = c.arguments(s.Expression); err != nil {
			return nil, err
		}
		if err := h.check(b.args, head.pos); err != nil {
			return nil, err
		}
	}
	if s.Program != nil {
		if b.main, err = c.program(s.Program); err != nil {
			return nil, err
		}
		b.middle = stripOf(s.Program.Strip)
	}
	if s.Inverse == nil {
		return b, nil
	}
	if s.Inverse.Chained {
		if b.inverse, err = c.chain(s.Inverse, closing, top); err != nil {
			return nil, err
		}
		b.middle = b.inverse.body[0].(*block).open
		return b, nil
	}
	if s.Inverse.Strip != nil {
		b.middle = stripOf(s.Inverse.Strip)
	}
	b.inverse, err = c.program(s.Inverse)
	return b, err
}

// chain compiles {{else name ...}} and what follows it.
func (c *compiler) chain(p *ast.Program, closing strip, first bool) (*program, *fault) {
	s, ok := p.Body[0].(*ast.BlockStatement)
	if !ok {
		return nil, faultf(-1, "", "the template cannot be parsed: no block in a chain of {{else}}")
	}
	if !first {
		closing = stripOf(s.OpenStrip)
	}
	b, err := c.block(s, closing, false)
	if err != nil {
		return nil, err
	}
	return &program{chained: true, body: []node{b}}, nil
}
