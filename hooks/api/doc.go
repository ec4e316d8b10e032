// Package api holds the REST door to an Engine: routes, authentication, the
// JSON that goes in and out, and the one table from error to status and code.
//
// There are two name spaces on one store. /api/v2 is LaunchDarkly's wire
// contract for audit log subscriptions, webhooks and the audit log (its REST
// API, version 20240415), so that its Terraform provider and API clients work
// unchanged; /api/v1 is ours. A subscription is seen through each door that fits
// it: all of them at /api/v1/subscriptions, those of one integration at
// /api/v2/integrations/KEY, those of the integration webhook at
// /api/v2/webhooks. The files of openapi/ describe every call; New fails when
// they and the routes differ, and GET /api/v1/openapi.json serves them.
//
// A group of routes stands at the top of the file that has its handlers, with
// the roles whose tokens may make each call; routes.go puts the groups together.
// A new group needs an entry there and a file in openapi/.
//
// # Tokens
//
// All calls but a few public ones ask for a token, as `Authorization: TOKEN` or
// `Authorization: Bearer TOKEN`: the admin token of Options, or one that was made
// at /api/v1/tokens. A token's role says what it may do: see [hooks.Role]. Events
// are told apart by id within the token that sent them.
//
// # Errors
//
// Every answer that is not a success, those to unknown paths included, is JSON
// with a code for programs and a message for people; refused input also lists
// each fault:
//
//	{"code": "invalid_request", "message": "config.apiKey: it is required",
//	 "errors": [{"attribute": "config.apiKey", "reason": "it is required"}]}
//
// No error carries a secret; what is wrong with a policy is quoted.
//
// # Secrets
//
// A config's secrets are shown as a mask, which sent back at its own place means
// unchanged and anywhere else is refused. Patches work on the masked document, so
// that copy and test tell nothing. The one exception is LaunchDarkly's: a
// webhook's secret is in clear at /api/v2/webhooks, for admins.
//
// # Mounting
//
// An API is an [http.Handler] that answers at the root of its host. Under a
// prefix it is mounted with [http.StripPrefix], whatever the router around it:
//
//	mux.Handle("/flags/", http.StripPrefix("/flags", api))
//
// The links in its answers are paths from the host's root; they carry the
// prefix that was stripped, which is what the request line has more than the
// path that the API was handed.
package api
