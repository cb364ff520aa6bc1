package pages_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/language"

	"detente/dossier"
	"detente/form"
	"detente/key"
	"detente/regimes"
	"detente/statement"
	"detente/traffic"
	"detente/transcript"
	"detente/transcript/pages"
)

// said is a case of one inquiry, in a text of many scripts.
func said(t *testing.T, text string) transcript.Case {
	t.Helper()
	regime, err := form.Load(regimes.Communications())
	if err != nil {
		t.Fatal(err)
	}
	fm, _ := regime.Latest("inquiry")
	payload, err := fm.Encode(form.Values{"observed": []any{int64(1795000000), int64(1795000600)}, "observation": text, "asked": []any{"check"}})
	if err != nil {
		t.Fatal(err)
	}
	seed := sha256.Sum256([]byte("pages"))
	signer, err := key.FromSeed(key.Ed25519, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	s, err := statement.Sign(statement.Header{
		Issuer: traffic.Address{Party: "xn", Post: "nrrc"}, Audience: "xs", IssuedAt: time.Unix(1795000600, 0), Channel: [32]byte{7}, Plane: traffic.Exercise,
		Precedence: traffic.Priority, Form: "inquiry", Version: 1, Clock: 1, Language: "ar", Drafter: "duty-officer", Charter: 1,
	}, payload, signer)
	if err != nil {
		t.Fatal(err)
	}
	f := traffic.Feed{Channel: [32]byte{7}, Party: "xn", Plane: traffic.Exercise, Precedence: traffic.Priority}
	n := dossier.Name{ID: s.ID(), Channel: f.Channel, Plane: f.Plane}
	return transcript.Case{
		Channel: "nrrc", Members: []traffic.Party{"xn", "xs"}, State: dossier.Fold(n, []dossier.Item{{Statement: s, Feed: f}}, regime), Regime: regime,
	}
}

// found are the fonts of this machine, read once.
var found = sync.OnceValues(func() (*pages.Fonts, error) { return pages.FindFonts(pages.Places()...) })

func fonts(t *testing.T) *pages.Fonts {
	t.Helper()
	f, err := found()
	if errors.Is(err, pages.ErrFonts) {
		t.Skip("no fonts on this machine: install fonts-noto-core and fonts-droid-fallback")
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const manyScripts = "Traffic seen. Трафик замечен. رُصدت حركة مرور من 192.0.2.7 نحو الشبكة. 发现可疑流量。 Été, niño."

// In six languages, and with words in every script, a case is set in pages.
func TestPagesInSixLanguages(t *testing.T) {
	f := fonts(t)
	w, err := transcript.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	c := said(t, manyScripts)
	first, err := pages.PDF(w, f, c, w.Languages()...)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Missing("你")) > 0 {
		t.Log("no Chinese font on this machine: its characters stand as numbers")
	}
	for _, lang := range w.Languages() {
		for _, r := range f.Missing(w.Text(c, lang)) {
			if r < 0x2e80 && (r < 0x2500 || r > 0x257f) { // the rules of the text are lines on the page
				t.Errorf("%s: no font has %U", lang, r)
			}
		}
	}
	if n := len(regexp.MustCompile(`/Type\s*/Page\b[^s]`).FindAll(first, -1)); !bytes.HasPrefix(first, []byte("%PDF-")) || n < 6 {
		t.Errorf("%d pages", n)
	}
	for _, has := range []string{"/ToUnicode", "CreationDate(D:20261118111640Z)"} {
		if !bytes.Contains(first, []byte(has)) {
			t.Errorf("no %s", has)
		}
	}
	if to := os.Getenv("DETENTE_PAGES"); to != "" { // to look at
		if err := os.WriteFile(to, first, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The library stamps what it writes with the time. The same case is the same bytes all the same, whenever it is set.
func TestTheSameCaseIsTheSameBytes(t *testing.T) {
	c := said(t, manyScripts)
	synctest.Test(t, func(t *testing.T) {
		var first []byte
		for range 2 {
			w, err := transcript.NewWriter()
			if err != nil {
				t.Fatal(err)
			}
			b, err := pages.PDF(w, fonts(t), c, language.Arabic, language.Chinese)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = b
			}
			if !bytes.Equal(first, b) {
				t.Error("set later, the pages are other bytes")
			}
			time.Sleep(30 * 24 * time.Hour)
		}
	})
}

// A character that no font has is never left out, and nothing that a stranger writes stops the setting.
func TestNothingIsLeftOut(t *testing.T) {
	f := fonts(t)
	w, err := transcript.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Missing("A\U0001F9FFA"); len(got) != 1 || got[0] != '\U0001F9FF' {
		t.Errorf("missing %q", got)
	}
	for _, text := range []string{"\U0001F9FF", "a\u0301\u0302\u0303", "نص\u200dنص", string(bytes.Repeat([]byte("long words "), 600)), string(bytes.Repeat([]byte("x"), 7000))} {
		b, err := pages.PDF(w, f, said(t, text), language.Arabic)
		if err != nil || len(b) == 0 {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if _, err := pages.FindFonts(t.TempDir()); !errors.Is(err, pages.ErrFonts) {
		t.Error(err)
	}
}
