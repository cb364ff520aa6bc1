package programme

import (
	"encoding/hex"
	"time"

	"detente/dialogue"
	"detente/directory"
	"detente/statement"
)

// dialogue is measure 1: the series of consultations of the two.
func (s *scene) dialogue() (l Line) {
	var best *talk
	for _, t := range s.threads() {
		t.files(Talks, func(f *File) {
			d := t.asTalk(f, s.moment)
			if d == nil || d.Series == nil || !s.both(d.Parties) {
				return
			}
			x := &talk{thread: t, file: f, Series: d.Series, of: d, view: d.Series.At(s.Time), stopped: s.suspended(t, directory.Consultations)}
			s.series(&l, x)
			if best == nil || x.before(best) {
				best = x
			}
		})
	}
	l.order()
	if best == nil {
		l.say(None, "none", nil)
		return l
	}
	s.sentence(&l, best)
	return l
}

// talk is a series on the date of the board.
type talk struct {
	*dialogue.Series
	thread  *Thread
	file    *File
	of      *dialogue.Dialogue
	view    dialogue.SeriesView
	stopped []Fact
}

// stands is how a series stands. Late actions are conduct, and not for everybody.
func (x *talk) stands() Stands {
	switch {
	case len(x.stopped) > 0:
		return Suspended
	case x.view.Overdue || x.view.Missed != nil:
		return Overdue
	case x.view.Next != nil || x.view.Last != nil:
		return Alive
	}
	return Waiting
}

// before tells whether the line is about this series rather than another: the one that needs somebody, then the level, then the one that was spoken of last.
func (x *talk) before(y *talk) bool {
	a, b := rank(x.stands(), Overdue, Suspended, Alive, Waiting), rank(y.stands(), Overdue, Suspended, Alive, Waiting)
	if a != b {
		return a < b
	}
	if a, b := levelRank(x.Level), levelRank(y.Level); a != b {
		return a < b
	}
	return x.Opened.After(y.Opened)
}

func levelRank(level string) int {
	for i, l := range []string{"high-level", "review", "risk-reduction", "response-teams", "experts"} {
		if l == level {
			return i
		}
	}
	return 9
}

func rank(s Stands, order ...Stands) int {
	for i, o := range order {
		if o == s {
			return i
		}
	}
	return len(order)
}

// sentence says how the series stands that the line is about.
func (s *scene) sentence(l *Line, x *talk) {
	opened := x.file.at(x.of.ID, "talk")
	switch stands := x.stands(); {
	case stands == Suspended:
		l.say(stands, "suspended", x.stopped[0].Evidence, x.Name)
	case x.view.Missed != nil:
		l.say(stands, "missed", x.agreed(x.view.Missed), x.Name, int64(x.view.Missed.Number), x.view.Missed.Agreed.To)
	case stands == Overdue:
		why := opened
		if x.view.Last != nil {
			why = x.held(x.view.Last)
		}
		l.say(stands, "overdue", why, x.Name, x.view.Due)
	case x.view.Next != nil:
		l.say(stands, "agreed", x.agreed(x.view.Next), x.Name, int64(x.view.Next.Number), x.view.Next.Agreed.From)
	case x.view.Last != nil:
		l.say(stands, "held", x.held(x.view.Last), x.Name, x.view.Last.End(), x.view.Due)
	default:
		l.say(stands, "waiting", opened, x.Name, x.view.Due)
	}
}

// agreed is what an agreed round rests on: the proposal, and the words by which the others stand on it.
func (x *talk) agreed(r *dialogue.Round) []Evidence {
	out := x.file.at(r.Agreed.Statement, "talk")
	for i := range x.of.Entries {
		e := &x.of.Entries[i]
		if e.Form == "round-acceptance" && e.Why == "" && len(e.Refs) == 1 && e.Refs[0] == r.Agreed.Statement {
			out = append(out, x.file.at(e.ID, "talk")...)
		}
	}
	return out
}

// held are the words that a round took place.
func (x *talk) held(r *dialogue.Round) (out []Evidence) {
	for _, p := range x.of.Parties {
		if h, said := r.Held[p]; said {
			out = append(out, x.file.at(h.Statement, "talk")...)
		}
	}
	return out
}

