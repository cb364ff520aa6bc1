//go:build !race

package cli_test

import (
	"os"
	"path/filepath"
	"testing"
)

// Each command is a process, of which the race detector would slow the start more than what it does.
func TestScripts(t *testing.T) {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".txt" {
			names = append(names, e.Name())
		}
	}
	play(t, names...)
}
