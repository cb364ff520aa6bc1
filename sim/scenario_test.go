package sim_test

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/sim"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite what the scenarios expect")

// Each file of testdata is a story of some parties, to be read by an officer on duty.
func TestScenarios(t *testing.T) { playAll(t, "testdata") }

func playAll(t *testing.T, folder string) {
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { play(t, path) })
		})
	}
}

func play(t *testing.T, path string) {
	blocks, err := sim.ReadScript(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &sim.Script{World: sim.New(t, 5*time.Minute, 1)}
	for i, b := range blocks {
		if len(b.Commands) == 0 {
			continue
		}
		got, err := s.Play(b.Commands)
		if err != nil {
			t.Fatalf("%s\n%v", strings.Join(b.Commands, "\n"), err)
		}
		got = strings.TrimRight(got, "\n")
		if *update {
			blocks[i].Expected = got
		} else if diff := cmp.Diff(b.Expected, got); diff != "" {
			t.Errorf("%s\n%s", strings.Join(b.Commands, "\n"), diff)
		}
	}
	if *update {
		if err := sim.WriteScript(path, blocks); err != nil {
			t.Fatal(err)
		}
	}
}
