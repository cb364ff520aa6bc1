//go:build !race

package instrument_test

// Negotiations of 100 orders each.
const (
	negotiations = 100
	moves        = 2000 // of a hostile party
)
