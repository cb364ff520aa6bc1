package chancery_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"detente/chancery"
	"detente/instrument"
	"detente/party"
	"detente/sealing"
	"detente/statement"
	"detente/traffic"
	"detente/wording"

	"github.com/google/go-cmp/cmp"
)

// Two parties differ on one paragraph, agree, initial and sign. The channel that the instrument names comes into being without anybody's doing.
func TestFromTheFirstPositionToTheChannel(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		id := xn.opens()
		pass(time.Minute)
		xn.tables(id, within("without delay", "незамедлительно"))
		pass(time.Minute)
		if diff := cmp.Diff([]string{"draft.positions"}, xs.board()); diff != "" {
			t.Error(diff)
		}
		xs.tables(id, within("within 24 hours", "в течение 24 часов"))
		pass(time.Minute)
		same(t, xn, xs, id)
		if got := line(xn.draft(id), "a1.2", "en"); got != "It shall do so [XN: without delay] [XS: within 24 hours]." {
			t.Error(got)
		}
		if agreed, why := xn.draft(id).Agreed("a1.2"); agreed || why != instrument.Differs {
			t.Error(agreed, why)
		}
		if _, _, err := xn.Manifest(t.Context(), xn.draft(id), chancery.Terms{}); !errors.Is(err, chancery.ErrOpen) {
			t.Error("a manifest of what is not agreed:", err)
		}
		xn.says(xn.Accept(xn.draft(id), "a1.2", ""))
		pass(time.Minute)
		if text, err := xs.draft(id).Clean(); err != nil || len(text.Clauses) != 4 {
			t.Fatal("all is agreed, and there is no clean text:", err)
		}
		for _, c := range []*capital{xn, xs} {
			c.says(c.Issue(chancery.NewPowers{
				Channel: w.Channels["talks"], Plane: traffic.Real, Representative: "Head of the delegation", Post: "council", May: []string{"initial", "sign"},
				Instrument: id, Authority: "foreign-minister",
			}))
		}
		pass(time.Minute)
		said, m, err := xn.Manifest(t.Context(), xn.draft(id), chancery.Terms{
			Duration: sealing.Period{Years: 3}, Renewal: sealing.Period{Years: 3}, Notice: sealing.Period{Months: 6},
			Channels: []chancery.ChannelTerms{{Name: "hotline", Regime: "incidents/1", Posts: []traffic.Post{"nrrc"}}},
		})
		xn.says(said, err)
		pass(time.Minute)
		for _, c := range []*capital{xn, xs} {
			c.says(c.Initial(c.draft(id), ""))
			pass(time.Minute)
		}
		if got := stands(xs, id); got != instrument.Initialled {
			t.Fatal("initialled by both, and it is", got)
		}
		if diff := cmp.Diff([]string{"draft.sign"}, xs.board()); diff != "" {
			t.Error(diff)
		}
		if _, err := xs.draft(id).Table(chancery.Wish{Provision: "a1.2", Texts: within("soon", "скоро")}); !errors.Is(err, chancery.ErrFrozen) {
			t.Error("an authenticated text moves:", err)
		}
		xn.says(xn.Sign(xn.draft(id), "", "definitive", ""))
		pass(time.Minute)
		if established(t, xn, m) || established(t, xs, m) {
			t.Error("one has signed, and the channel is there")
		}
		xs.says(xs.Sign(xs.draft(id), "", "definitive", ""))
		pass(time.Minute)
		for _, c := range []*capital{xn, xs} {
			if got := stands(c, id); got != instrument.InForce {
				t.Fatalf("%s: signed by both, and it is %s", c.ID, got)
			}
			if !established(t, c, m) {
				t.Errorf("%s: the instrument is in force, and its channel is not there", c.ID)
			}
			if got := c.board(); len(got) != 0 {
				t.Errorf("%s: the board says %v", c.ID, got)
			}
		}
		same(t, xn, xs, id)
		before, err := xn.Node.Entries(t.Context())
		must(t, err)
		must(t, xn.Work(t.Context()))
		pass(24 * time.Hour)
		if after, err := xn.Node.Entries(t.Context()); err != nil || after != before {
			t.Errorf("it is in being, and %d more statements were made (%v)", after-before, err)
		}
	})
}

// stands is how far an instrument has come for a party.
func stands(c *capital, id statement.ID) instrument.Rung {
	return c.draft(id).Status(time.Now()).Rung
}

// line is a provision in one line.
func line(d *chancery.Draft, provision, lang string) string {
	r := d.Rolling()
	i := slices.IndexFunc(r.Clauses, func(c instrument.RollingClause) bool { return c.ID == provision })
	if i < 0 {
		return ""
	}
	return wording.Line(r.Clauses[i].Brackets[lang])
}

// established tells whether all channels of a manifest are in use at a party.
func established(t *testing.T, c *capital, m *sealing.Manifest) bool {
	t.Helper()
	for _, b := range m.Channels {
		charter, err := party.DecodeChannel(b)
		must(t, err)
		if _, _, err := c.Node.Channel(charter.ID()); err != nil {
			return false
		}
	}
	return true
}

// same holds that both sides see one negotiation, to the last word.
func same(t *testing.T, xn, xs *capital, id statement.ID) {
	t.Helper()
	told := func(c *capital) (out []string) {
		d := c.draft(id)
		for i := range d.Entries {
			e := &d.Entries[i]
			out = append(out, d.Places[e.ID].Number+" "+e.Form+" "+e.Why)
		}
		for _, clause := range d.Rolling().Clauses {
			out = append(out, clause.ID+" "+clause.Why+" "+wording.Line(clause.Brackets["en"])+" "+wording.Line(clause.Brackets["ru"]))
		}
		return append(out, string(d.Status(time.Now()).Rung))
	}
	if diff := cmp.Diff(told(xn), told(xs)); diff != "" {
		t.Error("xn and xs see the negotiation differently:", diff)
	}
}
