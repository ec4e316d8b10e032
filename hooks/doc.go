// Package hooks holds the domain: events, subscriptions, deliveries and
// attempts, and the Engine that carries an event from Publish to the endpoints
// of the subscriptions whose policy lets it through.
//
// The path of the data is
//
//	Publish → match policies → Accept (one durable commit) → Claim → render → Send → Settle
//
// Where things are kept and how requests leave the machine are behind three
// small interfaces, [Store], [Queue] and [Sender]; packages hooks/bolt and
// hooks/send implement them, and package hooks/hookstest checks any
// implementation. The package itself imports no storage, no HTTP router and
// no template engine.
package hooks
