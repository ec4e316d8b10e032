// Package source reads what flag systems send of their own accord: it checks
// the signature of a request and turns its body into events to publish. Each
// system has a file of its own.
//
// [Verify] says whether a request
// comes from the system, over the raw body and in constant time; [Parse] gives
// the events that it tells of in the form that hooks.NewEvent takes, with what
// identifies the delivery. What has to be remembered between requests, the last
// state of a resource where the system tells only the new one, comes in
// through [States] and goes out in the [Result]. Both are pure; the [Registry]
// puts them to work: it keeps the sources of an installation, and takes in what
// arrives for them, once and durably.
//
// The formats are those of Flipt 1.21 to 1.61 (audit webhooks 0.1 and 0.2),
// Flagsmith 2.84 to 2.265 (environment and organisation webhooks), goflagship,
// LaunchDarkly (webhooks, REST API v20240415), Unleash 5 to 8 (webhook
// integration), GrowthBook (event webhooks 2024-07-31 and raw, SDK webhooks)
// and CloudEvents 1.0 over HTTP; docs/sources.md has the tables of what becomes
// what.
package source
