//go:build !race

package sealer_test

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"detente/archive"
	"detente/form"
	"detente/key"
	"detente/sealer"
	"detente/sealing"
	"detente/statement"
	"detente/traffic"
)

// neutral are the two that take part as sealers only.
var neutral = []traffic.Party{"xa", "xb"}

// The stories of the same four, one after the other: a world is dear. From the third on xs is not honest.
func TestFourSealersOneOfThemFaulty(t *testing.T) {
	inWorld(t, neutral, func(t *testing.T, w *world) {
		bothConsentAndAllAreBound(t, w)
		onePartyDoesNotConsentAndNobodyIsBound(t, w)
		aLastSecondConsentTipsNobodyAlone(t, w)
		hostilePackets(t, w)
	})
}

// Both parties deposit in time: all four say so, the first party states the certificate, and anybody can verify it from a file.
func bothConsentAndAllAreBound(t *testing.T, w *world) {
	name := w.declare(w.manifest(1))
	xn, xs, xa := w.capitals["xn"], w.capitals["xs"], w.capitals["xa"]
	xn.deposit(name)
	pass(30 * time.Minute)
	xs.deposit(name)
	if n, err := xs.Desk.Deposit(t.Context(), sealer.Deposit{Round: name[:8], Drafter: "head"}); n != 0 || err != nil {
		t.Errorf("%d packets were sent again, %v", n, err)
	}
	pass(5*time.Minute + 2*delta)
	if got := xs.finals(name); got != "0 in force, 0 lapsed" {
		t.Errorf("before the end: %s", got)
	}
	pass(10 * time.Minute)
	for _, c := range w.capitals {
		if s := c.state(name); s.Outcome.State != sealing.StateInForce || s.Certified != sealing.StateInForce {
			t.Errorf("%s: %s, certified %q: %s", c.id, s.Outcome.State, s.Certified, c.finals(name))
		}
	}
	if n := w.count(sealer.FormCertificate); n != 1 {
		t.Errorf("%d certificates", n)
	}
	b, err := xa.File(t.Context(), name)
	must(t, err)
	manifest, evidence, err := sealing.DecodeFile(b)
	must(t, err)
	if o, err := sealing.Verdict(manifest, key.Standard(), evidence); err != nil || o.State != sealing.StateInForce {
		t.Error(o, err)
	}
}

// count is how many statements of a form xb holds.
func (w *world) count(formID string) int {
	list, err := w.capitals["xb"].node.List(w.t.Context(), 1000, func(h archive.Held) bool { return h.Statement != nil && h.Statement.Form == formID })
	must(w.t, err)
	return len(list)
}

// One party never signs: all say lapsed, and the certificate does not tell who had consented.
func onePartyDoesNotConsentAndNobodyIsBound(t *testing.T, w *world) {
	name := w.declare(w.manifest(1))
	xn, xs := w.capitals["xn"], w.capitals["xs"]
	xn.deposit(name)
	// What xs sends looks the same.
	if n, err := xs.Desk.Deposit(t.Context(), sealer.Deposit{Round: name, Drafter: "head", Blank: true}); n != 4 || err != nil {
		t.Errorf("%d packets, %v", n, err)
	}
	pass(done)
	for _, c := range w.capitals {
		if s := c.state(name); s.Outcome.State != sealing.StateLapsed || s.Certified != sealing.StateLapsed || len(s.Outcome.Consents) != 0 {
			t.Errorf("%s: %+v, certified %q", c.id, s.Outcome, s.Certified)
		}
	}
	if _, err := xs.Desk.Deposit(t.Context(), sealer.Deposit{Round: name}); !errors.Is(err, sealer.ErrLate) {
		t.Error(err)
	}
}

// xs keeps its consent back until after the deadline, and then gives it to one honest sealer alone, with the word of its own nominee. Within Δ that one believes it, and
// by what it passes on all do; later it does not, and nobody does. Whatever the nominee signs at the end, nothing tips.
func aLastSecondConsentTipsNobodyAlone(t *testing.T, w *world) {
	for _, c := range []struct {
		after time.Duration
		want  sealing.State
		says  string
	}{
		{delta - time.Minute, sealing.StateInForce, "4 in force, 1 lapsed"},
		{delta + time.Minute, sealing.StateLapsed, "1 in force, 4 lapsed"},
	} {
		m := w.manifest(1)
		name := w.declare(m)
		w.capitals["xn"].deposit(name)
		xs := w.goRogue("xs", m)
		pass(time.Until(m.Deadline) + c.after)
		xs.send("xa", sealing.Packet{Consents: []sealing.Consent{xs.consent()}, Seens: []sealing.Seen{xs.seen()}})
		pass(3 * delta)
		xs.final(sealing.InForce)
		xs.final(sealing.Lapsed)
		pass(time.Minute)
		for _, p := range []traffic.Party{"xn", "xa", "xb"} {
			s := w.capitals[p].state(name)
			if s.Outcome.State != c.want || w.capitals[p].finals(name) != c.says || len(s.Outcome.Double) != 1 || s.Outcome.Double[0] != xs.cert() {
				t.Errorf("%s, %v late: %s, %s; %v signed both", p, c.after, s.Outcome.State, w.capitals[p].finals(name), s.Outcome.Double)
			}
		}
	}
}

