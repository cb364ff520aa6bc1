//go:build !race

package gateway_test

// ofTheWeek is how many indicators of the week go from tool to tool: all of them.
const ofTheWeek = 8000
