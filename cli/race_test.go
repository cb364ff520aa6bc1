//go:build race

package cli_test

import "testing"

// Those in which nodes are served while commands ask them.
func TestScriptsOfNodesThatServe(t *testing.T) { play(t, "gateway.txt", "recover.txt") }
