package cli_test

import (
	"bytes"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// published SITE takes the one bundle of a register that was built, and its English page, as bundle.detente-register and page.html.
func published(ts *testscript.TestScript, _ bool, args []string) {
	for pattern, to := range map[string]string{"bundles/*": "bundle.detente-register", "en/i/*/index.html": "page.html"} {
		found, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), filepath.FromSlash(pattern)))
		ts.Check(err)
		if len(found) != 1 {
			ts.Fatalf("%d files are %s", len(found), pattern)
		}
		b, err := os.ReadFile(found[0])
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(to), b, 0o600))
	}
}

// forge FILE FROM TO OUT writes a file in which one text stands in the place of another of the same length.
func forge(ts *testscript.TestScript, _ bool, args []string) {
	b := []byte(ts.ReadFile(args[0]))
	if len(args[1]) != len(args[2]) || bytes.Count(b, []byte(args[1])) != 1 {
		ts.Fatalf("%q does not stand once in %s, or is of another length", args[1], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), bytes.Replace(b, []byte(args[1]), []byte(args[2]), 1), 0o600))
}
