//go:build !race

package chancery_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"detente/accord"
	"detente/chancery"
	"detente/feed"
	"detente/floor"
	"detente/form"
	"detente/instrument"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/sealing"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/watch"
	"detente/wording"

	"github.com/google/go-cmp/cmp"
)

// said counts the statements of a form in all feeds of a node by their author, and tells whether some text is in any of them.
func said(t *testing.T, c *capital, formID, text string) (by map[traffic.Party]int, found bool) {
	t.Helper()
	by = make(map[traffic.Party]int)
	must(t, c.Node.DB.View(t.Context(), func(tx *store.Tx) error {
		heads, err := feed.Heads(t.Context(), tx, nil)
		if err != nil {
			return err
		}
		for _, h := range heads {
			if err := h.Range(t.Context(), tx, 0, h.Size, func(e feed.Entry) bool {
				s, err := statement.Decode(e.Bytes)
				if err == nil && s.Form == formID {
					by[h.Feed.Party]++
				}
				found = found || text != "" && bytes.Contains(e.Bytes, []byte(text))
				return true
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	return by, found
}

// What a side keeps to itself, and what it has committed itself to and not shown, is in no feed of either node.
func TestWhatIsKeptToOneselfIsInNoFeed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		id := xn.opens()
		xn.tables(id, within("without delay", "незамедлительно"))
		for _, n := range []chancery.Note{
			{Provision: "a1.2", Kind: chancery.Instruction, Words: "Aubergine: not beyond two days.", Officer: "anna"},
			{Provision: "a1.2", Kind: chancery.FallBack, Texts: within("in aubergine time", "вовремя")},
			{Kind: chancery.Comment, Words: "They will say aubergine."},
		} {
			_, err := xn.Note(t.Context(), id, n)
			must(t, err)
		}
		if _, err := xn.Note(t.Context(), id, chancery.Note{Kind: "order", Words: "x"}); !errors.Is(err, chancery.ErrNote) {
			t.Error("a note of no kind:", err)
		}
		xn.says(xn.Commit(t.Context(), xn.draft(id), chancery.Wish{Provision: "a1.1", Texts: within("as aubergines do", "так")}, nil, "council"))
		pass(time.Hour)
		for _, c := range []*capital{xn, xs} {
			if _, found := said(t, c, "", "ubergine"); found {
				t.Errorf("%s: a feed has what xn keeps to itself", c.ID)
			}
		}
		notes, err := xn.Notes(t.Context(), id)
		must(t, err)
		if len(notes) != 3 || notes[0].Officer != "anna" {
			t.Errorf("%+v", notes)
		}
		must(t, xn.Forget(t.Context(), id, notes[0].ID))
		if err := xn.Forget(t.Context(), id, notes[0].ID); !errors.Is(err, chancery.ErrNote) {
			t.Error("forgotten twice:", err)
		}
		if notes, err = xs.Notes(t.Context(), id); err != nil || len(notes) != 0 {
			t.Error("the other side has notes:", notes, err)
		}
	})
}

// Both commit themselves, one of them dies meanwhile; each shows its wording once the other has committed itself too, once, whichever process does it.
func TestCommitmentsShowThemselves(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		id := xn.opens()
		xn.tables(id, within("without delay", "незамедлительно"))
		pass(time.Minute)
		xn.says(xn.Commit(t.Context(), xn.draft(id), chancery.Wish{Provision: "a1.2", Texts: within("at noon", "в полдень")}, nil, "council"))
		pass(time.Minute)
		if got := xs.board(); !slices.Contains(got, "draft.commitment") {
			t.Error("one waits for the other, and the board says", got)
		}
		if _, err := xs.Commit(t.Context(), xs.draft(id), chancery.Wish{Provision: "a1.2", Texts: within("x", "y")}, []traffic.Party{"xa"}, "council"); !errors.Is(err, chancery.ErrCommitment) {
			t.Error("with a stranger:", err)
		}
		// One that was never stated: its row is there, and nothing comes of it.
		_, err := xs.Commit(t.Context(), xs.draft(id), chancery.Wish{Provision: "a1.2", Texts: within("never", "никогда")}, nil, "council")
		must(t, err)
		xn.Stop()
		xs.says(xs.Commit(t.Context(), xs.draft(id), chancery.Wish{Provision: "a1.2", Texts: within("at night", "ночью")}, nil, "council"))
		pass(time.Hour)
		if got := line(xs.draft(id), "a1.2", "en"); got != "It shall do so [XN: without delay] [XS: at night]." {
			t.Error("xs has heard the commitment of xn, and says", got)
		}
		xn.Start()
		defer second(t, xn)()
		pass(time.Hour)
		for _, c := range []*capital{xn, xs} {
			if got := line(c.draft(id), "a1.2", "en"); got != "It shall do so at [XN: noon] [XS: night]." {
				t.Errorf("%s: %s", c.ID, got)
			}
			if _, found := said(t, c, "", "never"); found {
				t.Error("what was never committed to is shown")
			}
		}
		same(t, xn, xs, id)
		by, _ := said(t, xn, "position", "")
		if by["xs"] != 1 { // its commitment is all that it has said
			t.Errorf("positions by party: %v", by)
		}
	})
}

// second is another process of the party on the same database.
func second(t *testing.T, c *capital) (end func()) {
	t.Helper()
	f, err := floor.New(c.Node, floor.Config{Process: "second", Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	chancery.New(f, nil)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { f.Run(ctx) })
	return func() {
		cancel()
		wg.Wait()
		must(t, f.Close())
	}
}

// Two sides who do not hear each other for three weeks both move. When the line is back they see one negotiation.
func TestWeeksApart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		id := xn.opens()
		xn.tables(id, within("without delay", "незамедлительно"))
		pass(time.Minute)
		for _, p := range xs.Acceptable(xs.draft(id)) {
			xs.says(xs.Accept(xs.draft(id), p, ""))
		}
		pass(time.Minute)
		if text, err := xn.draft(id).Clean(); err != nil || len(text.Clauses) != 4 {
			t.Fatal("all was accepted:", err)
		}
		w.Sever(true)
		xn.says(xn.draft(id).Table(chancery.Wish{Provision: "a1.2", Texts: within("within 12 hours", "в течение 12 часов")}))
		asleep(10*24*time.Hour, xn, xs)
		xs.says(xs.draft(id).Table(chancery.Wish{Provision: "a1.2", Texts: within("within 24 hours", "в течение 24 часов")}))
		xs.says(xs.Reserve(xs.draft(id), "a1.1", "", "scrutiny", "The ministry reads it."))
		asleep(5*24*time.Hour, xn, xs)
		xn.says(xn.Package(xn.draft(id), "Time", map[string]string{"a1.1": "", "a1.2": ""}))
		order, err := chancery.Insert(xs.draft(id).Order("xs"), instrument.Paragraph, "a1.3", "a1.2")
		must(t, err)
		xs.says(xs.draft(id).Table(chancery.Wish{Provision: instrument.Structure, Order: order}))
		xs.says(xs.draft(id).Table(chancery.Wish{Provision: "a1.3", Texts: within("by the line", "по линии связи")}))
		asleep(6*24*time.Hour, xn, xs)
		w.Sever(false)
		pass(3 * time.Hour)
		same(t, xn, xs, id)
		d := xn.draft(id)
		if got := line(d, "a1.2", "en"); got != "It shall do so within [XN: 12] [XS: 24] hours." {
			t.Error(got)
		}
		if p := d.Provisions["a1.2"]; p.Reopened == 0 {
			t.Error("it was agreed, and the re-opening does not show")
		}
		if diff := cmp.Diff([]string{"a1.3", "structure"}, d.Waiting("xn")); diff != "" {
			t.Error("the others wait for xn on:", diff)
		}
		if _, err := xn.Unpack(d, d.Packages[0].Statement.String()[:8]); err != nil {
			t.Error(err)
		}
		if _, err := xs.Unpack(xs.draft(id), d.Packages[0].Statement.String()[:8]); !errors.Is(err, chancery.ErrNothing) {
			t.Error("another's package:", err)
		}
	})
}

