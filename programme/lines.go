package programme

import (
	"slices"
	"time"

	"detente/check"
	"detente/directory"
	"detente/ledger"
	"detente/statement"
	"detente/traffic"
)

// year is how far back checks and silences are told of.
const year = 365 * 24 * time.Hour

// channels is measure 2: each channel's year of checks, its silences, its suspensions.
func (s *scene) channels() (l Line) {
	var stopped, silent, alive, waiting []Evidence
	total, counts := 0, map[Stands]int{}
	for _, t := range s.threads() {
		total++
		var since []Evidence
		for i := range t.Agreed {
			since = append(since, t.Agreed[i].evidence("statement", ""))
		}
		if len(since) > 0 { // a third party does not hold what was said on the link of the two
			l.add(fact("channel", t.since(), Anyone, since, t.Name, t.since()))
		}
		s.figures(&l, t)
		stands, why := s.channel(&l, t)
		counts[stands]++
		switch stands {
		case Suspended:
			stopped = append(stopped, why...)
		case Overdue:
			silent = append(silent, why...)
		case Alive:
			alive = append(alive, why...)
		default:
			waiting = append(waiting, append(why, since...)...)
		}
	}
	l.order()
	switch n := int64(total); {
	case total == 0:
		l.say(None, "none", nil)
	case counts[Suspended] > 0:
		l.say(Suspended, "suspended", stopped, int64(counts[Suspended]), n)
	case counts[Overdue] > 0:
		l.say(Overdue, "overdue", silent, int64(counts[Overdue]), n)
	case counts[Alive] > 0:
		l.say(Alive, "alive", alive, int64(counts[Alive]), n)
	default:
		l.say(Waiting, "waiting", waiting, n)
	}
	return l
}

// channel tells of one channel, and gives how it stands and by what.
func (s *scene) channel(l *Line, t *Thread) (Stands, []Evidence) {
	at, all := directory.Where{Channel: t.ID(), Plane: s.Plane}, s.statuses(t)
	var stopped []Evidence
	var from time.Time
	for _, p := range t.Members {
		if st := all.Of(at, p, s.Time); st != nil && st.State != directory.Open {
			l.add(fact("state."+known(st.State, "restricted", "degraded", "suspended"), st.From, Anyone, t.word(st.ID), t.Name, string(st.Party), st.From,
				Word("ground."+known(st.Ground, "none", "technical", "political", "legal", "security"))))
			if st.State == directory.Suspended || st.State == directory.Restricted {
				stopped, from = append(stopped, t.word(st.ID)...), later(from, st.From)
			}
		}
	}
	if len(stopped) > 0 {
		l.add(fact("goes-on", from, Anyone, stopped, t.Name))
	}
	if m := all.Minimize(at, t.Members, s.Time); m != nil {
		l.add(fact("minimize", m.Since, Anyone, t.word(m.ID), t.Name, string(m.By), m.Since))
	}
	silent, answered := s.checked(l, t)
	switch {
	case len(stopped) > 0:
		return Suspended, stopped
	case len(silent) > 0 && !s.public:
		return Overdue, silent
	case len(answered) > 0 && !s.public:
		return Alive, answered
	}
	if e := s.spoken(t); len(e) > 0 {
		return Alive, e
	}
	return Waiting, nil
}

// published are the proposals to publish figures of a channel as they stood, those of the latest periods first.
func (t *Thread) published(m moment) (out []ledger.Publication) {
	var parts []*ledger.Part
	t.files(Proposals, func(f *File) {
		if state, n := f.folded(t.Regime, m); n > 0 {
			parts = append(parts, ledger.Take(state, t.Regime))
		}
	})
	out = ledger.Proposed(parts, t.Members)
	slices.SortStableFunc(out, func(a, b ledger.Publication) int { return b.Period.To.Compare(a.Period.To) })
	return out
}

// figures tells what the two asked of each other and how it was answered, where all members had signed for exactly these figures: that is anybody's to see.
func (s *scene) figures(l *Line, t *Thread) {
	if len(t.Figures) == 0 {
		return
	}
	agreed := s.agreed(t)
	for _, x := range t.Figures {
		why := agreed[x.ID]
		if len(why) == 0 {
			continue
		}
		sums := make(map[[2]string]*ledger.Figure)
		for _, f := range x.Account.Between(s.Of[0], s.Of[1]).Figures {
			k := [2]string{string(f.From), f.To}
			if sums[k] == nil {
				sums[k] = &ledger.Figure{}
			}
			sum := sums[k]
			sum.Requests, sum.InTime, sum.Late, sum.Unanswered = sum.Requests+f.Requests, sum.InTime+f.InTime, sum.Late+f.Late, sum.Unanswered+f.Unanswered
		}
		for _, k := range [][2]string{{string(s.Of[0]), string(s.Of[1])}, {string(s.Of[1]), string(s.Of[0])}} {
			if f := sums[k]; f != nil {
				l.add(fact("figures", x.Period.To, Anyone, why, t.Name, k[0], k[1], int64(f.Requests), int64(f.InTime), int64(f.Late), int64(f.Unanswered), x.Period.From, x.Period.To))
			}
		}
	}
}

