package api

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/render"
)

// maxPatchOps bounds the operations of one patch.
const maxPatchOps = 100

// A patchOp is one checked operation of a JSON Patch (RFC 6902).
type patchOp struct {
	op, path, from string // an op of "" does nothing
	value          render.Value
}

// patched applies a JSON Patch to a subscription. The result has the version
// that was read, so that a change in between is a conflict.
func (a *API) patched(old *hooks.Subscription, body render.Value, t patchTarget) (*hooks.Subscription, error) {
	ops, err := readPatch(body, t)
	if err != nil {
		return nil, err
	}
	doc, err := applyPatch(t.doc.AppendJSON(nil), ops, a.o.MaxBody)
	if err != nil {
		return nil, err
	}
	return readPatched(doc, old, t)
}

// readPatch reads a body, a bare array of operations or {comment, patch}, and
// checks all of it.
func readPatch(body render.Value, t patchTarget) ([]patchOp, error) {
	list := body
	if body.Kind() == render.KindObject {
		if body.Has("instructions") {
			return nil, fail(kindInvalid, "semantic patches are not taken here; send a JSON Patch, an array of operations")
		}
		list = body.Get("patch")
	}
	if list.Kind() != render.KindArray {
		return nil, fail(kindInvalid, "a patch is an array of operations, or an object with such an array as patch")
	}
	if list.Len() > maxPatchOps {
		return nil, fail(kindInvalid, "the patch has %d operations; at most %d are allowed", list.Len(), maxPatchOps)
	}
	p := patchReader{target: t}
	ops := make([]patchOp, list.Len())
	for n := range list.Len() {
		ops[n] = p.read(n, list.At(n))
	}
	if len(p.details) > 0 {
		return nil, invalid(p.details...)
	}
	return ops, nil
}

// patchReader gathers what is wrong with a patch.
type patchReader struct {
	target  patchTarget
	details []detail
}

func (p *patchReader) fail(n int, member, format string, args ...any) {
	attribute := fmt.Sprintf("patch[%d]", n)
	if member != "" {
		attribute += "." + member
	}
	p.details = append(p.details, detail{Attribute: attribute, Reason: fmt.Sprintf(format, args...)})
}

var patchOpNames = []string{"add", "remove", "replace", "move", "copy", "test"}

func (p *patchReader) read(n int, v render.Value) patchOp {
	if v.Kind() != render.KindObject {
		p.fail(n, "", "it is %s; an operation is an object with op and path", kindText[v.Kind()])
		return patchOp{}
	}
	o := patchOp{op: v.Get("op").AsString(), value: v.Get("value")}
	if !slices.Contains(patchOpNames, o.op) {
		p.fail(n, "op", "it must be one of %s", strings.Join(patchOpNames, ", "))
		return o
	}
	if o.op == "replace" && !o.value.IsDefined() {
		p.fail(n, "value", "it is required")
	}
	if p.target.lenient && (o.op == "remove" || o.op == "replace") && p.target.unknown(v.Get("path").AsString()) {
		return patchOp{}
	}
	o.path = p.pointer(n, "path", v)
	switch o.op {
	case "move", "copy":
		o.from = p.pointer(n, "from", v)
		if p.target.secret(o.from) {
			p.fail(n, "from", "a secret cannot be moved or copied; give the value itself")
		}
	case "add", "test":
		if !o.value.IsDefined() {
			p.fail(n, "value", "it is required")
		}
	}
	// On a member of an object add does all that replace does, and does it
	// too where there is none yet: clients replace what they never set.
	if o.op == "replace" && !endsInIndex(o.path) {
		o.op = "add"
	}
	return o
}

// pointer reads path or from; what is wrong with it is recorded.
func (p *patchReader) pointer(n int, member string, v render.Value) string {
	given := v.Get(member)
	if given.Kind() != render.KindString {
		p.fail(n, member, "it must be a JSON pointer such as /on or /config/url")
		return ""
	}
	path := given.AsString()
	if other, ok := p.target.alias[path]; ok {
		return other
	}
	if !p.target.paths.MatchString(path) || badEscape.MatchString(path) {
		p.fail(n, member, "it cannot be patched; these can: %s", p.target.named)
	}
	return path
}

// badEscape finds a ~ that RFC 6901 gives no meaning.
var badEscape = regexp.MustCompile(`~([^01]|$)`)

var pointerEscapes = strings.NewReplacer("~1", "/", "~0", "~")

func unescapePointer(segment string) string { return pointerEscapes.Replace(segment) }

// endsInIndex reports whether a path names an item of an array: /tags/0,
// /statements/0, /statements/0/actions/1.
func endsInIndex(path string) bool {
	if strings.HasPrefix(path, "/config/") {
		return false
	}
	depth := strings.Count(path, "/")
	return depth == 2 || depth == 4
}

