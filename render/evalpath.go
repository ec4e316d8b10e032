package render

import (
	"strings"
	"unicode/utf16"
)

func (p *path) eval(r *run) (Value, *fault) {
	v, parts := p.begin(r)
	if v.kind == kindUnset {
		return v, faultf(p.pos, "", "this block sets no block parameter %s", quote(p.name))
	}
	if r.strict {
		return p.evalStrict(r, v, parts)
	}
	for _, part := range parts {
		// Handlebars.js stops at null in a context, and at whatever is not true behind an @.
		if v.nullish() || (p.base == baseData && !v.truthy()) {
			break
		}
		if err := r.step(len(v.str)); err != nil { // a string's length is counted
			return v, err
		}
		v, _ = property(v, part)
	}
	return v, nil
}

// begin returns the value that the path begins at and the names that lead on from there.
func (p *path) begin(r *run) (Value, []string) {
	switch p.base {
	case baseParam:
		return r.params[p.slot], p.parts
	case baseData:
		return r.data(p.field, p.depth), p.parts
	}
	switch {
	case p.depth > 0:
		if i := len(r.depths) - 1 - p.depth; i >= 0 {
			return r.depths[i], p.parts
		}
		return Value{}, p.parts
	case p.reserved && !r.ctx.Has(p.parts[0]):
		return r.root, p.parts
	}
	return r.ctx, p.parts
}

// data returns what is known under @, depth {{#each}} further out.
func (r *run) data(field dataField, depth int) Value {
	i := len(r.frames) - 1 - depth
	switch {
	case i < -1:
		return Value{}
	case field == dataRoot:
		return r.root
	case i < 0:
		return Value{}
	}
	f := &r.frames[i]
	switch field {
	case dataKey:
		return f.key
	case dataIndex:
		return Number(float64(f.index))
	case dataFirst:
		return Bool(f.first)
	case dataLast:
		return Bool(f.last)
	}
	return Value{}
}

// property returns a value's own property, as JavaScript has them, and whether it is there: the members of an object,
// the items and the length of an array or a string. What JavaScript inherits is never found.
func property(v Value, name string) (Value, bool) {
	switch v.kind {
	case KindObject:
		return v.member(name)
	case KindArray:
		if name == "length" {
			return Number(float64(len(v.items()))), true
		}
		if i, ok := arrayIndex(name); ok && i < uint64(len(v.items())) {
			return v.items()[i], true
		}
	case KindString:
		if name == "length" {
			return Number(float64(utf16Length(v.str))), true
		}
		if i, ok := arrayIndex(name); ok && i < uint64(len(v.str)) {
			return utf16At(v.str, int(i))
		}
	}
	return Value{}, false
}

func utf16Length(s string) (n int) {
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// utf16At returns the i-th UTF-16 unit of s. Half a surrogate pair is U+FFFD.
func utf16At(s string, i int) (Value, bool) {
	for _, r := range s {
		switch n := utf16.RuneLen(r); {
		case i < n && n == 1:
			return String(string(r)), true
		case i < n:
			return String("\uFFFD"), true
		default:
			i -= n
		}
	}
	return Value{}, false
}

// evalStrict follows the path as Handlebars.js does with its option strict.
func (p *path) evalStrict(r *run, v Value, parts []string) (Value, *fault) {
	if p.base == baseData && (p.depth > len(r.frames) || (p.terminal && len(parts) == 0 && !v.IsDefined())) {
		return v, p.missing()
	}
	terminal := p.terminal && p.base != baseParam
	for i, part := range parts {
		if terminal && i == len(parts)-1 {
			x, ok := property(v, part)
			if v.ref == nil || (!ok && !inherited(v, part)) {
				return v, p.missing()
			}
			return x, nil
		}
		if v.nullish() {
			return v, p.missing()
		}
		v, _ = property(v, part)
	}
	return v, nil
}

func (p *path) missing() *fault {
	return faultf(p.pos, "", "%s is not defined", quote(p.name))
}

// inherited reports whether JavaScript's objects or arrays inherit such a property. It prints as nothing, but is not
// missing.
func inherited(v Value, name string) bool {
	return strings.Contains(objectPrototype, " "+name+" ") ||
		(v.kind == KindArray && strings.Contains(arrayPrototype, " "+name+" "))
}

const (
	objectPrototype = " constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf " +
		"__proto__ __defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__ "
	arrayPrototype = " at concat copyWithin entries every fill filter find findIndex findLast findLastIndex flat " +
		"flatMap forEach includes indexOf join keys lastIndexOf map pop push reduce reduceRight reverse shift slice " +
		"some sort splice toReversed toSorted toSpliced unshift values with "
)

// report tells onMissing of a printed name, unless it is there and just has nothing to print.
func (r *run) report(p *path) {
	v, parts := p.begin(r)
	ok := len(parts) > 0 || p.base != baseData
	for _, part := range parts {
		if v, ok = property(v, part); !ok {
			break
		}
	}
	if ok {
		return
	}
	if r.reported[p.pos] {
		return
	}
	if r.reported == nil {
		r.reported = map[int]bool{}
	}
	r.reported[p.pos] = true
	line, column := position(r.tpl.source, p.pos)
	r.onMissing(Missing{Name: p.name, Line: line, Column: column})
}
