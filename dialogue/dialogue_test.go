package dialogue_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/dialogue"
	"detente/form"
	"detente/regimes"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var day0 = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

func day(n int) time.Time { return day0.AddDate(0, 0, n) }

func span(from, to time.Time) []any { return []any{from.Unix(), to.Unix()} }

// talks makes the statements of one dossier, each an hour after the last.
type talks struct {
	items []dialogue.Item
	now   time.Time
}

func (w *talks) says(from, formID string, v form.Values, refs ...statement.ID) statement.ID {
	party, post, _ := strings.Cut(from, "/")
	it := dialogue.Item{
		Issuer: traffic.Address{Party: traffic.Party(party), Post: traffic.Post(post)}, At: w.now, Form: formID, Refs: refs, Clock: int64(len(w.items) + 1), Values: v,
	}
	it.ID = sha256.Sum256(fmt.Appendf(nil, "%d %s %s", len(w.items), from, formID))
	w.items = append(w.items, it)
	w.now = w.now.Add(time.Hour)
	return it.ID
}

func (w *talks) fold() *dialogue.Dialogue {
	return dialogue.Fold(w.items, []traffic.Party{"xs", "xn"})
}

func (w *talks) why() (out []string) {
	for _, e := range w.fold().Entries {
		if e.Why != "" {
			out = append(out, e.Issuer.String()+" "+e.Form+": "+e.Why)
		}
	}
	return out
}

func series() *talks {
	w := &talks{now: day0}
	w.says("xn/council", "series", form.Values{
		"name": map[string]any{"en": "Consultations"}, "level": "high-level", "every": int64(180 * 24 * 3600), "hosts": []any{"xn", "xs"}, "languages": "en ru",
	})
	return w
}

func proposal(number int, mode string, from time.Time) form.Values {
	return form.Values{"number": int64(number), "mode": mode, "host": "xn", "window": span(from, from.AddDate(0, 0, 2))}
}

// Both propose a time, each accepts another's; what all stand on is agreed, the first of several.
func TestARoundIsAgreedAndHeld(t *testing.T) {
	w := series()
	a := w.says("xn/council", "round-proposal", proposal(1, "in-person", day(60)))
	b := w.says("xs/council", "round-proposal", proposal(1, "virtual", day(50)))
	if r := w.fold().Series.Rounds[1]; r.Agreed != nil || len(r.Proposals) != 2 {
		t.Fatalf("%+v", r)
	}
	w.says("xn/council", "round-acceptance", form.Values{}, b)
	if r := w.fold().Series.Rounds[1]; r.Agreed == nil || r.Agreed.Statement != b {
		t.Fatalf("%+v", r.Agreed)
	}
	accepted := w.says("xs/council", "round-acceptance", form.Values{}, a)
	if r := w.fold().Series.Rounds[1]; r.Agreed.Statement != b {
		t.Error("what was agreed has changed, and nobody left it")
	}
	w.says("xs/council", "round-withdrawal", form.Values{}, b)
	if r := w.fold().Series.Rounds[1]; r.Agreed == nil || r.Agreed.Statement != a {
		t.Errorf("the other time, on which both stand, is not agreed: %+v", r.Agreed)
	}
	w.says("xs/council", "round-withdrawal", form.Values{}, accepted)
	if r := w.fold().Series.Rounds[1]; r.Agreed != nil {
		t.Errorf("%+v", r.Agreed)
	}
	w.says("xs/council", "round-acceptance", form.Values{}, a)
	w.says("xn/council", "delegation", form.Values{"number": int64(1), "head": "Deputy Secretary", "members": "Adviser\n\nInterpreter\n"})
	v := w.fold().Series.At(day(61))
	if v.Next == nil || v.Overdue || v.Missed != nil || v.Number != 1 {
		t.Errorf("%+v", v)
	}
	if v := w.fold().Series.At(day(63)); v.Next != nil || v.Missed == nil {
		t.Errorf("a day after: %+v", v)
	}
	w.says("xn/council", "round-held", form.Values{"number": int64(1), "window": span(day(60), day(61)), "mode": "in-person", "place": "Vienna"})
	w.says("xs/council", "round-proposal", proposal(1, "virtual", day(70)))
	v = w.fold().Series.At(day(63))
	if v.Last == nil || v.Number != 2 || v.Host != "xs" || !v.Due.Equal(day(61+180)) || v.Missed != nil {
		t.Errorf("%+v", v)
	}
	if got := w.fold().Series.Rounds[1].Delegations["xn"].Members; !slices.Equal(got, []string{"Adviser", "Interpreter"}) {
		t.Errorf("%q", got)
	}
	if diff := cmp.Diff([]string{"xs/council round-proposal: over"}, w.why()); diff != "" {
		t.Error(diff)
	}
}

