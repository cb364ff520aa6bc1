package refusal_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"detente/api/refusal"
)

// Every package whose errors begin with its name is one that people are not shown.
func TestNoErrorShowsTheNameOfItsPackage(t *testing.T) {
	begins := regexp.MustCompile(`(?:errors\.New|fmt\.Errorf)\("([a-z]+): `)
	seen := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		pack := regexp.MustCompile(`(?m)^package ([a-z]+)$`).FindSubmatch(source)
		for _, m := range begins.FindAllSubmatch(source, -1) {
			if name := string(m[1]); pack != nil && name == string(pack[1]) && !slices.Contains([]string{"bench", "demo", "kind", "sim", "treatytest"}, name) { // no node returns theirs
				seen++
				if got := refusal.Plain(fmt.Errorf("%s: it failed: %s: the reason", name, name)); got != "it failed: the reason" {
					t.Errorf("%s: the name stays in %q", path, got)
				}
			}
		}
		return nil
	})
	if err != nil || seen < 500 {
		t.Error(seen, err)
	}
	if got := refusal.Plain(errors.New("api: store: structure: silent")); got != "structure: silent" {
		t.Errorf("%q", got)
	}
}
