//go:build race

package policy_test

func init() { poolsLeak = true } // under the race detector a sync.Pool drops things at random
