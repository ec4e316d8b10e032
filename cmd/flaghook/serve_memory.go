package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// garbagePercent is the GOGC of a server: what lives is little, so that
	// collecting garbage seldom costs little memory and saves much time.
	garbagePercent = 800

	// memoryFloor is the least that the server may take before garbage is
	// collected more often, whatever garbagePercent says; it is raised where
	// what lives needs more (see memoryLimit).
	memoryFloor = 192 << 20

	memoryEvery = time.Second // how often that is looked at
)

// memoryLimit is the soft limit of the runtime (debug.SetMemoryLimit) for so
// much that lives: a fixed one would have the collector run without end where
// more lives than it allows.
func memoryLimit(live uint64) int64 { return max(memoryFloor, int64(2*live)+32<<20) }

// tuneMemory trades memory for time as a server should, until ctx ends, unless
// the environment says how with GOGC or GOMEMLIMIT.
func tuneMemory(ctx context.Context, lookup func(string) (string, bool)) {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if _, ok := lookup(name); ok {
			return
		}
	}
	debug.SetGCPercent(garbagePercent)
	debug.SetMemoryLimit(memoryFloor)
	go func() {
		again := time.NewTicker(memoryEvery)
		defer again.Stop()
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for {
			select {
			case <-again.C:
				if metrics.Read(live); live[0].Value.Kind() == metrics.KindUint64 {
					debug.SetMemoryLimit(memoryLimit(live[0].Value.Uint64()))
				}
			case <-ctx.Done():
				return
			}
		}
	}()
}