// A round that is declined is no silence: the ground stands there, the series is overdue at both ends, and a lighter form is offered.
func TestARoundIsDeclined(t *testing.T) {
	w := series()
	a := w.says("xn/council", "round-proposal", proposal(1, "in-person", day(170)))
	w.says("xs/council", "round-acceptance", form.Values{}, a)
	w.says("xs/council", "round-refusal", form.Values{"number": int64(1), "ground": "political", "words": "Not at this time.", "instead": "correspondence"})
	s := w.fold().Series
	if r := s.Rounds[1]; r.Agreed != nil || len(r.Refused()) != 1 || r.Refused()[0].Ground != "political" || r.Refused()[0].Instead != "correspondence" {
		t.Errorf("%+v", r)
	}
	if v := s.At(day(179)); v.Overdue {
		t.Error("overdue before its time")
	}
	if v := s.At(day(181)); !v.Overdue || v.Lighter != dialogue.Virtual {
		t.Errorf("%+v", v)
	}
	b := w.says("xn/council", "round-proposal", proposal(1, "virtual", day(185)))
	if v := w.fold().Series.At(day(181)); !v.Overdue || v.Lighter != dialogue.Correspondence {
		t.Errorf("%+v", v)
	}
	w.says("xs/council", "round-acceptance", form.Values{}, b)
	s = w.fold().Series
	if v := s.At(day(181)); v.Overdue || v.Next == nil || len(s.Rounds[1].Refused()) != 0 || len(s.Rounds[1].Refusals) != 1 {
		t.Errorf("%+v", v)
	}
}

// What was resolved is carried over until it is closed, by those who may.
func TestActions(t *testing.T) {
	w := series()
	a := w.says("xn/council", "action", form.Values{"number": int64(1), "words": map[string]any{"en": "Exchange lists of duty points."}, "owner": "xs/council", "due": day(30).Unix()})
	w.says("xn/council", "action-status", form.Values{"state": "done"}, a)
	w.says("xn/council", "action-status", form.Values{"state": "dropped"}, a)
	if v := w.fold().Series.At(day(31)); len(v.Open) != 1 || len(v.Late) != 1 {
		t.Errorf("%+v", v)
	}
	w.says("xs/council", "action-status", form.Values{"state": "done"}, a)
	if v := w.fold().Series.At(day(31)); len(v.Open) != 0 {
		t.Errorf("%+v", v)
	}
	w.says("xn/council", "action-status", form.Values{"state": "open", "words": "Two of them do not answer."}, a)
	w.says("xs/council", "action-status", form.Values{"state": "open", "due": day(40).Unix()}, a)
	if v := w.fold().Series.At(day(31)); len(v.Open) != 1 || len(v.Late) != 0 {
		t.Errorf("%+v", v)
	}
	w.says("xn/council", "action-status", form.Values{"state": "dropped"}, a)
	w.says("xs/council", "action-status", form.Values{"state": "dropped"}, a)
	if v := w.fold().Series.At(day(31)); len(v.Open) != 0 {
		t.Errorf("%+v", v)
	}
	if diff := cmp.Diff([]string{"xn/council action-status: not-yours"}, w.why()); diff != "" {
		t.Error(diff)
	}
}

