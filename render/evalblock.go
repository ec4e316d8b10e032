package render

// exec gives what has no place of its own, such as a limit, that of the
// innermost block.
func (b *block) exec(r *run) *fault {
	err := b.evaluate(r)
	if err != nil && err.pos < 0 {
		err.pos = b.pos
	}
	return err
}

func (b *block) evaluate(r *run) *fault {
	if err := r.step(0); err != nil {
		return err
	}
	from := len(r.args)
	if err := r.arguments(b.args); err != nil {
		return err
	}
	includeZero, err := r.includeZero(b.hash)
	if err != nil {
		return err
	}
	args := r.args[from:]
	switch {
	case b.kind == blockValue:
		var v Value
		if v, err = r.call(b.helper, args, b.pos); err == nil {
			err = r.print(v, b.escape)
		}
	case b.helper != nil && len(args) != b.helper.max:
		err = faultf(b.pos, "", "%s takes %s, not %d", b.name, plural(b.helper.max, "value"), len(args))
	default:
		err = b.choose(r, args, includeZero)
	}
	r.args = r.args[:from]
	return err
}

// choose evaluates the side of the block that its arguments call for.
func (b *block) choose(r *run, args []Value, includeZero bool) *fault {
	v := args[0]
	switch b.kind {
	case blockIf:
		return b.side(r, !v.empty() && (includeZero || v.truthy()))
	case blockUnless:
		return b.side(r, v.empty() || (!includeZero && !v.truthy()))
	case blockEqual:
		same, err := r.sameText(v, args[1])
		if err != nil {
			return err
		}
		return b.side(r, same)
	case blockEach:
		return b.each(r, v)
	case blockWith:
		if v.empty() {
			return b.side(r, false)
		}
		return r.enter(b.main, v, v, Value{})
	}
	switch { // a field's value
	case v.kind == KindBool && v.truthy():
		return r.enter(b.main, r.ctx, unset, unset)
	case v.nullish() || v.kind == KindBool || (v.kind == KindArray && v.Len() == 0):
		return r.enter(b.inverse, r.ctx, unset, unset)
	case v.kind == KindArray:
		return b.each(r, v)
	}
	return r.enter(b.main, v, Value{}, Value{})
}

// side evaluates one of the two sides in the context as it is.
func (b *block) side(r *run, main bool) *fault {
	p := b.inverse
	if main {
		p = b.main
	}
	return r.enter(p, r.this(), unset, unset)
}

// sameText compares the texts of two values.
func (r *run) sameText(a, b Value) (bool, *fault) {
	if a.kind == KindString && b.kind == KindString {
		return a.str == b.str, r.step(min(len(a.str), len(b.str)))
	}
	if err := r.step(a.weight() + b.weight()); err != nil {
		return false, err
	}
	return a.Text() == b.Text(), nil
}

func (b *block) each(r *run, v Value) *fault {
	n := v.Len()
	if n == 0 {
		return b.side(r, false)
	}
	r.frames = append(r.frames, frame{})
	at := len(r.frames) - 1
	defer func() { r.frames = r.frames[:at] }()
	for i := range n {
		if err := r.step(0); err != nil {
			return err
		}
		var item, key Value
		if v.kind == KindArray {
			item, key = v.items()[i], Number(float64(i))
		} else {
			m := v.whole().listed(i)
			item, key = m.Value, Value{kind: KindString, str: m.Key}
		}
		r.frames[at] = frame{key: key, index: i, first: i == 0, last: i == n-1}
		if err := r.enter(b.main, item, item, key); err != nil {
			return err
		}
	}
	return nil
}