// What a hostile member sends to sealers and into the round is passed over, and what is good goes on.
func hostilePackets(t *testing.T, w *world) {
	m := w.manifest(1)
	name := w.declare(m)
	xs := w.goRogue("xs", m)
	noise := make([]byte, 4000)
	rand.Read(noise)
	forged := sealing.Seen{Round: xs.round.Hash(), Sealer: traffic.Address{Party: "xb", Post: "cert"}, Signatures: [][]byte{noise[:64]}}
	stolen := sealing.Consent{Round: xs.round.Hash(), Party: "xn", Signatures: xs.consent().Signatures}
	for range 3 { // more than are kept
		for range 8 {
			xs.raw("xa", noise)
		}
		xs.send("xa", sealing.Packet{Consents: []sealing.Consent{stolen}, Seens: []sealing.Seen{forged, xs.seen()}})
	}
	for _, v := range []form.Values{
		{"final": noise}, {"final": noise, "evidence": noise},
	} {
		xs.say("cert", statement.Everyone, sealer.FormFinal, v)
	}
	for range 6 {
		xs.say("cert", statement.Everyone, sealer.FormCertificate, form.Values{"evidence": noise})
	}
	// A final of another sealer, under the own name.
	f, err := sealing.Final{Round: xs.round.Hash(), Sealer: traffic.Address{Party: "xa", Post: "cert"}, Decision: sealing.Lapsed, Signatures: [][]byte{noise[:64]}}.Encode()
	must(t, err)
	xs.say("cert", statement.Everyone, sealer.FormFinal, form.Values{"final": f})
	// The round once more, and one that is none.
	b, err := m.Encode()
	must(t, err)
	xs.open(sealer.FormRound, form.Values{"manifest": b})
	xs.open(sealer.FormRound, form.Values{"manifest": noise})
	pass(time.Minute)
	w.capitals["xn"].deposit(name)
	for _, p := range []traffic.Party{"xa", "xb", "xn"} {
		xs.send(p, sealing.Packet{Consents: []sealing.Consent{xs.consent()}})
	}
	pass(done)
	for _, p := range []traffic.Party{"xn", "xa", "xb"} {
		if s := w.capitals[p].state(name); s.Outcome.State != sealing.StateInForce || w.capitals[p].finals(name) != "3 in force, 0 lapsed" {
			t.Errorf("%s: %s, %s", p, s.Outcome.State, w.capitals[p].finals(name))
		}
	}
}

// A sealer whose database was restored from an old copy has signed more than it knows: it says nothing more, a person is told, and the three others decide.
func TestASealerRestoredFromBackupRefuses(t *testing.T) {
	inWorld(t, neutral, func(t *testing.T, w *world) {
		name := w.declare(w.manifest(1))
		xa := w.capitals["xa"]
		xa.stop()
		backup := t.TempDir()
		copyTree(t, xa.dir, backup)
		xa.start()
		w.capitals["xn"].deposit(name)
		w.capitals["xs"].deposit(name)
		pass(time.Minute) // it has accepted, and said so to the others
		xa.stop()
		for _, f := range []string{"detente.db", "detente.db-wal", "detente.db-shm"} {
			os.Remove(filepath.Join(xa.dir, f))
			if b, err := os.ReadFile(filepath.Join(backup, f)); err == nil {
				must(t, os.WriteFile(filepath.Join(xa.dir, f), b, 0o600))
			}
		}
		xa.start()
		_, err := xa.node.Recover(t.Context(), nil)
		must(t, err)
		pass(done)
		s := xa.state(name)
		if s.Outcome.State != sealing.StateInForce || xa.finals(name) != "3 in force, 0 lapsed" {
			t.Errorf("%s, %s", s.Outcome.State, xa.finals(name))
		}
		if len(s.Own) != 1 || s.Own[0].Said || !errors.Is(s.Own[0].Refused, sealer.ErrRestored) {
			t.Errorf("%+v", s.Own)
		}
	})
}

// A home that was restored whole, marks and all, after the end of the round: it knows of nothing and of no reason to be silent. It asks the others first, and
// finds what it has said.
func TestAHomeRestoredWholeAsksFirst(t *testing.T) {
	inWorld(t, neutral, func(t *testing.T, w *world) {
		name := w.declare(w.manifest(1))
		xa := w.capitals["xa"]
		xa.stop()
		backup := t.TempDir()
		copyTree(t, xa.dir, backup)
		xa.start()
		w.capitals["xn"].deposit(name)
		w.capitals["xs"].deposit(name)
		pass(done)
		xa.stop()
		must(t, os.RemoveAll(xa.dir))
		copyTree(t, backup, xa.dir)
		w.sever("xa", true)
		xa.start()
		pass(30 * time.Minute)
		if got := xa.finals(name); got != "0 in force, 0 lapsed" {
			t.Errorf("alone it says: %s", got)
		}
		w.sever("xa", false)
		_, err := xa.node.Recover(t.Context(), nil)
		must(t, err)
		pass(30 * time.Minute)
		if s := xa.state(name); s.Outcome.State != sealing.StateInForce || xa.finals(name) != "4 in force, 0 lapsed" || len(s.Outcome.Double) != 0 || !s.Own[0].Said {
			t.Errorf("%s, %s, %+v", s.Outcome.State, xa.finals(name), s.Own)
		}
	})
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	must(t, os.MkdirAll(to, 0o700))
	must(t, filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil || d.IsDir() {
			return errors.Join(err, os.MkdirAll(filepath.Join(to, rel), 0o700))
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	}))
}
