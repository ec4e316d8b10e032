// Package hookstest tests implementations of the interfaces of package hooks:
// [Run] is the suite that every backend passes, and [Receiver] is an endpoint
// that answers deliveries well or misbehaves on purpose.
package hookstest
