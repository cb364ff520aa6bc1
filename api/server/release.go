package server

import (
	"context"
	"encoding/hex"
	"net/http"
	"strings"

	"detente/api"
	"detente/floor/release"
	"detente/node"
	"detente/officer"
	"detente/party"

	"golang.org/x/text/language"
)

func (s *Server) registerReleases() {
	const tag = "releases"
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/releases", "list-releases", "What waits for a second person"), s.releases)
	Handle(s, Operation(s, officer.Release, tag, http.MethodPost, "/v1/releases/{id}", "decide-release",
		"Approve or refuse what waits for a second person; its drafter withdraws it", officer.Handover, officer.Send, officer.Answer, officer.Translate).Recorded(), s.decideRelease)
	Handle(s, Operation(s, officer.Release, tag, http.MethodPost, "/v1/releases/{id}/options", "approval-options",
		"What the browser's passkey is asked, to approve", officer.Handover).Recorded(), s.approvalOptions)
}

// say sends a draft in the name of whoever acts. What needs a second person becomes a release, and the answer names it.
func (s *Server) say(ctx context.Context, by officer.Actor, what officer.Action, d node.Draft, essential bool) (node.Sent, error) {
	return s.cfg.Releases.Say(ctx, by, what, d, essential)
}

func (s *Server) releases(ctx context.Context, by officer.Actor, in *struct {
	Lang string `query:"lang" default:"en"`
}) ([]api.Release, error) {
	out := []api.Release{}
	waiting, err := s.cfg.Officers.Releases(ctx, officer.Waiting)
	for _, p := range waiting {
		r, err := s.viewRelease(ctx, by, p, language.Make(in.Lang))
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, err
}

// viewRelease shows a release to whoever asks: the digest is what he would approve.
func (s *Server) viewRelease(ctx context.Context, by officer.Actor, p officer.Pending, lang language.Tag) (api.Release, error) {
	out := api.Release{
		ID: p.ID, Kind: p.Kind, Post: p.Post, Drafter: p.Officer, Role: p.Role, Asked: p.Asked, Until: p.Until, Needs: p.Missing(),
	}
	roles := s.cfg.Releases.Releasers(p, by)
	out.Mine = len(roles) > 0
	role := ""
	if out.Mine {
		role = roles[0]
	}
	digest, err := s.cfg.Releases.Digest(p, role)
	if err != nil {
		return out, err
	}
	out.Digest = hex.EncodeToString(digest[:])
	if p.Kind == officer.KindHandover {
		return out, s.viewHandoverRelease(ctx, p, lang, &out)
	}
	out.Needs = []string{}
	for _, r := range []string{officer.Deputy, officer.HeadOfPost, officer.SeniorOfficial} {
		if r != p.Role {
			out.Needs = append(out.Needs, r)
		}
	}
	d, f, err := s.cfg.Releases.Draft(p, "")
	if err != nil {
		return out, err
	}
	shown, err := s.Viewer(ctx, lang).Draft(&d, f)
	if err != nil {
		return out, err
	}
	out.Title, out.Text = shown.Title, shown.Text
	out.Draft = &api.SendRequest{
		Channel: hex.EncodeToString(d.Channel[:]), Plane: d.Plane, Precedence: string(d.Precedence), Post: d.Post, To: d.Audience,
		Words: api.Words{Form: d.Form, Fields: shown.Fields, Language: d.Language, Marking: d.Marking, Drafter: d.Drafter},
	}
	for _, id := range d.Refs {
		out.Draft.Refs = append(out.Draft.Refs, id.String())
	}
	return out, nil
}

// viewHandoverRelease shows a hand-over as its officers will have read it.
func (s *Server) viewHandoverRelease(ctx context.Context, p officer.Pending, lang language.Tag, out *api.Release) error {
	_, internal, err := s.node.Channel(party.InternalChannel(s.node.Chain(s.node.Self())).ID())
	if err != nil {
		return err
	}
	out.Title = internal.Phrases.Phrase(lang, "handover")
	list, err := s.floor.HandoverList(ctx, p.Post)
	for _, h := range list {
		if h.ID == p.ID {
			out.Text = strings.TrimSpace(h.Off + " → " + h.On + "\n\n" + s.Viewer(ctx, lang).Open(h.Open) + "\n\n" + h.Remarks)
		}
	}
	return err
}

func (s *Server) decideRelease(ctx context.Context, by officer.Actor, in *struct {
	ID   string `path:"id"`
	Body api.ReleaseDecision
}) (api.Released, error) {
	if !in.Body.Approve {
		_, err := s.cfg.Releases.Refuse(ctx, in.ID, by, in.Body.Reason)
		return api.Released{}, err
	}
	p, sent, err := s.cfg.Releases.Approve(ctx, in.ID, by, in.Body.Role, in.Body.Assertion)
	if err != nil {
		return api.Released{}, err
	}
	out := api.Released{Complete: p.State != officer.Waiting}
	if sent.Feed.Party != "" {
		view := s.viewSent(sent, p.Post)
		out.Sent = &view
	}
	return out, nil
}

func (s *Server) approvalOptions(ctx context.Context, by officer.Actor, in *struct {
	ID   string `path:"id"`
	Body api.ApprovalRequest
}) (api.Ceremony, error) {
	p, err := s.cfg.Officers.Release(ctx, in.ID)
	if err != nil {
		return api.Ceremony{}, err
	}
	roles := s.cfg.Releases.Releasers(p, by)
	if len(roles) == 0 {
		return api.Ceremony{}, refused(by, officer.Release, p.Post)
	}
	role := in.Body.Role
	if role == "" {
		role = roles[0]
	}
	digest, err := s.cfg.Releases.Digest(p, role)
	if err != nil {
		return api.Ceremony{}, err
	}
	options, err := s.cfg.Officers.ApprovalOptions(ctx, by.ID, digest)
	return api.Ceremony{Options: options}, err
}

// needsRelease tells that a draft waits, and for which release.
func needsRelease(e *release.Needed) *api.Problem {
	return &api.Problem{
		Title: http.StatusText(http.StatusConflict), Status: http.StatusConflict, Code: "release-needed",
		Detail: "a second person must release it; it waits as release " + e.Release.ID, Hint: "another officer approves it in the console, or: detente release approve " + e.Release.ID,
		Fields: []string{e.Release.ID},
	}
}
