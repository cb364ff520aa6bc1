package server

import (
	"context"
	"net/http"

	"detente/api"
	"detente/officer"
)

// onOfficer is a request about one officer.
type onOfficer struct {
	ID string `path:"id"`
}

// onPasskey is a request about one passkey.
type onPasskey struct {
	ID      string `path:"id"`
	Passkey string `path:"passkey"`
}

func (s *Server) registerOfficers() {
	const tag, one = "officers", "/v1/officers/{id}"
	Handle(s, Operation(s, officer.Self, tag, http.MethodGet, "/v1/me", "me", "Whom the node takes the caller for"), s.me)
	Handle(s, Operation(s, officer.Officers, tag, http.MethodGet, "/v1/officers", "list-officers", "The officers of the party"), s.officers)
	Handle(s, Operation(s, officer.Officers, tag, http.MethodPut, one, "set-officer", "Enrol an officer, or change one").Recorded(), s.setOfficer)
	Handle(s, Operation(s, officer.Officers, tag, http.MethodDelete, one, "remove-officer", "End an officer's access at once").Recorded(), s.removeOfficer)
	Handle(s, Operation(s, officer.Officers, tag, http.MethodPost, one+"/invitation", "invite-officer", "A link by which an officer signs in once").Recorded(), s.invite)
	Handle(s, Operation(s, officer.Self, tag, http.MethodPost, one+"/token", "new-token", "A token for an officer's own tools; the one before ends").Recorded(), s.newToken)
	Handle(s, Operation(s, officer.Self, tag, http.MethodDelete, one+"/token", "remove-token", "End an officer's token").Recorded(), s.removeToken)
	Handle(s, Operation(s, officer.Self, tag, http.MethodDelete, one+"/passkeys/{passkey}", "remove-passkey", "End a passkey").Recorded(), s.removePasskey)
	Handle(s, Operation(s, officer.Self, tag, http.MethodGet, "/v1/sessions", "list-sessions", "Sign-ins that have not ended: the own ones, or all for who administers officers"), s.sessions)
	Handle(s, Operation(s, officer.Self, tag, http.MethodDelete, "/v1/sessions/{id}", "revoke-session", "End a sign-in at once").Recorded(), s.revoke)
}

func (s *Server) me(_ context.Context, by officer.Actor, _ *None) (api.Me, error) {
	out := api.Me{Officer: by.ID, Name: by.Name, Grants: viewGrants(by.Grants), Language: by.Language, Means: by.Means, May: []string{}}
	for _, a := range by.Permitted() {
		out.May = append(out.May, string(a))
	}
	return out, nil
}

func (s *Server) officers(ctx context.Context, _ officer.Actor, _ *None) ([]api.Officer, error) {
	out := []api.Officer{}
	all, err := s.cfg.Officers.Officers(ctx)
	for _, o := range all {
		out = append(out, viewOfficer(o))
	}
	return out, err
}

func (s *Server) setOfficer(ctx context.Context, by officer.Actor, in *struct {
	ID   string `path:"id"`
	Body api.OfficerRequest
}) (api.Officer, error) {
	r := in.Body
	o := officer.Officer{ID: in.ID, Name: r.Name, Language: r.Language, Mail: r.Mail, Webhook: r.Webhook, OpenID: r.OpenID}
	for _, g := range r.Grants {
		o.Grants = append(o.Grants, officer.Grant{Post: g.Post, Role: g.Role})
	}
	return s.changed(s.cfg.Officers.Set(ctx, o, by.ID))
}

func (s *Server) changed(o officer.Officer, err error) (api.Officer, error) {
	if err != nil {
		return api.Officer{}, err
	}
	return viewOfficer(o), nil
}

func (s *Server) removeOfficer(ctx context.Context, by officer.Actor, in *onOfficer) (api.Officer, error) {
	return s.changed(s.cfg.Officers.Remove(ctx, in.ID, by.ID))
}

func (s *Server) invite(ctx context.Context, by officer.Actor, in *onOfficer) (api.Invitation, error) {
	i, err := s.cfg.Officers.Invite(ctx, in.ID, by.ID)
	out := api.Invitation{Officer: i.Officer, Link: api.LinkPath + i.Secret, Until: i.Until}
	if origin := s.cfg.Officers.Origin(); origin != "" {
		out.Address = origin + out.Link
	}
	return out, err
}

// own lets a request pass for what is the caller's own, and for who administers officers.
func own(by officer.Actor, id string) error {
	if by.ID == id || by.May(officer.Officers, "") {
		return nil
	}
	return refused(by, officer.Officers, "")
}

func (s *Server) newToken(ctx context.Context, by officer.Actor, in *onOfficer) (api.APIToken, error) {
	if err := own(by, in.ID); err != nil {
		return api.APIToken{}, err
	}
	token, err := s.cfg.Officers.NewToken(ctx, in.ID, by.ID)
	return api.APIToken{Officer: in.ID, Token: token}, err
}

func (s *Server) removeToken(ctx context.Context, by officer.Actor, in *onOfficer) (api.Officer, error) {
	if err := own(by, in.ID); err != nil {
		return api.Officer{}, err
	}
	if err := s.cfg.Officers.RemoveToken(ctx, in.ID, by.ID); err != nil {
		return api.Officer{}, err
	}
	return s.changed(s.cfg.Officers.Officer(ctx, in.ID))
}

func (s *Server) removePasskey(ctx context.Context, by officer.Actor, in *onPasskey) (api.Officer, error) {
	if err := own(by, in.ID); err != nil {
		return api.Officer{}, err
	}
	return s.changed(s.cfg.Officers.RemovePasskey(ctx, in.ID, in.Passkey, by.ID))
}

func (s *Server) sessions(ctx context.Context, by officer.Actor, _ *None) ([]api.Session, error) {
	out := []api.Session{}
	whose := by.ID
	if by.May(officer.Officers, "") {
		whose = ""
	}
	all, err := s.cfg.Officers.Sessions(ctx, whose)
	for _, x := range all {
		out = append(out, api.Session{
			ID: x.ID, Officer: x.Officer, Means: x.Means, Device: x.Device, Begun: x.Begun, Seen: x.Seen, Until: x.Until, Own: x.ID == by.Session,
		})
	}
	return out, err
}

func (s *Server) revoke(ctx context.Context, by officer.Actor, in *onOfficer) ([]api.Session, error) {
	visible, err := s.sessions(ctx, by, &None{})
	if err != nil {
		return nil, err
	}
	for _, x := range visible {
		if x.ID == in.ID { // what he may not see he may not end, nor learn of
			if err := s.cfg.Officers.Revoke(ctx, in.ID, by.ID); err != nil {
				return nil, err
			}
			return s.sessions(ctx, by, &None{})
		}
	}
	return nil, officer.ErrNotFound
}

func viewGrants(grants []officer.Grant) []api.Grant {
	out := []api.Grant{}
	for _, g := range grants {
		out = append(out, api.Grant{Post: g.Post, Role: g.Role})
	}
	return out
}

func viewOfficer(o officer.Officer) api.Officer {
	out := api.Officer{
		ID: o.ID, Name: o.Name, Grants: viewGrants(o.Grants), Language: o.Language, Mail: o.Mail, Webhook: o.Webhook, Passkeys: []api.Passkey{},
		OpenID: o.OpenID, Token: o.Token, Removed: o.Removed, Seen: o.Seen,
	}
	for _, p := range o.Passkeys {
		out.Passkeys = append(out.Passkeys, api.Passkey{ID: p.ID, Label: p.Label, Added: p.Added, Used: p.Used})
	}
	return out
}
