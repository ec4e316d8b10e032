package render

import "slices"

// Inspection is what can be said about a template without a context, for those who check it. Its lists are in the
// order of the template.
type Inspection struct {
	Names  []Name
	Prints []Print
	Calls  []Call
}

// Name is a place where a template names a value.
type Name struct {
	Name         string // as it stands in the template
	Line, Column int    // of the name itself
	Use          Use
	// Path leads from the root of the context to the value; "*" is any item or member. It is nil for what is not of
	// the context, such as @index, and for what is not known; the root's own is empty and not nil.
	Path []string
	// Unknown is the first part of the name that cannot be there, "" if all can. In is what stands before it, and
	// Known are the names that can be there instead.
	Unknown string
	In      string
	Known   []string
}

// Use is what becomes of a value that a template names.
type Use uint8

// The uses of a value.
const (
	UseTested  Use = iota // an {{#if}}, an {{#unless}} or a {{^name}} asks whether it is there
	UseOpened             // a block goes into it, or compares it; lookup looks into it
	UsePrinted            // it is written, or a helper's result that is made of it
)

// Print is a place where a template writes a value.
type Print struct {
	Source       string // {{x}} or {{{x}}}, the name in place of the expression
	Line, Column int    // of the name
	Raw          bool   // {{{x}}} or {{&x}}
	// Quoted and Bare tell whether the text around leaves a double-quoted string open, as JSON reads it. Neither is
	// set where that depends on the context.
	Quoted, Bare bool
	Safe         bool   // written as it stands: the helper json
	Value        *Shape // nil: nothing is ever there
	Chars        Chars  // in its text
}

// Call is a place where a template calls a helper.
type Call struct {
	Helper       string
	Line, Column int // of the helper's name
	Args         int
	Min, Max     int  // how many arguments the helper takes
	Else         bool // a block with an {{else}}
	Extra        bool // a helper that neither Handlebars.js nor LaunchDarkly's framework has
}

// Inspect goes through the template as evaluation would, with shapes in place of values: into both sides of every
// block, and once through every loop. It costs about as much as rendering.
func (t *Template) Inspect(root *Shape) Inspection {
	top := abstract{shape: root, path: []string{}}
	i := &inspector{template: t, root: top, ctx: top, depths: []abstract{top}, places: &places{text: t.source}}
	i.program(t.root)
	return i.out
}

// abstract stands for a value: what it may be, and where it comes from.
type abstract struct {
	shape *Shape
	path  []string // as Name.Path
	safe  bool
}

func (a abstract) same(b abstract) bool {
	return a.path != nil && b.path != nil && slices.Equal(a.path, b.path)
}

// property is the value's member of that name.
func (a abstract) property(name string) abstract {
	out := abstract{shape: a.shape.property(name)}
	if a.path != nil {
		out.path = slices.Concat(a.path, []string{name})
	}
	return out
}

// item is what {{#each}} makes of the value.
func (a abstract) item() abstract {
	out := a.property("*")
	out.shape = a.shape.each()
	return out
}

// inspector has the stacks of a run, with abstract values.
type inspector struct {
	template *Template
	places   *places
	out      Inspection

	root   abstract
	ctx    abstract
	depths []abstract
	keys   []*Shape // what @key is, for each loop around
	params []abstract
	quote  quoteState
}

func (i *inspector) program(p *program) {
	if p == nil {
		return
	}
	for _, n := range p.body {
		switch n := n.(type) {
		case *text:
			i.quote = i.quote.after(n.value)
		case *print:
			i.print(n.expr, n.pos, n.raw)
		case *block:
			i.block(n)
		}
	}
}

// enter goes through one side of a block in a context, with block parameters.
func (i *inspector) enter(p *program, ctx abstract, params ...abstract) {
	if p == nil {
		return
	}
	outer, depths, known := i.ctx, len(i.depths), len(i.params)
	if !ctx.same(i.depths[depths-1]) {
		i.depths = append(i.depths, ctx)
	}
	for n := range p.params {
		a := abstract{shape: AnyShape}
		if n < len(params) {
			a = params[n]
		}
		i.params = append(i.params, a)
	}
	i.ctx = ctx
	i.program(p)
	i.ctx, i.depths, i.params = outer, i.depths[:depths], i.params[:known]
}

