package docket_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"detente/acts"
	"detente/floor/floortest"
	"detente/form"
	"detente/node"
	"detente/party"
	"detente/register/docket"
	"detente/statement"
	"detente/store"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

const (
	pledge = `{"version":1,"nature":"political","eligibility":{"who":"all"},"entry":{"threshold":2},"reservations":{"regime":"permitted"},"runs":"adherents","powers":{"required":false}}`
	older  = `{"format": "detente-acts.v1", "title": {"en": "An older list"}, "source": "A gazette.", "rules": {"version": 1, "nature": "legal", "eligibility": {"who": "all"}, "entry": {"threshold": 1}, "reservations": {"regime": "permitted"}, "powers": {"required": false}},
 "acts": [{"id": "abcd1", "party": "xw", "kind": "ratify", "date": "1999-05-01"}, {"id": "abcd2", "party": "xe", "kind": "ratify", "date": "2001-02-03"}]}`
)

// world is two parties that hold each other's public feeds; the docket is that of xs.
type world struct {
	*floortest.World
	xn, xs *floortest.Party
	*docket.Docket
}

func inWorld(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	setup := floortest.Setup{Heartbeat: time.Hour, Schemas: []store.Schema{docket.Schema()}, Bare: true}
	floortest.Play(t, setup, func(t *testing.T, w *floortest.World) {
		xs := w.Party("xs")
		story(t, &world{w, w.Party("xn"), xs, docket.New(xs.Node)})
	})
}

// says has a post state something in public, and waits until the other side holds it.
func (w *world) says(p *floortest.Party, post traffic.Post, formID string, v form.Values) statement.ID {
	w.T.Helper()
	sent, err := p.Node.Send(w.T.Context(), node.Draft{
		Channel: party.PublicChannel(p.Node.Chain(p.ID)).ID(), Plane: traffic.Real, Precedence: traffic.Routine, Post: post, Audience: statement.Everyone,
		Form: formID, Values: v, Language: "en", Drafter: "head",
	})
	floortest.Must(w.T, err)
	floortest.Pass(time.Second)
	return sent.ID
}

func (w *world) opens(p *floortest.Party, post traffic.Post, title, rules string) statement.ID {
	w.T.Helper()
	return w.says(p, post, acts.FormOpening, form.Values{"title": map[string]any{"en": title}, "nature": "political", "languages": "en", "rules": rules})
}

func (w *world) adheres(p *floortest.Party, to statement.ID) statement.ID {
	w.T.Helper()
	return w.says(p, "mfa", acts.FormAct, form.Values{"instrument": to[:], "kind": string(acts.Adhere), "date": time.Now().Unix()})
}

// titles are those of the instruments that are known, in their order.
func (w *world) titles() (out []string) {
	w.T.Helper()
	all, err := w.Instruments(w.T.Context())
	floortest.Must(w.T, err)
	for _, i := range all {
		out = append(out, i.Title()["en"])
	}
	return out
}

// What is said in public is read as it comes, by a docket that goes on and by one that begins anew alike.
func TestTheDocketFollowsThePublicFeeds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if got := w.titles(); got != nil {
			t.Fatalf("%q before anything was opened", got)
		}
		id := w.opens(w.xn, "mfa", "Pledge", pledge)
		w.adheres(w.xn, id)
		state := func(d *docket.Docket) acts.State {
			t.Helper()
			i, err := d.Instrument(t.Context(), strings.ToUpper(id.String()[:8]))
			floortest.Must(t, err)
			r, err := i.Record(time.Time{})
			floortest.Must(t, err)
			for _, row := range r.Status(acts.DayOf(time.Now())).Rows {
				if row.Party == "xn" {
					return row.State
				}
			}
			return acts.None
		}
		if got := state(w.Docket); got != acts.Consented {
			t.Errorf("alone: %s", got)
		}
		before := time.Now()
		floortest.Pass(time.Hour)
		second := w.adheres(w.xs, id)
		for name, d := range map[string]*docket.Docket{"going on": w.Docket, "anew": docket.New(w.xs.Node)} {
			if got := state(d); got != acts.InForce {
				t.Errorf("%s: %s", name, got)
			}
			i, a, err := d.Act(t.Context(), second.String()[:10])
			if err != nil || i.ID != id.String() || a.Party != "xs" || a.Kind != acts.Adhere {
				t.Errorf("%s: %+v, %v", name, a, err)
			}
			if r, err := i.Record(before); err != nil || len(r.Status(acts.DayOf(time.Now())).Rows) != 1 {
				t.Errorf("%s: what was known before has an act that came later; %v", name, err)
			}
			if r := i.Rules(); r == nil || r.Entry.Threshold != 2 || i.Collection != nil || len(i.Acts()) < 2 {
				t.Errorf("%s: %+v", name, r)
			}
		}
	})
}

