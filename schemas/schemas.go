// Package schemas holds the JSON Schemas of manifests and posted events and
// the sample events, as embedded bytes and nothing that acts on them.
//
// The schemas are draft-07, and each is complete in itself: no $ref leaves its
// file, so that compiling one never touches the network or the disk.
package schemas

import (
	"bytes"
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed manifest.schema.json
var manifestSchema []byte

//go:embed event.schema.json
var eventSchema []byte

//go:embed samples/*.json
var samples embed.FS

// Manifest returns the JSON Schema (draft-07) of an integration's
// manifest.json. The bytes are the caller's own.
func Manifest() []byte { return bytes.Clone(manifestSchema) }

// Event returns the JSON Schema (draft-07) of one posted event. The bytes are
// the caller's own.
func Event() []byte { return bytes.Clone(eventSchema) }

// SampleNames lists the sample events: those about flags first, the rest
// behind, each part in alphabetical order.
func SampleNames() []string {
	entries, err := fs.ReadDir(samples, "samples")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if name, isJSON := strings.CutSuffix(e.Name(), ".json"); isJSON {
			names = append(names, name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return rank(a) - rank(b)
	})
	return names
}

// rank puts flags, which most people come for, before everything else.
func rank(name string) int {
	if strings.HasPrefix(name, "flag") {
		return 0
	}
	return 1
}

// Sample returns the sample event of that name, a complete JSON document with
// accesses, and whether there is one. The bytes are the caller's own.
func Sample(name string) ([]byte, bool) {
	if name == "" || strings.ContainsAny(name, `/\`) {
		return nil, false
	}
	data, err := samples.ReadFile(path.Join("samples", name+".json"))
	return data, err == nil
}