func (i *inspector) block(b *block) {
	if b.helper != nil {
		i.call(b.helper, len(b.args), b.pos, b.main != nil && b.inverse != nil)
	}
	if b.kind == blockValue {
		i.write(i.result(b.helper, b.args, b.hash, UsePrinted), b.name, b.pos, true)
		return
	}
	use := UseOpened
	if b.kind == blockIf || b.kind == blockUnless || (b.helper == nil && b.main == nil) {
		use = UseTested
	}
	args := make([]abstract, len(b.args))
	for n, a := range b.args {
		args[n] = i.eval(a, use)
	}
	for _, h := range b.hash {
		i.eval(h.value, use)
	}
	before := i.quote
	i.main(b, args)
	after := i.quote
	i.quote = before
	i.enter(b.inverse, i.ctx)
	i.quote = i.quote.or(after)
}

// main goes through the side of a block that is for what is there.
func (i *inspector) main(b *block, args []abstract) {
	x := abstract{shape: AnyShape}
	if len(args) > 0 {
		x = args[0]
		if x.shape == nil {
			x.shape = AnyShape // it has been told; what is inside is not to blame
		}
	}
	switch {
	case b.kind == blockEach:
		i.each(b.main, x)
	case b.kind == blockWith:
		i.enter(b.main, x, x)
	case b.kind != blockField:
		i.enter(b.main, i.ctx)
	default: // what the field's value makes of it
		switch x.shape.Kinds &^ KindsOf(KindNull) {
		case KindsOf(KindBool):
			i.enter(b.main, i.ctx)
		case KindsOf(KindArray):
			i.each(b.main, x)
		case KindsOf(KindObject), KindsOf(KindString), KindsOf(KindNumber):
			i.enter(b.main, x)
		default:
			i.keys = append(i.keys, TextShape)
			i.enter(b.main, abstract{shape: AnyShape})
			i.keys = i.keys[:len(i.keys)-1]
		}
	}
}

func (i *inspector) each(p *program, x abstract) {
	key := TextShape
	if !x.shape.Kinds.Has(KindObject) {
		key = NumberShape
	}
	before := i.quote
	i.keys = append(i.keys, key)
	item := x.item()
	i.enter(p, item, item, abstract{shape: key})
	i.keys = i.keys[:len(i.keys)-1]
	i.quote = i.quote.or(before) // it may run any number of times
}

// print takes in a mustache.
func (i *inspector) print(e expr, pos int, raw bool) {
	name := ""
	switch e := e.(type) {
	case *path:
		name = e.name
	case *call:
		name = e.helper.name + " …"
	}
	i.write(i.eval(e, UsePrinted), name, pos, raw)
}

func (i *inspector) write(v abstract, name string, pos int, raw bool) {
	p := Print{
		Source: "{{" + name + "}}", Raw: raw,
		Quoted: i.quote == quoteInside, Bare: i.quote == quoteOutside,
		Safe: v.safe, Value: v.shape, Chars: v.shape.chars(),
	}
	if raw {
		p.Source = "{" + p.Source + "}"
	}
	p.Line, p.Column = i.places.at(pos)
	i.out.Prints = append(i.out.Prints, p)
}

func (i *inspector) call(h *helper, args, pos int, hasElse bool) {
	c := Call{Helper: h.name, Args: args, Min: h.min, Max: h.max, Else: hasElse, Extra: h.extra}
	c.Line, c.Column = i.places.at(pos)
	i.out.Calls = append(i.out.Calls, c)
}

// eval is what an expression may be.
func (i *inspector) eval(e expr, use Use) abstract {
	switch e := e.(type) {
	case *literal:
		return abstract{shape: ShapeOf(e.value)}
	case *call:
		i.call(e.helper, len(e.args), e.pos, false)
		return i.result(e.helper, e.args, e.hash, use)
	case *path:
		return i.path(e, use)
	}
	return abstract{shape: AnyShape}
}
