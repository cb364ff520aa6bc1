package transcript_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"detente/dossier"
	"detente/form"
	"detente/key"
	"detente/regimes"
	"detente/statement"
	"detente/traffic"
	"detente/transcript"
)

// A transcript shows every statement with how it stands, in each language, also those of forms that nobody has.
func TestEveryStatementIsWrittenOut(t *testing.T) {
	regime, err := form.Load(regimes.Communications())
	if err != nil {
		t.Fatal(err)
	}
	seed := sha256.Sum256([]byte("transcript"))
	signer, err := key.FromSeed(key.Ed25519, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	n := dossier.Name{Channel: [32]byte{7}, Plane: traffic.Real}
	f := traffic.Feed{Channel: n.Channel, Party: "xn", Plane: n.Plane, Precedence: traffic.Routine}
	var items []dossier.Item
	for i, id := range []string{"goodwill", "ultimatum", "goodwill"} {
		s, err := statement.Sign(statement.Header{
			Issuer: traffic.Address{Party: "xn", Post: "nrrc"}, Audience: statement.Everyone, IssuedAt: time.Unix(1795000000, 0), Channel: n.Channel, Plane: n.Plane,
			Precedence: traffic.Routine, Form: id, Version: 1, Dossier: n.ID, Clock: int64(i + 1), Language: "en", Drafter: "duty-officer", Charter: 1,
		}, []byte("\xa1\x64text\x6cGood wishes."), signer)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			n.ID = s.ID()
		}
		items = append(items, dossier.Item{Statement: s, Feed: f, Index: int64(i), Reason: map[int]string{1: "unknown-form", 2: "clock"}[i]})
	}
	w, err := transcript.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	c := transcript.Case{Channel: "nrrc", Members: []traffic.Party{"xn", "xs"}, State: dossier.Fold(n, items, regime), Regime: regime}
	for _, lang := range w.Languages() {
		text := w.Text(c, lang)
		for _, want := range []string{"XN/NRRC-R-0001", "XN/NRRC-R-0002", "XN/NRRC-R-0003", "ultimatum", "unknown-form", "clock", "Good wishes.", n.ID.String()} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", lang, want, text)
			}
		}
		if text != w.Text(c, lang) {
			t.Errorf("%s: another text the second time", lang)
		}
	}
	if !w.RTL(language.Arabic) || w.RTL(language.Russian) {
		t.Error("directions")
	}
}
