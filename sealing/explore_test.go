package sealing

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"detente/key"
	"detente/traffic"
)

// The tests of this file play rounds on the real code, in steps of Δ: what is sent in one step arrives in the next, which is the latest that the assumption
// allows. One party is honest and has deposited with everybody. The adversary is the other party and f sealers; in every step it gives each
// honest sealer what it likes: nothing, the consents, or the consents and words of its sealers. Signatures alone are not real, for speed:
// they are made of the key and the message, and checked by making them again.

// forge stands in for the primitive: it can be made by nobody who has not the key in cast, since only the tests call it for them.
func forge(k key.Verifier, msg []byte) []byte {
	id := k.ID()
	sum := uint64(14695981039346656037)
	for _, b := range msg {
		sum = (sum ^ uint64(b)) * 1099511628211
	}
	return fmt.Appendf(id[:], "%x", sum)
}

// stage is a cast with cheap signatures, made once and used for every schedule.
type stage struct {
	round    *Round
	consents []Consent
	seens    map[traffic.Address]Seen
	finals   map[Decision]map[traffic.Address]Final
	sealers  []traffic.Address // the faulty ones are the last
}

func newStage(t testing.TB, n, f int) *stage {
	c := play(t, n, f)
	r := c.round
	made := map[string][]byte{}
	sign := func(v *voice, msg []byte) [][]byte {
		s := forge(v.keys[0], msg)
		made[string(s)] = msg
		return [][]byte{s}
	}
	r.check = func(keys []key.Verifier, msg []byte, signatures [][]byte) bool {
		id := keys[0].ID()
		s := signatures[0]
		return bytes.HasPrefix(s, id[:]) && bytes.Equal(made[string(s)], msg)
	}
	st := &stage{round: r, seens: map[traffic.Address]Seen{}, finals: map[Decision]map[traffic.Address]Final{InForce: {}, Lapsed: {}}}
	for _, m := range r.manifest.Parties {
		v := r.parties[m.Party]
		st.consents = append(st.consents, Consent{r.hash, m.Party, sign(v, v.consent)})
	}
	for _, m := range r.manifest.Sealers {
		a := m.Address()
		v := r.sealers[a]
		st.sealers = append(st.sealers, a)
		st.seens[a] = Seen{r.hash, a, sign(v, v.seen)}
		for _, d := range []Decision{InForce, Lapsed} {
			st.finals[d][a] = Final{r.hash, a, d, sign(v, v.decision[d])}
		}
	}
	return st
}

// gift is what the adversary gives to one honest sealer in one step.
type gift struct {
	consents bool
	seens    int // of how many of its sealers, beginning with the first
}

// schedule is the gifts: schedule[step][honest sealer].
type schedule [][]gift

// result is what became of a schedule.
type result string

const (
	inForce     result = "in force"
	lapsed      result = "lapsed"
	limbo       result = "limbo"         // the faulty sealers can tip it one way or the other, or leave it open
	contradicts result = "contradictory" // certificates of both can be made
)

// run plays one schedule. lost tells whether a relay is lost; nil for a network that loses nothing.
func (st *stage) run(t testing.TB, s schedule, ru rule, lost func() bool) result {
	m := st.round.manifest
	honest := st.sealers[:len(s[0])]
	faulty := st.sealers[len(honest):]
	machines := make([]*Sealer, len(honest))
	for i, a := range honest {
		machines[i] = &Sealer{round: st.round, self: a, rule: ru, consents: map[traffic.Party]Consent{}, seens: map[traffic.Address]Seen{}}
		machines[i].Receive(m.Deadline.Add(-m.Delta), Packet{Consents: st.consents[:1]})
	}
	var flying []Packet // to all honest sealers, since the last step
	told := make([]bool, len(honest))
	for step := range s {
		now := m.Deadline.Add(time.Duration(step) * m.Delta)
		arriving := flying
		flying = nil
		for i, machine := range machines {
			var p Packet
			if g := s[step][i]; g.consents {
				p.Consents = st.consents
				for _, a := range faulty[:g.seens] {
					p.Seens = append(p.Seens, st.seens[a])
				}
			}
			machine.Receive(now, p)
			for _, p := range arriving {
				if lost == nil || !lost() {
					machine.Receive(now, p)
				}
			}
			if p, to := machine.Relay(st.seens[honest[i]]); to != nil && !told[i] {
				told[i] = true
				flying = append(flying, p)
			}
		}
	}
	end := m.Final().Add(time.Second)
	e := Evidence{Consents: st.consents}
	for i, machine := range machines {
		if !machine.Tick(end) || machine.Tick(end) {
			t.Fatal("a sealer decides once")
		}
		d, _ := machine.Decision()
		e.Finals = append(e.Finals, st.finals[d][honest[i]])
	}
	// Whatever the faulty sealers sign: everything, and one by one.
	both := e
	for _, d := range []Decision{InForce, Lapsed} {
		for _, a := range faulty {
			both.Finals = append(slices.Clone(both.Finals), st.finals[d][a])
		}
	}
	alone, all := st.round.Verdict(e), st.round.Verdict(both)
	switch {
	case all.State == StateContested:
		if len(all.Double) <= m.Faulty {
			t.Fatalf("a contradiction that names %v only", all.Double)
		}
		return contradicts
	case alone.State == StateInForce && all.State == StateInForce:
		return inForce
	case alone.State == StateLapsed && all.State == StateLapsed:
		return lapsed
	}
	return limbo
}

