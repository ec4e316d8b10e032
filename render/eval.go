package render

import "sync"

// Limits of one rendering.
const (
	maxOutput = 1 << 20 // bytes of output, and of any text that a helper makes
	maxSteps  = 1 << 20 // steps: a statement, an argument, an iteration; long texts count for more
	byteSteps = 16      // so many bytes of text that is looked at are a step
)

// run is one rendering. Its stacks grow and shrink with the blocks that are being evaluated.
type run struct {
	tpl       *Template
	strict    bool
	onMissing func(Missing)
	reported  map[int]bool // the places that onMissing was told of
	origins   *Origins

	root   Value
	ctx    Value   // the present context
	depths []Value // the contexts that ../ goes up through, innermost last
	frames []frame // what @index and the like are, innermost last
	params []Value // block parameters, by slot
	args   []Value // arguments of the helpers that are being called
	out    []byte
	steps  int
}

// frame is what an {{#each}} makes known under @.
type frame struct {
	key         Value
	index       int
	first, last bool
}

// nullContext takes the place of a null context in what helpers get, as in Handlebars.js.
var nullContext = Object()

// unset is what a block parameter is where the helper sets none, or in the {{else}} of one that does. As in
// Handlebars.js it is an error to use it.
var unset = Value{kind: kindUnset}

const kindUnset Kind = 255

var runs = sync.Pool{New: func() any { return new(run) }}

func newRun(t *Template, root Value, o RenderOptions) *run {
	r := runs.Get().(*run)
	r.tpl, r.root, r.ctx = t, root, root
	r.strict, r.onMissing, r.origins = o.Strict, o.OnMissing, o.Origins
	if r.origins != nil {
		r.origins.reset(t.source)
	}
	r.steps = maxSteps
	r.depths = append(r.depths, root)
	return r
}

// release keeps the memory of an ordinary rendering for the next one.
func (r *run) release() {
	if cap(r.out) > 64<<10 || cap(r.args) > 256 || cap(r.depths) > 256 {
		return
	}
	clear(r.depths[:cap(r.depths)])
	clear(r.frames[:cap(r.frames)])
	clear(r.params[:cap(r.params)])
	clear(r.args[:cap(r.args)])
	*r = run{
		out: r.out[:0], depths: r.depths[:0], frames: r.frames[:0], params: r.params[:0], args: r.args[:0],
	}
	runs.Put(r)
}

// step counts a step, and those that looking at n bytes of text is worth.
func (r *run) step(n int) *fault {
	if r.steps -= 1 + n/byteSteps; r.steps < 0 {
		return faultf(-1, "nest fewer loops", "rendering takes too many steps")
	}
	return nil
}

func (r *run) body(p *program) *fault {
	for _, n := range p.body {
		if r.origins != nil {
			r.origins.add(len(r.out), n)
		}
		if err := n.exec(r); err != nil {
			if err.pos < 0 {
				err.pos = n.place() // a limit: the innermost statement it was met in
			}
			return err
		}
	}
	return nil
}

// enter evaluates a side of a block in a context; a and b are its block parameters.
func (r *run) enter(p *program, ctx, a, b Value) *fault {
	if p == nil {
		return nil
	}
	outer, depths, params := r.ctx, len(r.depths), len(r.params)
	// A context that is the same as the one around it is no level of its own for ../
	if r.tpl.usesDepths {
		top := r.depths[depths-1]
		if !looseEqual(ctx, top) && !(ctx.ref == nullContext.ref && top.kind == KindNull) {
			r.depths = append(r.depths, ctx)
		}
	}
	for i := range p.params {
		switch i {
		case 0:
			r.params = append(r.params, a)
		case 1:
			r.params = append(r.params, b)
		default:
			r.params = append(r.params, Value{})
		}
	}
	r.ctx = ctx
	err := r.body(p)
	r.ctx, r.depths, r.params = outer, r.depths[:depths], r.params[:params]
	return err
}

// this is the present context as helpers get it.
func (r *run) this() Value {
	if r.ctx.nullish() {
		return nullContext
	}
	return r.ctx
}

func (t *text) exec(r *run) *fault {
	if err := r.step(0); err != nil {
		return err
	}
	r.out = append(r.out, t.value...)
	return r.checkOutput()
}

func (c *comment) exec(*run) *fault { return nil }

func (p *print) exec(r *run) *fault {
	if err := r.step(0); err != nil {
		return err
	}
	v, err := p.expr.eval(r)
	if err != nil {
		return err
	}
	if name, ok := p.expr.(*path); ok && r.onMissing != nil && v.nullish() {
		r.report(name)
	}
	return r.print(v, p.escape)
}

// print writes a value.
func (r *run) print(v Value, table *escapes) *fault {
	switch v.kind {
	case KindString:
		if v.safe {
			table = &noEscapes
		}
		if err := r.step(len(v.str)); err != nil {
			return err
		}
		r.out = appendEscaped(r.out, v.str, table)
	case KindNumber:
		r.out = appendNumber(r.out, v.num) // nothing in it is ever escaped
	case KindArray:
		if err := r.step(v.weight()); err != nil {
			return err
		}
		r.out = appendEscaped(r.out, v.Text(), table)
	default:
		r.out = append(r.out, v.Text()...)
	}
	return r.checkOutput()
}

func (r *run) checkOutput() *fault {
	if len(r.out) > maxOutput {
		return faultf(-1, "", "the output is longer than %d bytes", maxOutput)
	}
	return nil
}

func (l *literal) eval(*run) (Value, *fault) { return l.value, nil }

func (c *call) eval(r *run) (Value, *fault) {
	from := len(r.args)
	defer func() { r.args = r.args[:from] }()
	if err := r.arguments(c.args); err != nil {
		return Value{}, err
	}
	if _, err := r.includeZero(c.hash); err != nil {
		return Value{}, err
	}
	return r.call(c.helper, r.args[from:], c.pos)
}

// call calls a helper that returns a value.
func (r *run) call(h *helper, args []Value, pos int) (Value, *fault) {
	size := 0
	for _, a := range args {
		size += a.weight()
	}
	if err := r.step(size); err != nil {
		return Value{}, err
	}
	v, err := h.call(args)
	if err != nil {
		return Value{}, faultf(pos, "", "%s: %s", h.name, err)
	}
	if len(v.str) > maxOutput {
		return Value{}, faultf(pos, "", "%s: the result is longer than %d bytes", h.name, maxOutput)
	}
	return v, r.step(len(v.str))
}

// arguments appends the arguments to r.args.
func (r *run) arguments(args []expr) *fault {
	for _, a := range args {
		if err := r.step(0); err != nil {
			return err
		}
		v, err := a.eval(r)
		if err != nil {
			return err
		}
		r.args = append(r.args, v)
	}
	return nil
}

// includeZero evaluates name=value pairs and returns the only one that means something to a helper.
func (r *run) includeZero(hash []hashPair) (yes bool, err *fault) {
	for _, h := range hash {
		if err := r.step(0); err != nil {
			return false, err
		}
		v, err := h.value.eval(r)
		if err != nil {
			return false, err
		}
		if h.name == "includeZero" {
			yes = v.truthy()
		}
	}
	return yes, nil
}