// agreed are the proposals that all had signed for, and the words by which they have.
func (s *scene) agreed(t *Thread) map[statement.ID][]Evidence {
	out := make(map[statement.ID][]Evidence)
	for _, p := range t.published(s.moment) {
		if !p.Agreed {
			continue
		}
		t.files(Proposals, func(f *File) {
			if at := f.at(p.ID, "statement"); len(at) > 0 && len(out[p.ID]) == 0 {
				ids := []statement.ID{p.ID}
				for _, c := range p.Consents {
					ids = append(ids, c.ID)
				}
				out[p.ID] = f.all("statement", ids...)
			}
		})
	}
	return out
}

// spoken is the last statement of a channel within a year, by which it is known to be in use.
func (s *scene) spoken(t *Thread) (out []Evidence) {
	var last time.Time
	take := func(list []Utterance) {
		n := s.upTo(list)
		if n > 0 && list[n-1].Stated.After(last) && s.Sub(list[n-1].Stated) < year {
			last, out = list[n-1].Stated, []Evidence{list[n-1].evidence("statement", "")}
		}
	}
	for _, f := range t.Files {
		take(f.Items)
	}
	take(t.Words)
	return out
}

// tally is the checks of one side by the other in a year.
type tally struct {
	sent, people, machine, late, missed, waiting int
	last                                         []Evidence // the last check that was answered, and its answer
	lastAt                                       time.Time
	runs                                         []run
	open                                         bool // the last run has not ended
}

// run is checks in a row that were not answered in time.
type run struct {
	from, to time.Time // when the first was made; when the next was that was answered
	missed   int
	evidence []Evidence
}

// checked tells of the checks of a year, each way, and gives the silences that last, and the last answers.
func (s *scene) checked(l *Line, t *Thread) (silent, answered []Evidence) {
	for _, way := range [][2]traffic.Party{{s.Of[0], s.Of[1]}, {s.Of[1], s.Of[0]}} {
		k := s.tally(t, way[0], way[1])
		if k.sent == 0 {
			continue
		}
		first := k.last
		if len(first) == 0 {
			first = k.runs[0].evidence // there is one: of checks none of which was answered in time, or that wait
		}
		l.add(fact("checks", k.lastAt, Conduct, first, t.Name, string(way[0]), string(way[1]), int64(k.sent), int64(k.people), int64(k.machine), int64(k.late), int64(k.missed)))
		for i, r := range k.runs[max(0, len(k.runs)-most):] {
			switch last := i == min(len(k.runs), most)-1; {
			case r.missed == 0:
			case last && k.open:
				l.add(fact("silence.lasts", r.from, Conduct, some(r.evidence), t.Name, string(way[1]), int64(r.missed), r.from))
				silent = append(silent, some(r.evidence)...)
			default:
				l.add(fact("silence", r.from, Conduct, some(r.evidence), t.Name, string(way[1]), int64(r.missed), r.from, r.to))
			}
		}
		answered = append(answered, k.last...)
	}
	return silent, answered
}

// tally counts the checks of a year that one party has sent another on a channel. All is by the times that statements give for themselves, so both sides count the same.
func (s *scene) tally(t *Thread, from, to traffic.Party) (k tally) {
	for _, c := range t.Checks {
		if !s.all && c.Stated.After(s.Time) {
			break
		}
		if c.From.Party != from || !asks(c.To, to) || s.Sub(c.Sent) > year || c.Sent.After(s.Time) && !s.all {
			continue
		}
		k.sent++
		a := s.answer(c, to)
		switch {
		case a == nil && (c.Due.IsZero() || !s.Time.After(c.Due)):
			if k.waiting++; k.last == nil && len(k.runs) == 0 {
				k.runs = append(k.runs, run{from: c.Sent, evidence: []Evidence{c.evidence()}}) // names what is counted; no silence
			}
			continue
		case a == nil:
			k.missed++
			if !k.open {
				k.runs, k.open = append(k.runs, run{from: c.Sent}), true
			}
			r := &k.runs[len(k.runs)-1]
			r.missed++
			if len(r.evidence) < most {
				r.evidence = append(r.evidence, c.evidence())
			}
			continue
		case !c.Due.IsZero() && a.Said.After(c.Due):
			k.late++
		case a.By == check.ByTerminal:
			k.machine++
		default:
			k.people++
		}
		if k.open {
			k.runs[len(k.runs)-1].to, k.open = a.Said, false
		}
		k.last, k.lastAt = []Evidence{a.evidence(), c.evidence()}, a.Said
	}
	return k
}

// answer is the reply of a party that counts and had been stated; nil for none.
func (s *scene) answer(c *Check, by traffic.Party) *Answer {
	for i := range c.Answers {
		if a := &c.Answers[i]; a.From.Party == by && (s.all || !a.Stated.After(s.Time)) {
			return a
		}
	}
	return nil
}
