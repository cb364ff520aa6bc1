//go:build race

package instrument_test

// Negotiations of 100 orders each: the plain tests go through 10,000 orders.
const (
	negotiations = 5
	moves        = 100
)
