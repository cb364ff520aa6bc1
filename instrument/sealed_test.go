package instrument_test

import (
	"fmt"
	"testing"

	"detente/form"
	"detente/instrument"
	"detente/key"
	"detente/sealing"
	"detente/traffic"
)

// sealers adds n sealers, of which faulty may fail, to a manifest.
func sealers(t testing.TB, n, faulty int) func(*sealing.Manifest) {
	return func(m *sealing.Manifest) {
		m.Faulty, m.Delta = faulty, 6*days(1)/24
		for i := range n {
			m.Sealers = append(m.Sealers, sealing.Member{Party: traffic.Party(fmt.Sprintf("s%d", i)), Post: "seal", Keys: []key.Public{signer(t, byte(10+i)).Public()}})
		}
	}
}

// certificate has all parties consent, and the sealers from..to decide.
func certificate(t testing.TB, manifest []byte, d sealing.Decision, from, to int) form.Values {
	t.Helper()
	r, err := sealing.Open(manifest, key.Standard())
	if err != nil {
		t.Fatal(err)
	}
	var e sealing.Evidence
	for _, p := range []struct {
		party traffic.Party
		key   byte
	}{{"xn", 1}, {"xs", 2}} {
		c, err := r.SignConsent(p.party, signer(t, p.key))
		if err != nil {
			t.Fatal(err)
		}
		e.Consents = append(e.Consents, c)
	}
	for i := from; i < to; i++ {
		f, err := r.SignFinal(traffic.Address{Party: traffic.Party(fmt.Sprintf("s%d", i)), Post: "seal"}, d, signer(t, byte(10+i)))
		if err != nil {
			t.Fatal(err)
		}
		e.Finals = append(e.Finals, f)
	}
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	h := sealing.HashOf(manifest)
	return form.Values{"round": h[:], "evidence": b}
}

// With sealers nothing but the verdict brings it into force: signatures alone do not, and whoever brings the certificate does not matter.
func TestASealingRoundBringsItIntoForce(t *testing.T) {
	w := treaty(t, "political")
	b := w.terms(sealers(t, 4, 1))
	m, err := sealing.DecodeManifest(b)
	if err != nil {
		t.Fatal(err)
	}
	w.does("xn", "seal-round", form.Values{"manifest": b})
	h := sealing.HashOf(b)
	for _, p := range []string{"xn", "xs"} {
		w.does(p, "initialling", form.Values{"manifest": h[:]})
		w.does(p, "signature", form.Values{"manifest": h[:], "manner": "definitive"})
	}
	w.rung(instrument.Signed, days(400))
	w.refused(instrument.NoVerdict, "s1", "certificate", certificate(t, b, sealing.InForce, 0, 2))
	w.refused(instrument.Malformed, "s1", "certificate", form.Values{"round": h[:], "evidence": []byte{1}})
	w.does("s1", "certificate", certificate(t, b, sealing.InForce, 1, 4))
	w.does("s2", "certificate", certificate(t, b, sealing.InForce, 0, 3)) // once more, by others
	n := w.fold()
	if s := n.Status(m.Final()); s.Rung != instrument.InForce || !s.InForce.Equal(m.Final()) || s.Parties[0].By != "seal" {
		t.Errorf("at the moment of the round's end it is %s", s.Rung)
	}
	if s := n.Status(m.Final().Add(-1)); s.Rung != instrument.Signed {
		t.Errorf("just before it is %s", s.Rung)
	}

	// Both are released at one instant, by another round.
	exit := w.terms(func(m *sealing.Manifest) {
		sealers(t, 4, 1)(m)
		m.Kind, m.Regards, m.Deadline = instrument.KindTermination, &h, day0.Add(days(500))
	})
	w.does("xs", "seal-round", form.Values{"manifest": exit})
	w.does("xs", "certificate", certificate(t, exit, sealing.InForce, 0, 3))
	end, _ := sealing.DecodeManifest(exit)
	n = w.fold()
	if s := n.Status(end.Final().Add(-1)); s.Rung != instrument.InForce || len(s.Bound) != 2 {
		t.Errorf("just before the exit it is %s for %v", s.Rung, s.Bound)
	}
	if s := n.Status(end.Final()); s.Rung != instrument.Ended || len(s.Bound) != 0 {
		t.Errorf("at the exit it is %s for %v", s.Rung, s.Bound)
	}
}

// A round that lapsed binds nobody, and the same text may have another.
func TestARoundThatLapsedBindsNobody(t *testing.T) {
	w := treaty(t, "political")
	b := w.terms(sealers(t, 4, 1))
	w.does("xn", "manifest", form.Values{"manifest": b})
	w.does("xs", "certificate", certificate(t, b, sealing.Lapsed, 0, 3))
	w.rung(instrument.Lapsed, days(90))
	again := w.terms(func(m *sealing.Manifest) {
		sealers(t, 1, 0)(m)
		m.Nonce, m.Deadline = [16]byte{1}, day0.Add(days(100))
	})
	w.does("xn", "manifest", form.Values{"manifest": again})
	w.does("s0", "certificate", certificate(t, again, sealing.InForce, 0, 1))
	w.rung(instrument.InForce, days(110))
	w.refused(instrument.Frozen, "xs", "withdrawal", form.Values{"provision": "p0"})

	// Too many liars have signed both: the fold says so, and nobody is bound.
	w.does("s1", "certificate", certificate(t, b, sealing.InForce, 0, 3))
	if n := w.fold(); n.Manifests[0].Sealed != sealing.StateContested {
		t.Errorf("two verdicts on one round: %s", n.Manifests[0].Sealed)
	}
}

// Who has consented cannot take it back by re-opening the text while the round runs.
func TestReopeningDoesNotDefeatARound(t *testing.T) {
	w := treaty(t, "political")
	b := w.terms(sealers(t, 4, 1))
	w.does("xn", "manifest", form.Values{"manifest": b})
	w.does("xs", "withdrawal", form.Values{"provision": "p0"})
	w.rung(instrument.Tabled, days(90))
	w.does("s1", "certificate", certificate(t, b, sealing.InForce, 0, 3))
	w.rung(instrument.InForce, days(90))
	w.refused(instrument.Frozen, "xs", "position", form.Values{"provision": "p0", "texts": texts("en", "Other", "ru", "Иное")})
	if text, ok := w.fold().TextOn(w.now); !ok || len(text.Clauses) != 4 {
		t.Error("the text of the round is the text")
	}
}

// All ratify at one stroke what they have signed subject to it.
func TestRatificationAtOneStroke(t *testing.T) {
	w := treaty(t, "political")
	h := w.tables(nil)
	for _, p := range []string{"xn", "xs"} {
		w.does(p, "signature", form.Values{"manifest": h, "manner": "subject-to-ratification"})
	}
	w.rung(instrument.Signed, days(400))
	b := w.terms(func(m *sealing.Manifest) {
		sealers(t, 1, 0)(m)
		m.Kind, m.Regards = instrument.KindRatification, (*[32]byte)(h)
	})
	w.does("xs", "seal-round", form.Values{"manifest": b})
	w.does("s0", "certificate", certificate(t, b, sealing.InForce, 0, 1))
	m, _ := sealing.DecodeManifest(b)
	if s := w.fold().Status(m.Final()); s.Rung != instrument.InForce || s.Manifest != [32]byte(h) || s.Parties[1].By != instrument.KindRatification {
		t.Errorf("%s by %x", s.Rung, s.Manifest)
	}
}
