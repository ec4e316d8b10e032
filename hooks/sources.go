package hooks

// Records gives access to the small documents that the engine's store keeps: for
// what is kept beside the domain, such as the sources of package hooks/source.
func (e *Engine) Records() Records { return e.o.Store }
