package manifest

import (
	"encoding/json"
	"sync"

	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// plainNames are texts of an event that never need escaping, whoever posts it.
var plainNames = map[string]bool{"_id": true, "timestamp.rfc3339": true, "timestamp.simple": true}

// postedNames are members of a posted event that templates do not see.
var postedNames = []string{"id", "action", "resource"}

// eventShape is what templates see of an event, read from the schema of posted
// events. What may be posted as a text or a number in place of an object
// (title, timestamp) is an object by then. A member that the schema does not
// know cannot be there, unless the object has "additionalProperties": true.
var eventShape = sync.OnceValue(func() *render.Shape {
	var tree schemaNode
	if err := json.Unmarshal(schemas.Event(), &tree); err != nil {
		return render.AnyShape // a test reads the schema
	}
	shape := tree.shape(&tree, "")
	for _, name := range postedNames {
		delete(shape.Members, name)
	}
	return shape
})

// A schemaNode is what eventShape reads of a JSON Schema.
type schemaNode struct {
	Ref         string                 `json:"$ref"`
	Type        any                    `json:"type"` // a name or a list of names
	Properties  map[string]*schemaNode `json:"properties"`
	Items       *schemaNode            `json:"items"`
	Additional  bool                   `json:"additionalProperties"`
	Definitions map[string]*schemaNode `json:"definitions"`
}

const refPrefix = "#/definitions/"

func (n *schemaNode) shape(root *schemaNode, at string) *render.Shape {
	if len(n.Ref) > len(refPrefix) {
		if target := root.Definitions[n.Ref[len(refPrefix):]]; target != nil {
			n = target
		}
	}
	switch {
	case n.is("object") || n.Properties != nil:
		members := make(map[string]*render.Shape, len(n.Properties))
		for name, p := range n.Properties {
			members[name] = p.shape(root, dotted(at, name))
		}
		shape := render.ObjectShape(members)
		if n.Additional {
			shape.Rest = render.AnyShape
		}
		return shape
	case n.is("array") && n.Items != nil:
		return render.ArrayShape(n.Items.shape(root, dotted(at, "*")))
	case n.is("string") && plainNames[at]:
		return render.PlainShape
	case n.is("string"):
		return render.TextShape
	case n.is("integer"), n.is("number"):
		return render.NumberShape
	case n.is("boolean"):
		return render.BoolShape
	}
	return render.AnyShape
}

func (n *schemaNode) is(kind string) bool {
	if list, isList := n.Type.([]any); isList {
		for _, k := range list {
			if k == kind {
				return true
			}
		}
		return false
	}
	return n.Type == kind
}

func dotted(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// oauthShape is what a template sees of an OAuth connection.
var oauthShape = render.ObjectShape(map[string]*render.Shape{
	"baseURI": render.TextShape, "accessToken": render.TextShape,
})

// deliveryShape is what URL and header values see of a delivery. An id is hex.
var deliveryShape = render.ObjectShape(map[string]*render.Shape{
	"id": render.PlainShape, "attempt": render.NumberShape,
})

// shape is what the value of a form variable may be.
func (v *FormVariable) shape() *render.Shape {
	switch v.Type {
	case TypeBoolean:
		return render.BoolShape
	case TypeMultiselect, TypeEnvironmentSelector:
		list := render.ArrayShape(render.TextShape)
		list.Kinds |= render.TextShape.Kinds
		list.Chars = render.TextShape.Chars
		return list
	case TypeEnum:
		shape := *render.PlainShape
		for _, value := range v.AllowedValues {
			shape.Chars |= render.CharsOf(value)
		}
		return &shape
	}
	return render.TextShape
}

// bodyShape is the root of a body's context, and addressShape that of a URL's
// or header's.
func bodyShape(variables map[string]*render.Shape) *render.Shape {
	return with(eventShape().Members, map[string]*render.Shape{
		"formVariables": render.ObjectShape(variables), "oauth": oauthShape,
	})
}

func addressShape(variables map[string]*render.Shape) *render.Shape {
	return with(variables, map[string]*render.Shape{"context": eventShape(), "oauth": oauthShape, "delivery": deliveryShape})
}

func with(members, more map[string]*render.Shape) *render.Shape {
	all := make(map[string]*render.Shape, len(members)+len(more))
	for _, from := range []map[string]*render.Shape{members, more} {
		for name, shape := range from {
			all[name] = shape
		}
	}
	return render.ObjectShape(all)
}
