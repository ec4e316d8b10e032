// Package hookstest tests implementations of the interfaces of package hooks:
// [Run] is the suite that every backend passes, [Receiver] is an endpoint
// that answers deliveries well or misbehaves on purpose, and a [Tool] plays a
// tool that deliveries go to, as strict as the real one.
package hookstest