// series tells of a series.
func (s *scene) series(l *Line, x *talk) {
	l.add(fact("series", x.Opened, Anyone, x.file.at(x.of.ID, "talk"), x.Name, Word("level."+known(x.Level, "other", "high-level", "review", "risk-reduction", "response-teams", "experts")), int64(x.Every/(24*time.Hour))))
	l.add(x.stopped...)
	if r := x.view.Last; r != nil {
		l.add(fact("round.held", r.End(), Anyone, x.held(r), x.Name, int64(r.Number), r.End()))
		if text, signed := minutes(r, x.of); signed {
			var by []Evidence
			for _, p := range x.of.Parties {
				if raw, err := hex.DecodeString(r.Signed[p][text]); err == nil && len(raw) == len(statement.ID{}) {
					by = append(by, x.file.at(statement.ID(raw), "talk")...)
				}
			}
			l.add(fact("minutes", r.End(), Anyone, by, x.Name, int64(r.Number)))
		}
	}
	if r := x.view.Next; r != nil {
		l.add(fact("round.agreed", r.Agreed.From, Anyone, x.agreed(r), x.Name, int64(r.Number), r.Agreed.From, Word("mode."+known(string(r.Agreed.Mode), "in-person", "virtual", "correspondence", "third-venue"))))
	}
	if r := x.view.Missed; r != nil {
		l.add(fact("round.missed", r.Agreed.To, Anyone, x.agreed(r), x.Name, int64(r.Number), r.Agreed.To))
	}
	if r := x.Rounds[x.view.Number]; r != nil && r.Agreed == nil {
		s.sought(l, x, r)
	}
	if x.view.Overdue {
		why := x.file.at(x.of.ID, "talk")
		if x.view.Last != nil {
			why = x.held(x.view.Last)
		}
		l.add(fact("series.overdue", x.view.Due, Anyone, why, x.Name, x.view.Due, Word("mode."+known(string(x.view.Lighter), "correspondence", "virtual"))))
	}
	s.actions(l, x.file, x.Name, x.view.Open, x.view.Late)
}

// sought tells of a round for which no time is agreed.
func (s *scene) sought(l *Line, x *talk, r *dialogue.Round) {
	for _, p := range r.Proposals {
		if len(p.Standing) > 0 {
			l.add(fact("round.proposed", p.At, Members, x.file.at(p.Statement, "talk"), x.Name, int64(r.Number), p.By.String(), p.From))
		}
	}
	for _, no := range r.Refused() {
		l.add(fact("round.refused", no.At, Conduct, x.file.at(no.Statement, "talk"), x.Name, int64(r.Number), string(no.By),
			Word("refusal."+known(no.Ground, "other", "timing", "agenda", "composition", "venue", "political", "technical"))))
	}
}

// actions tells of what was resolved and is not done.
func (s *scene) actions(l *Line, f *File, name any, open, late []*dialogue.Action) {
	var all []Evidence
	var last time.Time
	for _, a := range open {
		all = append(all, f.at(a.Statement, "talk")...)
		if at := f.saidAt(a.Statement); at.After(last) {
			last = at
		}
	}
	if len(open) > 0 {
		l.add(fact("actions", last, Members, some(all), int64(len(open)), name))
	}
	for _, a := range late[:min(len(late), most)] {
		l.add(fact("action.late", a.Due, Conduct, f.at(a.Statement, "talk"), name, a.Owner, a.Due))
	}
}

// minutes is the clean text for which every party has signed.
func minutes(r *dialogue.Round, d *dialogue.Dialogue) (text [32]byte, signed bool) {
	for of := range r.Signed[d.Parties[0]] {
		if r.MinutesSigned(of, d.Parties) && (!signed || compareIDs(of, text) < 0) {
			text, signed = of, true
		}
	}
	return text, signed
}

// known is a code if it is one of a list, the first of which stands for what this program does not know.
func known(code string, list ...string) string {
	for _, c := range list {
		if c == code {
			return code
		}
	}
	return list[0]
}
