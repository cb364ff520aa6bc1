package sim_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/archive"
	"detente/evidence"
	"detente/form"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/sim"
	"detente/traffic"
	"detente/transcript"
)

// A whole dossier goes out in one file, which anyone can read without a node; and nothing in it can be left out, changed or moved.
func TestACaseGoesOutInOneFile(t *testing.T) {
	cast := []sim.Founded{sim.Found(t, "xn", "en", true), sim.Found(t, "xs", "ru", true)}
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t, time.Hour, 1)
		defer w.Close()
		for _, f := range cast {
			w.Add(f)
		}
		w.Pair("xn", "xs")
		channel := w.Channel("nrrc", "xn", "xs")
		report := []byte("a list of addresses")
		xn, xs := w.Capital("xn"), w.Capital("xs")
		regime, _ := xn.Node().RegimeOf(channel)
		inquiry, _ := regime.Latest("inquiry")
		asked, err := xn.Node().Send(t.Context(), node.Draft{
			Channel: channel, Plane: traffic.Real, Precedence: traffic.Priority, Post: "nrrc", Audience: "xs/nrrc", Form: "inquiry", Language: "en", Drafter: "duty-officer",
			Values: form.Values{
				"observed": []any{time.Now().Add(-time.Hour).Unix(), time.Now().Unix()}, "observation": "Traffic against the grid.", "asked": []any{"check"},
				"attachments": []any{form.Blob{Hash: sha256.Sum256(report), Size: int64(len(report)), Name: "list.txt", Type: "text/plain"}.Value()},
			}, Blobs: [][]byte{report},
		})
		if err != nil {
			t.Fatal(inquiry, err)
		}
		time.Sleep(time.Minute)
		reply := func(by *sim.Capital, id string, v form.Values) {
			if _, err := by.Node().Reply(t.Context(), node.Reply{To: asked.ID, Form: id, Values: v, Language: "ru", Drafter: "duty-officer"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		reply(xs, "acknowledgement", form.Values{"received": time.Now().Unix(), "understood": true})
		reply(xs, "interim", form.Values{"status": "checking"})
		reply(xs, "answer", form.Values{"finding": "not-ours", "text": "Не наше."})
		held, err := xn.Node().Statement(t.Context(), asked.ID)
		if err != nil {
			t.Fatal(err)
		}
		b, err := xn.Node().Case(context.Background(), held, archive.Export{
			Attachments: 1 << 20, Renderings: true, Paper: func(c transcript.Case) ([]byte, error) { return fmt.Appendf(nil, "%%PDF %s", c.State.ID), nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		reader := evidence.Reader{Registry: key.Standard(), Regimes: w.Regimes(), Trusted: map[traffic.Party]*party.Chain{
			"xn": xs.Node().Chain("xn"), "xs": xn.Node().Chain("xs"),
		}}
		if kind := evidence.Kind(b); kind != "case" {
			t.Fatal(kind)
		}
		v, err := reader.Case(b)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Statements) != 4 || v.SealedBy != "xn" || !v.Folded || len(v.Files) != 1 || !v.Files[0].Named || len(v.Renderings) != 6 || v.Paper == "" {
			t.Errorf("%+v", v)
		}
		for i, s := range v.Statements {
			if s.Verdict.Level != evidence.E2 || s.Standing == "" {
				t.Errorf("statement %d: %s, %s", i, s.Verdict.Level, s.Standing)
			}
		}
		for _, r := range v.Renderings {
			if !r.Matches {
				t.Errorf("the rendering in %s is not what is written anew", r.Language)
			}
		}
		var printed strings.Builder
		if err := v.Print(&printed, "fr"); err != nil || !strings.Contains(printed.String(), "PROVED  a case of 4 statements") {
			t.Error(printed.String(), err)
		}

		// Whoever changes the file breaks the seal; whoever may seal it must still have what folds.
		reseal := func(change func(*evidence.CaseFile)) []byte {
			c, _, _, err := evidence.DecodeCase(b)
			if err != nil {
				t.Fatal(err)
			}
			change(c)
			out, err := c.Encode("xn", channel, xn.Keys.Checkpoint)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		foreign := func(change func(*evidence.CaseFile)) []byte { // sealed in the name of xn with another's key
			c, _, _, _ := evidence.DecodeCase(b)
			change(c)
			out, err := c.Encode("xn", channel, xs.Keys.Checkpoint)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		nothing := func(*evidence.CaseFile) {}
		for name, c := range map[string]struct {
			file   []byte
			reason string
		}{
			"a byte of an answer":               {bytes.Replace(b, []byte("Не наше."), []byte("Не нашё."), 1), "seal"},
			"a seal by another":                 {foreign(nothing), "seal"},
			"a statement left out":              {reseal(func(c *evidence.CaseFile) { c.Entries = append(c.Entries[:2:2], c.Entries[3:]...) }), "state"},
			"two statements changed about":      {reseal(func(c *evidence.CaseFile) { c.Entries[1], c.Entries[2] = c.Entries[2], c.Entries[1] }), "order"},
			"a statement twice":                 {reseal(func(c *evidence.CaseFile) { c.Entries = append(c.Entries[:2:2], c.Entries[1:]...) }), "order"},
			"another state":                     {reseal(func(c *evidence.CaseFile) { c.State[0]++ }), "state"},
			"another place":                     {reseal(func(c *evidence.CaseFile) { c.Entries[1].Index++ }), "not-included"},
			"a good statement as an invalid":    {reseal(func(c *evidence.CaseFile) { c.Entries[1].Reason = "bad-signature" }), "standing"},
			"a statement of another case":       {reseal(func(c *evidence.CaseFile) { c.Dossier[0]++ }), "wrong-dossier"},
			"a checkpoint that is not there":    {reseal(func(c *evidence.CaseFile) { c.Checkpoints = nil }), "case-shape"},
			"a proof as a case":                 {[]byte("\x83\x6fdetente-case.v1"), "truncated"},
			"a changed statement, sealed again": {reseal(func(c *evidence.CaseFile) { c.Entries[3].Statement[len(c.Entries[3].Statement)-1] ^= 1 }), "not-included"},
		} {
			if v, err := reader.Case(c.file); err == nil || v.Reason != c.reason {
				t.Errorf("%s: %q, want %q (%v)", name, v.Reason, c.reason, err)
			}
		}
		// What is for people refuses nothing, and is said.
		v, err = reader.Case(reseal(func(c *evidence.CaseFile) { c.Renderings["en"] = "Nothing happened." }))
		if err != nil || v.Renderings[1].Matches || len(v.Notes) < 2 {
			t.Error(err, v.Renderings)
		}
		reader.Trusted = map[traffic.Party]*party.Chain{"xs": xn.Node().Chain("xs")}
		if v, err = reader.Case(b); err == nil || v.Reason != "untrusted" || v.Compare == nil {
			t.Error("xn is not trusted:", v.Reason, err)
		}
	})
}