// Minutes are signed when every party has signed for one and the same text.
func TestMinutes(t *testing.T) {
	w := series()
	one, other := [32]byte{1}, [32]byte{2}
	w.says("xn/council", "minutes-signature", form.Values{"number": int64(1), "text": one[:]})
	w.says("xs/council", "minutes-signature", form.Values{"number": int64(1), "text": other[:]})
	if r := w.fold().Series.Rounds[1]; r.MinutesSigned(one, w.fold().Parties) || r.MinutesSigned(other, w.fold().Parties) {
		t.Error("signed, and not the same")
	}
	w.says("xs/council", "minutes-signature", form.Values{"number": int64(1), "text": one[:]})
	if r := w.fold().Series.Rounds[1]; !r.MinutesSigned(one, w.fold().Parties) {
		t.Error("not signed")
	}
}

func group(rule string) *talks {
	w := &talks{now: day0}
	w.says("xn/experts", "group", form.Values{
		"name": map[string]any{"en": "Group on measurable limits"}, "members": []any{"xs/experts", "xn/experts"}, "rapporteur": "xn/experts", "rule": rule,
	})
	return w
}

// A group speaks, adopts a report with a dissent noted, and changes; nobody speaks for another, and nobody signs under the rule.
func TestAGroup(t *testing.T) {
	w := group("open")
	said := w.says("xn/experts", "contribution", form.Values{"words": "A first draft."})
	w.says("xs/experts", "contribution", form.Values{"words": "Paragraph 3 is too long.", "thread": said[:]})
	negotiation, text, older := [32]byte{7}, [32]byte{8}, [32]byte{9}
	w.says("xn/experts", "report-adoption", form.Values{"negotiation": negotiation[:], "text": text[:], "how": "consensus"})
	w.says("xs/experts", "report-adoption", form.Values{"negotiation": negotiation[:], "text": older[:], "how": "consensus"})
	g := w.fold().Group
	if _, _, adopted := g.Reports[0].Adopted(g); adopted {
		t.Error("two texts are adopted as one")
	}
	w.says("xs/experts", "report-adoption", form.Values{"negotiation": negotiation[:], "text": text[:], "how": "dissent", "words": "On paragraph 3."})
	g = w.fold().Group
	if got, dissent, adopted := g.Reports[0].Adopted(g); !adopted || got != text || !slices.Equal(dissent, []traffic.Party{"xs"}) {
		t.Errorf("%x, %v, %v", got, dissent, adopted)
	}
	w.says("xm/experts", "contribution", form.Values{"words": "From outside."})
	w.says("xs/experts", "group-member", form.Values{"member": "xn/experts", "what": "leaves"})
	w.says("xs/experts", "group-member", form.Values{"member": "xs/experts", "what": "rapporteur"})
	w.says("xm/experts", "group-member", form.Values{"member": "xm/experts", "what": "joins"})
	w.says("xn/experts", "group-member", form.Values{"member": "xm/experts", "what": "rapporteur"})
	w.says("xm/experts", "contribution", form.Values{"words": "From within."})
	want := []string{"xm/experts contribution: no-member", "xs/experts group-member: not-yours", "xs/experts group-member: no-rapporteur"}
	if diff := cmp.Diff(want, w.why()); diff != "" {
		t.Error(diff)
	}
	if g := w.fold().Group; g.Rapporteur != "xm/experts" || len(g.Thread) != 3 || len(g.Members) != 3 {
		t.Errorf("%+v", g)
	}

	w = group("chatham-house")
	w.says("xs/experts", "contribution", form.Values{"words": "Signed."})
	w.says("xs/experts", "session", form.Values{"name": "4", "window": span(day(1), day(2)), "keep": int64(86400), "members": []any{"xs"}, "keys": []any{[]byte{1}}})
	s := w.says("xn/experts", "session", form.Values{"name": "4", "window": span(day(1), day(2)), "keep": int64(86400), "members": []any{"xn", "xs"}, "keys": []any{[]byte{1}, []byte{2}}})
	w.says("xn/experts", "session-output", form.Values{"session": s[:], "words": map[string]any{"en": "Scans are announced."}})
	w.says("xs/experts", "attribution", form.Values{"session": s[:], "contribution": text[:], "opening": older[:]})
	if diff := cmp.Diff([]string{"xs/experts contribution: under-rule", "xs/experts session: no-rapporteur"}, w.why()); diff != "" {
		t.Error(diff)
	}
	if g := w.fold().Group; len(g.Sessions) != 1 || len(g.Sessions[0].Outputs) != 1 || len(g.Sessions[0].Attributions) != 1 || !g.Sessions[0].Until().Equal(day(3)) {
		t.Errorf("%+v", g)
	}
}

