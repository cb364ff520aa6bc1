package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"detente/api"
	"detente/api/compose"
	"detente/check"
	"detente/floor"
	"detente/node"
	"detente/officer"
	"detente/standing"
	"detente/traffic"

	"golang.org/x/text/language"
)

func (s *Server) registerChecks() {
	const tag = "checks"
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/checks", "list-checks", "Communication checks: what came of them, and what is planned"), s.checks)
	Handle(s, Operation(s, officer.Check, tag, http.MethodPost, "/v1/checks", "run-check", "Send a communication check"), s.runCheck)
	Handle(s, Operation(s, officer.Check, tag, http.MethodPut, "/v1/checks/plan", "set-plan", "Put a plan of checks into force").Recorded(), s.setPlan)
	HandleFile(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/checks/{peer}/year.svg", "picture-checks", "A year of checks with a peer, as a calendar"),
		"image/svg+xml", s.checkPicture)
}

func (s *Server) checks(ctx context.Context, _ officer.Actor, in *struct {
	Peer  traffic.Party `query:"peer"`
	Since time.Time     `query:"since"`
	Limit int           `query:"limit" default:"200" minimum:"1" maximum:"10000"`
}) (api.Checks, error) {
	return s.checksOf(ctx, in.Peer, in.Since, in.Limit)
}

func (s *Server) checksOf(ctx context.Context, peer traffic.Party, since time.Time, limit int) (api.Checks, error) {
	out := api.Checks{Checks: []api.Check{}, Days: []api.CheckDay{}, Next: []api.PlannedCheck{}}
	list, days, err := s.stands.Checks(ctx, peer, since, limit)
	if err != nil {
		return out, err
	}
	v := s.Viewer(ctx, language.English)
	for _, c := range list {
		out.Checks = append(out.Checks, v.Check(c))
	}
	for _, d := range days {
		out.Days = append(out.Days, api.CheckDay{
			Peer: d.Peer, Day: d.Day.Format(time.DateOnly), Sent: d.Sent, Answered: d.Answered, Late: d.Late, Missed: d.Missed,
		})
	}
	next, err := s.stands.NextChecks(ctx)
	if err != nil {
		return out, err
	}
	for _, n := range next {
		if peer == "" || n.Line.Peer == peer {
			out.Next = append(out.Next, api.PlannedCheck{Channel: n.Line.Channel, Peer: n.Line.Peer, Level: n.Level, At: n.At, Held: n.Held})
		}
	}
	out.Plan, err = s.stands.Plan(ctx)
	return out, err
}

func (s *Server) runCheck(ctx context.Context, by officer.Actor, in *struct{ Body api.CheckRequest }) (api.Sent, error) {
	r := in.Body
	c, err := s.findChannel(ctx, r.Channel)
	if err != nil {
		return api.Sent{}, err
	}
	post, err := s.speaker(c.Channel, r.Post)
	if err != nil {
		return api.Sent{}, err
	}
	role, err := must(by, officer.Check, post, "")
	if err != nil {
		return api.Sent{}, err
	}
	a := standing.Ask{
		Channel: c.ID(), Audience: s.addressee(c.Channel, r.To), Post: post, Plane: cmp.Or(r.Plane, traffic.Real), Level: r.Level, Occasion: check.Demand,
		Question: r.Question, Force: r.Force,
	}
	if r.Largest {
		if a.Plane != traffic.Test {
			return api.Sent{}, fmt.Errorf("%w: a text of the largest size goes on the plane test", compose.ErrRequest)
		}
		if _, err := s.stands.SendLargest(ctx, a, role); err != nil {
			return api.Sent{}, err
		}
	}
	sent, err := s.stands.RunCheck(ctx, a, role)
	if err != nil {
		return api.Sent{}, err
	}
	return s.viewSent(sent, post), nil
}

func (s *Server) setPlan(ctx context.Context, by officer.Actor, in *struct{ Body api.PlanRequest }) (api.Checks, error) {
	role, err := must(by, officer.Check, "", "")
	if err != nil {
		return api.Checks{}, err
	}
	if err := s.stands.SetPlan(ctx, in.Body.Text, floor.By{Officer: by.ID, Role: role}); err != nil {
		return api.Checks{}, err
	}
	return s.checksOf(ctx, "", time.Time{}, 200)
}

func (s *Server) checkPicture(ctx context.Context, _ officer.Actor, in *struct {
	Peer traffic.Party `path:"peer"`
	Lang string        `query:"lang" default:"en"`
}) ([]byte, error) {
	if s.node.Chain(in.Peer) == nil || in.Peer == s.node.Self() {
		return nil, fmt.Errorf("%w: %s", node.ErrNoPeer, in.Peer)
	}
	_, days, err := s.stands.Checks(ctx, in.Peer, time.Time{}, 1)
	if err != nil {
		return nil, err
	}
	lang := language.Make(in.Lang)
	p := check.Picture{
		Peer: in.Peer, Days: days, Last: time.Now(), RTL: s.phrases.RTL(lang),
		Say: func(key string, args ...any) string { return s.phrases.Phrase(lang, key, args...) },
	}
	return p.SVG(), nil
}
