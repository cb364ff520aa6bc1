//go:build !race

package sealing

const samples = 10_000
