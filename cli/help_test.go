//go:build !race

package cli

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"detente/cli/session"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The help of every command is one text, for a person to review. Each has an example and says how it may end. The grammar is read anew for each, which takes half
// a minute under the race detector, and nothing runs beside it.
func TestHelp(t *testing.T) {
	t.Setenv("COLUMNS", "100")
	var all strings.Builder
	ask := func(args ...string) string {
		var out, errs bytes.Buffer
		if code := Main(t.Context(), append(args, "--help"), nil, &out, &errs); code != session.ExitDone || errs.Len() > 0 {
			t.Fatalf("%v --help: code %d, %s", args, code, errs.String())
		}
		return out.String()
	}
	all.WriteString(ask())
	var walk func(n *kong.Node, path []string)
	walk = func(n *kong.Node, path []string) {
		for _, c := range n.Children {
			at := append(path[:len(path):len(path)], c.Name)
			if len(c.Children) > 0 {
				walk(c, at)
				continue
			}
			text := ask(at...)
			for _, part := range []string{"Example:", "Exit codes:", "detente " + at[0]} {
				if !strings.Contains(text, part) {
					t.Errorf("help of %v lacks %q", at, part)
				}
			}
			own, _, _ := strings.Cut(text, "\nWhich node, and what opens its keys:") // the same for every command
			all.WriteString("\n== detente " + strings.Join(at, " ") + "\n" + own)
		}
	}
	walk(model(t), nil)
	golden(t, "help.golden", all.String())
}

func model(t *testing.T) *kong.Node {
	t.Helper()
	parser, err := newParser(&grammar{}, nil, nil, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model.Node
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (rewrite it with -update):\n%s", path, diff)
	}
}

// A completion script offers every command and every flag, and a shell accepts it.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		var out, errs bytes.Buffer
		if code := Main(t.Context(), []string{"completion", shell}, nil, &out, &errs); code != session.ExitDone {
			t.Fatalf("%s: %d %s", shell, code, errs.String())
		}
		if path, err := exec.LookPath("bash"); err == nil && shell == "bash" {
			c := exec.Command(path, "-c", out.String()+"\nCOMP_WORDS=(detente channel pro); COMP_CWORD=2; _detente; echo \"${COMPREPLY[@]}\"")
			if got, err := c.CombinedOutput(); err != nil || string(got) != "propose\n" {
				t.Errorf("bash completes to %q, %v", got, err)
			}
		}
		for _, word := range []string{"propose", "verify", "precedence", "refuse"} {
			if !strings.Contains(out.String(), word) {
				t.Errorf("%s lacks %s", shell, word)
			}
		}
	}
}
