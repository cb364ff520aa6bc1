package secretariat

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"detente/calendar"
	"detente/dialogue"
	"detente/wording"
)

// Calendar is the rounds and the days of actions, as a feed that officers' calendars read again and again. words gives the phrase of a kind of event, with the name
// of the series and the number of the round or the words of the action in it. Of sessions nothing stands there: a calendar is copied to telephones.
func (s *Secretariat) Calendar(ctx context.Context, only Filter, lang string, words func(key string, args ...any) string) ([]byte, error) {
	talks, err := s.Talks(ctx, Filter{Channel: only.Channel, Plane: only.Plane, All: true})
	if err != nil {
		return nil, err
	}
	c := calendar.Calendar{Name: words("calendar", string(s.self))}
	for _, t := range talks {
		c.Events = append(c.Events, t.events(lang, words)...)
	}
	return written(c)
}

// Invitation is the file that invites to an agreed round, for whoever sends it to the delegations. Error: ErrNothing for a round that is not agreed.
func (s *Secretariat) Invitation(t *Talk, number int, lang, organizer string, attendees []string, words func(key string, args ...any) string) ([]byte, error) {
	r := t.round(number)
	if r == nil || r.Agreed == nil {
		return nil, fmt.Errorf("%w: round %d is not agreed", ErrNothing, number)
	}
	e := t.event(r, r.Agreed, calendar.Confirmed, lang, words)
	e.Organizer, e.Attendees = organizer, attendees
	return written(calendar.Calendar{Method: "REQUEST", Events: []calendar.Event{e}})
}

func written(c calendar.Calendar) ([]byte, error) {
	slices.SortFunc(c.Events, func(a, b calendar.Event) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.UID, b.UID)) })
	var b bytes.Buffer
	if err := calendar.Write(&b, c); err != nil {
		return nil, fmt.Errorf("secretariat: %w", err)
	}
	return b.Bytes(), nil
}

// events are those of a talk: a round that is agreed, or held, else each time that is proposed; and the days of open actions.
func (t *Talk) events(lang string, words func(key string, args ...any) string) (out []calendar.Event) {
	if t.Series != nil {
		for _, n := range t.Series.Numbers() {
			r := t.Series.Rounds[n]
			if r.Agreed != nil {
				out = append(out, t.event(r, r.Agreed, calendar.Confirmed, lang, words))
				continue
			}
			for _, p := range r.Proposals {
				if len(p.Standing) > 0 && len(r.Held) == 0 {
					e := t.event(r, p, calendar.Tentative, lang, words)
					e.UID = p.Statement.String() + "@detente"
					out = append(out, e)
				}
			}
		}
	}
	for _, a := range t.Actions() {
		if a.Open() {
			out = append(out, calendar.Event{
				UID: a.Statement.String() + "@detente", Stamp: t.said(a.Statement.String()), Start: a.Due, End: a.Due.Add(30 * time.Minute), Status: calendar.Confirmed, Language: lang,
				Summary: words("calendar.action", t.Named(lang), wording.In(a.Words, lang)), Description: a.Owner,
			})
		}
	}
	return out
}

// event is a round. Its id is that of the series and the number, so that another time changes the event and adds none.
func (t *Talk) event(r *dialogue.Round, p *dialogue.Proposal, status calendar.Status, lang string, words func(key string, args ...any) string) calendar.Event {
	end := p.To
	if !end.After(p.From) {
		end = p.From.Add(time.Hour)
	}
	said := 0
	stamp := p.At
	for i := range t.Entries {
		e := &t.Entries[i]
		if e.Why == "" && (e.Form == "round-acceptance" && slices.Contains(e.Refs, p.Statement) || e.Values.Int("number") == int64(r.Number)) {
			said++
			if e.At.After(stamp) && e.Form == "round-acceptance" {
				stamp = e.At
			}
		}
	}
	return calendar.Event{
		UID: fmt.Sprintf("%s-%d@detente", t.ID, r.Number), Stamp: stamp, Sequence: said, Start: p.From, End: end, Status: status, Language: lang,
		Summary: words("calendar.round", t.Named(lang), r.Number), Description: words("mode." + string(p.Mode)), Location: p.Place,
	}
}

// said is when a statement was made.
func (t *Talk) said(id string) time.Time {
	for i := range t.Entries {
		if t.Entries[i].ID.String() == id {
			return t.Entries[i].At
		}
	}
	return t.Last()
}
