package render

// reach is what of the root a template can get at.
type reach struct {
	all   bool // the root as a value: then whatever it holds
	names map[string]bool
}

// reachOf finds out by going through the tree with a single question: may the context here be the root? It may at the
// top and in blocks that keep their context. Blocks that change it go to a member of what they are given, and so
// never to the root, unless they are given the root itself: which is reaching all.
func reachOf(root *program) reach {
	r := reach{names: map[string]bool{}}
	r.program(root, true)
	return r
}

func (r *reach) program(p *program, atRoot bool) {
	if p == nil {
		return
	}
	for _, n := range p.body {
		switch n := n.(type) {
		case *print:
			r.expr(n.expr, atRoot)
		case *block:
			r.exprs(n.args, n.hash, atRoot)
			changes := n.kind == blockEach || n.kind == blockWith
			r.program(n.main, atRoot && !changes)
			r.program(n.inverse, atRoot)
		}
	}
}

func (r *reach) exprs(args []expr, hash []hashPair, atRoot bool) {
	for _, e := range args {
		r.expr(e, atRoot)
	}
	for _, h := range hash {
		r.expr(h.value, atRoot)
	}
}

func (r *reach) expr(e expr, atRoot bool) {
	switch e := e.(type) {
	case *call:
		r.exprs(e.args, e.hash, atRoot)
	case *path:
		r.path(e, atRoot)
	}
}

func (r *reach) path(p *path, atRoot bool) {
	isRoot := false // may the path begin at the root?
	switch p.base {
	case baseContext:
		isRoot = atRoot || p.depth > 0 || p.reserved
	case baseData:
		isRoot = p.field == dataRoot
	}
	switch {
	case !isRoot:
	case len(p.parts) == 0:
		r.all = true
	default:
		r.names[p.parts[0]] = true
	}
}
