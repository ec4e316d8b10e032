package render

import "strings"

// stripWhitespace removes white space as Handlebars.js 4.7 does (its whitespace-control.js): a block's tag, an
// {{else}} or a comment that stands alone on its line takes the line with it, and a ~ takes all white space beside
// the tag. What stands alone is decided by the text as it was written, what is removed by what is left of it.
// raymond's own pass looks at what is left for both, which is why it is not used.
func stripWhitespace(p *program, isRoot bool) {
	body := p.body
	for i, current := range body {
		var outer strip
		var openAlone, closeAlone, inlineAlone bool
		switch n := current.(type) {
		case *print:
			outer = n.strip
		case *comment:
			outer, inlineAlone = n.strip, true
		case *block:
			outer = strip{n.open.open, n.close.close}
			openAlone, closeAlone = stripBlock(n)
		default:
			continue
		}
		before, after := blankBefore(body, i, isRoot), blankAfter(body, i, isRoot)
		if outer.close {
			stripLeading(body, i+1, true)
		}
		if outer.open {
			stripTrailing(body, i-1, true)
		}
		if inlineAlone && before && after {
			stripLeading(body, i+1, false)
			stripTrailing(body, i-1, false)
		}
		if b, ok := current.(*block); ok {
			if openAlone && before {
				stripLeading(either(b.main, b.inverse).body, 0, false)
				stripTrailing(body, i-1, false)
			}
			if closeAlone && after {
				stripLeading(body, i+1, false)
				last := either(b.inverse, b.main).body
				stripTrailing(last, len(last)-1, false)
			}
		}
	}
}

func either(a, b *program) *program {
	if a != nil {
		return a
	}
	return b
}

// stripBlock deals with the inside of a block and reports whether its first and its last tag may stand alone.
func stripBlock(b *block) (openAlone, closeAlone bool) {
	for _, p := range []*program{b.main, b.inverse} {
		if p != nil {
			stripWhitespace(p, false)
		}
	}
	first, inverse := b.main, b.inverse
	if first == nil {
		first, inverse = inverse, nil
	}
	firstInverse, lastInverse := inverse, inverse
	if inverse != nil && inverse.chained {
		firstInverse = inverse.body[0].(*block).main
		for lastInverse.chained {
			lastInverse = lastInverse.body[len(lastInverse.body)-1].(*block).main
		}
	}
	openAlone = blankAfter(first.body, -1, false)
	closing := either(firstInverse, first).body
	closeAlone = blankBefore(closing, len(closing), false)

	end := len(first.body) - 1
	if b.open.close {
		stripLeading(first.body, 0, true)
	}
	if inverse == nil {
		if b.close.open {
			stripTrailing(first.body, end, true)
		}
		return openAlone, closeAlone
	}
	if b.middle.open {
		stripTrailing(first.body, end, true)
	}
	if b.middle.close {
		stripLeading(firstInverse.body, 0, true)
	}
	if b.close.open {
		stripTrailing(lastInverse.body, len(lastInverse.body)-1, true)
	}
	if blankBefore(first.body, len(first.body), false) && blankAfter(firstInverse.body, -1, false) {
		stripTrailing(first.body, end, false)
		stripLeading(firstInverse.body, 0, false)
	}
	return openAlone, closeAlone
}

// textAt returns the text at body[i], or nil if something else or nothing is there.
func textAt(body []node, i int) *text {
	if i < 0 || i >= len(body) {
		return nil
	}
	t, _ := body[i].(*text)
	return t
}

// blankBefore reports whether the line up to body[i] is blank.
func blankBefore(body []node, i int, isRoot bool) bool {
	if i < 1 {
		return isRoot
	}
	t := textAt(body, i-1)
	if t == nil {
		return false
	}
	kept := strings.TrimRightFunc(t.original, isSpace)
	if i == 1 && isRoot && kept == "" {
		return true
	}
	return strings.Contains(t.original[len(kept):], "\n")
}

// blankAfter reports whether the line from behind body[i] on is blank.
func blankAfter(body []node, i int, isRoot bool) bool {
	if i+1 >= len(body) {
		return isRoot
	}
	t := textAt(body, i+1)
	if t == nil {
		return false
	}
	kept := strings.TrimLeftFunc(t.original, isSpace)
	if i+2 >= len(body) && isRoot && kept == "" {
		return true
	}
	return strings.Contains(t.original[:len(t.original)-len(kept)], "\n")
}

// stripLeading removes the blanks that body[i] begins with, up to its first line break or, if all, the breaks too.
func stripLeading(body []node, i int, all bool) {
	t := textAt(body, i)
	if t == nil || (!all && t.rightStripped) {
		return
	}
	rest := strings.TrimLeftFunc(t.value, isSpace)
	if !all {
		rest = strings.TrimLeft(t.value, " \t")
		if after, ok := strings.CutPrefix(rest, "\r\n"); ok {
			rest = after
		} else {
			rest = strings.TrimPrefix(strings.TrimPrefix(rest, "\r"), "\n")
		}
	}
	t.rightStripped = rest != t.value
	t.value = rest
}

// stripTrailing removes the blanks that body[i] ends with, and line breaks too if all.
func stripTrailing(body []node, i int, all bool) {
	t := textAt(body, i)
	if t == nil || (!all && t.leftStripped) {
		return
	}
	rest := strings.TrimRight(t.value, " \t")
	if all {
		rest = strings.TrimRightFunc(t.value, isSpace)
	}
	t.leftStripped = rest != t.value
	t.value = rest
}

// tidy removes what has no effect any more: comments, and texts of which nothing is left.
func tidy(p *program) {
	kept := p.body[:0]
	for _, n := range p.body {
		switch n := n.(type) {
		case *comment:
			continue
		case *text:
			if n.value == "" {
				continue
			}
		case *block:
			for _, side := range []*program{n.main, n.inverse} {
				if side != nil {
					tidy(side)
				}
			}
		}
		kept = append(kept, n)
	}
	p.body = kept
}