// asleep lets time pass while nobody runs: nodes that try a line that is cut every five minutes would take long to tell it.
func asleep(d time.Duration, all ...*capital) {
	for _, c := range all {
		c.Stop()
	}
	pass(d)
	for _, c := range all {
		c.Start()
	}
}

// ready has both sides agree on the small text and empowers both.
func ready(t *testing.T, w *world, xn, xs *capital, doc chancery.Document, may ...string) statement.ID {
	t.Helper()
	id := xn.opens()
	wishes, err := xn.draft(id).Import("xn", doc, "")
	must(t, err)
	for _, x := range wishes {
		xn.says(xn.draft(id).Table(x))
	}
	pass(time.Minute)
	for _, p := range xs.Acceptable(xs.draft(id)) {
		xs.says(xs.Accept(xs.draft(id), p, ""))
	}
	for _, c := range []*capital{xn, xs} {
		if len(may) > 0 {
			c.says(c.Issue(chancery.NewPowers{Channel: w.Channels["talks"], Plane: traffic.Real, Representative: "Head", Post: "council", May: may, Authority: "head-of-state"}))
		}
	}
	pass(time.Minute)
	return id
}

func hotline() chancery.Terms {
	return chancery.Terms{Channels: []chancery.ChannelTerms{{Name: "hotline", Regime: "incidents/1", Posts: []traffic.Post{"nrrc"}}}}
}

