package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"detente/dossier"
	"detente/form"
	"detente/key"
	"detente/ledger"
	"detente/statement"
	"detente/traffic"
)

var channel = [32]byte{7}

// november is when the stories play.
var november = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// desk is who says things in the tests: signatures were judged before anything is folded.
type desk struct {
	t      *testing.T
	regime *form.Regime
	signer key.Signer
	clock  int64
	items  []dossier.Item
	ids    map[string]statement.ID
	cases  map[string]statement.ID
}

func newDesk(t *testing.T, regime *form.Regime) *desk {
	t.Helper()
	seed := sha256.Sum256([]byte("ledger"))
	k, err := key.FromSeed(key.Ed25519, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, regime: regime, signer: k, ids: map[string]statement.ID{}, cases: map[string]statement.ID{}}
}

// says has a party say something after so many hours of the month: "xn>xs", a label, a form with its fields, what it refers to.
func (d *desk) says(way, label string, hours float64, p traffic.Precedence, id, fields string, refs ...string) {
	d.t.Helper()
	from, to, _ := strings.Cut(way, ">")
	fm, ok := d.regime.Latest(id)
	if !ok {
		d.t.Fatalf("no form %s", id)
	}
	v, err := fm.FromJSON(json.RawMessage(fields))
	if err != nil {
		d.t.Fatal(err)
	}
	payload, err := fm.Encode(v)
	if err != nil {
		d.t.Fatal(err)
	}
	d.clock++
	h := statement.Header{
		Issuer: traffic.Address{Party: traffic.Party(from), Post: "nrrc"}, Audience: to, IssuedAt: november.Add(time.Duration(hours * float64(time.Hour))),
		Channel: channel, Plane: traffic.Real, Precedence: p, Form: id, Version: fm.Version, Clock: d.clock, Language: "en", Drafter: "duty-officer", Charter: 1,
	}
	for _, r := range refs {
		h.Refs = append(h.Refs, d.ids[r])
		h.Dossier = d.cases[r]
	}
	s, err := statement.Sign(h, payload, d.signer)
	if err != nil {
		d.t.Fatal(err)
	}
	d.ids[label], d.cases[label] = s.ID(), s.Case()
	f := traffic.Feed{Channel: channel, Party: h.Issuer.Party, Plane: traffic.Real, Precedence: p}
	d.items = append(d.items, dossier.Item{Statement: s, Feed: f, Index: int64(len(d.items))})
}

// states folds everything, in the order in which it came here.
func (d *desk) states(order *rand.Rand) []*dossier.State {
	by := map[dossier.Name][]dossier.Item{}
	var names []dossier.Name
	items := slices.Clone(d.items)
	if order != nil {
		order.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
	for _, it := range items {
		n := dossier.Name{ID: it.Statement.Case(), Channel: channel, Plane: traffic.Real}
		if by[n] == nil {
			names = append(names, n)
		}
		by[n] = append(by[n], it)
	}
	var out []*dossier.State
	for _, n := range names {
		out = append(out, dossier.Fold(n, by[n], d.regime))
	}
	return out
}

const inquiry = `{"observed": {"from": "2026-11-01T00:00:00Z", "to": "2026-11-01T01:00:00Z"}, "observation": "Traffic.", "asked": ["check"]}`

// month is what two capitals asked of each other in November: PRIORITY is to be answered within 24 hours.
func month(t *testing.T) *desk {
	d := newDesk(t, consenting(t))
	in := func(label string, at float64) { d.says("xn>xs", label, at, traffic.Priority, "inquiry", inquiry) }
	ack := func(label, to string, at float64) {
		d.says("xs>xn", label, at, traffic.Priority, "acknowledgement", `{"received": "2026-11-01T00:00:00Z", "understood": true}`, to)
	}
	answer := func(label, to string, at float64) {
		d.says("xs>xn", label, at, traffic.Priority, "answer", `{"finding": "not-ours"}`, to)
	}
	in("q1", 1)
	ack("k1", "q1", 2)
	answer("a1", "q1", 11) // in time, after 10 hours
	in("q2", 20)
	ack("k2", "q2", 23)
	d.says("xs>xn", "i2", 30, traffic.Priority, "interim", `{"status": "extension", "expected": "2026-11-03T00:00:00Z"}`, "q2")
	answer("a2", "q2", 50) // late, after 30 hours
	in("q3", 100)          // never answered
	in("q4", 719)          // its time is not over at the end of the month
	answer("a4", "q4", 725)
	in("q5", 200)
	d.says("xn>xs", "c5", 201, traffic.Priority, "cancellation", `{"reason": "It was our own."}`, "q5")
	d.says("xs>xn", "r1", 300, traffic.Flash, "check", `{"level": 1, "question": "Do you read us?"}`)
	d.says("xn>xs", "ra1", 300.05, traffic.Flash, "check-answer", `{"answered_by": "duty-officer", "answer": "We do."}`, "r1")
	in("q6", -5) // of October
	d.says("xn>xs", "g", 3, traffic.Routine, "goodwill", `{"text": "Good wishes."}`)
	return d
}

func TestTheAccountOfAMonth(t *testing.T) {
	d := month(t)
	a := ledger.Draw(channel, traffic.Real, ledger.Month(november), d.states(nil), d.regime)
	outcomes := map[string]ledger.Outcome{}
	for label, id := range d.ids {
		for _, r := range a.Requests {
			if r.ID == id {
				outcomes[label] = r.Outcome
			}
		}
	}
	want := map[string]ledger.Outcome{
		"q1": ledger.InTime, "q2": ledger.Late, "q3": ledger.Unanswered, "q4": ledger.Pending, "q5": ledger.Withdrawn, "r1": ledger.InTime,
	}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Error(diff)
	}
	if len(a.Figures) != 2 {
		t.Fatal(a.Figures)
	}
	got := a.Figures[0]
	if ids := got.Behind; len(ids) != 5 || ids[0] != d.ids["q1"] {
		t.Error("a figure names what it is made of, not", ids)
	}
	got.Behind = nil
	const h = 3600
	if diff := cmp.Diff(ledger.Figure{
		From: "xn", To: "xs", Form: "inquiry", Precedence: traffic.Priority, Requests: 5, Acknowledged: 2, InTime: 1, Late: 1, Unanswered: 1, Pending: 1, Withdrawn: 1,
		Interims: 1, Extensions: 1, AcknowledgedMedian: 1 * h, AcknowledgedP90: 3 * h, AnsweredMedian: 10 * h, AnsweredP90: 30 * h,
	}, got); diff != "" {
		t.Error(diff)
	}
	if later := ledger.Draw(channel, traffic.Real, ledger.Month(november).ClosedAt(november.AddDate(0, 2, 0)), d.states(nil), d.regime); later.Figures[0].InTime != 2 {
		t.Error("closed later, the answer of the last day is in it:", later.Figures[0])
	}
	if q := ledger.Draw(channel, traffic.Real, ledger.Quarter(november), d.states(nil), d.regime); len(q.Months()) != 2 || q.Months()[1].Figures[0].Requests != 5 {
		t.Error("a quarter has its months:", len(q.Months()))
	}
}

