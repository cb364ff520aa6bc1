package acts

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"detente/traffic"
)

func randomRules(r *rand.Rand, parties []traffic.Party) *Rules {
	rules := &Rules{Version: 1, Nature: Legal, Depositary: []traffic.Party{"depo"}, Eligibility: Eligibility{Who: EligibleAll}}
	if r.IntN(4) == 0 {
		rules.Nature, rules.Runs = Political, RunsAdherents
	}
	if r.IntN(4) == 0 {
		rules.Eligibility = Eligibility{Who: EligibleListed, Parties: parties[:3]}
	}
	rules.Consent = []Kind{Ratify, Accede, Adhere, Succeed, Sign}[:3+r.IntN(3)]
	rules.Entry = Entry{Threshold: r.IntN(4), Delay: Delay{Days: r.IntN(20), Months: r.IntN(2), FirstOfMonth: r.IntN(4) == 0}, LaterFrom: []string{"", LaterEntry}[r.IntN(2)]}
	if r.IntN(3) == 0 {
		rules.Entry.Among = []Group{{Parties: parties[:2], AtLeast: 1 + r.IntN(2)}}
	}
	if r.IntN(3) == 0 {
		rules.Entry.Later = &Delay{Days: r.IntN(30)}
	}
	if r.IntN(3) == 0 {
		rules.Entry.NotBefore = firstDay + Day(r.IntN(200))
	}
	rules.Notice = Delay{Days: r.IntN(3) * 15}
	if r.IntN(4) == 0 {
		rules.BackDate = 13
	}
	rules.Reservations = Reservations{
		Regime: []string{ReservePermitted, ReservePermitted, ReserveProhibited}[r.IntN(3)], TacitMonths: r.IntN(3), Late: LateRefused, Confirm: r.IntN(4) == 0,
		DropOnSuccession: r.IntN(4) == 0,
	}
	if rules.Reservations.TacitMonths > 0 && r.IntN(2) == 0 {
		rules.Reservations.Late = LateTacit
	}
	return rules
}

func randomActs(r *rand.Rand, parties []traffic.Party, n int) []Act {
	kinds := []Kind{
		Sign, Sign, Confirm, Ratify, Ratify, Ratify, Accede, Accede, Adhere, Adhere, Adhere, Succeed, ApplyProvisional, Reserve, Reserve, Reserve, Reserve, Declare,
		Object, Object, Object, Object, AcceptReservation, Modify, Withdraw, Withdraw, Withdraw, Extend, Denounce, Denounce, Revoke, Correct, Correct, Communicate,
		Continue, Dissolve,
	}
	var list []Act
	for i := range n {
		a := Act{ID: fmt.Sprintf("%03d", r.IntN(1000)*1000+i), Party: parties[r.IntN(len(parties))], Kind: kinds[r.IntN(len(kinds))]}
		if r.IntN(60) == 0 {
			a.Kind = Terminate
		}
		a.Date = firstDay + Day(i*300/n) + Day(r.IntN(12))
		a.Known = a.Date.Time().Add(time.Duration(r.IntN(15)) * 24 * time.Hour)
		if r.IntN(6) == 0 {
			a.Effect = a.Date + Day(r.IntN(60)-20)
			if a.Kind == Succeed && a.Effect > a.Date {
				a.Effect = a.Date
			}
		}
		switch a.Kind {
		case Sign:
			a.Manner = []string{Simple, AdReferendum, AdReferendum, Definitive}[r.IntN(4)]
		case Ratify, Accede, Adhere:
			if r.IntN(4) == 0 {
				if w := parties[r.IntN(len(parties))]; w != a.Party {
					a.With = []traffic.Party{w}
				}
			}
			if r.IntN(6) == 0 {
				a.AtLeast = 2 + r.IntN(3)
			}
		case Succeed, Continue, Dissolve:
			a.Participant = string(parties[r.IntN(len(parties))])
			if r.IntN(2) == 0 || a.Kind == Continue {
				a.By = "depo"
			}
			if a.Kind == Dissolve {
				a.Participant = ""
			}
		case Extend:
			a.Participant = "an island"
		case Modify:
			a.Manner = []string{"", Narrowing, Widening}[r.IntN(3)]
		case Terminate:
			a.By = "depo"
		}
		a.Opposing = r.IntN(2) == 0
		about := map[Kind]func(Act) bool{
			Object:            func(b Act) bool { return b.Kind == Reserve },
			AcceptReservation: func(b Act) bool { return b.Kind == Reserve },
			Modify:            func(b Act) bool { return b.Kind == Reserve && b.Party == a.Party },
			Confirm:           func(b Act) bool { return (b.Kind == Reserve || b.Kind == Sign) && b.Party == a.Party },
			Withdraw:          func(b Act) bool { return keeps(b.Kind) && b.Kind != Communicate && b.Party == a.Party },
			Correct:           func(b Act) bool { return b.Party == a.Party },
		}[a.Kind]
		var fit []Act
		for _, b := range list {
			if about != nil && about(b) {
				fit = append(fit, b)
			}
		}
		if len(fit) > 0 && r.IntN(8) > 0 {
			a.Regarding = fit[r.IntN(len(fit))].ID
			if b := fit[len(fit)-1]; a.Kind == Correct && r.IntN(4) == 0 {
				a.Manner = Annulled
			} else if a.Kind == Correct && r.IntN(2) == 0 {
				a.Date, a.Regarding = max(firstDay, b.Date+Day(r.IntN(20)-10)), b.ID
			}
		} else if a.Kind == Withdraw && r.IntN(2) == 0 {
			a.Regarding = "nothing"
		}
		if r.IntN(25) == 0 {
			a.Void = Forked
			a.VoidFrom = a.Known.Add(time.Duration(r.IntN(100)) * 24 * time.Hour)
		}
		list = append(list, a)
	}
	return list
}