// Both sign while the line is down, and learn of it at the same time: both propose the channel, and there is one.
func TestBothBringTheChannelAboutAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		id := ready(t, w, xn, xs, treaty(within("soon", "скоро")), "sign")
		d, m, err := xn.Manifest(t.Context(), xn.draft(id), hotline())
		xn.says(d, err)
		pass(time.Minute)
		defer second(t, xn)()
		w.Sever(true)
		xn.says(xn.Sign(xn.draft(id), "", "", ""))
		xs.says(xs.Sign(xs.draft(id), "", "", ""))
		pass(time.Hour)
		w.Sever(false)
		pass(3 * time.Hour)
		for _, c := range []*capital{xn, xs} {
			if !established(t, c, m) {
				t.Errorf("%s has no channel", c.ID)
			}
			for _, formID := range []string{accord.Proposal, accord.Acceptance} {
				by, _ := said(t, c, formID, "")
				for p, n := range by {
					if n > 3 { // that of the channel of the talks is among them
						t.Errorf("%s: %s has stated %s %d times", c.ID, p, formID, n)
					}
				}
			}
		}
	})
}

// With a depositary as the only sealer, the verdict of the round brings the instrument into force and the channel about, and a plain consent does not.
func TestACertificateBringsTheChannelAbout(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		id := ready(t, w, xn, xs, treaty(within("soon", "скоро")), "sign", "consent")
		terms := hotline()
		terms.Sealers, terms.Delta, terms.Deadline = []traffic.Address{{Party: "xs", Post: "cert"}}, time.Minute, time.Now().Add(time.Hour)
		d, m, err := xn.Manifest(t.Context(), xn.draft(id), terms)
		xn.says(d, err)
		pass(time.Minute)
		for _, c := range []*capital{xn, xs} {
			c.says(c.Sign(c.draft(id), "", "", ""))
		}
		pass(3 * time.Hour)
		if got := stands(xn, id); got == instrument.InForce || established(t, xn, m) {
			t.Error("no sealer has spoken, and it is", got)
		}
		b, err := m.Encode()
		must(t, err)
		round, err := sealing.Open(b, key.Standard())
		must(t, err)
		var e sealing.Evidence
		for _, c := range []*capital{xn, xs} {
			signers, err := c.Keys.Signers("council", traffic.Real)
			must(t, err)
			consent, err := round.SignConsent(c.ID, signers...)
			must(t, err)
			e.Consents = append(e.Consents, consent)
		}
		signers, err := xs.Keys.Signers("cert", traffic.Real)
		must(t, err)
		final, err := round.SignFinal(terms.Sealers[0], sealing.InForce, signers...)
		must(t, err)
		e.Finals = append(e.Finals, final)
		evidence, err := e.Encode()
		must(t, err)
		hash := round.Hash()
		xs.says(node.Draft{
			Channel: w.Channels["talks"], Plane: traffic.Real, Precedence: traffic.Routine, Audience: statement.Everyone, Form: chancery.FormCertificate, Dossier: id,
			Values: form.Values{"round": hash[:], "evidence": evidence},
		}, nil)
		pass(time.Hour)
		for _, c := range []*capital{xn, xs} {
			if got := stands(c, id); got != instrument.InForce || !established(t, c, m) {
				t.Errorf("%s: after the verdict it is %s, and the channel is in use: %v", c.ID, got, established(t, c, m))
			}
		}
	})
}