// Two sides that were apart for weeks, and have both proposed, accepted, declined and resolved: whatever comes first, both see the same.
func TestAnyOrderGivesOneState(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	deliveries := 10_000
	for deliveries > 0 {
		w := series()
		made := []statement.ID{{}}
		for range 40 {
			who := []string{"xn/council", "xs/council"}[rng.IntN(2)]
			ref := made[rng.IntN(len(made))]
			number := 1 + rng.IntN(3)
			var id statement.ID
			switch rng.IntN(8) {
			case 0, 1:
				id = w.says(who, "round-proposal", proposal(number, "virtual", day(rng.IntN(300))))
			case 2, 3:
				id = w.says(who, "round-acceptance", form.Values{}, ref)
			case 4:
				id = w.says(who, "round-withdrawal", form.Values{}, ref)
			case 5:
				id = w.says(who, "round-refusal", form.Values{"number": int64(number), "ground": "timing"})
			case 6:
				id = w.says(who, "action", form.Values{"number": int64(number), "words": map[string]any{"en": "a"}, "owner": "xs", "due": day(9).Unix()})
			case 7:
				id = w.says(who, "action-status", form.Values{"state": []string{"done", "open", "dropped"}[rng.IntN(3)]}, ref)
			}
			made = append(made, id)
		}
		// Apart: each side goes on from the clock that it has seen, so clocks come twice.
		for i := range w.items {
			w.items[i].Clock = 1 + w.items[i].Clock/2
		}
		w.items[0].Clock = 0
		want := fmt.Sprintf("%+v", shown(w.fold()))
		for range 100 {
			deliveries--
			rng.Shuffle(len(w.items), func(i, j int) { w.items[i], w.items[j] = w.items[j], w.items[i] })
			if got := fmt.Sprintf("%+v", shown(w.fold())); got != want {
				t.Fatalf("%s\n%s", want, got)
			}
		}
		d := w.fold()
		for _, r := range d.Series.Rounds {
			if r.Agreed != nil && !slices.Equal(r.Agreed.Standing, d.Parties) {
				t.Fatal("agreed, and not all stand on it")
			}
		}
	}
}

// shown is what officers see of a series.
func shown(d *dialogue.Dialogue) (out []string) {
	for _, n := range d.Series.Numbers() {
		r := d.Series.Rounds[n]
		for _, p := range r.Proposals {
			out = append(out, fmt.Sprint(n, p.Statement, p.Standing, p == r.Agreed))
		}
		out = append(out, fmt.Sprintf("%+v", r.Refusals))
	}
	for _, a := range d.Series.Actions {
		out = append(out, a.Statement.String()+a.State)
	}
	for _, e := range d.Entries {
		out = append(out, e.ID.String()+e.Why)
	}
	return out
}

// The fold reads the forms that ship: a field that it asks for is there, of the kind that it takes it for.
func TestTheFormsThatShip(t *testing.T) {
	all, err := form.LoadAll(regimes.All()...)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(r *form.Regime) bool { return r.ID == "dialogue" })
	f, _ := all[i].Latest("series")
	v, err := f.Decode(must(f.Encode(form.Values{
		"name": map[string]any{"en": "Consultations", "ru": "Консультации"}, "level": "review", "every": int64(86400), "hosts": []any{"xn", "xs"}, "languages": "en ru", "basis": make([]byte, 32),
	})))
	if err != nil {
		t.Fatal(err)
	}
	w := &talks{now: day0}
	w.says("xn/council", "series", v)
	got := w.fold().Series
	want := &dialogue.Series{
		Name: map[string]string{"en": "Consultations", "ru": "Консультации"}, Level: "review", Every: 24 * time.Hour, Hosts: []string{"xn", "xs"}, Languages: []string{"en", "ru"},
		Opened: day0, By: traffic.Address{Party: "xn", Post: "council"}, Rounds: map[int]*dialogue.Round{},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
