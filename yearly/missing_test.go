//go:build !race

package yearly_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/bundle"
	"detente/form"
	"detente/statement"
	"detente/traffic"
	"detente/yearly"

	"github.com/google/go-cmp/cmp"
)

// short is a year of which little was said.
func short(w *world, xn *capital) statement.ID {
	w.T.Helper()
	series := xn.says("council", traffic.Routine, "series", nil, toAll(form.Values{
		"name": map[string]string{"en": "Review"}, "level": "review", "every": int64(365 * 24 * 3600), "hosts": []any{"xn", "xs"}, "languages": "en",
	})).ID
	pass(time.Hour)
	return series
}

func asked(what string) fields {
	return fields{"asked": "check", "observed": span(-2*time.Hour, -time.Hour), "observation": what}
}

// named is what is missing for a party, as it is told.
func (c *capital) named(series statement.ID, from, to time.Time) []string {
	c.World.T.Helper()
	p, err := c.pack(series, 1, from, to)
	must(c.World.T, err)
	_, err = p.Whole()
	var lacking *yearly.Incomplete
	if err != nil && (!errors.As(err, &lacking) || !errors.Is(err, yearly.ErrIncomplete)) {
		c.World.T.Fatal(err)
	}
	out := []string{}
	for _, l := range p.Lacks {
		if err != nil && !strings.Contains(err.Error(), l.String()) {
			c.World.T.Errorf("%v does not name %s", err, l)
		}
		out = append(out, fmt.Sprintf("%s %s %s %s %d+%d", l.Kind, l.Channel, l.Party, l.Number, l.Index, l.Entries))
	}
	return out
}

// What one side said while the line was cut is named by it; the other side's pack does not have it, and the comparison names it. Once the line is back both make the same.
func TestAnOwnStatementThatTheOtherSideDoesNotHoldIsNamed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		from := time.Now().UTC()
		series := short(w, xn)
		xn.opens("nrrc", "clarification", asked("One thing."))
		pass(time.Hour)
		w.sever(true)
		xn.opens("nrrc", "clarification", asked("Another."))
		xs.opens("nrrc", "clarification", asked("What the other side sees."))
		pass(time.Hour)
		to := time.Now().UTC()
		if diff := cmp.Diff([]string{"not-cosigned nrrc xs XN/NRRC-P-0002 1+1"}, xn.named(series, from, to)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"not-cosigned nrrc xn XS/NRRC-P-0001 0+1"}, xs.named(series, from, to)); diff != "" {
			t.Error(diff)
		}
		north, err := xn.pack(series, 1, from, to)
		must(t, err)
		south, err := xs.pack(series, 1, from, to)
		must(t, err)
		var only []string
		for _, d := range yearly.Compare(north, south) {
			if d.What == "statement" {
				only = append(only, fmt.Sprint(d.Name, " here:", d.Here != "", " there:", d.There != ""))
			}
		}
		if diff := cmp.Diff([]string{"XN/NRRC-P-0002 here:true there:false", "XS/NRRC-P-0001 here:false there:true"}, only); diff != "" {
			t.Error(diff)
		}

		pass(20 * 24 * time.Hour)
		w.sever(false)
		pass(time.Hour)
		_, a := xn.whole(series, 1, from, to)
		_, b := xs.whole(series, 1, from, to)
		if a != b {
			t.Error("the two ends differ:", cmp.Diff(a, b))
		}
	})
}