// A process that has claimed to bring the channel about dies before it says anything, or after. The next one does it, or finds it done.
func TestDyingWhileTheChannelComes(t *testing.T) {
	for _, when := range []string{"before", "after", "restart"} {
		t.Run(when, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
				id := ready(t, w, xn, xs, treaty(within("soon", "скоро")), "sign")
				d, m, err := xn.Manifest(t.Context(), xn.draft(id), hotline())
				xn.says(d, err)
				pass(time.Minute)
				charter, err := party.DecodeChannel(m.Channels[0])
				must(t, err)
				hash := charter.ID()
				if when != "restart" {
					must(t, xn.Node.DB.Update(t.Context(), store.Calm, func(tx *store.Tx) error {
						_, err := watch.Act(t.Context(), tx, "chancery-channel:"+statement.ID(hash).String(), "agreed", "dead", time.Now(), time.Minute)
						return err
					}))
				}
				if when == "after" {
					link := party.LinkChannel(xn.Node.Chain("xn"), xn.Node.Chain("xs"))
					_, err := xn.Node.Send(t.Context(), node.Draft{
						Channel: link.ID(), Plane: traffic.Real, Precedence: traffic.Priority, Post: "council", Audience: "xs", Form: accord.Proposal,
						Values: form.Values{"channel": charter.Bytes()}, Language: "en", Drafter: "machine",
					})
					must(t, err)
				}
				xn.says(xn.Sign(xn.draft(id), "", "", ""))
				pass(time.Minute)
				if when == "restart" {
					xn.Stop()
				}
				xs.says(xs.Sign(xs.draft(id), "", "", ""))
				pass(time.Minute)
				if when == "restart" {
					xn.Start()
				}
				pass(3 * time.Hour)
				for _, c := range []*capital{xn, xs} {
					if !established(t, c, m) {
						t.Errorf("%s has no channel", c.ID)
					}
				}
			})
		})
	}
}

// A manifest of which one original is not what this side renders is not initialled, and the refusal says which. Nor is one with other keys, or another's channel.
func TestAnotherTextIsNotInitialled(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		doc := treaty(within("soon", "скоро"))
		doc.Names = nil // so that the fold cannot know the originals, and each side must look
		id := ready(t, w, xn, xs, doc, "initial", "sign")
		_, m, err := xs.Manifest(t.Context(), xs.draft(id), hotline())
		must(t, err)
		tampered := func(change func(*sealing.Manifest)) error {
			b, err := m.Encode()
			must(t, err)
			forged, err := sealing.DecodeManifest(b)
			must(t, err)
			change(forged)
			b, err = forged.Encode()
			must(t, err)
			hash, err := forged.Hash()
			must(t, err)
			xs.says(node.Draft{
				Channel: w.Channels["talks"], Plane: traffic.Real, Precedence: traffic.Routine, Audience: statement.Everyone, Form: "manifest", Values: form.Values{"manifest": b}, Dossier: id,
			}, nil)
			pass(time.Minute)
			_, err = xn.Initial(xn.draft(id), statement.ID(hash).String())
			return err
		}
		if err := tampered(func(m *sealing.Manifest) { m.Texts[2].Digest[7] ^= 1 }); !errors.Is(err, chancery.ErrDifferent) || !bytes.Contains([]byte(err.Error()), []byte("en of xs (rendered-otherwise)")) {
			t.Error("an original of xs is another:", err)
		}
		if err := tampered(func(m *sealing.Manifest) {
			m.Parties[0].Keys = m.Parties[0].Keys[:1:1]
			m.Parties[0].Keys[0].Bytes = bytes.Repeat([]byte{9}, 32)
		}); !errors.Is(err, chancery.ErrTerms) {
			t.Error("a key of xn is another:", err)
		}
		other, err := party.NewChannel(party.Channel{Name: "elsewhere", Regime: party.RegimeRef{ID: "incidents", Version: 1, Hash: [32]byte{1}}}, xs.Node.Chain("xn"), xs.Node.Chain("xs"))
		must(t, err)
		if err := tampered(func(m *sealing.Manifest) { m.Channels = [][]byte{other.Bytes()} }); !errors.Is(err, chancery.ErrChannel) {
			t.Error("a channel under a regime that nobody has:", err)
		}
		if err := tampered(func(m *sealing.Manifest) { m.Nonce[0] ^= 1 }); err != nil {
			t.Error("another round about the same text:", err)
		}
	})
}

