package policy

// Allows reports whether the policy lets an event through: whether any of its
// accesses is allowed. It allocates nothing.
func (p *Policy) Allows(accesses []ParsedAccess) bool {
	for i := range accesses {
		if p.Effect(&accesses[i]) == Allow {
			return true
		}
	}
	return false
}

// Work is about how much there is to do for Allows at most, in steps of some
// nanoseconds: every item of the policy's lists is tried on every access, and every
// pattern with wildcards on the whole of its resource. It is the same for the same
// policy and accesses, so that whoever asks for many can stop at a bound.
func (p *Policy) Work(accesses []ParsedAccess) int {
	work := 0
	for i := range accesses {
		work += 1 + p.items + p.wildcards*(1+len(accesses[i].text)/16)
	}
	return work
}

// Effect says what the policy says about one access: Deny if any deny statement
// applies, else Allow if any allow statement does, else NoneApply. Explain also says
// why, which takes longer.
func (p *Policy) Effect(a *ParsedAccess) Effect {
	effect := NoneApply
	for i := range p.statements {
		s := &p.statements[i]
		if effect == Allow && !s.deny {
			continue
		}
		if !s.applies(a) {
			continue
		}
		if s.deny {
			return Deny
		}
		effect = Allow
	}
	return effect
}

// applies reports whether the statement is about the access. Actions come first:
// they are shorter than resources.
func (s *statement) applies(a *ParsedAccess) bool {
	return s.matchesAction(a.Action) && s.matchesResource(a)
}

func (s *statement) matchesAction(action string) bool {
	return (s.actionItem(action) >= 0) != s.notActions
}

func (s *statement) matchesResource(a *ParsedAccess) bool {
	return (s.resourceItem(a) >= 0) != s.notResources
}

// actionItem gives the index of the first listed action that matches, -1 for none.
func (s *statement) actionItem(action string) int {
	for i := range s.actions {
		if s.actions[i].match(action) {
			return i
		}
	}
	return -1
}

// resourceItem gives the index of the first listed specifier that matches, -1 for none.
func (s *statement) resourceItem(a *ParsedAccess) int {
	for i := range s.resources {
		if s.resources[i].match(a) {
			return i
		}
	}
	return -1
}
