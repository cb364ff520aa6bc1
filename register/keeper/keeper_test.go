package keeper_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"detente/acts"
	"detente/evidence"
	"detente/floor/floortest"
	"detente/form"
	"detente/node"
	"detente/party"
	"detente/regimes"
	"detente/register"
	"detente/register/keeper"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

const (
	pledge = `{"version":1,"nature":"political","eligibility":{"who":"all"},"entry":{"threshold":2},"reservations":{"regime":"permitted"},"runs":"adherents","powers":{"required":false}}`
	older  = `{"format": "detente-acts.v1", "title": {"en": "An older list"}, "source": "A gazette.", "rules": {"version": 1, "nature": "legal", "eligibility": {"who": "all"}, "entry": {"threshold": 1}, "reservations": {"regime": "permitted"}, "powers": {"required": false}},
 "participants": {"xw": {"en": "Westland"}}, "acts": [{"id": "w1", "party": "xw", "kind": "ratify", "date": "1999-05-01"}]}`
)

// world is two parties that hold each other's public feeds; xn keeps the register.
type world struct {
	*floortest.World
	xn, xs *floortest.Party
	*keeper.Keeper
	files map[statement.ID][]byte
}

func inWorld(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	all, err := form.LoadAll(regimes.All()...)
	floortest.Must(t, err)
	floortest.Play(t, floortest.Setup{Heartbeat: time.Hour, Bare: true}, func(t *testing.T, fw *floortest.World) {
		w := &world{World: fw, xn: fw.Party("xn"), xs: fw.Party("xs"), files: map[statement.ID][]byte{}}
		w.Keeper = &keeper.Keeper{Node: w.xn.Node, Regimes: all, Collections: func(context.Context) (map[statement.ID][]byte, error) { return w.files, nil }}
		story(t, w)
	})
}

// says has the ministry of a party state something in public, and waits until the other side holds it.
func (w *world) says(p *floortest.Party, formID string, v form.Values) statement.ID {
	w.T.Helper()
	sent, err := p.Node.Send(w.T.Context(), node.Draft{
		Channel: party.PublicChannel(p.Node.Chain(p.ID)).ID(), Plane: traffic.Real, Precedence: traffic.Routine, Post: "mfa", Audience: statement.Everyone,
		Form: formID, Values: v, Language: "en", Drafter: "head",
	})
	floortest.Must(w.T, err)
	floortest.Pass(time.Minute)
	return sent.ID
}

func (w *world) opens(title string) statement.ID {
	w.T.Helper()
	return w.says(w.xn, acts.FormOpening, form.Values{"title": map[string]any{"en": title}, "nature": "political", "languages": "en", "rules": pledge})
}

func (w *world) adheres(p *floortest.Party, to statement.ID) {
	w.T.Helper()
	w.says(p, acts.FormAct, form.Values{"instrument": to[:], "kind": string(acts.Adhere), "date": time.Now().Unix()})
}

// signs has the keeper sign an edition.
func (w *world) signs(id statement.ID) {
	w.T.Helper()
	_, err := w.Edition(w.T.Context(), id, "mfa", "head", "", time.Now())
	floortest.Must(w.T, err)
	floortest.Pass(time.Minute)
}

// reads is what anybody reads in the bundle who trusts both parties.
func (w *world) reads(id statement.ID) *evidence.RegisterVerdict {
	w.T.Helper()
	b, err := w.Bundle(w.T.Context(), id)
	floortest.Must(w.T, err)
	v, err := w.Reader().Register(b)
	if err != nil || v.Result != evidence.Proved {
		w.T.Fatalf("%+v, %v", v, err)
	}
	return v
}

