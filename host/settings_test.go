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
	want.Listen, want.API.Listen, want.Metrics.Listen = ":7440", "127.0.0.1:7441", "127.0.0.1:7450"
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

// remote writes a collection that is pulled or pushed on schedule.
func remote(direction, interval string) string {
	return "[[gateway.remote]]\nurl = \"https://sensor.example/taxii2/lab/collections/1/\"\ncollection = \"cert to members\"\ndirection = \"" + direction + "\"\ninterval = \"" + interval + "\"\n"
}

func TestRemotesAreWrittenAsTheyAreRead(t *testing.T) {
	home := t.TempDir()
	if err := writeFile(filepath.Join(home, SettingsName), []byte("party = \"xn\"\n"+remote("pull", "5m")+remote("push", "6h"))); err != nil {
		t.Fatal(err)
	}
	first, err := ReadSettings(home)
	if err != nil || len(first.Gateway.Remote) != 2 {
		t.Fatal(first.Gateway.Remote, err)
	}
	var text strings.Builder
	if err := first.Write(&text); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(filepath.Join(home, SettingsName), []byte(text.String())); err != nil {
		t.Fatal(err)
	}
	if again, err := ReadSettings(home); err != nil {
		t.Fatal(err)
	} else if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
}

func TestSettingsAreReadStrictly(t *testing.T) {
	for name, text := range map[string]string{
		"unknown key": "party = \"xn\"\ncolour = \"blue\"\n", "unknown key in a table": "party = \"xn\"\n[api]\ncolour = \"blue\"\n",
		"no party": "listen = \":7440\"\n", "not TOML": "party", "wrong type": "party = 7\n", "no duration": "party = \"xn\"\nheartbeat = \"often\"\n",
		"unknown log format": "party = \"xn\"\nlog_format = \"xml\"\n", "metrics for everybody": "party = \"xn\"\n[metrics]\nlisten = \":7450\"\n",
		"a remote too often": "party = \"xn\"\n" + remote("pull", "30s"), "a remote nowhere": "party = \"xn\"\n" + strings.Replace(remote("pull", "5m"), "https", "http", 1),
		"a remote neither way": "party = \"xn\"\n" + remote("both", "5m"), "a remote twice": "party = \"xn\"\n" + remote("pull", "5m") + remote("pull", "6m"),
		"metrics for the network": "party = \"xn\"\n[metrics]\nlisten = \"192.0.2.1:7450\"\n",
	} {
		home := t.TempDir()
		if err := writeFile(filepath.Join(home, SettingsName), []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSettings(home); !errors.Is(err, ErrSettings) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"metrics on loopback": "[metrics]\nlisten = \"127.0.0.1:7450\"\n", "by name": "[metrics]\nlisten = \"localhost:0\"\n",
		"by IPv6": "[metrics]\nlisten = \"[::1]:7450\"\n", "public": "[metrics]\nlisten = \":7450\"\npublic = true\n", "log as JSON": "log_format = \"json\"\n",
	} {
		home := t.TempDir()
		if err := writeFile(filepath.Join(home, SettingsName), []byte("party = \"xn\"\n"+text)); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSettings(home); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadSettings(t.TempDir()); !errors.Is(err, ErrNoParty) {
		t.Errorf("no settings: %v", err)
	}
}
