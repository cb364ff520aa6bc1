//go:build !race

package sealer_test

const every = 1
