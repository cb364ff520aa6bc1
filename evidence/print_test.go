package evidence_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"detente/evidence"
	"detente/feed"
	"detente/party"
	"detente/traffic"
)

var update = flag.Bool("update", false, "rewrite testdata")

// golden compares what people see with testdata. Keys are new in every run, so hashes, key ids and words stand as what they are.
func golden(t *testing.T, name, got string) {
	t.Helper()
	for _, r := range []struct{ pattern, with string }{
		{`\b[0-9a-f]{64}\b`, "<hash>"}, {`\b[0-9a-f]{32}\b`, "<key id>"}, {`\b[0-9a-f]{8}\b`, "<number>"},
		{`(?m)^ {14}\S+ \S+ \S+ \S+$`, strings.Repeat(" ", 14) + "<four words>"}, {`(words:)( \S+){16}`, "$1 <sixteen words>"},
	} {
		got = regexp.MustCompile(r.pattern).ReplaceAllString(got, r.with)
	}
	path := filepath.Join("testdata", name+".txt")
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
		t.Error(diff)
	}
}

func printed(t *testing.T, v *evidence.Verdict, lang string) string {
	t.Helper()
	var b bytes.Buffer
	if err := v.Print(&b, lang); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPrintProof(t *testing.T) {
	w := newWorld(t, "xl", "xn", "xs")
	w.logs(w.says(w.xn, nil), w.says(w.xn, func(d *word) { d.Marking, d.Releaser = "TLP:AMBER", "shift-leader" }), w.says(w.xn, nil))
	w.xn.rotate(party.Withdrawal{}, "post/nrrc/real")
	w.logs(w.says(w.xn, nil))
	p := w.proves(1)
	w.adopts(p, 3)
	r := w.reader("xn", "xs")
	v, err := r.Proof(encoded(t, p))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "proved.en", printed(t, v, "en"))
	golden(t, "proved.ru", printed(t, v, "ru"))
	r.Regimes = nil
	if v, err = r.Proof(encoded(t, p)); err != nil {
		t.Fatal(err)
	}
	golden(t, "proved-without-regime", printed(t, v, "en"))
}

func TestPrintRefusals(t *testing.T) {
	w := newWorld(t)
	body := w.says(w.xn, nil)
	body[len(body)-1] ^= 1
	w.logs(w.says(w.xn, nil), body)
	v, _ := w.reader("xn", "xs").Proof(encoded(t, w.proves(1)))
	golden(t, "logged-but-invalid", printed(t, v, "en"))
	v, _ = w.reader("xs").Proof(encoded(t, w.proves(0)))
	golden(t, "untrusted", printed(t, v, "en"))
	p := w.proves(0)
	p.Index = 1
	v, _ = w.reader("xn", "xs").Proof(encoded(t, p))
	golden(t, "not-included", printed(t, v, "en"))
}

func TestPrintFork(t *testing.T) {
	w := newWorld(t)
	shown := w.other(t)
	w.history("one", 3, 9)
	shown.history("another", 3, 5)
	c, err := w.reader("xn").Fork(encoded(t, w.convict(shown.checkpoint())))
	if err != nil {
		t.Fatal(err)
	}
	// The origin holds the channel's id, which golden cannot tell from its surroundings otherwise.
	c.Feed = strings.Replace(c.Feed, strings.Split(c.Feed, "/")[1], "<channel>", 1)
	var b bytes.Buffer
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "fork", b.String())
}

// What a stranger wrote cannot move the cursor of whoever verifies it, nor turn the direction of the line.
func TestPrintIsSafe(t *testing.T) {
	const nasty = "\x1b[2J\r\u202e\u2066x"
	w := newWorld(t)
	w.logs(w.says(w.xn, func(d *word) {
		d.Form, d.payload = "notice", []byte("\xa1\x64text\x6c"+nasty)
		d.Marking, d.Drafter, d.Releaser, d.Language = nasty, nasty, nasty+nasty, nasty
	}))
	r := w.reader("xn", "xs")
	for range 2 { // with the regime, which refuses the text, and without
		v, _ := r.Proof(encoded(t, w.proves(0)))
		if v.Statement == nil {
			t.Fatalf("%+v", v)
		}
		if i := strings.IndexAny(printed(t, v, "en"), "\x1b\r\u202e\u2066"); i >= 0 {
			t.Errorf("%q", printed(t, v, "en"))
		}
		r.Regimes = nil
	}
}

func TestKind(t *testing.T) {
	w := newWorld(t)
	w.logs(w.says(w.xn, nil))
	chain, err := party.EncodeChain(w.xn.chain)
	if err != nil {
		t.Fatal(err)
	}
	shown := w.other(t)
	shown.history("another", 0, 1)
	long := &feed.Fork{Feed: w.feed, Path: make([][32]byte, 64)}
	for _, test := range []struct {
		want string
		file []byte
	}{
		{"proof", encoded(t, w.proves(0))}, {"charters", chain}, {"fork", encoded(t, w.convict(shown.checkpoint()))}, {"fork", encoded(t, long)},
		{"", nil}, {"", []byte{0xa0}}, {"", w.says(w.xn, nil)},
	} {
		if got := evidence.Kind(test.file); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// discard takes text and fails the test for what could harm a terminal.
type discard struct{ t *testing.T }

func (d discard) Write(b []byte) (int, error) {
	if !utf8.Valid(b) || bytes.ContainsAny(b, "\x1b\r\x00") {
		d.t.Errorf("printed %q", b)
	}
	return len(b), nil
}

// fuzzFile runs check on variants of a good file. Keys are made anew in each process, so the corpus names a place and what to put there.
func fuzzFile(f *testing.F, seed func(*testing.T) []byte, check func(*testing.T, []byte)) {
	var good []byte
	f.Add([]byte{}, 100)
	f.Add([]byte{0x41}, 7)
	f.Fuzz(func(t *testing.T, put []byte, at int) {
		if good == nil {
			good = seed(t)
			check(t, good)
		}
		at = max(0, at%(len(good)+1))
		b := append(bytes.Clone(good[:at]), put...)
		check(t, b)
		check(t, append(b, good[min(len(good), at+len(put)):]...))
		check(t, put)
	})
}

func FuzzProof(f *testing.F) {
	var w *world
	var want string
	seed := func(t *testing.T) []byte {
		w = newWorld(t)
		w.logs(w.says(w.xn, nil), w.says(w.xn, nil))
		p := w.proves(1)
		v, err := w.reader("xn", "xs").Proof(encoded(t, p))
		if err != nil {
			t.Fatal(err)
		}
		want = v.Statement.ID
		return encoded(t, p)
	}
	fuzzFile(f, seed, func(t *testing.T, b []byte) {
		v, err := w.reader("xn", "xs").Proof(b)
		if v == nil || (err == nil) != (v.Result == evidence.Proved) {
			t.Fatalf("%+v, %v", v, err)
		}
		if err == nil && (v.Statement.ID != want || v.Statement.Plane != traffic.Real || v.Position.Index != 1) {
			t.Fatalf("proved what was never said: %+v", v)
		}
		if err := v.Print(discard{t}, "en"); err != nil {
			t.Fatal(err)
		}
	})
}
