package detente_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// The tests of this file hold the shape of the house: what may import what, how large a thing may grow, what a comment must say.
// A failure says what to do. To change a rule, change it here and write down why in docs/decisions.

const (
	fileLines    = 600  // in any file of code
	packageLines = 3000 // in a package, without its tests
)

// blocks is the list that imports point down; the packages of one block do not import each other. A folder below a package belongs to it.
func blocks() [][]string {
	return [][]string{
		{"cmd"},
		{"cli", "sim"},
		{"demo"},
		{"host"},
		{"console"},
		{"api", "bench", "metrics"},
		{"gateway", "register", "programme", "yearly"},
		{"casework", "lookup", "chancery", "sealer", "guarantee", "secretariat"},
		{"standing"},
		{"floor"},
		{"journal"},
		{"node"},
		{"archive", "audit", "accord"},
		{"exchange", "watch", "officer", "evidence"},
		{"ledger", "transcript"},
		{"dossier", "judge"},
		{"feed", "blob", "bundle", "route"},
		{"roster", "check", "directory", "call", "match", "asking", "incident", "instrument", "acts", "dialogue", "exercise"},
		{"statement", "party", "form", "regimes"},
		{"envelope", "chatham", "sealing"},
		{"key", "store", "stix", "disclosure", "asset", "calendar", "wording"},
		{"canonical", "traffic", "observable", "label"},
	}
}

// variables lists the package-level variables, beside error sentinels, embedded files and regular expressions, that nothing changes, and why
// they are no constants or functions.
func variables() map[string]string {
	return map[string]string{
		"canonical.fixed":  "the CBOR modes: made from literals, immutable, too dear to make for every record",
		"form.frameKeys":   "a table that is only read",
		"form.pluralNames": "a table that is only read",
		"party.lexical":    "the word lists, read from the embedded files when first asked for",
	}
}

// source is one Go file.
type source struct {
	path  string // from the root, with slashes
	text  []byte
	file  *ast.File
	lines int
	test  bool // a test file, or a file of a package such as store/storetest that only tests import
}

func (s *source) folder() string { return path.Dir(s.path) }

// house is every Go file of the module, and the positions in them.
type house struct {
	files []*source
	fset  *token.FileSet
}

