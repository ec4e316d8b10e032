package render

import (
	"encoding/json"

	"github.com/aymerick/raymond"
)

// RegisterHelpers hands the helpers that raymond lacks, equal, and lookup (raymond's own gives texts alone) to register, for which a raymond template's own
// RegisterHelper will do. It exists so that tests can hold this package's evaluator against raymond's Exec with the
// same table of helpers. raymond calls a helper with one number of arguments only: helpers with optional ones are
// registered with two. Missing arguments and null are the same to it.
func RegisterHelpers(register func(name string, helper any)) {
	for _, name := range helperNames {
		h := helpers[name]
		switch {
		case h.block == blockEqual:
			register(name, func(a, b any, options *raymond.Options) any {
				if fromGo(a).Text() == fromGo(b).Text() {
					return options.Fn()
				}
				return options.Inverse()
			})
		case h.block != blockValue || name == "log":
			// raymond has its own
		case h.min == h.max && h.max == 1:
			register(name, func(a any) any { return h.forRaymond(a) })
		case h.min == h.max && h.max == 3:
			register(name, func(a, b, c any) any { return h.forRaymond(a, b, c) })
		default:
			register(name, func(a, b any) any { return h.forRaymond(a, b) })
		}
	}
}

func (h *helper) forRaymond(args ...any) any {
	values := make([]Value, len(args))
	for i, a := range args {
		values[i] = fromGo(a)
	}
	v, err := h.call(values)
	if err != nil {
		panic(err) // raymond turns it into the error of its Exec
	}
	switch {
	case v.safe:
		return raymond.SafeString(v.str)
	case v.kind == KindArray || v.kind == KindObject || v.kind == KindBool:
		return toGo(v)
	}
	return v.Text()
}

// toGo makes a value of encoding/json.
func toGo(v Value) (x any) {
	if err := json.Unmarshal(v.AppendJSON(nil), &x); err != nil {
		return nil
	}
	return x
}

// fromGo takes a value of encoding/json over; nil is undefined.
func fromGo(x any) Value {
	if x == nil {
		return Value{}
	}
	data, err := json.Marshal(x)
	if err != nil {
		return Value{}
	}
	v, err := ParseJSON(data)
	if err != nil {
		return Value{}
	}
	return v
}
