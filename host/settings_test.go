package host

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestSettingsAreReadAsTheyAreWritten(t *testing.T) {
	home := t.TempDir()
	want := DefaultSettings("xn")
	want.Listen, want.API.Listen = ":7440", "127.0.0.1:7441"
	var text strings.Builder
	if err := want.Write(&text); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/config.golden", []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile("testdata/config.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), text.String()); diff != "" {
		t.Errorf("testdata/config.golden (rewrite it with -update):\n%s", diff)
	}
	if err := writeFile(filepath.Join(home, SettingsName), []byte(text.String())); err != nil {
		t.Fatal(err)
	}
	got, err := ReadSettings(home)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSettingsAreReadStrictly(t *testing.T) {
	for name, text := range map[string]string{
		"unknown key": "party = \"xn\"\ncolour = \"blue\"\n", "unknown key in a table": "party = \"xn\"\n[api]\ncolour = \"blue\"\n",
		"no party": "listen = \":7440\"\n", "not TOML": "party", "wrong type": "party = 7\n", "no duration": "party = \"xn\"\nheartbeat = \"often\"\n",
	} {
		home := t.TempDir()
		if err := writeFile(filepath.Join(home, SettingsName), []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSettings(home); !errors.Is(err, ErrSettings) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadSettings(t.TempDir()); !errors.Is(err, ErrNoParty) {
		t.Errorf("no settings: %v", err)
	}
}
