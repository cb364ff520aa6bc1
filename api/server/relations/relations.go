// Package relations is the requests of the local API about the programme between two parties: an extension of api/server.
// It must never show what the board of package programme does not, nor add words that no phrase has.
package relations

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	view "detente/api/programme"
	"detente/api/server"
	"detente/officer"
	"detente/programme"
	"detente/traffic"

	"golang.org/x/text/language"
)

// ErrDate is returned for what is no date that a board can be drawn of.
var ErrDate = errors.New("relations: no day that has come, and no time as RFC 3339")

// face answers the requests.
type face struct {
	*server.Server
	desk  *programme.Desk
	speak programme.Speaker
}

// Extend adds the requests to a server. Error: form.ErrRegime for phrases of this program that are not well formed.
func Extend(d *programme.Desk) (server.Extension, error) {
	phrases, err := programme.Phrases()
	if err != nil {
		return nil, err
	}
	return func(s *server.Server) {
		const tag = "programme"
		f := &face{s, d, programme.Speaker{Book: phrases}}
		s.Teach(
			server.Rule{Is: programme.ErrParties, Status: http.StatusUnprocessableEntity, Code: "no-relation", Hint: "name two different parties, such as: detente programme xn xs"},
			server.Rule{Is: programme.ErrUnknown, Status: http.StatusNotFound, Code: "unknown-party", Hint: "see who is known with: detente charter list"},
			server.Rule{Is: ErrDate, Status: http.StatusUnprocessableEntity, Code: "no-date", Hint: "write a day as 2026-11-23, or a time as 2026-11-23T12:00:00Z; days to come have no board"},
		)
		get := func(path, id, summary string) server.Request {
			return server.Operation(s, officer.Read, tag, http.MethodGet, path, id, summary)
		}
		server.Handle(s, get("/v1/programme", "list-relations", "Relations, and how each of their six measures stands"), f.list)
		server.Handle(s, get("/v1/programme/{x}/{y}", "show-programme", "The six measures between two parties, as of a date"), f.board)
		server.Handle(s, get("/v1/programme/{x}/{y}/timeline", "programme-timeline", "How they stood over the months before"), f.timeline)
	}, nil
}

// Of names two parties and a date. It is exported because the API reads what is embedded only so.
type Of struct {
	X      traffic.Party `path:"x" maxLength:"32"`
	Y      traffic.Party `path:"y" maxLength:"32"`
	On     string        `query:"on" maxLength:"40" doc:"A day, such as 2026-11-23, at its end, or a time as RFC 3339; now if it is left out."`
	Plane  traffic.Plane `query:"plane" enum:"real,exercise,test" default:"real"`
	Lang   string        `query:"lang" default:"en" maxLength:"64"`
	Public bool          `query:"public" doc:"As it may be shown to others."`
}

// date is the date asked for; zero for now. The end of today is now: what was not stated yet is in no board.
func (o *Of) date(now time.Time) (time.Time, error) {
	if o.On == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, o.On)
	if err != nil {
		if at, err = time.Parse(time.DateOnly, o.On); err != nil {
			return at, fmt.Errorf("%w: %q", ErrDate, o.On)
		}
		if at.After(now) {
			return at, fmt.Errorf("%w: %q", ErrDate, o.On)
		}
		if at = at.Add(24*time.Hour - time.Second); at.After(now) {
			at = now
		}
	}
	if at.After(now) {
		return at, fmt.Errorf("%w: %q", ErrDate, o.On)
	}
	return at, nil
}

// in is what says boards in the reader's language.
func (f *face) in(lang string) programme.Speaker {
	s := f.speak
	s.Lang = language.Make(lang)
	return s
}

func (f *face) list(ctx context.Context, _ officer.Actor, in *struct {
	Plane traffic.Plane `query:"plane" enum:"real,exercise,test" default:"real"`
}) ([]view.Relation, error) {
	out := []view.Relation{}
	for _, pair := range f.desk.Relations(ctx) {
		b, err := f.desk.Board(ctx, pair.Of[0], pair.Of[1], in.Plane, time.Time{}, false)
		if err != nil {
			return nil, err
		}
		r := view.Relation{X: pair.Of[0], Y: pair.Of[1], Own: pair.Own}
		for i := range b.Lines {
			r.Stands = append(r.Stands, string(b.Lines[i].Stands))
		}
		out = append(out, r)
	}
	return out, nil
}

func (f *face) board(ctx context.Context, _ officer.Actor, in *Of) (out view.Board, err error) {
	on, err := in.date(time.Now())
	if err != nil {
		return out, err
	}
	b, err := f.desk.Board(ctx, in.X, in.Y, in.Plane, on, in.Public)
	if err != nil {
		return out, err
	}
	out = view.Board{X: b.Of[0], Y: b.Of[1], Plane: b.Plane, On: b.On, Public: b.Public}
	say := f.in(in.Lang)
	for i := range b.Lines {
		l := &b.Lines[i]
		v := view.Line{
			Measure: l.Measure, Title: say.Measure(l.Measure), Stands: string(l.Stands), StandsIn: say.Stands(l.Stands), Key: l.Key, Words: say.Sentence(l), Evidence: evidence(l.Evidence), Facts: []view.Fact{},
		}
		for j := range l.Facts {
			x := &l.Facts[j]
			v.Facts = append(v.Facts, view.Fact{Key: x.Key, Words: say.Fact(x), At: x.At, Conduct: x.Reach == programme.Conduct, Evidence: evidence(x.Evidence)})
		}
		out.Lines = append(out.Lines, v)
	}
	return out, nil
}

func evidence(list []programme.Evidence) []view.Evidence {
	out := []view.Evidence{}
	for _, e := range list {
		out = append(out, view.Evidence{Statement: e.Statement.String(), Number: e.Number, Feed: e.Feed, Index: e.Index, Kind: e.Kind, File: e.File})
	}
	return out
}

func (f *face) timeline(ctx context.Context, _ officer.Actor, in *struct {
	Of
	Months int `query:"months" default:"12" minimum:"1" maximum:"60"`
}) (out view.Timeline, err error) {
	now := time.Now()
	to, err := in.date(now)
	if err != nil {
		return out, err
	}
	if to.IsZero() {
		to = now
	}
	t, err := f.desk.Timeline(ctx, in.X, in.Y, in.Plane, to.AddDate(0, -in.Months, 0), to, in.Public)
	if err != nil {
		return out, err
	}
	out = view.Timeline{X: t.Of[0], Y: t.Of[1], From: t.From, To: t.To, Begins: []string{}, Changes: []view.Change{}}
	for _, s := range t.Begins {
		out.Begins = append(out.Begins, string(s))
	}
	say := f.in(in.Lang)
	for i := range t.Changes {
		c := &t.Changes[i]
		out.Changes = append(out.Changes, view.Change{
			Day: c.Day, Measure: c.Line.Measure, Title: say.Measure(c.Line.Measure), From: string(c.From), FromIn: say.Stands(c.From), To: string(c.Line.Stands), ToIn: say.Stands(c.Line.Stands),
			Words: say.Sentence(&c.Line), Evidence: evidence(c.Line.Evidence[:min(len(c.Line.Evidence), 3)]),
		})
	}
	return out, nil
}
