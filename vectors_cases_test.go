package detente_test

import (
	"bytes"
	"testing"
	"time"

	"detente/canonical"
	"detente/evidence"
	"detente/feed"
	"detente/key"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

type caseVector struct {
	Vector
	Trusted []string   `json:"trusted"` // names of vectors of charters.json
	Case    Hex        `json:"case"`
	Says    *caseValue `json:"says,omitempty"`
}

type caseValue struct {
	Dossier    Hex           `json:"dossier"`
	State      Hex           `json:"state"`
	By         traffic.Party `json:"by"` // who sealed it
	Statements []caseWord    `json:"statements"`
}

type caseWord struct {
	ID      Hex    `json:"id"`
	Level   string `json:"level,omitempty"` // of a valid one
	Invalid string `json:"invalid,omitempty"`
}

// The verdicts are reached without the regime: whether the statements fold to the state is no part of these vectors.
func TestVectorsCases(t *testing.T) {
	reader := readers(t)
	runVectors(t, "cases.json", generateCases, func(t testing.TB, v caseVector) error {
		verdict, err := reader(v.Trusted).Case(v.Case)
		if err != nil {
			return err
		}
		got := &caseValue{Dossier: unhex(t, verdict.Dossier), State: unhex(t, verdict.State), By: verdict.SealedBy}
		for _, s := range verdict.Statements {
			w := caseWord{ID: unhex(t, s.Verdict.Statement.ID), Level: string(s.Verdict.Level), Invalid: s.Invalid}
			if w.Invalid != "" {
				w.Level = ""
			}
			got.Statements = append(got.Statements, w)
		}
		if diff := cmp.Diff(v.Says, got); diff != "" {
			t.Error(diff)
		}
		return nil
	})
}

// docket is a case being put together: an inquiry of xn, an acknowledgement and an answer of xs.
type docket struct {
	file    evidence.CaseFile
	by      traffic.Party
	sealer  key.Signer
	channel [32]byte
	said    []*statement.Statement
}

func newDocket(t testing.TB, spoil func(i int, s []byte) []byte) *docket {
	xn, xs := somebody{"xn"}, somebody{"xs"}
	link := linkOf(t, "xn", "xs")
	d := &docket{by: "xn", sealer: xn.node(t, "checkpoint"), channel: link.ID()}
	d.file = evidence.CaseFile{Channel: link.Bytes(), Plane: traffic.Real, State: [32]byte(hashOf([]byte("state")))}
	say := func(p somebody, to, form string, refs ...statement.ID) {
		h := statement.Header{
			Issuer: traffic.Address{Party: traffic.Party(p.name), Post: "nrrc"}, Audience: to, IssuedAt: time.Unix(1795000000+int64(len(d.said))*60, 0), Channel: link.ID(),
			Plane: traffic.Real, Precedence: traffic.Immediate, Form: form, Version: 1, Clock: int64(len(d.said) + 1), Language: "en", Drafter: "duty-officer", Charter: 1,
			Dossier: d.file.Dossier, Refs: refs,
		}
		s := must(statement.Sign(h, []byte("\xa1\x64text\x65hello"), p.post(t)))(t)
		if spoil != nil {
			s = must(statement.Decode(spoil(len(d.said), s.Bytes())))(t)
		}
		if d.said = append(d.said, s); len(d.said) == 1 {
			d.file.Dossier = s.ID()
		}
	}
	say(xn, "xs", "inquiry")
	say(xs, "xn", "acknowledgement", d.said[0].ID())
	say(xs, "xn", "answer", d.said[0].ID())
	enter := func(p, mirror somebody, said ...*statement.Statement) {
		var entries [][]byte
		for _, s := range said {
			entries = append(entries, s.Bytes())
		}
		tree, size := logOf(t, entries...), int64(len(entries))
		cp := feed.Checkpoint{Feed: feedOf(t, traffic.Party(p.name)), Size: size, Root: [32]byte(tree.root(t, size))}
		cosigned := must(cp.Cosign(traffic.Party(mirror.name), mirror.node(t, "mirror"), signingTime))(t)
		d.file.Checkpoints = append(d.file.Checkpoints, cp.Note(must(cp.Sign(p.node(t, "checkpoint"), signingTime))(t)+cosigned))
		for i, s := range said {
			d.file.Entries = append(d.file.Entries, evidence.CaseEntry{
				Feed: cp.Feed, Index: int64(i), Statement: s.Bytes(), Path: tree.inclusion(t, int64(i), size), Checkpoint: len(d.file.Checkpoints) - 1,
			})
		}
	}
	enter(xn, xs, d.said[0])
	enter(xs, xn, d.said[1:]...)
	return d
}

func generateCases(t testing.TB) []caseVector {
	xs := somebody{"xs"}
	var list []caseVector
	both := []string{"founded", "founded-xs"}
	add := func(refuse, name, doc string, d *docket, change func(*docket)) *caseVector {
		change(d)
		v := caseVector{Vector: Vector{name, doc, refuse}, Trusted: both, Case: must(d.file.Encode(d.by, d.channel, d.sealer))(t)}
		if refuse == "" {
			v.Says = &caseValue{Dossier: d.file.Dossier[:], State: d.file.State[:], By: d.by}
			for _, e := range d.file.Entries {
				w := caseWord{ID: hashOf(e.Statement), Level: "E2", Invalid: e.Reason}
				if w.Invalid != "" {
					w.Level = ""
				}
				v.Says.Statements = append(v.Says.Statements, w)
			}
		}
		list = append(list, v)
		return &list[len(list)-1]
	}
	fresh := func() *docket { return newDocket(t, nil) }
	spoiled := func() *docket { // a byte of the answer's signature is another
		return newDocket(t, func(i int, s []byte) []byte {
			if i == 2 {
				s = append([]byte(nil), s...)
				s[len(s)-1] ^= 1
			}
			return s
		})
	}
	add("", "case", "An inquiry, its acknowledgement and its answer, sealed by the party that asked.", fresh(), func(*docket) {})
	add("", "by-the-other", "The same, sealed by the party that answered.", fresh(), func(d *docket) { d.by, d.sealer = "xs", xs.node(t, "checkpoint") })
	add("", "with-what-is-for-people", "With an attachment, renderings and a page: they are not compared without the regime.", fresh(), func(d *docket) {
		d.file.Blobs, d.file.Renderings, d.file.Paper = [][]byte{[]byte("a page")}, map[string]string{"en": "An inquiry."}, []byte("%PDF-1.7")
	})
	add("", "with-an-invalid-statement", "The answer's signature does not verify, and the case says so: it is shown to be logged.", spoiled(), func(d *docket) { d.file.Entries[2].Reason = "bad-signature" })
	add("", "invalid-by-its-feed", "The answer is said to be invalid for its clock, which takes the whole feed to tell.", fresh(), func(d *docket) { d.file.Entries[2].Reason = "clock" })
	add("", "begun-elsewhere", "The statement that opened the case is not in the file.", fresh(), func(d *docket) { d.file.Entries = d.file.Entries[1:] })
	add("bad-signature", "invalid-and-not-said", "The answer's signature does not verify, and the case does not say so.", spoiled(), func(*docket) {})
	add("standing", "valid-and-said-to-be-invalid", "The answer is said to have a bad signature, and has not.", fresh(), func(d *docket) { d.file.Entries[2].Reason = "bad-signature" })
	add("standing", "invalid-for-another-reason", "The answer's signature does not verify, and the case says that its audience is wrong.", spoiled(), func(d *docket) { d.file.Entries[2].Reason = "wrong-audience" })
	add("order", "another-order", "The answer stands before the acknowledgement.", fresh(), func(d *docket) {
		d.file.Entries[1], d.file.Entries[2] = d.file.Entries[2], d.file.Entries[1]
	})
	add("order", "twice", "The answer stands twice.", fresh(), func(d *docket) { d.file.Entries = append(d.file.Entries, d.file.Entries[2]) })
	add("wrong-dossier", "of-another-dossier", "The case is named after another statement.", fresh(), func(d *docket) { d.file.Dossier = d.said[1].ID() })
	add("not-included", "another-place", "The acknowledgement is said to stand where the answer does.", fresh(), func(d *docket) { d.file.Entries[1].Index = 1 })
	add("case-shape", "no-such-checkpoint", "An entry names a checkpoint that is not in the file.", fresh(), func(d *docket) { d.file.Checkpoints = d.file.Checkpoints[:1] })
	add("case-shape", "empty", "A case of nothing.", fresh(), func(d *docket) { d.file.Entries = nil })
	add("seal", "sealed-by-another-key", "The seal names xn, and is made with a key of xs.", fresh(), func(d *docket) { d.sealer = xs.node(t, "checkpoint") })
	add("seal", "sealed-by-a-stranger", "The seal names a party that is no member.", fresh(), func(d *docket) { d.by = "xl" })
	add("seal", "of-another-channel", "The seal is of another channel.", fresh(), func(d *docket) { d.channel[0] ^= 1 })
	v := add("seal", "changed-after-the-seal", "A byte of a rendering was changed after the case was sealed.", fresh(), func(d *docket) { d.file.Renderings = map[string]string{"en": "An inquiry."} })
	v.Case = replaced(t, v.Case, "An inquiry.", "An inquiry!")
	v = add("seal", "a-statement-taken-out", "A case of two statements under the seal of one of three.", fresh(), func(*docket) {})
	three := v.Case
	v.Case = nil
	short := fresh()
	short.file.Entries = short.file.Entries[:2]
	v.Case = underSeal(t, must(short.file.Encode(short.by, short.channel, short.sealer))(t), three)
	v = add("untrusted", "sealed-by-one-not-trusted", "The seal is by xn, and no charter of xn is trusted.", fresh(), func(*docket) {})
	v.Trusted = []string{"founded-xs"}
	return list
}

func replaced(t testing.TB, b []byte, from, to string) []byte {
	if n := bytes.Count(b, []byte(from)); n != 1 || len(from) != len(to) {
		t.Fatalf("%q stands there %d times", from, n)
	}
	return bytes.Replace(b, []byte(from), []byte(to), 1)
}

// underSeal is the content of one case under the seal of another.
func underSeal(t testing.TB, content, seal []byte) []byte {
	var a, b []any
	if err := canonical.Unmarshal(content, &a, len(content)); err != nil {
		t.Fatal(err)
	}
	if err := canonical.Unmarshal(seal, &b, len(seal)); err != nil {
		t.Fatal(err)
	}
	return must(canonical.Marshal([]any{a[0], a[1], b[2]}))(t)
}
