package console

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every Chinese character of every phrase of the program is in the font that comes with it: else a page mixes the system's font into ours, or shows a box where the
// system has none. The list is what the font was made of, console/static/fonts/SOURCE.txt.
func TestCharactersOfTheFont(t *testing.T) {
	const list = "testdata/characters.txt"
	needed := map[rune]string{}
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && d.Name() != "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, "phrases/zh.json"):
			return nil
		}
		b, err := fs.ReadFile(root, name)
		for _, r := range string(b) {
			if r >= 0x2E80 && r <= 0x9FFF || r >= 0xF900 && r <= 0xFAFF || r >= 0xFF00 && r <= 0xFFEF { // the unicode-range of the font in tokens.css
				needed[r] = path.Dir(path.Dir(name))
			}
		}
		return err
	})
	if err != nil || len(needed) < 500 {
		t.Fatalf("%d characters in the phrases: %v", len(needed), err)
	}
	if *update {
		all := make([]rune, 0, len(needed))
		for r := range needed {
			all = append(all, r)
		}
		slices.Sort(all)
		var out strings.Builder
		for line := range slices.Chunk(all, 60) {
			out.WriteString(string(line) + "\n")
		}
		if err := os.WriteFile(filepath.FromSlash(list), []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(filepath.FromSlash(list))
	if err != nil {
		t.Fatal(err)
	}
	for r, where := range needed {
		if !strings.ContainsRune(string(b), r) {
			t.Errorf("%s has %c, which the font lacks: see static/fonts/SOURCE.txt", where, r)
		}
	}
}
