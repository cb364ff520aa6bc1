package evidence_test

import (
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"detente/acts"
	"detente/evidence"
	"detente/feed"
	"detente/key"
	"detente/party"
	"detente/traffic"
)

// Three hostile parties at once: one forks its feed, one signs under a revoked key, one without full powers. Nobody's status moves, and each is named.
func TestThreeHostilePartiesMoveNothing(t *testing.T) {
	f := newForum(t)
	f.xw = f.found("xw")
	f.opens()
	for i, p := range []*podium{f.xn, f.xs, f.xw} {
		f.act(p, acts.Adhere, "2026-11-2"+string(rune('0'+i)), nil)
	}
	f.publishes()
	before, err := f.reader("xl").Register(encoded(t, f.file))
	if err != nil || before.Status.Counts[acts.InForce] != 3 {
		t.Fatal(err, before.Status)
	}

	// xn has signed two histories of its feed, and denounces after that was known.
	fork := f.forks(f.xn)
	since := noon.Add(90 * time.Minute) // its adherence is of 13:00, its denunciation of 14:00
	f.act(f.xn, acts.Denounce, "2026-11-24", nil)
	// xs's key was revoked with its next charter; who stole it goes on.
	stolen := f.xs.ring
	f.xs.rotate(party.Withdrawal{Since: noon, Reason: "stolen"}, "post/mfa/real")
	f.says(f.xs, "charter", map[string]any{"version": 2, "hash": digits(f.xs.chain.Latest().Hash())}, nil)
	fresh := f.xs.ring
	f.xs.ring = stolen
	f.act(f.xs, acts.Denounce, "2026-11-24", nil)
	f.xs.ring = fresh
	// xw's post for calls has no full powers.
	f.says(f.xw, "act", map[string]any{"instrument": digits(f.opening), "kind": "denounce", "date": "2026-11-24T00:00:00Z"}, func(d *word) { d.Issuer.Post = "nrrc" })

	f.forked, f.forkObjects = map[traffic.Party]time.Time{"xn": since}, [][]byte{fork}
	f.publishes()
	v, err := f.reader("xl").Register(encoded(t, f.file))
	if err != nil {
		t.Fatal(err, v.Differences)
	}
	if v.Status.Counts[acts.InForce] != 3 || v.Status.Counts[acts.Left] != 0 || !slices.Equal(v.Forked, []traffic.Party{"xn"}) {
		t.Errorf("%+v %v", v.Status, v.Forked)
	}
	found := map[traffic.Party]acts.Reason{}
	for _, a := range v.Acts {
		if a.Why != "" {
			found[a.Party] = a.Why
		}
	}
	if found["xn"] != acts.Forked || found["xs"] != acts.Invalid || found["xw"] != acts.NoPowers || len(found) != 3 {
		t.Errorf("%v", found)
	}
	if !hasNote(v.Notes, "xn has signed two histories") {
		t.Error(v.Notes)
	}

	// A keeper cannot call a party forked without the object that convicts it.
	f.file.Forks = nil
	if v, err := f.reader("xl").Register(encoded(t, f.file)); err == nil || v.Reason != "no-fork" {
		t.Error(err, v.Reason)
	}
}

func digits(h [32]byte) string { return hex.EncodeToString(h[:]) }

// forks makes the object that convicts a party: two checkpoints of one size.
func (f *forum) forks(p *podium) []byte {
	f.t.Helper()
	var notes [2]string
	for i := range notes {
		c := feed.Checkpoint{Feed: p.feed, Size: 1, Root: [32]byte{byte(1 + i)}}
		line, err := c.Sign(p.ring.Checkpoint, noon)
		if err != nil {
			f.t.Fatal(err)
		}
		notes[i] = c.Note(line)
	}
	o := &feed.Fork{Feed: p.feed, Smaller: notes[0], Larger: notes[1], Charters: p.charters()}
	b, err := o.Encode()
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

// An act whose key was withdrawn later stays what it was: by a later entry of the feed, or else by the keeper's word.
func TestActOlderThanTheWithdrawalOfItsKeyStays(t *testing.T) {
	f := told(t)
	f.xs.rotate(party.Withdrawal{Since: noon.AddDate(0, 0, 20), Reason: "stolen"}, "post/mfa/real")
	f.publishes()
	v, err := f.reader("xl").Register(encoded(t, f.file))
	if err != nil {
		t.Fatal(err, v.Differences)
	}
	if v.Status.Counts[acts.InForce] != 2 || !hasNote(v.Notes, "That these are older is the word of xl") {
		t.Errorf("%+v %v", v.Status.Counts, v.Notes)
	}
	if _, err := (&evidence.Reader{Registry: key.Standard()}).Register(encoded(t, f.file)); err == nil {
		t.Error("proved to a reader without the regime")
	}
}

// The figure of docs/performance.md: how long it takes anybody to verify twenty thousand acts.
func BenchmarkRegister(b *testing.B) {
	f := newForum(b)
	f.opens()
	for i := range 20000 {
		p := []*podium{f.xn, f.xs}[i%2]
		f.says(p, "act", map[string]any{"instrument": digits(f.opening), "kind": "declare", "date": "2026-11-20T00:00:00Z",
			"texts": map[string]string{"en": "Words of a declaration, as long as such words are."}}, func(d *word) { d.IssuedAt = noon })
	}
	f.publishes()
	bundle := encoded(b, f.file)
	r := f.reader("xl")
	b.ResetTimer()
	for b.Loop() {
		v, err := r.Register(bundle)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(v.Acts)), "acts")
		b.ReportMetric(float64(len(bundle))/1e6, "MB")
	}
}
