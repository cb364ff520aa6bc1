package programme

import (
	"slices"
	"time"

	"detente/directory"
	"detente/statement"
	"detente/traffic"
)

// Board draws the board as of a date; the zero time is now, and reads all that is held, whatever date it bears. public leaves out what is not for others.
func (r *Record) Board(on time.Time, public bool) *Board {
	m := moment{on, false}
	if on.IsZero() {
		m = moment{time.Now(), true}
	}
	m.Time = m.Time.UTC().Truncate(time.Second)
	s := &scene{r, m, public}
	b := &Board{Of: r.Of, Plane: r.Plane, On: m.Time, Public: public}
	for i, line := range []func() Line{s.dialogue, s.channels, s.agreement, s.guarantees, s.experts, s.pledge} {
		l := line()
		l.Measure = i + 1
		if len(r.Threads) == 0 && !r.Member && l.Measure != Pledge {
			l = Line{Measure: l.Measure, Stands: Unseen, Key: "unseen"}
		}
		if public {
			l.Facts = slices.DeleteFunc(l.Facts, func(f Fact) bool { return f.Reach != Anyone })
		}
		b.Lines[i] = l
	}
	return b
}

// scene is a record on a date, while a board is drawn of it.
type scene struct {
	*Record
	moment
	public bool
}

// fact is one that something happened.
func fact(key string, at time.Time, reach Reach, evidence []Evidence, args ...any) Fact {
	return Fact{Key: key, Args: args, At: at.UTC(), Reach: reach, Evidence: evidence}
}

// say makes the sentence of a line.
func (l *Line) say(stands Stands, key string, evidence []Evidence, args ...any) {
	l.Stands, l.Key, l.Args, l.Evidence = stands, key, args, some(evidence)
}

func (l *Line) add(f ...Fact) { l.Facts = append(l.Facts, f...) }

// most is how many statements are named as the evidence of one thing. The count says how many there are.
const most = 12

func some(list []Evidence) []Evidence { return list[:min(len(list), most)] }

// order puts the facts into the order of their times, the newest first; those of one time stay in the order in which they were found, which is the same at every end.
func (l *Line) order() {
	slices.SortStableFunc(l.Facts, func(a, b Fact) int { return b.At.Compare(a.At) })
}

// open tells whether a channel had come to be.
func (s *scene) open(t *Thread) bool {
	if s.all {
		return true
	}
	since := t.since()
	return !since.IsZero() && !since.After(s.Time)
}

// since is when both had agreed to a channel; where this node does not hold that, when something was first said there.
func (t *Thread) since() (at time.Time) {
	if len(t.Agreed) == 2 {
		return later(t.Agreed[0].Stated, t.Agreed[1].Stated)
	}
	first := func(u time.Time) {
		if at.IsZero() || u.Before(at) {
			at = u
		}
	}
	for _, f := range t.Files {
		if len(f.Items) > 0 {
			first(f.Items[0].Stated)
		}
	}
	if len(t.Words) > 0 {
		first(t.Words[0].Stated)
	}
	if len(t.Checks) > 0 {
		first(t.Checks[0].Stated)
	}
	return at
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// threads are the channels that had come to be.
func (s *scene) threads() (out []*Thread) {
	for _, t := range s.Threads {
		if s.open(t) {
			out = append(out, t)
		}
	}
	return out
}

// statuses folds what the members have stated of a channel.
func (s *scene) statuses(t *Thread) *directory.Statuses {
	out := directory.NewStatuses()
	for i := range t.Words[:s.upTo(t.Words)] {
		u := &t.Words[i]
		if u.Statement.Form == "status" || u.Statement.Form == "service" {
			out.Add(u.Statement.ID(), &u.Statement.Header, u.Values)
		}
	}
	return out
}

// word is the evidence of a statement that is read one by one.
func (t *Thread) word(id statement.ID) []Evidence {
	if t.heard == nil {
		t.heard = make(map[statement.ID]*Utterance, len(t.Words))
		for i := range t.Words {
			t.heard[t.Words[i].Statement.ID()] = &t.Words[i]
		}
	}
	if u := t.heard[id]; u != nil {
		return []Evidence{u.evidence("statement", "")}
	}
	return nil
}

// stops are what members have stated of a channel that stops a function, in the order of the members.
func (s *scene) stops(t *Thread, function string) (out []*directory.Statement) {
	if directory.Floor(function) {
		return nil
	}
	all := s.statuses(t)
	for _, p := range t.Members {
		if st := all.Of(directory.Where{Channel: t.ID(), Plane: s.Plane}, p, s.Time); st.Stops(function) {
			out = append(out, st)
		}
	}
	return out
}

// suspended tells of what stops a function on a channel.
func (s *scene) suspended(t *Thread, function string) (facts []Fact) {
	for _, st := range s.stops(t, function) {
		facts = append(facts, fact("suspended", st.From, Anyone, t.word(st.ID), t.Name, string(st.Party), st.From, Word("ground."+known(st.Ground, "none", "technical", "political", "legal", "security"))))
	}
	return facts
}

// files calls fn for the files of a kind on a channel.
func (t *Thread) files(k Kind, fn func(*File)) {
	for _, f := range t.Files {
		if f.Holds&k != 0 {
			fn(f)
		}
	}
}

// both tells whether a list has the two parties.
func (r *Record) both(list []traffic.Party) bool {
	return slices.Contains(list, r.Of[0]) && slices.Contains(list, r.Of[1])
}

// evidence of several statements of a file.
func (f *File) all(kind string, ids ...statement.ID) (out []Evidence) {
	for _, id := range ids {
		out = append(out, f.at(id, kind)...)
	}
	return out
}
