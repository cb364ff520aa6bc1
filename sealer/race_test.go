//go:build race

package sealer_test

// every is how many steps of the crash table one is made of: the race detector needs to see the ways, not each of them.
const every = 10