// explore runs every schedule and counts. The honest sealers are alike, so of schedules that differ only in which sealer is given what, one is run
// and counted as often as there are.
func (st *stage) explore(t testing.TB, honest, steps int, gifts []gift, ru rule) map[result]int {
	each := 1 // what one sealer can be given in all
	for range steps {
		each *= len(gifts)
	}
	counts := map[result]int{}
	choice := make([]int, honest)
	var choose func(i, least int)
	choose = func(i, least int) {
		if i < honest {
			for choice[i] = least; choice[i] < each; choice[i]++ {
				choose(i+1, choice[i])
			}
			return
		}
		s := make(schedule, steps)
		for _, c := range choice {
			for step := range s {
				s[step] = append(s[step], gifts[c%len(gifts)])
				c /= len(gifts)
			}
		}
		counts[st.run(t, s, ru, nil)] += arrangements(choice)
	}
	choose(0, 0)
	return counts
}

// arrangements is in how many orders a sorted list can stand.
func arrangements(sorted []int) int {
	n, run := 1, 0
	for i := range sorted {
		n *= i + 1
		if run++; i > 0 && sorted[i] != sorted[i-1] {
			run = 1
		}
		n /= run
	}
	return n
}

func autonomous() rule { return rule{credit: theRule().credit, relay: false} }
func noCredit() rule   { return rule{credit: func(j, f int) int { return 0 }, relay: true} }
func cappedAtF() rule  { return rule{credit: func(j, f int) int { return min(j, f) }, relay: true} }

// Every schedule there is for four sealers of which one is faulty: 27 for each honest one, 19,683 in all. The rule leaves no limbo; each of the
// others, which one writes first, does.
func TestFourSealersOneFaultyEverySchedule(t *testing.T) {
	st := newStage(t, 4, 1)
	gifts := []gift{{}, {true, 0}, {true, 1}}
	for _, c := range []struct {
		name string
		rule rule
		want map[result]int
	}{
		{"the rule", theRule(), map[result]int{inForce: 19467, lapsed: 216}},
		{"no relay credit", noCredit(), map[result]int{inForce: 5832, lapsed: 729, limbo: 13122}},
		{"sealers that do not talk", autonomous(), map[result]int{inForce: 9261, lapsed: 216, limbo: 10206}},
		{"credit capped at f", cappedAtF(), map[result]int{inForce: 18981, lapsed: 216, limbo: 486}},
	} {
		got := st.explore(t, 3, 3, gifts, c.rule)
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// More faulty sealers than the manifest allows for can contradict themselves, and every time they do they are named.
func TestTwoFaultyWhereOneIsAllowedForAreNamed(t *testing.T) {
	st, gifts := newStage(t, 4, 1), []gift{{}, {true, 0}, {true, 2}}
	for name, c := range map[string]struct {
		rule rule
		want map[result]int
	}{
		"the rule":                 {theRule(), map[result]int{limbo: 713, contradicts: 16}},
		"sealers that do not talk": {autonomous(), map[result]int{limbo: 545, contradicts: 184}},
	} {
		if got := st.explore(t, 2, 3, gifts, c.rule); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A single depositary is the same code.
func TestOneDepositary(t *testing.T) {
	got := newStage(t, 1, 0).explore(t, 1, 3, []gift{{}, {true, 0}, {true, 0}}, theRule())
	if want := map[result]int{inForce: 18, lapsed: 9}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Seven sealers, two faulty, schedules by chance: no limbo while relays arrive in Δ; where half of them are lost there may be limbo, and still no contradiction.
func TestSevenSealersTwoFaultySampled(t *testing.T) {
	st := newStage(t, 7, 2)
	random := rand.New(rand.NewPCG(7, 2))
	draw := func() schedule {
		s := make(schedule, 4)
		for step := range s {
			for range 5 {
				// Rarely much: else nearly every schedule ends in the first step.
				g := gift{consents: random.IntN(8) == 0}
				if g.consents {
					g.seens = random.IntN(3)
				}
				s[step] = append(s[step], g)
			}
		}
		return s
	}
	count := func(ru rule, lost func() bool) map[result]int {
		counts := map[result]int{}
		for range samples {
			counts[st.run(t, draw(), ru, lost)]++
		}
		return counts
	}
	if got := count(theRule(), nil); got[limbo] != 0 || got[contradicts] != 0 || got[inForce] == 0 || got[lapsed] == 0 {
		t.Errorf("synchronous: %v", got)
	}
	lossy := func() bool { return random.IntN(2) == 0 }
	if got := count(theRule(), lossy); got[limbo] == 0 || got[contradicts] != 0 {
		t.Errorf("half of the relays lost: %v", got)
	}
	for name, ru := range map[string]rule{"no relay credit": noCredit(), "sealers that do not talk": autonomous(), "credit capped at f": cappedAtF()} {
		if got := count(ru, nil); got[limbo] == 0 || got[contradicts] != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}