// In whatever order the statements came, the bytes that are signed are the same.
func TestEveryOrderOfDeliveryGivesOneAccount(t *testing.T) {
	d := month(t)
	draw := func(order *rand.Rand) *ledger.Account {
		return ledger.Draw(channel, traffic.Real, ledger.Year(november), d.states(order), d.regime)
	}
	want := draw(nil)
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	order := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		got := draw(order)
		if other, _ := json.Marshal(got); got.Digest() != want.Digest() || !bytes.Equal(text, other) {
			t.Fatalf("%s\n%s", text, other)
		}
	}
	d.says("xs>xn", "more", 101, traffic.Priority, "answer", `{"finding": "not-ours"}`, "q3")
	if draw(nil).Digest() == want.Digest() {
		t.Error("an answer more, and the same digest")
	}
}

// Receipts tell by other clocks than the authors' own. Where they say otherwise, that is shown, and the account stays what both compute.
func TestReceiptsAreSetBesideTheAccount(t *testing.T) {
	d := month(t)
	a := ledger.Draw(channel, traffic.Real, ledger.Month(november), d.states(nil), d.regime)
	held := map[statement.ID]ledger.Receipt{
		d.ids["q1"]: {Party: "xs", At: november.Add(2 * time.Hour)}, d.ids["a1"]: {Party: "xn", At: november.Add(200 * time.Hour)}, // dated long before it came
		d.ids["q2"]: {Party: "xs", At: november.Add(20 * time.Hour)}, d.ids["a2"]: {Party: "xn", At: november.Add(50 * time.Hour)},
	}
	all, err := a.Witness(func(p ledger.Place) ([]ledger.Receipt, error) {
		if r, ok := held[p.ID]; ok {
			return []ledger.Receipt{r, {Party: r.Party, At: r.At.Add(time.Hour)}}, nil
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[statement.ID]string{}
	for _, w := range all {
		got[w.Request] = fmt.Sprint(w.Elapsed, " ", w.Outcome, " ", w.Differs)
	}
	for label, want := range map[string]string{"q1": "712800 late true", "q2": "108000 late false", "q3": "-1 unanswered false"} {
		if got[d.ids[label]] != want {
			t.Errorf("%s: %s, want %s", label, got[d.ids[label]], want)
		}
	}
	if _, err := a.Witness(func(ledger.Place) ([]ledger.Receipt, error) { return nil, io.EOF }); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestChartsAreReadWithoutColourAndInBothDirections(t *testing.T) {
	d := month(t)
	a := ledger.Draw(channel, traffic.Real, ledger.Year(november), d.states(nil), d.regime)
	for _, rtl := range []bool{false, true} {
		c := ledger.Chart{
			Name: "year", Say: func(key string, args ...any) string {
				return strings.TrimSpace(fmt.Sprintln(append([]any{key, "<&>"}, args...)...))
			},
			Span: time.Duration.String, RTL: rtl,
		}
		for name, svg := range map[string][]byte{"months": c.Months(a.Months()), "elapsed": c.Elapsed(a), "nothing": c.Months(nil)} {
			dec := xml.NewDecoder(bytes.NewReader(svg))
			bars, titles := 0, 0
			for {
				tok, err := dec.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v\n%s", name, err, svg)
				}
				if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "title" {
					titles++
				} else if ok && e.Name.Local == "rect" {
					bars++
				}
			}
			if titles == 0 || name != "nothing" && bars < 4 {
				t.Errorf("%s: %d bars, %d texts\n%s", name, bars, titles, svg)
			}
		}
	}
}