func (h *house) at(n ast.Node) string {
	p := h.fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// packages returns the files by folder. The root is left out: it holds tests and documents.
func (h *house) packages() map[string][]*source {
	m := map[string][]*source{}
	for _, s := range h.files {
		if s.folder() != "." {
			m[s.folder()] = append(m[s.folder()], s)
		}
	}
	return m
}

// walk calls fn for every file that is ours to keep in order: not the dependencies of the second verifier, not what the tools module needs,
// not what go itself ignores, except .ci.
func walk(t *testing.T, fn func(name string, read func() []byte)) {
	t.Helper()
	root := os.DirFS(".")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); base == "node_modules" || strings.HasPrefix(base, ".") && base != "." && base != ".ci" {
				return fs.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() && name != ".git" { // which is a file in a worktree, and names a machine
			fn(name, func() []byte {
				b, err := fs.ReadFile(root, name)
				if err != nil {
					t.Fatal(err)
				}
				return b
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T) *house {
	t.Helper()
	h := &house{fset: token.NewFileSet()}
	walk(t, func(name string, read func() []byte) {
		if path.Ext(name) != ".go" || strings.Contains(name, "testdata/") {
			return
		}
		s := &source{path: name, text: read()}
		s.test = strings.HasSuffix(name, "_test.go") || testPackage(s.folder())
		s.lines = bytes.Count(s.text, []byte("\n"))
		var err error
		if s.file, err = parser.ParseFile(h.fset, name, s.text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			t.Fatal(err)
		}
		h.files = append(h.files, s)
	})
	if len(h.files) < 10 {
		t.Fatalf("only %d Go files found: these tests must run in the root of the module", len(h.files))
	}
	return h
}

// testPackage tells whether only tests import the package in a folder, such as store/storetest.
func testPackage(folder string) bool {
	base := path.Base(folder)
	return base != "test" && strings.HasSuffix(base, "test")
}

func TestImportsPointDown(t *testing.T) {
	level := map[string]int{}
	for i, block := range blocks() {
		for _, name := range block {
			level[name] = -i
		}
	}
	house := func(folder string) string {
		first, _, _ := strings.Cut(folder, "/")
		return first
	}
	h := load(t)
	for folder, files := range h.packages() {
		own, listed := level[house(folder)]
		if !listed {
			t.Errorf("package %s is in no block of arch_test.go: give it its place there and say why in docs/decisions", folder)
			continue
		}
		for _, s := range files {
			for _, spec := range s.file.Imports {
				target, ours := strings.CutPrefix(importPath(spec), "detente/")
				if !ours || house(target) == house(folder) {
					continue
				}
				other, listed := level[house(target)]
				switch {
				case testPackage(target) && !s.test:
					t.Errorf("%s imports %s, which is for tests: move what it needs out of there", h.at(spec), target)
				case !listed:
					t.Errorf("%s imports %s, which is in no block of arch_test.go", h.at(spec), target)
				case other > own:
					t.Errorf("%s: %s imports %s, which stands above it: pass what it needs from above, or move it", h.at(spec), folder, target)
				case other == own && !s.test:
					t.Errorf("%s: %s imports %s of the same block: let their caller bring them together, or move what both need down", h.at(spec), folder, target)
				}
			}
		}
	}
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value // unreachable: it was parsed
	}
	return p
}

func TestPackageCommentsSayWhatItIsForAndWhatItMustNeverDo(t *testing.T) {
	for folder, files := range load(t).packages() {
		var docs []string
		name := ""
		for _, s := range files {
			if strings.HasSuffix(s.path, "_test.go") {
				continue
			}
			name = s.file.Name.Name
			if s.file.Doc != nil {
				docs = append(docs, s.file.Doc.Text())
			}
		}
		if name == "" {
			continue // tests only
		}
		if len(docs) != 1 {
			t.Errorf("package %s has %d package comments: write one, in the file that a reader opens first", folder, len(docs))
			continue
		}
		first, _, _ := strings.Cut(docs[0], "\n\n")
		opening := "Package " + name + " "
		if name == "main" {
			opening = "Command " + path.Base(folder) + " "
		}
		if !strings.HasPrefix(first, opening) {
			t.Errorf("package %s: begin its comment with %q and what it is for", folder, opening)
		}
		if len(strings.Split(strings.TrimSpace(first), "\n")) < 2 || !regexp.MustCompile(`\bnever\b`).MatchString(first) {
			t.Errorf("package %s: say on the second line of its comment what it must never do", folder)
		}
	}
}

func TestNothingGrowsTooLarge(t *testing.T) {
	h := load(t)
	for _, s := range h.files {
		if s.lines > fileLines {
			t.Errorf("%s has %d lines, over %d: split it by verb", s.path, s.lines, fileLines)
		}
	}
	for folder, files := range h.packages() {
		lines := 0
		for _, s := range files {
			if !strings.HasSuffix(s.path, "_test.go") {
				lines += s.lines
			}
		}
		if lines > packageLines {
			t.Errorf("package %s has %d lines, over %d: part what has an importer, or a degree of trust, of its own", folder, lines, packageLines)
		}
	}
	walk(t, func(name string, read func() []byte) {
		if ext := path.Ext(name); ext == ".mjs" || ext == ".js" || ext == ".css" {
			if n := bytes.Count(read(), []byte("\n")); n > fileLines {
				t.Errorf("%s has %d lines, over %d: split it", name, n, fileLines)
			}
		}
	})
}

// Wiring is visible in one function when nothing happens at import and nothing is kept beside what is passed.
func TestNoHiddenState(t *testing.T) {
	h := load(t)
	allowed := variables()
	for _, s := range h.files {
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init: do it where the caller can see it", h.at(f))
			}
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR || s.test {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				if embedded(g.Doc) || embedded(v.Doc) {
					continue
				}
				for i, name := range v.Names {
					full := s.folder() + "." + name.Name
					if name.Name == "_" || constant(v, i) {
						continue
					}
					if allowed[full] == "" {
						t.Errorf("%s: variable %s: make it a constant, a function or a field; if nothing ever changes it, "+
							"name it in variables() of arch_test.go with the reason", h.at(name), full)
					}
					delete(allowed, full)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(allowed)) {
		t.Errorf("variables() of arch_test.go allows %s, which is no more: strike it out", name)
	}
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// constant tells whether the i-th variable is one in syntax only: an error sentinel or a compiled regular expression.
func constant(v *ast.ValueSpec, i int) bool {
	if i >= len(v.Values) {
		return false
	}
	call, ok := v.Values[i].(*ast.CallExpr)
	if !ok {
		return false
	}
	if selects(call.Fun, "regexp", "MustCompile") {
		return !v.Names[i].IsExported()
	}
	named := strings.HasPrefix(v.Names[i].Name, "Err") || strings.HasPrefix(v.Names[i].Name, "err")
	return named && (selects(call.Fun, "errors", "New") || selects(call.Fun, "fmt", "Errorf"))
}

func selects(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}

func TestExportedNamesAreDocumented(t *testing.T) {
	h := load(t)
	missing := func(name *ast.Ident) {
		t.Errorf("%s: %s has no comment: say what it promises, its shapes, units and errors", h.at(name), name.Name)
	}
	for _, s := range h.files {
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) && d.Name.Name != "Error" && d.Name.Name != "Unwrap" {
					missing(d.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch v := spec.(type) {
					case *ast.TypeSpec:
						if v.Name.IsExported() && v.Doc == nil && (d.Doc == nil || len(d.Specs) > 1) {
							missing(v.Name)
						}
					case *ast.ValueSpec:
						for _, name := range v.Names {
							if name.IsExported() && d.Doc == nil && v.Doc == nil && v.Comment == nil {
								missing(name)
							}
						}
					}
				}
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

// A test that sleeps is slow when it passes and wrong when the machine is busy. In a bubble of testing/synctest nobody really sleeps: in a
// file that opens one, and in the tests of a package, such as sim, that itself opens one.
func TestTestsDoNotSleepNorLeanOnFrameworks(t *testing.T) {
	h := load(t)
	synctest := func(s *source) bool {
		return slices.ContainsFunc(s.file.Imports, func(spec *ast.ImportSpec) bool { return importPath(spec) == "testing/synctest" })
	}
	bubbles := map[string]bool{}
	for _, s := range h.files {
		bubbles[s.folder()] = bubbles[s.folder()] || !s.test && synctest(s)
	}
	for _, s := range h.files {
		for _, spec := range s.file.Imports {
			p := importPath(spec)
			for _, word := range []string{"testify", "gomock", "ginkgo", "gomega"} {
				if strings.Contains(p, word) {
					t.Errorf("%s imports %s: use testing and go-cmp; a fake is a real implementation with a lever", h.at(spec), p)
				}
			}
		}
		if !s.test || bubbles[s.folder()] || synctest(s) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok && selects(e, "time", "Sleep") {
				t.Errorf("%s sleeps: wait for the event itself, or run in a bubble of testing/synctest", h.at(n))
			}
			return true
		})
	}
}

func TestModuleStandsOnItsOwn(t *testing.T) {
	b, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m, err := modfile.Parse("go.mod", b, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range m.Replace {
		t.Errorf("go.mod replaces %s: a fresh clone must build; publish the change or do without", r.Old.Path)
	}
	for _, name := range []string{"vendor", "go.work"} {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("%s is in the tree: take it out; go.sum pins what is built", name)
		}
	}
	b, err = os.ReadFile(filepath.Join("docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(string(b), -1) {
		named[row[1]] = true
	}
	direct := map[string]bool{}
	for _, r := range m.Require {
		if direct[r.Mod.Path] = !r.Indirect; !r.Indirect && !named[r.Mod.Path] {
			t.Errorf("docs/dependencies.md does not name %s: say why it is used, its licence, and what we would do without it", r.Mod.Path)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if !direct[name] {
			t.Errorf("docs/dependencies.md names %s, which go.mod does not require: strike the row out", name)
		}
	}
}

func TestNothingNamesAMachine(t *testing.T) {
	// In two parts, so that this file does not name them either.
	words := []string{"/wo" + "rk/", "/ro" + "ot/", "/fa" + "rm/", "/tmp/te" + "am", "../sha" + "red", "proxy.go" + "lang", "registry.np" + "mjs", "deb.deb" + "ian"}
	walk(t, func(name string, read func() []byte) {
		if base := path.Base(name); base == "go.sum" || base == "package-lock.json" {
			return // their format is not ours
		}
		text := read()
		if bytes.IndexByte(text, 0) >= 0 {
			return
		}
		for _, word := range words {
			if i := bytes.Index(text, []byte(word)); i >= 0 {
				t.Errorf("%s:%d names %q, which is true on one machine only: take it out, or make it a setting", name, 1+bytes.Count(text[:i], []byte("\n")), word)
			}
		}
	})
}

// A comment that cites the protocol, and a link in a document, must lead somewhere.
func TestCitationsLeadSomewhere(t *testing.T) {
	protocol, err := os.ReadFile(filepath.Join("docs", "protocol.md"))
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`<a id="([^"]+)"></a>`).FindAllSubmatch(protocol, -1) {
		if anchors[string(m[1])] {
			t.Errorf("docs/protocol.md has the anchor %s twice: rename one", m[1])
		}
		anchors[string(m[1])] = true
	}
	cited := regexp.MustCompile(`protocol\.md#([A-Za-z0-9_-]+)`)
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	cites := 0
	walk(t, func(name string, read func() []byte) {
		switch path.Ext(name) {
		case ".go", ".mjs", ".md", ".sql":
		default:
			return
		}
		text := read()
		for _, m := range cited.FindAllSubmatch(text, -1) {
			cites++
			if !anchors[string(m[1])] {
				t.Errorf("%s cites protocol.md#%s, which is not there: cite the section that says it, or write it", name, m[1])
			}
		}
		if path.Ext(name) != ".md" {
			return
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			target, _, _ := strings.Cut(string(m[1]), "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), filepath.FromSlash(target))); err != nil {
				t.Errorf("%s links to %s, which is not there", name, target)
			}
		}
	})
	if cites < 10 {
		t.Errorf("the protocol is cited %d times: cite it at each line that meets it", cites)
	}
}
