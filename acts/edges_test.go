package acts

import (
	"testing"
	"time"

	"detente/traffic"
)

// What happens on the very day is what random acts seldom hit.
func TestTheVeryDay(t *testing.T) {
	rules := &Rules{
		Version: 1, Nature: Legal, Eligibility: Eligibility{Who: EligibleAll}, Notice: Delay{Days: 90},
		Reservations: Reservations{Regime: ReserveExcept, Provisions: []string{"art-1"}, TacitMonths: 12, Late: LateTacit}, BackDate: 30,
	}
	if err := rules.Check(); err != nil {
		t.Fatal(err)
	}
	act := func(id, party string, kind Kind, date string, change ...func(*Act)) Act {
		a := Act{ID: id, Party: traffic.Party(party), Kind: kind, Date: day(t, date)}
		for _, f := range change {
			f(&a)
		}
		return a
	}
	about := func(id string) func(*Act) { return func(a *Act) { a.Regarding = id } }
	known := func(s string) func(*Act) { return func(a *Act) { a.Known = day(t, s).Time() } }
	opposing := func(a *Act) { a.Opposing = true }
	both := []Act{act("x", "xn", Ratify, "2030-01-01"), act("y", "xs", Ratify, "2030-01-01")}
	reserve := act("r", "xn", Reserve, "2030-01-01")
	late := act("r", "xn", Reserve, "2030-02-01")
	for _, c := range []struct {
		name string
		acts []Act
		on   string
		bond Bond
		why  Reason // of the last act
	}{
		{"a denunciation the day before it works", []Act{act("d", "xn", Denounce, "2030-03-01")}, "2030-05-29", Bound, ""},
		{"and on the day", []Act{act("d", "xn", Denounce, "2030-03-01")}, "2030-05-30", Unbound, ""},
		{"revoked the day before", []Act{act("d", "xn", Denounce, "2030-03-01"), act("v", "xn", Revoke, "2030-05-29", about("d"))}, "2031-01-01", Bound, ""},
		{"revoked on the day", []Act{act("d", "xn", Denounce, "2030-03-01"), act("v", "xn", Revoke, "2030-05-30", about("d"))}, "2031-01-01", Unbound, TooLate},
		{"revoked by another", []Act{act("d", "xn", Denounce, "2030-03-01"), act("v", "xs", Revoke, "2030-03-02", about("d"))}, "2031-01-01", Unbound, NotOwn},
		{"a reservation", []Act{withProvision(reserve)}, "2030-01-01", Modified, ""},
		{"to what is excepted", []Act{act("r", "xn", Reserve, "2030-01-01", func(a *Act) { a.Provision = "art-1.2" })}, "2030-02-01", Bound, Prohibited},
		{"to the whole, which touches it", []Act{reserve}, "2030-02-01", Bound, Prohibited},
		{"to an article whose name begins alike", []Act{act("r", "xn", Reserve, "2030-01-01", func(a *Act) { a.Provision = "art-12" })}, "2030-02-01", Modified, ""},
		{"objected to on the last day", []Act{withProvision(reserve), act("o", "xs", Object, "2031-01-01", about("r"), opposing)}, "2031-01-01", Excluded, ""},
		{"and the day after", []Act{withProvision(reserve), act("o", "xs", Object, "2031-01-02", about("r"), opposing)}, "2031-02-01", Modified, TooLate},
		{"accepted on the day of the objection", []Act{withProvision(reserve), act("a", "xs", AcceptReservation, "2030-05-01", about("r")), act("o", "xs", Object, "2030-05-01", about("r"), opposing)},
			"2030-06-01", Modified, AlreadyAgreed},
		{"accepted after the objection", []Act{withProvision(reserve), act("o", "xs", Object, "2030-05-01", about("r"), opposing), act("a", "xs", AcceptReservation, "2030-05-02", about("r"))},
			"2030-05-02", Modified, ""},
		{"late, before the deadline has passed", []Act{withProvision(late)}, "2031-02-01", Bound, ""},
		{"and after it", []Act{withProvision(late)}, "2031-02-02", Modified, ""},
		{"late, objected to in time", []Act{act("o", "xs", Object, "2031-02-01", about("r")), withProvision(late)}, "2031-03-01", Bound, Objected},
		{"the objection withdrawn on the last day", []Act{act("o", "xs", Object, "2030-05-01", about("r")), act("w", "xs", Withdraw, "2031-02-01", about("o")), withProvision(late)}, "2031-03-01", Modified, ""},
		{"and the day after", []Act{act("o", "xs", Object, "2030-05-01", about("r")), act("w", "xs", Withdraw, "2031-02-02", about("o")), withProvision(late)}, "2031-03-01", Bound, Objected},
		{"dated thirty days back", []Act{act("d", "xn", Denounce, "2030-03-01", known("2030-03-31"))}, "2031-01-01", Unbound, ""},
		{"and thirty-one", []Act{act("d", "xn", Denounce, "2030-03-01", known("2030-04-01"))}, "2031-01-01", Bound, BackDated},
		{"who says that it continues another", []Act{act("c", "xl", Continue, "2030-03-01", func(a *Act) { a.Participant = "xn" })}, "2031-01-01", Bound, NotOwn},
		{"and the other says so too", []Act{act("e", "xn", Dissolve, "2030-03-01", func(a *Act) { a.Participant = "xl" }), act("c", "xl", Continue, "2030-03-01", func(a *Act) { a.Participant = "xn" })},
			"2031-01-01", Unbound, ""},
		{"recorded by who is no depositary", []Act{act("d", "xn", Denounce, "2030-03-01", func(a *Act) { a.By = "xl" })}, "2031-01-01", Bound, NotDepositary},
		{"corrections in a circle", []Act{act("p", "xn", Correct, "2030-03-01", about("q")), act("q", "xn", Correct, "2030-03-01", about("p"))}, "2031-01-01", Bound, UnknownAct},
		{"a correction of a correction", []Act{act("p", "xn", Correct, "2030-03-01", about("x"), known("2030-03-01")), act("q", "xn", Correct, "2030-01-05", about("p"), known("2030-03-02"))}, "2030-01-05", Bound, ""},
		{"against somebody's taking part", []Act{act("o", "xs", Object, "2030-03-01", about("x"), opposing)}, "2031-01-01", Bound, NoEffect},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Fold(rules, append(append([]Act{}, both...), c.acts...), time.Time{})
			if got := r.Relation("xs", "xn", day(t, c.on)); got.Bond != c.bond {
				t.Errorf("%s, want %s\n%s", got.Bond, c.bond, story(r))
			}
			if n, _ := r.Act(c.acts[len(c.acts)-1].ID); n.Why != c.why {
				t.Errorf("the last act: %q, want %q", n.Why, c.why)
			}
		})
	}
}

// withProvision makes a reservation one that the rules permit: one to the whole would touch what is excepted.
func withProvision(a Act) Act {
	a.Provision = "art-7"
	return a
}
