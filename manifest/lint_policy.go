package manifest

import (
	"fmt"

	"github.com/flaghook/flaghook/policy"
)

// nearness orders what kept a statement from applying by how far it got.
var nearness = map[string]int{"kind": 1, "key": 2, "property": 3, "tag": 3, "resource": 4, "action": 5}

// defaultPolicy reports a default policy that lets through none of the sample
// events: a subscription that relies on it would probably stay silent.
func (l *linter) defaultPolicy() {
	const at = hookAt + "/defaultPolicy"
	if l.i.hook.DefaultPolicy == nil {
		return
	}
	compiled, err := policy.Parse(l.i.hook.DefaultPolicy)
	if err != nil {
		return // it has been told
	}
	pointer, best, why := at, -1, ""
	for _, s := range sampleEvents() {
		decision := compiled.Explain(s.accesses)
		if decision.Allowed {
			return
		}
		for _, a := range decision.Accesses {
			near, statement := nearness[a.Failed], a.Nearest
			if a.Effect == policy.Deny {
				near, statement = 6, a.Statement
			}
			if near > best {
				best, pointer = near, at
				why = fmt.Sprintf("%s (sample %s)", a.Reason, s.name)
				if statement >= 0 {
					pointer = join(at, statement)
				}
			}
		}
	}
	l.warn("policy-no-sample", pointer, "the default policy lets through none of the sample events: "+why, "widen it, if it is to let through any")
}