// The other side's own word is that its feed goes further than it is held here. Whether what is missing is of the period, nobody here can know, unless something later is held.
func TestAnEntryThatTheOtherSideHasIsNamed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		from := time.Now().UTC()
		series := short(w, xn)
		xs.opens("nrrc", "clarification", asked("One thing."))
		pass(time.Hour)
		before := time.Now().UTC()
		pass(time.Minute)
		xs.opens("nrrc", "clarification", asked("A second."))
		pass(time.Hour)
		w.sever(true)
		_, late := xs.opens("nrrc", "clarification", asked("A third."))
		pass(time.Hour)

		// Of what xs sends there arrives only how far it holds its feeds.
		r, err := bundle.NewRecipient("xn", xn.Node.Chain("xn").Latest().Node.Sealing.Public)
		must(t, err)
		sealed, err := bundle.Seal(&bundle.Bundle{From: "xs", To: "xn", At: time.Now().UTC().Truncate(time.Second), Held: []bundle.Held{{Feed: late.Feed, Size: late.Index + 1}}}, xs.Keys.Bundle, r)
		must(t, err)
		_, err = xn.Node.Receive(t.Context(), "https", sealed)
		must(t, err)
		to := time.Now().UTC()
		if diff := cmp.Diff([]string{"not-held nrrc xs  2+1"}, xn.named(series, from, to)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{}, xn.named(series, from, before)); diff != "" {
			t.Error("what is missing is later than that period:", diff)
		}

		w.sever(false)
		pass(time.Hour)
		_, a := xn.whole(series, 1, from, to)
		_, b := xs.whole(series, 1, from, to)
		if a != b {
			t.Error("the two ends differ:", cmp.Diff(a, b))
		}
	})
}

// A file that a statement names, and that has not come.
func TestAFileThatHasNotComeIsNamed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		from := time.Now().UTC()
		series := short(w, xn)
		w.sever(true)
		report := []byte(strings.Repeat("report ", 2000))
		words := asked("With a file.")
		number, err := xn.work.Allot(t.Context())
		must(t, err)
		words["case"] = number.String()
		_, regime, err := xn.Node.Channel(w.Channels["nrrc"])
		must(t, err)
		fm, _ := regime.Latest("clarification")
		v, err := fm.FromText(words)
		must(t, err)
		v["attachments"] = []any{form.Blob{Hash: sha256.Sum256(report), Size: int64(len(report)), Name: "report.txt", Type: "text/plain"}.Value()}
		d := toAll(v)
		d.Audience, d.Blobs = "xs/nrrc", [][]byte{report}
		xn.says("nrrc", traffic.Priority, "clarification", nil, d)
		pass(time.Hour)
		to := time.Now().UTC()

		pouch := filepath.Join(t.TempDir(), "xs.detente-pouch")
		_, err = xn.Node.ExportPouch(t.Context(), "xs", pouch)
		must(t, err)
		xs.brings(pouch)
		pass(time.Second)
		if diff := cmp.Diff([]string{"attachment nrrc xn XN/NRRC-P-0001 0+1"}, xs.named(series, from, to)); diff != "" {
			t.Error(diff)
		}
		w.sever(false)
		pass(time.Hour)
		_, a := xn.whole(series, 1, from, to)
		_, b := xs.whole(series, 1, from, to)
		if a != b {
			t.Error("the two ends differ:", cmp.Diff(a, b))
		}
	})
}

// A database that is older than what was signed: there is no pack until it has been given back what is missing.
func TestAnOldCopyOfTheDatabaseMakesNoPack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		from := time.Now().UTC()
		series := short(w, xn)
		xn.Stop()
		old := xn.copyDatabase()
		xn.Start()
		pass(time.Minute)
		xn.opens("nrrc", "clarification", asked("One thing."))
		pass(time.Hour)
		to := time.Now().UTC()
		w.sever(true)
		xn.Stop()
		old()
		xn.Start()
		xn.Offline()
		pass(time.Minute)
		if diff := cmp.Diff([]string{"silent nrrc xn  0+0"}, xn.named(series, from, to)); diff != "" {
			t.Error(diff)
		}
		w.sever(false)
		pass(time.Hour)
		_, a := xn.whole(series, 1, from, to)
		_, b := xs.whole(series, 1, from, to)
		if a != b {
			t.Error("the two ends differ:", cmp.Diff(a, b))
		}
	})
}
