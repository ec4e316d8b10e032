package render

// A template is compiled into the nodes below. They are immutable once compiled, and shared by concurrent renders.

// node is a statement.
type node interface {
	exec(r *run) *fault
	place() int // in the source, for errors that have no better one
}

// expr is something that has a value.
type expr interface {
	eval(r *run) (Value, *fault)
}

// program is a sequence of statements: a template's, or one side of a block.
type program struct {
	body    []node
	params  []string // block parameters
	chained bool     // made by {{else name ...}}: its body is that one block
}

// text is what stands between the tags. Only value counts once the template is compiled.
type text struct {
	pos                         int
	original, value             string
	leftStripped, rightStripped bool
}

// strip tells on which sides of a tag a ~ takes the white space away.
type strip struct{ open, close bool }

// comment is in the tree only while white space is dealt with.
type comment struct{ strip strip }

// print is {{x}}, or when raw {{{x}}}.
type print struct {
	pos    int
	expr   expr
	raw    bool
	strip  strip
	escape *escapes
}

// block is {{#x}} ... {{else}} ... {{/x}}.
type block struct {
	kind                blockKind
	helper              *helper // nil for a blockField
	name                string
	pos                 int
	args                []expr
	hash                []hashPair
	main, inverse       *program
	open, middle, close strip
	escape              *escapes // of a blockValue
}

type blockKind uint8

const (
	blockField blockKind = iota // no helper: what the field's value makes of it
	blockIf
	blockUnless
	blockEach
	blockWith
	blockEqual
	blockValue // a helper that returns a value
)

type hashPair struct {
	name  string
	value expr
}

func (t *text) place() int    { return t.pos }
func (c *comment) place() int { return -1 }
func (p *print) place() int   { return p.pos }
func (b *block) place() int   { return b.pos }

// literal is a string, number, boolean, null or undefined in a tag.
type literal struct {
	pos   int
	value Value
}

// call is a helper that returns a value.
type call struct {
	helper *helper
	pos    int
	args   []expr
	hash   []hashPair
}

// path leads to a value. Its terminal form is that of {{a.b}} and {{#a.b}}: strict rendering demands that the name
// exists, while for the argument of a helper all but the last must.
type path struct {
	name     string // as in the template
	pos      int
	base     pathBase
	depth    int       // how many ../ it begins with
	slot     int       // baseParam: which of the block parameters in scope
	field    dataField // baseData
	parts    []string
	reserved bool // parts[0] is found at the root when it is not found here
	terminal bool
}

type pathBase uint8

const (
	baseContext pathBase = iota
	baseData             // @name
	baseParam            // a block parameter
)

// dataField is the name behind an @.
type dataField uint8

const (
	dataUnknown dataField = iota
	dataRoot
	dataKey
	dataIndex
	dataFirst
	dataLast
)

var dataFields = map[string]dataField{
	"root": dataRoot, "key": dataKey, "index": dataIndex, "first": dataFirst, "last": dataLast,
}

// reservedRoots are the members of the root that are found in any block.
var reservedRoots = map[string]bool{"formVariables": true, "oauth": true, "context": true, "delivery": true}
