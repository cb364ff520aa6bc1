// Package acts is the requests of the local API about open instruments: an extension of api/server.
// It must never state an act: that is a statement like any other, and goes the way of one.
package acts

import (
	"context"
	"fmt"
	"net/http"
	"time"

	fold "detente/acts"
	"detente/api/compose"
	"detente/api/registry"
	"detente/api/server"
	"detente/officer"
	"detente/register/docket"
	"detente/traffic"
)

// desk answers the requests.
type desk struct {
	*server.Server
	docket *docket.Docket
}

// Extend adds the requests to a server.
func Extend(k *docket.Docket) server.Extension {
	return func(s *server.Server) {
		const tag = "register"
		d := &desk{s, k}
		get := func(path, id, summary string) server.Request {
			return server.Operation(s, officer.Read, tag, http.MethodGet, path, id, summary)
		}
		server.Handle(s, get("/v1/instruments", "list-instruments", "Open instruments that are known here"), d.list)
		server.Handle(s, get("/v1/instruments/{id}", "show-instrument", "One of them, with its words and rules"), d.show)
		server.Handle(s, get("/v1/instruments/{id}/acts", "list-acts", "Its acts, those without effect too"), d.acts)
		server.Handle(s, get("/v1/instruments/{id}/status", "instrument-status", "Who is bound on a day, as known at a time"), d.status)
		server.Handle(s, get("/v1/instruments/{id}/relations", "instrument-relations", "What it is between participants on a day"), d.relations)
		server.Handle(s, get("/v1/acts/{id}", "find-act", "One act, by the beginning of its id"), d.act)
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodPost, "/v1/instruments", "import-acts", "Keep a collection of dated acts, and hold its stated status against the computed one"), d.bring)
		s.Teach(rules()...)
	}
}

// rules says how what may go wrong looks from outside.
func rules() []server.Rule {
	return []server.Rule{
		{Is: docket.ErrUnknown, Status: http.StatusNotFound, Code: "no-instrument", Hint: "see them with: detente act list"},
		{Is: docket.ErrNoAct, Status: http.StatusNotFound, Code: "no-act", Hint: "see the acts with: detente act list INSTRUMENT"},
		{Is: docket.ErrAmbiguous, Status: http.StatusConflict, Code: "several", Hint: "give more of the id"},
		{Is: docket.ErrOpensNone, Status: http.StatusConflict, Code: "opens-nothing", Hint: "its opening says why: detente act list"},
		{Is: fold.ErrCollection, Status: http.StatusUnprocessableEntity, Code: "no-collection", Hint: "docs/register.md says what a collection has"},
		{Is: fold.ErrDay, Status: http.StatusUnprocessableEntity, Code: "no-day", Hint: "write a day as 2026-11-23"},
	}
}

// Moment is a question's day and time.
type Moment struct {
	On    string `query:"on" maxLength:"10" doc:"A day, such as 2026-11-23; today if it is left out."`
	Known string `query:"known" maxLength:"40" doc:"A day, or a time as RFC 3339: what was known by then; all if it is left out."`
}

func (m *Moment) on() (fold.Day, error) {
	if m.On == "" {
		return fold.DayOf(time.Now()), nil
	}
	return fold.ParseDay(m.On)
}

// known reads a time; a day stands for its end.
func known(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := fold.ParseDay(s); err == nil {
		return d.Time().Add(24*time.Hour - time.Second), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%w: %q is no day, and no time as RFC 3339", compose.ErrRequest, s)
	}
	return t, nil
}

