package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"detente/api"
	"detente/cli"
	"detente/transcript/pages"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"detente": func() { os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// play plays scripts. Each is a story of parties on one machine, who have files to give to each other and nothing else.
func play(t *testing.T, names ...string) {
	var files []string
	for _, name := range names {
		files = append(files, filepath.Join("testdata", name))
	}
	testscript.Run(t, testscript.Params{
		Files: files,
		Setup: func(e *testscript.Env) error {
			e.Setenv("DETENTE_TEST_SCRYPT", "10")
			e.Setenv("DETENTE_PASSPHRASE_FILE", e.WorkDir+"/passphrase")
			e.Setenv("DETENTE_HOME", e.WorkDir+"/nobody")
			e.Setenv("GORACE", os.Getenv("GORACE")) // ./test says there that a process need not linger when it ends
			return os.WriteFile(e.WorkDir+"/passphrase", []byte("correct horse battery staple\n"), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "spoken": spoken, "flip": flip, "first": first, "first-of": firstOf, "take": take,
			"for-each-language": forEachLanguage, "awaits": awaits, "serves": serves, "listens": listens, "door": door, "published": published, "forge": forge,
		},
		Condition: func(name string) (bool, error) {
			if name != "fonts" {
				return false, errors.New("no such condition")
			}
			_, err := pages.FindFonts(pages.Places()...)
			return err == nil, nil
		},
		RequireExplicitExec: true,
	})
}

// exits CODE COMMAND… runs a command that must end with that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Check(err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// spoken HOME LANGUAGE VARIABLE has the officer of a party read out the words of its charter.
func spoken(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("detente", "--home", args[0], "charter", "show", "--json"))
	var c api.Charter
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &c))
	ts.Setenv(args[2], strings.Join(c.Words[args[1]], " "))
}

// flip FILE PART changes one bit of a file, at a part of its length such as 0.5.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	part, err := strconv.ParseFloat(args[1], 64)
	ts.Check(err)
	b := []byte(ts.ReadFile(args[0]))
	b[int(part*float64(len(b)-1))] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// first KEY VARIABLE takes the first text of a list out of the JSON on standard output.
func first(ts *testscript.TestScript, _ bool, args []string) {
	var v map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	list, _ := v[args[0]].([]any)
	if len(list) == 0 {
		ts.Fatalf("%s is empty", args[0])
	}
	ts.Setenv(args[1], list[0].(string))
}

// first-of KEY VARIABLE takes a text out of the first element of the list in JSON on standard output.
func firstOf(ts *testscript.TestScript, _ bool, args []string) {
	var list []map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &list))
	if len(list) == 0 {
		ts.Fatalf("the list is empty")
	}
	text, ok := list[0][args[0]].(string)
	if !ok {
		ts.Fatalf("%s is no text", args[0])
	}
	ts.Setenv(args[1], text)
}

// take KEY VARIABLE takes a text out of the JSON on standard output.
func take(ts *testscript.TestScript, _ bool, args []string) {
	var v map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	text, ok := v[args[0]].(string)
	if !ok {
		ts.Fatalf("%s is no text", args[0])
	}
	ts.Setenv(args[1], text)
}

// for-each-language COMMAND… has the party xn show something in each language; each says it otherwise than English.
func forEachLanguage(ts *testscript.TestScript, _ bool, args []string) {
	english := ""
	for _, lang := range []string{"en", "ar", "es", "fr", "ru", "zh"} {
		ts.Check(ts.Exec("detente", append(append([]string{"--home", "xn"}, args...), "--lang", lang)...))
		switch out := ts.ReadFile("stdout"); {
		case lang == "en":
			english = out
		case out == english || strings.Contains(out, "waits for further data") || strings.Contains(out, "case."):
			ts.Fatalf("%s: %s", lang, out)
		}
	}
}
