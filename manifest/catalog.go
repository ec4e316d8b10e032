package manifest

import (
	"cmp"
	"maps"
	"slices"
)

// A Catalog holds integrations by key. It never changes, and is safe for
// concurrent use.
type Catalog struct{ byKey map[string]*Integration }

// NewCatalog makes a catalog; of several integrations with one key the last
// stays.
func NewCatalog(integrations ...*Integration) *Catalog {
	c := &Catalog{byKey: make(map[string]*Integration, len(integrations))}
	for _, i := range integrations {
		if i != nil {
			c.byKey[i.Key] = i
		}
	}
	return c
}

// Get returns the integration of that key, and whether there is one.
func (c *Catalog) Get(key string) (*Integration, bool) {
	i, found := c.byKey[key]
	return i, found
}

// All lists the integrations by key.
func (c *Catalog) All() []*Integration {
	return slices.SortedFunc(maps.Values(c.byKey), func(a, b *Integration) int { return cmp.Compare(a.Key, b.Key) })
}

// Merge returns a new catalog of both; where both have a key, over's stays.
func (c *Catalog) Merge(over *Catalog) *Catalog {
	if over == nil {
		return c
	}
	return NewCatalog(append(c.All(), over.All()...)...)
}

// Nearest returns the keys that someone may have meant who asked for key, the
// likeliest first, at most three.
func (c *Catalog) Nearest(key string) []string {
	return nearest(key, slices.Sorted(maps.Keys(c.byKey)))
}

// Closest returns the keys that have most in common with key, three where the
// catalog has as many, even where nobody can have meant them.
func (c *Catalog) Closest(key string) []string {
	return closest(key, slices.Sorted(maps.Keys(c.byKey)))
}