// An edition is of the acts that were there when it was signed; the next one has what came since, and is the one that is given.
func TestTheNewestEditionIsGiven(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.opens("Pledge")
		w.adheres(w.xn, id)
		if _, err := w.Bundle(t.Context(), id); !errors.Is(err, keeper.ErrNoEdition) {
			t.Fatalf("before an edition: %v", err)
		}
		w.signs(id)
		w.adheres(w.xs, id)
		if v := w.reads(id); len(v.Acts) != 2 || v.Keeper != "xn" || v.Title["en"] != "Pledge" || v.Instrument != id.String() { // the opening and one act
			t.Errorf("%d acts: %+v", len(v.Acts), v)
		}
		w.signs(id)
		v := w.reads(id)
		if len(v.Acts) != 3 || len(v.Differences) != 0 || len(v.Forked) != 0 {
			t.Errorf("%d acts: %+v", len(v.Acts), v)
		}
		for _, row := range v.Status.Rows {
			if row.State != acts.InForce {
				t.Errorf("%s: %s", row.Party, row.State)
			}
		}
		// Whoever has not signed an edition has no bundle, whatever it holds.
		other := &keeper.Keeper{Node: w.xs.Node, Regimes: w.Regimes}
		if _, err := other.Bundle(t.Context(), id); !errors.Is(err, keeper.ErrNoEdition) {
			t.Errorf("the other side: %v", err)
		}
	})
}

// Instruments are listed from the oldest to the newest, collections after them, and found by the beginning of their ids.
func TestInstrumentsAreFoundByTheirIDs(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if all, err := w.Instruments(t.Context()); err != nil || len(all) != 0 {
			t.Fatal(all, err)
		}
		list := sha256.Sum256([]byte(older))
		want := []statement.ID{w.opens("First"), w.opens("Second"), w.opens("Third"), list}
		w.files[list] = []byte(older)
		all, err := w.Instruments(t.Context())
		floortest.Must(t, err)
		if diff := cmp.Diff(want, all); diff != "" {
			t.Error(diff)
		}
		for _, id := range want {
			if got, err := w.Find(t.Context(), id.String()[:16]); err != nil || got != id {
				t.Errorf("%s: %v, %v", id.Short(), got.Short(), err)
			}
		}
		unknown := statement.ID{1}
		for _, prefix := range []string{"", want[0].String()[:3], unknown.String()} {
			if _, err := w.Find(t.Context(), prefix); !errors.Is(err, keeper.ErrNoInstrument) {
				t.Errorf("%q: %v", prefix, err)
			}
		}
		if _, err := w.Edition(t.Context(), unknown, "mfa", "head", "", time.Now()); !errors.Is(err, keeper.ErrNoInstrument) {
			t.Errorf("an edition of nothing: %v", err)
		}
	})
}

// Of a collection all acts are the keeper's word; a bundle of it says so and has the names that the collection gives.
func TestACollectionHasItsEdition(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		list := sha256.Sum256([]byte(older))
		w.files[list] = []byte(older)
		w.signs(list)
		v := w.reads(list)
		if len(v.Acts) != 1 || v.Acts[0].Party != "xw" || len(v.RestsOn) == 0 {
			t.Errorf("%+v", v)
		}
		b, err := w.Bundle(t.Context(), list)
		floortest.Must(t, err)
		i, err := register.Open(w.Reader(), b)
		floortest.Must(t, err)
		given := map[traffic.Party]register.Party{"xe": {Code: "EL"}}
		names := w.Names([]register.Instrument{i}, given)
		if names["xw"].Name["en"] != "Westland" || names["xn"].Name["en"] != "xn" || names["xe"].Code != "EL" {
			t.Errorf("%+v", names)
		}
		if len(given) != 1 {
			t.Error("what was given was changed")
		}
	})
}

// The feeds of a bundle are written as tiles, each feed once, however many bundles it is in.
func TestTilesOfTheFeeds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var list []register.Instrument
		for _, title := range []string{"First", "Second"} {
			id := w.opens(title)
			w.adheres(w.xs, id)
			w.signs(id)
			b, err := w.Bundle(t.Context(), id)
			floortest.Must(t, err)
			i, err := register.Open(w.Reader(), b)
			floortest.Must(t, err)
			list = append(list, i)
		}
		dir := t.TempDir()
		names, err := w.Tiles(t.Context(), list)(dir)
		floortest.Must(t, err)
		if diff := cmp.Diff([]string{"feeds/xn/R/0", "feeds/xs/R/0"}, names); diff != "" {
			t.Error(diff)
		}
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(dir, name, "checkpoint")); err != nil {
				t.Error(err)
			}
		}
	})
}
