//go:build race

package sealing

const samples = 500