// Without full powers, with revoked ones, and by who is no party, nothing has effect; nor is it stated here.
func TestHostileSteps(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		id := ready(t, w, xn, xs, treaty(within("soon", "скоро")), "initial")
		d, _, err := xn.Manifest(t.Context(), xn.draft(id), chancery.Terms{})
		xn.says(d, err)
		pass(time.Minute)
		d, err = xs.Sign(xs.draft(id), "", "definitive", "")
		must(t, err)
		var none *chancery.NoEffect
		if _, err := xs.draft(id).Rehearse(traffic.Address{Party: "xs", Post: "council"}, d); !errors.As(err, &none) || none.Why != instrument.PowersOther {
			t.Error("powers to initial do not suffice to sign:", err)
		}
		xs.says(d, nil) // a program that does not ask states it all the same
		held, err := xs.Powers(t.Context(), nil)
		must(t, err)
		i := slices.IndexFunc(held, func(h chancery.Held) bool { return h.Party == "xs" })
		xs.says(xs.Revoke(t.Context(), held[i].Statement.String(), "He is ill."))
		pass(time.Minute)
		d, err = xs.Initial(xs.draft(id), "")
		must(t, err)
		if _, err := xs.draft(id).Rehearse(traffic.Address{Party: "xs", Post: "council"}, d); !errors.As(err, &none) || none.Why != instrument.PowersRevoked {
			t.Error("by revoked powers:", err)
		}
		xs.says(d, nil)
		pass(time.Minute)
		xn.says(xn.Initial(xn.draft(id), ""))
		pass(time.Minute)
		same(t, xn, xs, id)
		if got := stands(xn, id); got != instrument.AgreedText {
			t.Error("one has initialled with powers and one without, and it is", got)
		}
		var why []string
		for _, e := range xn.draft(id).Entries {
			if e.Why != "" {
				why = append(why, e.Form+" "+e.Why)
			}
		}
		if diff := cmp.Diff([]string{"signature powers-other", "initialling powers-revoked"}, why); diff != "" {
			t.Error(diff)
		}
	})
}

