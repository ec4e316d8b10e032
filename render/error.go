package render

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error says what is wrong with a template, or why it could not be rendered, and where.
// Line and Column count from 1, the column in characters; both are 0 where the error has no place.
// The message quotes the template, never a value of the context, so that it may be logged.
type Error struct {
	Name         string // Options.Name
	Line, Column int
	Message      string
	Hint         string // what to do about it; may be empty
}

// Error returns "name:line:column: message (hint)", without what is not known.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Name != "" {
		b.WriteString(e.Name + ":")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", e.Line, e.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// fault is an error on its way from where its byte offset is known to where line and column are.
type fault struct {
	pos     int
	message string
	hint    string
}

func (f *fault) Error() string { return f.message }

func faultf(pos int, hint, format string, args ...any) *fault {
	return &fault{pos: pos, hint: hint, message: fmt.Sprintf(format, args...)}
}

// at makes the public error of a fault in the source. A negative offset means the template as a whole.
func (f *fault) at(name, source string) *Error {
	e := &Error{Name: name, Message: f.message, Hint: f.hint}
	if f.pos >= 0 {
		e.Line, e.Column = position(source, f.pos)
	}
	return e
}

// position turns a byte offset into a line and a column in characters, both counted from 1.
func position(text string, offset int) (line, column int) {
	before := text[:min(max(offset, 0), len(text))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}

// quote shows a piece of a template in a message, cut to a bearable length.
func quote(s string) string {
	const limit = 40
	if utf8.RuneCountInString(s) > limit {
		s = string([]rune(s)[:limit]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// didYouMean names the candidate that is nearest to a misspelt word, or says nothing.
func didYouMean(word string, candidates []string) string {
	best, bestDistance := "", 3
	if len(word) > 40 {
		return ""
	}
	for _, c := range candidates {
		d := editDistance(strings.ToLower(word), strings.ToLower(c))
		if d < bestDistance && d < len(word) {
			best, bestDistance = c, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// editDistance counts the insertions, deletions and replacements between two short words.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
