package server

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"

	"detente/api"
	"detente/api/compose"
	"detente/archive"
	"detente/form"
	"detente/node"
	"detente/officer"
	"detente/party"
	"detente/statement"
	"detente/traffic"
)

func (s *Server) send(ctx context.Context, by officer.Actor, in *struct{ Body api.SendRequest }) (api.Sent, error) {
	d, f, err := s.draft(ctx, &in.Body)
	if err != nil {
		return api.Sent{}, err
	}
	if err := s.permit(ctx, &d, in.Body.Essential); err != nil {
		return api.Sent{}, err
	}
	sent, err := s.say(ctx, by, actionOf(f), d, in.Body.Essential)
	if err != nil {
		return api.Sent{}, err
	}
	return s.viewSent(sent, d.Post), nil
}

// Send has the party say something on behalf of whoever asks: it waits for a second person where the form asks for one.
func (s *Server) Send(ctx context.Context, by officer.Actor, r api.SendRequest) (api.Sent, error) {
	return s.send(ctx, by, &struct{ Body api.SendRequest }{r})
}

// permit tells whether the channel, as it stands, lets the statement pass.
func (s *Server) permit(ctx context.Context, d *node.Draft, essential bool) error {
	if s.stands == nil {
		return nil
	}
	return s.stands.Permit(ctx, d, essential)
}

// draft is what a request would have said.
func (s *Server) draft(ctx context.Context, r *api.SendRequest) (d node.Draft, f *form.Form, err error) {
	c, err := s.findChannel(ctx, r.Channel)
	if err != nil {
		return d, nil, err
	}
	if !c.Established {
		return d, nil, fmt.Errorf("%w: %s is not agreed to by all its members yet", node.ErrNoChannel, r.Channel)
	}
	charter, regime, err := s.node.Channel(c.ID())
	if err != nil {
		return d, nil, err
	}
	f, ok := regime.Latest(r.Form)
	if !ok {
		return d, nil, fmt.Errorf("%w: %q", node.ErrNoForm, r.Form)
	}
	values, blobs, err := compose.Values(&r.Words, f)
	if err != nil {
		return d, nil, err
	}
	p, err := traffic.ParsePrecedence(cmp.Or(r.Precedence, "R"))
	if err != nil {
		return d, nil, err
	}
	post, err := s.speaker(charter, r.Post)
	if err != nil {
		return d, nil, err
	}
	d = node.Draft{
		Channel: c.ID(), Plane: cmp.Or(r.Plane, traffic.Real), Precedence: p, Post: post, Audience: s.addressee(charter, r.To), Form: r.Form,
		Values: values, Language: s.language(r.Language), Marking: r.Marking, Drafter: r.Drafter, Releaser: r.Releaser, Blobs: blobs,
	}
	for _, ref := range r.Refs {
		h, err := s.onPlane(ctx, ref, d.Plane)
		if err != nil {
			return d, nil, err
		}
		d.Refs = append(d.Refs, h.ID)
		if d.Dossier == (statement.ID{}) {
			d.Dossier = h.Dossier // what refers to a statement belongs to its dossier, unless another is named
		}
	}
	if r.Dossier != "" {
		h, err := s.onPlane(ctx, r.Dossier, d.Plane)
		if err != nil {
			return d, nil, err
		}
		d.Dossier = h.Dossier
	}
	return d, f, nil
}

// onPlane finds a statement that another is to refer to. Nothing crosses from one plane to another: an exercise that answers what is real, or the other way
// round, would be read as what it is not.
func (s *Server) onPlane(ctx context.Context, ref string, plane traffic.Plane) (archive.Held, error) {
	h, err := s.node.Named(ctx, ref)
	if err == nil && h.Feed.Plane != plane {
		err = fmt.Errorf("%w: %s is on the plane %s", errPlane, ref, h.Feed.Plane)
	}
	return h, err
}

