package render

import "strings"

// expression reads a helper's or field's name, its arguments and its hash.
func (n *normalizer) expression() (pathForm, *fault) {
	path, err := n.helperName()
	if err != nil {
		return path, err
	}
	hash := false
	for {
		switch t := n.peek(); {
		case t.kind == tokenID && n.tokens[n.next+1].kind == tokenEquals:
			n.write(" [", n.mark(n.next), "]=")
			n.next += 2
			hash = true
		case n.atParam() && !hash:
			n.write(" ")
		case n.atParam():
			return path, faultf(t.pos, "put it before them", "an argument after name=value pairs")
		default:
			return path, nil
		}
		if err := n.param(); err != nil {
			return path, err
		}
	}
}

func (n *normalizer) atParam() bool {
	switch n.peek().kind {
	case tokenSub, tokenID, tokenData, tokenString, tokenNumber, tokenBool, tokenUndefined, tokenNull:
		return true
	}
	return false
}

func (n *normalizer) param() *fault {
	if n.peek().kind == tokenSub {
		return n.nested(n.peek().pos, n.subexpression)
	}
	_, err := n.helperName()
	return err
}

func (n *normalizer) subexpression() *fault {
	n.next++
	n.write("(")
	if _, err := n.expression(); err != nil {
		return err
	}
	if n.peek().kind != tokenCloseSub {
		return faultf(n.peek().pos, "", "found %s where \")\" is expected", n.found())
	}
	n.next++
	n.write(")")
	return nil
}

// helperName reads a path or a literal.
func (n *normalizer) helperName() (pathForm, *fault) {
	t := n.peek()
	switch t.kind {
	case tokenString, tokenNumber, tokenBool, tokenUndefined, tokenNull:
		form := "[" + n.mark(n.next) + "]"
		n.starts[len(n.out)] = pathStart{n.next, t.value}
		n.write(form)
		n.next++
		return pathForm{t.value, form}, nil
	case tokenID, tokenData:
		return n.path()
	}
	return pathForm{}, faultf(t.pos, "", "found %s where a name is expected", n.found())
}

// path reads @?(ID (SEP ID)*).
func (n *normalizer) path() (pathForm, *fault) {
	first := n.next
	begin := len(n.out)
	var name strings.Builder
	if n.peek().kind == tokenData {
		n.write("@")
		name.WriteByte('@')
		n.next++
	}
	at := len(n.out)
	for named := false; ; {
		t := n.peek()
		if t.kind != tokenID {
			return pathForm{}, faultf(t.pos, "", "found %s where a name is expected", n.found())
		}
		name.WriteString(t.value)
		switch {
		case t.pos+len(t.text)-n.tokens[first].pos > maxPath:
			return pathForm{}, faultf(n.tokens[first].pos, "", "the path is longer than %d bytes", maxPath)
		case !isKeyword(t):
			n.write("[", n.mark(n.next), "]")
			named = true
		case named:
			return pathForm{}, faultf(n.tokens[first].pos, "a field of that name is written in brackets: ["+t.value+"]",
				"%q must stand at the beginning of a path", t.value)
		default:
			n.write(t.value)
		}
		n.next++
		sep := n.peek()
		if sep.kind != tokenSep {
			n.starts[at] = pathStart{first, name.String()}
			return pathForm{name.String(), string(n.out[begin:])}, nil
		}
		name.WriteString(sep.text)
		n.write("/")
		n.next++
	}
}

// isKeyword reports whether an ID is one of the three that are no names.
func isKeyword(t token) bool {
	return !t.literalID() && (t.value == ".." || t.value == "." || t.value == "this")
}
