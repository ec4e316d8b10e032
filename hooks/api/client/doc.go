// Package client holds the Go client of the REST API /api/v1: a method for each
// call, typed values, bounded retries, pages as iterators.
//
//	c, err := client.New(client.Options{URL: "https://hooks.example.com", Token: token})
//	...
//	receipts, err := c.Publish(ctx, client.PublishOptions{}, client.NewEvent{
//		Action: "updateOn", Resource: "proj/web:env/production:flag/checkout",
//		Member: &client.Member{Email: "ann@example.com"},
//	})
//
// It imports nothing but the standard library, so that a flag service that only
// sends events links no template engine, no schema checker and no storage.
//
// # Answers
//
// What an answer has that this version does not know is not lost: the types
// embed [Document], which keeps the JSON as the server wrote it.
//
// # Errors
//
// A refusal is an [*Error] with status, code, message and each fault. Any other
// error means that there was no whole answer: the network, the context, or
// something at that address that is no flaghook. No error holds the token.
//
// # Retries
//
// 429 and 503 say that nothing was done: every call is made again then, after
// what Retry-After asks for, else after a growing, jittered wait. A broken
// exchange leaves open whether something was done: only calls that may safely
// be made twice are made again (GET, and Publish, whose events carry an id or an
// idempotency key). How often and how long is bounded by [Options].
package client