// What opens nothing is named all the same, and has no record.
func TestWhatOpensNothingIsNamedAndHasNoRecord(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first := w.opens(w.xn, "mfa", "First", pledge)
		broken := w.opens(w.xn, "mfa", "Broken", `{"version":9}`)
		if diff := cmp.Diff([]string{"First", "Broken"}, w.titles()); diff != "" {
			t.Fatal(diff)
		}
		i, err := w.Instrument(t.Context(), broken.String())
		floortest.Must(t, err)
		if _, err := i.Record(time.Time{}); !errors.Is(err, docket.ErrOpensNone) || i.Rules() != nil {
			t.Errorf("%+v, %v", i.Rules(), err)
		}
		for _, prefix := range []string{"", "zz", first.String() + "0"} {
			if _, err := w.Instrument(t.Context(), prefix); !errors.Is(err, docket.ErrUnknown) {
				t.Errorf("%q: %v", prefix, err)
			}
		}
		if _, _, err := w.Act(t.Context(), first.String()); !errors.Is(err, docket.ErrNoAct) {
			t.Errorf("an opening is no act: %v", err)
		}
		if _, _, err := w.Act(t.Context(), ""); !errors.Is(err, docket.ErrNoAct) {
			t.Errorf("no prefix: %v", err)
		}
	})
}

// A collection is kept as the bytes that came, once, and stands beside what came in feeds, after a start too.
func TestCollectionsAreKept(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for _, junk := range []string{"", "{}", strings.Replace(older, "xw", "X W", 1), strings.Replace(older, "ratify", "sanctify", 1)} {
			if _, err := w.Import(t.Context(), []byte(junk)); !errors.Is(err, acts.ErrCollection) {
				t.Errorf("%.20q: %v", junk, err)
			}
		}
		if files, err := w.Files(t.Context()); err != nil || len(files) != 0 {
			t.Errorf("%d files are kept of what was refused; %v", len(files), err)
		}
		var id string
		for range 2 {
			c, err := w.Import(t.Context(), []byte(older))
			floortest.Must(t, err)
			id = c.ID()
		}
		w.opens(w.xn, "mfa", "Pledge", pledge)
		w.xs.Stop()
		w.xs.Start()
		w.Docket = docket.New(w.xs.Node)
		if diff := cmp.Diff([]string{"Pledge", "An older list"}, w.titles()); diff != "" {
			t.Error(diff)
		}
		files, err := w.Files(t.Context())
		floortest.Must(t, err)
		digest, _ := hex.DecodeString(id)
		if len(files) != 1 || string(files[statement.ID(digest)]) != older {
			t.Errorf("%d files, or other bytes", len(files))
		}
		i, err := w.Instrument(t.Context(), id[:8])
		floortest.Must(t, err)
		if r, err := i.Record(time.Time{}); err != nil || i.Opening != nil || len(r.Status(acts.NewDay(2026, 1, 1)).Rows) != 2 {
			t.Errorf("%+v, %v", i, err)
		}
		if _, _, err := w.Act(t.Context(), "abcd"); !errors.Is(err, docket.ErrAmbiguous) {
			t.Errorf("two acts begin like that: %v", err)
		}
		if _, a, err := w.Act(t.Context(), "abcd2"); err != nil || a.Party != "xe" {
			t.Errorf("%+v, %v", a, err)
		}
	})
}
