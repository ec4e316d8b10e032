//go:build race

package render_test

func init() { slowdown = 10 } // what the race detector costs on a busy machine
