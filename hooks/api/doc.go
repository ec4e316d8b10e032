// Package api holds the REST door to an Engine: routes, authentication, the
// JSON that goes in and out, and the one table from error to status and code.
//
// There are two name spaces on one store. /api/v2 is LaunchDarkly's wire
// contract for audit log subscriptions (its REST API, version 20240415), so
// that its Terraform provider and API clients work unchanged; /api/v1 is ours:
//
//	GET, POST           /api/v2/integrations/{key}
//	GET, PATCH, DELETE  /api/v2/integrations/{key}/{id}
//	GET                 /api/v1/catalog
//	GET                 /api/v1/catalog/{key}
//	POST                /api/v1/events
//	GET                 /api/v1/events/{id}
//	GET                 /api/v1/events/{id}/explain
//	GET                 /api/v1/subscriptions/{id}/deliveries
//	GET                 /api/v1/deliveries?subscription={id}
//	GET                 /api/v1/deliveries/{id}
//	GET                 /healthz
//	GET                 /readyz
//
// All but the last two ask for the admin token, as `Authorization: TOKEN` or
// `Authorization: Bearer TOKEN`.
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
