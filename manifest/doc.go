// Package manifest loads, checks and renders integration folders: a
// manifest.json, its templates and its icons.
//
// [Load] reads a catalog of folders and returns every problem of every folder,
// each with its place, its reason and its remedy. A loaded [Integration] knows
// its form variables (checks a config, masks secrets, fills in placeholders)
// and renders events into HTTP requests; it sends none.
//
// The format is that of LaunchDarkly's public integration framework, with
// optional members of our own; see schemas/manifest.schema.json.
package manifest