// What runs out stands on the board in time: a correction, a notice, the end of a term. The board is asked for later days; nobody waits for years.
func TestWhatRunsOut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		id := ready(t, w, xn, xs, treaty(within("soon", "скоро")), "sign", "withdraw", "consent")
		d, _, err := xn.Manifest(t.Context(), xn.draft(id), chancery.Terms{
			Duration: sealing.Period{Years: 3}, Renewal: sealing.Period{Years: 3}, Notice: sealing.Period{Months: 6},
		})
		xn.says(d, err)
		pass(time.Minute)
		for _, c := range []*capital{xn, xs} {
			c.says(c.Sign(c.draft(id), "", "", ""))
			pass(time.Minute)
		}
		begun := xn.draft(id).Status(time.Now()).InForce
		on := func(c *capital, at time.Time) (out []string) {
			items, _ := c.Items(at)
			for _, it := range items {
				out = append(out, it.Say)
			}
			slices.Sort(out)
			return out
		}
		must(t, xs.Read(t.Context()))
		for _, x := range []struct {
			at   time.Time
			want []string
		}{
			{begun.AddDate(2, 0, 0), nil},
			{begun.AddDate(2, 5, 10), []string{"draft.term"}},
			{begun.AddDate(2, 6, 1), nil}, // it is too late for a notice, and it is renewed
			{begun.AddDate(3, 1, 0), nil},
			{begun.AddDate(5, 5, 10), []string{"draft.term"}},
		} {
			if got := on(xs, x.at); !slices.Equal(got, x.want) {
				t.Errorf("on %s: %v, not %v", x.at, got, x.want)
			}
		}
		xn.says(xn.Correct(xn.draft(id), "", chancery.Wish{Provision: "a1.2", Texts: within("very soon", "очень скоро")}, "A word was missing."))
		xn.says(xn.Terminate(xn.draft(id), "", "A new one comes.", begun.AddDate(1, 0, 0)))
		pass(time.Minute)
		must(t, xs.Read(t.Context()))
		if diff := cmp.Diff([]string{"draft.correction"}, on(xs, time.Now())); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"draft.notice"}, on(xs, begun.AddDate(0, 11, 0))); diff != "" {
			t.Error(diff)
		}
		if dues := xs.draft(id).Dues(status(xs, id), time.Now()); len(dues) != 2 {
			t.Errorf("%+v", dues)
		}
		xs.says(xs.AnswerCorrection(xs.draft(id), "", "object", "It was meant so."))
		xn.says(xn.RevokeNotice(xn.draft(id), "", ""))
		pass(time.Minute)
		must(t, xs.Read(t.Context()))
		if got := on(xs, begun.AddDate(0, 11, 0)); len(got) != 0 {
			t.Error("all was answered or taken back, and the board says", got)
		}
		if got := on(xs, begun.AddDate(9, 0, 0)); len(got) != 0 {
			t.Error(got)
		}
		same(t, xn, xs, id)
	})
}

func status(c *capital, id statement.ID) *instrument.Status {
	st := c.draft(id).Status(time.Now())
	return &st
}

// The model agreement begins a negotiation whose manifest brings about the channel that its annex names, and no other.
func TestTheModelAgreement(t *testing.T) {
	doc, err := chancery.Template("incidents-agreement")
	must(t, err)
	if err := doc.Check(); err != nil {
		t.Fatal(err)
	}
	all, err := chancery.Templates()
	must(t, err)
	if len(all) < 4 || len(doc.Clauses) < 20 {
		t.Errorf("%d templates, %d clauses", len(all), len(doc.Clauses))
	}
	i := slices.IndexFunc(doc.Clauses, func(c instrument.Clause) bool { return c.ID == "effects" })
	small := chancery.Document{Text: instrument.Text{Names: wording.Texts{"en": "xn Northland\nxs Southland", "ru": "xn Северия\nxs Южная"}, Clauses: []instrument.Clause{
		{ID: "annex", Kind: instrument.Annex, Texts: wording.Texts{"en": "Annex", "ru": "Приложение"}}, doc.Clauses[i],
	}}}
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		id := ready(t, w, xn, xs, small, "sign")
		if _, _, err := xn.Manifest(t.Context(), xn.draft(id), hotline()); !errors.Is(err, chancery.ErrChannel) {
			t.Error("another channel than the text foresees:", err)
		}
		d, m, err := xn.Manifest(t.Context(), xn.draft(id), chancery.Terms{})
		xn.says(d, err)
		pass(time.Minute)
		for _, c := range []*capital{xn, xs} {
			c.says(c.Sign(c.draft(id), "", "", ""))
			pass(time.Minute)
		}
		pass(time.Minute)
		ch, err := party.DecodeChannel(m.Channels[0])
		must(t, err)
		if !established(t, xn, m) || !established(t, xs, m) || ch.Regime.ID != "incidents" || !slices.Contains(ch.Posts, "nrrc") {
			t.Errorf("channel %s under %s of %v", ch.Name, ch.Regime.ID, ch.Posts)
		}
	})
}
