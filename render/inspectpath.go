package render

import (
	"slices"
	"strings"
)

// path follows a path through the shapes and notes it down.
func (i *inspector) path(p *path, use Use) abstract {
	v, at := i.begin(p)
	n := Name{Name: p.name, Use: use}
	if v.shape == nil {
		n.Unknown = p.name
	}
	shape := v.shape
	for k, part := range p.parts {
		if n.Unknown != "" {
			break
		}
		next := shape.property(part)
		if next == nil {
			n.Unknown, n.Known = part, shape.names()
			n.In = strings.Join(slices.Concat(at, p.parts[:k]), ".")
		}
		shape = next
	}
	v.shape = shape
	if v.path != nil && len(p.parts) > 0 {
		v.path = slices.Concat(v.path, p.parts)
	}
	n.Path = v.path
	n.Line, n.Column = i.places.at(p.pos)
	i.out.Names = append(i.out.Names, n)
	return v
}

// begin is path.begin with abstract values, and how to call where it begins.
func (i *inspector) begin(p *path) (abstract, []string) {
	switch p.base {
	case baseParam:
		name, _, _ := strings.Cut(p.name, ".")
		return i.params[p.slot], []string{name}
	case baseData:
		name, _, _ := strings.Cut(p.name, ".")
		return i.data(p), []string{name}
	}
	switch {
	case p.depth > 0:
		if n := len(i.depths) - 1 - p.depth; n >= 0 {
			return i.depths[n], i.depths[n].path
		}
		return abstract{}, nil
	case p.reserved:
		if i.ctx.shape == nil || i.ctx.shape.Members[p.parts[0]] == nil {
			return i.root, nil
		}
	}
	return i.ctx, i.ctx.path
}

// data is what is known under an @.
func (i *inspector) data(p *path) abstract {
	n := len(i.keys) - 1 - p.depth
	switch {
	case n < -1:
		return abstract{}
	case p.field == dataRoot:
		return i.root
	case n < 0:
		return abstract{}
	}
	switch p.field {
	case dataKey:
		return abstract{shape: i.keys[n]}
	case dataIndex:
		return abstract{shape: NumberShape}
	case dataFirst, dataLast:
		return abstract{shape: BoolShape}
	}
	return abstract{}
}

// result is what a call may return.
func (i *inspector) result(h *helper, args []expr, hash []hashPair, use Use) abstract {
	values := make([]abstract, max(3, len(args)))
	for n, a := range args {
		if h.name == "lookup" && n < 2 {
			values[n] = i.eval(a, min(use, UseOpened))
		} else {
			values[n] = i.eval(a, use)
		}
	}
	for _, pair := range hash {
		i.eval(pair.value, use)
	}
	if h.name == "lookup" && len(args) > 1 {
		return i.lookup(values[0], args[1], use)
	}
	return abstract{shape: shapeOfResult(h, values[0].shape, values[1].shape, values[2].shape), safe: h.name == "json"}
}

func shapeOfResult(h *helper, a, b, c *Shape) *Shape {
	text := func(chars Chars) *Shape { return &Shape{Kinds: KindsOf(KindString), Chars: chars} }
	switch h.name {
	case "log":
		return nil
	case "default":
		return unite(a, b)
	case "lower", "upper":
		return text(a.chars())
	case "join":
		return text(a.chars() | b.chars())
	case "truncate":
		return text(a.chars() | c.chars())
	case "formatTime":
		return text(b.chars()) // what a layout's directives stand for is plain
	case "formatWithOffset":
		return &Shape{Kinds: KindsOf(KindString, KindNumber)}
	case "pathEncode", "queryEncode", "basicAuthHeaderValue":
		return text(CharsMarkup)
	case "json":
		return text(CharsMarkup | CharsQuote)
	}
	return AnyShape
}

// lookup is what lookup(value, name) may find. A literal name is noted down as if it stood in a path.
func (i *inspector) lookup(v abstract, name expr, use Use) abstract {
	if v.shape == nil {
		return abstract{shape: AnyShape} // it has been told
	}
	n := Name{Use: use}
	var found abstract
	if l, ok := name.(*literal); ok {
		n.Name = l.value.scriptText()
		n.Line, n.Column = i.places.at(l.pos)
		if found = v.property(n.Name); found.shape == nil {
			n.Unknown, n.In, n.Known = n.Name, strings.Join(v.path, "."), v.shape.names()
		}
	} else {
		found = v.item()
		if v.shape.Kinds.Has(KindString) {
			found.shape = unite(found.shape, TextShape)
		}
		if p, ok := name.(*path); ok {
			n.Name = p.name
			n.Line, n.Column = i.places.at(p.pos)
		}
	}
	n.Path = found.path
	if n.Line > 0 {
		i.out.Names = append(i.out.Names, n)
	}
	return found
}

// quoteState follows a text as JSON reads it: is a string open?
type quoteState uint8

const (
	quoteOutside quoteState = iota
	quoteInside
	quoteUnknown
)

func (q quoteState) after(text string) quoteState {
	if q == quoteUnknown {
		return q
	}
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			q = quoteInside - q
		case text[i] == '\\' && q == quoteInside:
			i++
		}
	}
	return q
}

func (q quoteState) or(other quoteState) quoteState {
	if q != other {
		return quoteUnknown
	}
	return q
}

// places turns ascending byte offsets into lines and columns, without counting from the start each time.
type places struct {
	text         string
	from         int
	line, column int // of from, both counted from 0
}

func (p *places) at(offset int) (line, column int) {
	offset = min(max(offset, 0), len(p.text))
	if offset < p.from {
		p.from, p.line, p.column = 0, 0, 0
	}
	for _, r := range p.text[p.from:offset] {
		if p.column++; r == '\n' {
			p.line, p.column = p.line+1, 0
		}
	}
	p.from = offset
	return p.line + 1, p.column + 1
}