// maxPatched bounds what a patch may cost, in bytes: each operation reads the
// whole document.
const maxPatched = 4 << 20

// applyPatch applies the operations in turn to a document that may not grow
// beyond limit bytes, and returns the new document.
func applyPatch(doc []byte, ops []patchOp, limit int64) (render.Value, error) {
	options := jsonpatch.NewApplyOptions()
	options.SupportNegativeIndices = false // not in RFC 6902
	options.AllowMissingPathOnRemove = true
	options.EscapeHTML = false
	patched := 0
	for n, o := range ops {
		if patched += len(doc); n > 0 && patched > maxPatched {
			return render.Value{}, fail(kindTooLarge, "patch[%d]: %d operations on so long a subscription are too many for one patch; send several", n, len(ops))
		}
		switch o.op {
		case "":
			continue
		case "test":
			if err := o.test(n, doc); err != nil {
				return render.Value{}, err
			}
			continue
		}
		patch, err := jsonpatch.DecodePatch(o.json())
		if err == nil {
			doc, err = patch.ApplyWithOptions(doc, options)
		}
		if err != nil {
			return render.Value{}, patchFault(n, o, err)
		}
		if int64(len(doc)) > limit {
			return render.Value{}, fail(kindTooLarge, "patch[%d] makes the subscription larger than %d bytes", n, limit)
		}
	}
	return parsePatched(doc)
}

// parsePatched fails only when a document has become nested too deep.
func parsePatched(doc []byte) (render.Value, error) {
	v, err := render.ParseJSON(doc)
	if err != nil {
		return render.Value{}, fail(kindInvalid, "the patched subscription is refused: %v", err)
	}
	return v, nil
}

// test compares a value; one that is absent counts as null. The library panics
// on some null inside of a value (v5.9.11), so this is ours. A failed test is a
// conflict with what the client took for granted.
func (o patchOp) test(n int, doc []byte) error {
	v, err := parsePatched(doc)
	if err != nil {
		return err
	}
	for _, segment := range strings.Split(o.path, "/")[1:] {
		switch index, err := strconv.Atoi(segment); {
		case v.Kind() != render.KindArray:
			v = v.Get(unescapePointer(segment))
		case err == nil:
			v = v.At(index)
		default:
			v = render.Value{}
		}
	}
	if v.Equal(o.value) || !v.IsDefined() && o.value.Kind() == render.KindNull {
		return nil
	}
	return fail(kindLocked, "patch[%d]: the test failed: %s has another value", n, o.path)
}

// json is the operation alone as a patch, with nothing but what was checked.
func (o patchOp) json() []byte {
	op := render.Object(
		render.Member{Key: "op", Value: render.String(o.op)},
		render.Member{Key: "path", Value: render.String(o.path)})
	switch o.op {
	case "move", "copy":
		op = op.With("from", render.String(o.from))
	case "add", "replace":
		op = op.With("value", o.value)
	}
	return render.Array(op).AppendJSON(nil)
}

// patchFault says why an operation could not be applied, in our words.
func patchFault(n int, o patchOp, err error) error {
	reason := "it cannot be applied; is there an array or an object where the path has one?"
	switch {
	case errors.Is(err, jsonpatch.ErrMissing):
		reason = "there is nothing at this path"
		if o.from != "" {
			reason = "there is nothing at the path that it comes from, or nothing to put it into"
		}
	case errors.Is(err, jsonpatch.ErrInvalidIndex):
		reason = "the array has no such index"
	}
	return invalid(detail{Attribute: fmt.Sprintf("patch[%d]", n), Reason: reason})
}

// readPatched reads a patched document. Everything is in it by then, so that on
// cannot be left out.
func readPatched(doc render.Value, old *hooks.Subscription, t patchTarget) (*hooks.Subscription, error) {
	d := &reader{doc: doc}
	if !given(doc.Get("on")) {
		d.fail("on", "it cannot be removed; set it to true or false")
	}
	next := *old
	t.read(d, &next)
	return &next, d.err()
}

// mergePatch applies an RFC 7396 patch: null removes, an object is merged, what
// else there is replaces. Its depth the parser has bounded.
func mergePatch(doc, patch render.Value) render.Value {
	if patch.Kind() != render.KindObject {
		return patch
	}
	var members []render.Member
	for key, v := range doc.Members() {
		members = append(members, render.Member{Key: key, Value: v})
	}
	for key, v := range patch.Members() {
		if v.Kind() == render.KindNull {
			v = render.Value{}
		} else {
			v = mergePatch(doc.Get(key), v)
		}
		members = append(members, render.Member{Key: key, Value: v})
	}
	return render.Object(members...) // the last of a name counts, and one that is undefined removes it
}