// The status on D as known on T is what an independent reading makes of the acts, over random acts, and it does not matter in which order they arrive.
func TestStatusIsWhatASlowReadingMakesOfTheActs(t *testing.T) {
	parties := []traffic.Party{"xa", "xb", "xc", "xd", "xe"}
	rounds := 500
	seen := map[string]int{}
	for round := range rounds {
		r := rand.New(rand.NewPCG(5, uint64(round)))
		rules := randomRules(r, parties)
		if err := rules.Check(); err != nil {
			t.Fatal(err)
		}
		list := randomActs(r, parties, 10+r.IntN(40))
		T := (firstDay + Day(100+r.IntN(300))).Time()
		o := consult(rules, list, T)
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		rec := Fold(rules, list, T)
		if rec.Met != o.met || rec.Entry != o.ent {
			t.Fatalf("round %d: met %d, entry %d; the slow reading has %d, %d", round, rec.Met, rec.Entry, o.met, o.ent)
		}
		for range 6 {
			d := firstDay + Day(r.IntN(400))
			got := map[traffic.Party]State{}
			for _, row := range rec.Status(d).Rows {
				got[row.Party] = row.State
			}
			for _, p := range parties {
				if want := o.state(p, d); cmp.Or(got[p], None) != want {
					t.Fatalf("round %d, day %d: %s is %s, the slow reading has %s\n%s", round, d, p, got[p], want, story(rec))
				}
				seen[string(got[p])]++
				for _, q := range parties {
					rel := described(rec.Relation(p, q, d))
					if want := o.relation(p, q, d); rel != want {
						t.Fatalf("round %d, day %d: %s and %s: %s, the slow reading has %s\n%s", round, d, p, q, rel, want, story(rec))
					}
					seen[string(rec.Relation(p, q, d).Bond)]++
				}
			}
		}
	}
	for _, what := range []string{string(InForce), string(Left), string(Waiting), string(Consented), string(Provisional), string(Signatory), string(Continued), string(Dissolved), string(Modified), string(Excluded)} {
		if seen[what] < 10 {
			t.Errorf("%s was seen %d times: the test shows nothing of it", what, seen[what])
		}
	}
	t.Log(seen)
}

func story(r *Record) string {
	out := fmt.Sprintf("%+v\n", *r.Rules)
	for _, n := range r.Acts {
		a := &n.Act
		if n.As != nil {
			a = n.As
		}
		out += fmt.Sprintf("%s %s %s %s date %d effect %d known %d about %s on %s by %s with %v %d opposing %v: %s works %d\n", n.ID, n.Party, n.Kind, n.Manner, a.Date, a.Effect, DayOf(n.Known), n.Regarding,
			n.Participant, n.By, n.With, n.AtLeast, n.Opposing, n.Why, n.Works)
	}
	return out
}
