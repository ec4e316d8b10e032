package render

import "slices"

// Options tells Compile how a template is to be read.
type Options struct {
	Name   string // shown in errors; usually the file's path
	Escape Escape
}

// Template is a compiled template. It is immutable and safe for concurrent use, and its output depends on its
// context alone.
type Template struct {
	name, source string
	root         *program
	usesDepths   bool // some path begins with ../
	reach        reach
}

// RenderOptions tells RenderWith what to do about names that the context does not have.
type RenderOptions struct {
	// Strict makes rendering fail where Handlebars.js does with its option strict: at a printed name, or the name of
	// a block without a helper, that is not there, and at a field of something that is not there. Block parameters
	// are exempt. A missing name that is only an argument, as in {{#if x}}, is allowed.
	Strict bool
	// OnMissing is called, when not Strict, once for each place that prints a name that is not there; nil does nothing.
	OnMissing func(Missing)
	// Origins, if not nil, is told where each part of the output comes from.
	Origins *Origins
}

// Missing is a printed name that the context did not have, and its place in the template.
type Missing struct {
	Name         string
	Line, Column int
}

// Render evaluates the template as production does: names that are not there print as nothing.
func (t *Template) Render(root Value) (string, error) { return t.RenderWith(root, RenderOptions{}) }

// RenderWith evaluates the template on a context. The members formVariables, oauth, context and delivery of the root
// are found by name inside any block whose own context has none of that name. Errors are *Error: a helper that got
// what it cannot work with, a limit that was exceeded (1 MiB of output, about a million steps), or with Strict a
// missing name.
func (t *Template) RenderWith(root Value, o RenderOptions) (string, error) {
	r := newRun(t, root, o)
	defer r.release()
	if err := r.body(t.root); err != nil {
		return "", err.at(t.name, t.source)
	}
	return string(r.out), nil
}

// RenderBytes is Render where bytes are wanted; they are the caller's own.
func (t *Template) RenderBytes(root Value) ([]byte, error) {
	r := newRun(t, root, RenderOptions{})
	defer r.release()
	if err := r.body(t.root); err != nil {
		return nil, err.at(t.name, t.source)
	}
	return slices.Clone(r.out), nil
}

// Reaches reports whether rendering can get at the root's member of that name: by a path, through a helper, or
// because the root itself is passed on as a value. It may report more than is the case, never less.
func (t *Template) Reaches(name string) bool { return t.reach.all || t.reach.names[name] }
