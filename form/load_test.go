package form_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"detente/form"
)

// folder reads the test regime into memory, to be spoiled.
func folder(t testing.TB) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	for _, name := range []string{"regime.json", "phrases/ar.json", "phrases/en.json"} {
		b, err := os.ReadFile("testdata/regime/" + name)
		if err != nil {
			t.Fatal(err)
		}
		m[name] = &fstest.MapFile{Data: b}
	}
	return m
}

func TestHashPinsEveryByte(t *testing.T) {
	m := folder(t)
	r, err := form.Load(m)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for _, name := range []string{"phrases/ar.json", "phrases/en.json", "regime.json"} {
		fmt.Fprintf(h, "%s\x00%x\n", name, sha256.Sum256(m[name].Data))
	}
	if r.Hash != [32]byte(h.Sum(nil)) {
		t.Errorf("hash %x", r.Hash)
	}
	m["phrases/en.json"].Data = append(m["phrases/en.json"].Data, '\n')
	again, err := form.Load(m)
	if err != nil || again.Hash == r.Hash {
		t.Errorf("a line more has the same hash, %v", err)
	}
}

func TestSpoiledRegimes(t *testing.T) {
	for name, c := range map[string]struct{ file, old, new string }{
		"unknown key":                {"regime.json", `"id": "trial",`, `"id": "trial", "colour": "red",`},
		"key twice":                  {"regime.json", `"id": "trial",`, `"id": "trial", "id": "trial",`},
		"not JSON":                   {"regime.json", `"id": "trial",`, ``},
		"something after":            {"regime.json", "  ]\n}\n", "  ]\n}\n{}"},
		"version 0":                  {"regime.json", `"version": 3`, `"version": 0`},
		"language without phrases":   {"regime.json", `["ar", "en"]`, `["ar", "en", "fr"]`},
		"phrases without language":   {"regime.json", `["ar", "en"]`, `["ar"]`},
		"unknown precedence":         {"regime.json", `"ceiling": "O"`, `"ceiling": "Y"`},
		"unknown rule":               {"regime.json", `"refs": "any"`, `"refs": "some"`},
		"unknown limit":              {"regime.json", `"must_answer": "long"`, `"must_answer": "soon"`},
		"limit of no time":           {"regime.json", `"Z": "1m"`, `"Z": "0s"`},
		"answer by no form":          {"regime.json", `"refs": "any"`, `"refs": "any", "answers_with": ["nothing"]`},
		"form named as the frame":    {"regime.json", `"id": "report"`, `"id": "frame"`},
		"unknown kind":               {"regime.json", `"kind": "bool"`, `"kind": "float"`},
		"text without a limit":       {"regime.json", `"max": 40}`, `"min": 0}`},
		"limit on a truth":           {"regime.json", `"kind": "bool"`, `"kind": "bool", "max": 1`},
		"code without codes":         {"regime.json", `"codes": ["fire", "flood"]}`, `"codes": []}`},
		"code twice":                 {"regime.json", `["pumps", "people"]`, `["pumps", "pumps"]`},
		"field twice":                {"regime.json", `"name": "over"`, `"name": "at"`},
		"field named as the form's":  {"regime.json", `"name": "over"`, `"name": "fixed"`},
		"condition on a later field": {"regime.json", `"when": {"field": "kind"`, `"when": {"field": "needs"`},
		"condition on no code":       {"regime.json", `"codes": ["flood"]`, `"codes": ["storm"]`},
		"always under a condition":   {"regime.json", `"required": true, "max": 9`, `"always": true, "max": 9`},
		"no direction":               {"phrases/ar.json", `"rtl"`, `"up"`},
		"other language than named":  {"phrases/ar.json", `"language": "ar"`, `"language": "fa"`},
		"phrase missing":             {"phrases/ar.json", `"report.over": "انتهى",`, ``},
		"phrase never printed":       {"phrases/ar.json", `"report.over": "انتهى",`, `"report.over": "انتهى", "report.begun": "بدأ",`},
		"phrase empty":               {"phrases/ar.json", `"انتهى"`, `" "`},
		"phrase that reorders":       {"phrases/ar.json", `"انتهى"`, `"انتهى\u202E"`},
		"slot missing":               {"phrases/ar.json", `"من {1} إلى {2}"`, `"من {1}"`},
		"slot that is none":          {"phrases/ar.json", `"من {1} إلى {2}"`, `"من {1} إلى {2} {to}"`},
		"plural form missing":        {"phrases/ar.json", `"two": "يومان", `, ``},
		"plural form of another":     {"phrases/en.json", `"one": "{1} day", `, `"one": "{1} day", "few": "{1} days", `},
		"plural with other slots":    {"phrases/en.json", `"one": "{1} byte, {2}, `, `"one": "{1} byte, `},
		"plurals in one language":    {"phrases/en.json", `{"one": "{1} day", "other": "{1} days"}`, `"{1} days"`},
	} {
		m := folder(t)
		spoiled := strings.Replace(string(m[c.file].Data), c.old, c.new, 1)
		if spoiled == string(m[c.file].Data) {
			t.Errorf("%s: nothing was spoiled", name)
		}
		m[c.file].Data = []byte(spoiled)
		if _, err := form.Load(m); !errors.Is(err, form.ErrRegime) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := folder(t)
	m["phrases/README"] = &fstest.MapFile{Data: []byte("read me")}
	if _, err := form.Load(m); !errors.Is(err, form.ErrRegime) {
		t.Errorf("a stray file: %v", err)
	}
	m = folder(t)
	m["regime.json"].Data = make([]byte, 1<<20+1)
	if _, err := form.Load(m); !errors.Is(err, form.ErrRegime) {
		t.Errorf("a large file: %v", err)
	}
	for i := range 40 {
		m[fmt.Sprintf("phrases/%d.json", i)] = &fstest.MapFile{}
	}
	if _, err := form.Load(m); !errors.Is(err, form.ErrRegime) {
		t.Errorf("many files: %v", err)
	}
}