// actionOf is what it takes to state a form.
func actionOf(f *form.Form) officer.Action {
	switch f.ID {
	case "acknowledgement":
		return officer.Acknowledge
	case "answer", "interim", "check-answer", "reply", "assistance-answer", "signal-answer", "consultation-answer", "caution-answer":
		return officer.Answer
	case "check":
		return officer.Check
	case "translation", "glossary":
		return officer.Translate
	case "contact", "contact-status":
		return officer.Directory
	case "status", "manifest", "initialling", "signature", "confirmation", "consent", "note", "full-powers", "full-powers-revocation", "rectification", "rectification-answer",
		"suspension-notice", "resumption", "termination-notice", "notice-revocation", "extension", "seal-round", "minutes-signature":
		return officer.Commit // what commits the party as instruments do
	}
	if len(f.Posts) > 0 { // what only some posts may state commits the party
		return officer.Commit
	}
	return officer.Send
}

// speaker is the post that speaks where none is named: the only one that can.
func (s *Server) speaker(c *party.Channel, post traffic.Post) (traffic.Post, error) {
	if post != "" {
		return post, nil
	}
	var may []traffic.Post
	for _, p := range s.node.Chain(s.node.Self()).Latest().Posts {
		if c.Speaks(p.Name) {
			may = append(may, p.Name)
		}
	}
	if len(may) != 1 {
		return "", fmt.Errorf("%w: which post speaks? It may be any of %v", compose.ErrRequest, may)
	}
	return may[0], nil
}

// addressee is the audience where none is named: the other of two, else everybody.
func (s *Server) addressee(c *party.Channel, to string) string {
	if to != "" {
		return to
	}
	if others := c.Others(s.node.Self()); len(others) == 1 {
		return string(others[0])
	}
	return statement.Everyone
}

func (s *Server) language(given string) string {
	if given != "" {
		return given
	}
	if l := s.node.Chain(s.node.Self()).Latest().Languages; len(l) > 0 {
		return l[0]
	}
	return "en"
}

func (s *Server) viewSent(sent node.Sent, post traffic.Post) api.Sent {
	return api.Sent{
		ID: sent.ID.String(), Number: traffic.Number(traffic.Address{Party: s.node.Self(), Post: post}, sent.Feed, sent.Index),
		Channel: hex.EncodeToString(sent.Feed.Channel[:]), Feed: sent.Feed.Origin(), Index: sent.Index,
		Waits: s.mirrors(sent.Feed.Channel, ""),
	}
}

func (s *Server) reply(ctx context.Context, by officer.Actor, in *struct {
	ID   string `path:"id" doc:"As in show-statement."`
	Body api.ReplyRequest
}) (api.Sent, error) {
	r := in.Body
	h, err := s.node.Named(ctx, in.ID)
	if err != nil {
		return api.Sent{}, err
	}
	if h.Statement == nil || h.Reason != "" {
		return api.Sent{}, fmt.Errorf("%w (%s) and cannot be replied to", errInvalid, h.Reason)
	}
	_, regime, err := s.node.Channel(h.Feed.Channel)
	if err != nil {
		return api.Sent{}, err
	}
	f, ok := regime.Latest(r.Form)
	if !ok {
		return api.Sent{}, fmt.Errorf("%w: %q", node.ErrNoForm, r.Form)
	}
	if r.Fields == nil && r.Form == "acknowledgement" {
		if r.Text == nil {
			r.Text = make(map[string]string)
		}
		if _, said := r.Text["received"]; !said {
			r.Text["received"] = h.Held.UTC().Format("2006-01-02T15:04:05Z07:00") // when it came to be held here
		}
	}
	values, blobs, err := compose.Values(&r.Words, f)
	if err != nil {
		return api.Sent{}, err
	}
	reply := node.Reply{
		To: h.ID, Post: r.Post, Form: r.Form, Values: values, Language: s.language(r.Language), Drafter: r.Drafter,
		Releaser: r.Releaser, Blobs: blobs,
	}
	if r.Precedence != "" {
		if reply.Precedence, err = traffic.ParsePrecedence(r.Precedence); err != nil {
			return api.Sent{}, err
		}
	}
	d, err := s.node.Refer(ctx, reply)
	if err != nil {
		return api.Sent{}, err
	}
	if err := s.permit(ctx, &d, r.Essential); err != nil {
		return api.Sent{}, err
	}
	sent, err := s.say(ctx, by, actionOf(f), d, r.Essential)
	if err != nil {
		return api.Sent{}, err
	}
	said, err := s.node.Statement(ctx, sent.ID)
	if err != nil {
		return api.Sent{}, err
	}
	return s.viewSent(sent, said.Statement.Issuer.Post), nil
}
