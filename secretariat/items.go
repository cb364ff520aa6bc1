package secretariat

import (
	"fmt"
	"slices"
	"time"

	"detente/dialogue"
	"detente/statement"
	"detente/traffic"
	"detente/watch"
	"detente/wording"
)

// handling is the time over which the ladder of an item is spread where nothing runs out: what a secretariat does is done at a desk.
const handling = 7 * 24 * time.Hour

// Items are what consultations need somebody for. Proposals that wait for an answer are none of them: the floor itself shows what waits for an answer.
func (s *Secretariat) Items(now time.Time) (items []*watch.Item, again time.Time) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, t := range s.talks {
		if t.Series != nil {
			list, next := s.series(t, now)
			items, again = append(items, list...), sooner(again, next)
		}
		list, next := s.actions(t, now)
		items, again = append(items, list...), sooner(again, next)
	}
	return items, again
}

// item is one about a talk. s.mu is held.
func (s *Secretariat) item(t *Talk, say, what string, about statement.ID, since time.Time, args ...any) *watch.Item {
	it := &watch.Item{
		Kind: watch.Dialogue, Key: watch.Key(watch.Dialogue, what, about.String()), Post: t.post, Plane: t.Name.Plane, Precedence: traffic.Routine, Say: "talks." + say,
		Args: append([]any{t.Named(s.language())}, args...), Statement: about, Number: t.Places[about].Number, Channel: t.Name.Channel, Since: since, Handling: handling,
	}
	for i := range t.Entries {
		if e := &t.Entries[i]; e.ID == about {
			it.Form = e.Form
			if e.Issuer.Party != s.self {
				it.Peer = e.Issuer.Party
			}
		}
	}
	return it
}

func (s *Secretariat) language() string {
	if l := s.node.Chain(s.self).Latest().Languages; len(l) > 0 {
		return l[0]
	}
	return "en"
}

// series is what a series asks for. It is the same at every end but for the minutes, which each signs for itself.
func (s *Secretariat) series(t *Talk, now time.Time) (items []*watch.Item, again time.Time) {
	at := t.Series.At(now)
	switch {
	case at.Overdue && (at.Missed == nil || at.Missed.Number != at.Number):
		// One item for each time that it is due: the next one, after a round that was held, is another.
		it := s.item(t, "overdue."+string(at.Lighter), "overdue", t.ID, at.Due, at.Number, at.Due)
		it.Key, it.Peer = watch.Key(watch.Dialogue, "overdue", t.ID.String(), at.Due.UTC().Format(time.DateOnly)), ""
		items = append(items, it)
	case now.Before(at.Due):
		again = at.Due
	}
	if r := at.Missed; r != nil {
		it := s.item(t, "missed", "missed", r.Agreed.Statement, r.Agreed.To, r.Number, r.Agreed.To)
		it.Peer = ""
		items = append(items, it)
	}
	if at.Next != nil {
		again = sooner(again, at.Next.Agreed.To)
	}
	for _, n := range t.Series.Numbers() {
		r := t.Series.Rounds[n]
		x := t.TextOf(n, "minutes")
		if x == nil || !x.Agreed || r.Signed[s.self][x.Digest] != "" || !slices.Contains(t.Parties, s.self) {
			continue
		}
		about := x.ID
		if e := t.naming(n, "minutes"); e != nil {
			about = e.ID
		}
		it := s.item(t, "minutes", "minutes", about, x.Last, n)
		it.Key = watch.Key(watch.Dialogue, "minutes", x.ID.String(), fmt.Sprintf("%x", x.Digest[:8]))
		items = append(items, it)
	}
	return items, again
}

// naming is the statement by which a round has its text.
func (t *Talk) naming(number int, what string) (found *dialogue.Entry) {
	for i := range t.Entries {
		e := &t.Entries[i]
		if e.Form == FormText && e.Why == "" && int(e.Values.Int("number")) == number && e.Values.Text("what") == what {
			found = e
		}
	}
	return found
}

// actions are the own ones that are past their day.
func (s *Secretariat) actions(t *Talk, now time.Time) (items []*watch.Item, again time.Time) {
	for _, a := range t.Actions() {
		owner, err := traffic.ParseAddress(a.Owner)
		if err != nil || owner.Party != s.self || !a.Open() {
			continue
		}
		if now.Before(a.Due) {
			again = sooner(again, a.Due)
			continue
		}
		it := s.item(t, "action", "action", a.Statement, a.Due, shortened(wording.In(a.Words, s.language())), a.Due)
		it.Key, it.Due = watch.Key(watch.Dialogue, "action", a.Statement.String(), a.Due.UTC().Format(time.DateOnly)), a.Due
		if owner.Post != "" {
			it.Post = owner.Post
		}
		items = append(items, it)
	}
	return items, again
}

// shortened is what of a text stands in an item.
func shortened(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