func (s *desk) record(ctx context.Context, id, at string) (*docket.Instrument, *fold.Record, error) {
	i, err := s.docket.Instrument(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	t, err := known(at)
	if err != nil {
		return nil, nil, err
	}
	r, err := i.Record(t)
	return i, r, err
}

func view(i *docket.Instrument) registry.Instrument {
	v := registry.Instrument{ID: i.ID, Title: i.Title(), Acts: len(i.Acts())}
	if c := i.Collection; c != nil {
		v.Source, v.Nature, v.Cited = "collection", c.Rules.Nature, c.Source
	} else {
		o := i.Opening
		v.Source, v.Party, v.At, v.Kind, v.Nature, v.Languages, v.Why = "feed", o.Party, o.At, o.Kind, o.Nature, o.Languages, o.Why
	}
	if r, err := i.Record(time.Time{}); err == nil {
		status := r.Status(fold.DayOf(time.Now()))
		v.Entry, v.Parties = status.Entry, status.Counts[fold.InForce]
	}
	return v
}

func (s *desk) list(ctx context.Context, _ officer.Actor, _ *server.None) ([]registry.Instrument, error) {
	all, err := s.docket.Instruments(ctx)
	if err != nil {
		return nil, err
	}
	out := []registry.Instrument{}
	for _, i := range all {
		out = append(out, view(i))
	}
	return out, nil
}

// Named names an instrument. It is exported because the API reads what is embedded only so.
type Named struct {
	ID string `path:"id" maxLength:"64" doc:"The beginning of its id."`
}

func (s *desk) show(ctx context.Context, _ officer.Actor, in *Named) (registry.Whole, error) {
	i, err := s.docket.Instrument(ctx, in.ID)
	if err != nil {
		return registry.Whole{}, err
	}
	out := registry.Whole{Instrument: view(i)}
	if i.Opening != nil {
		out.Texts, out.Manifest = i.Opening.Texts, i.Opening.Manifest
	}
	if r := i.Rules(); r != nil {
		if out.Rules, err = r.Bytes(); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (s *desk) acts(ctx context.Context, _ officer.Actor, in *struct {
	Named
	Known string `query:"known" maxLength:"40"`
}) (registry.List, error) {
	i, r, err := s.record(ctx, in.ID, in.Known)
	if err != nil {
		return registry.List{}, err
	}
	return registry.List{Instrument: i.ID, Known: r.Known, Acts: append([]fold.Noted{}, r.Acts...)}, nil
}

func (s *desk) status(ctx context.Context, _ officer.Actor, in *struct {
	Named
	Moment
}) (registry.Table, error) {
	_, r, err := s.record(ctx, in.ID, in.Known)
	if err != nil {
		return registry.Table{}, err
	}
	on, err := in.on()
	if err != nil {
		return registry.Table{}, err
	}
	return registry.Table{Status: r.Status(on)}, nil
}

func (s *desk) relations(ctx context.Context, _ officer.Actor, in *struct {
	Named
	Moment
	X traffic.Party `query:"x" required:"true" maxLength:"32"`
	Y traffic.Party `query:"y" maxLength:"32" doc:"All others if it is left out."`
}) (registry.Between, error) {
	out := registry.Between{Relations: []fold.Relation{}}
	_, r, err := s.record(ctx, in.ID, in.Known)
	if err != nil {
		return out, err
	}
	on, err := in.on()
	if err != nil {
		return out, err
	}
	if r.Rules.Nature == fold.Political {
		p := r.Pledge(in.X, on)
		out.Pledge = &p
	}
	for _, y := range r.Parties() {
		if y != in.X && (in.Y == "" || in.Y == y) {
			out.Relations = append(out.Relations, r.Relation(in.X, y, on))
		}
	}
	return out, nil
}

func (s *desk) act(ctx context.Context, _ officer.Actor, in *struct {
	ID string `path:"id" maxLength:"128" doc:"The beginning of its id."`
}) (registry.Found, error) {
	i, a, err := s.docket.Act(ctx, in.ID)
	if err != nil {
		return registry.Found{}, err
	}
	return registry.Found{Instrument: i.ID, Act: *a}, nil
}

func (s *desk) bring(ctx context.Context, _ officer.Actor, in *struct{ Body registry.Import }) (registry.Imported, error) {
	c, err := s.docket.Import(ctx, in.Body.File)
	if err != nil {
		return registry.Imported{}, err
	}
	i, err := s.docket.Instrument(ctx, c.ID())
	if err != nil {
		return registry.Imported{}, err
	}
	return registry.Imported{Instrument: view(i), Differences: append([]fold.Difference{}, c.Differences()...)}, nil
}
