//go:build race

package gateway_test

// ofTheWeek is how many indicators of the week go from tool to tool, where every object costs ten times as much.
const ofTheWeek = 300
