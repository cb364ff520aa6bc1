package server

import (
	"context"
	"fmt"
	"net/http"

	"detente/api"
	"detente/directory"
	"detente/form"
	"detente/node"
	"detente/officer"
	"detente/party"
	"detente/standing"
	"detente/statement"
	"detente/traffic"

	"golang.org/x/text/language"
)

// channelQuery narrows a request to a channel; empty is every one.
type channelQuery struct {
	Channel string `query:"channel"`
}

func (s *Server) registerDirectory() {
	const tag = "directory"
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/directory", "list-contacts", "Points of contact"), s.contacts)
	Handle(s, Operation(s, officer.Directory, tag, http.MethodPost, "/v1/directory", "state-contact", "State an own point of contact"), s.stateContact)
	Handle(s, Operation(s, officer.Directory, tag, http.MethodPost, "/v1/directory/status", "set-contact-status", "Confirm or withdraw an own point of contact"), s.setContactStatus)
	HandleFile(s, Operation(s, officer.Export, tag, http.MethodGet, "/v1/directory.csv", "export-directory", "The directory as a table"), "text/csv; charset=utf-8", s.exportDirectory)
	Handle(s, Operation(s, officer.Directory, tag, http.MethodPost, "/v1/directory.csv", "import-directory", "State what a table says of own points of contact"), s.importDirectory)
}

// ChannelID finds a channel by its name or the beginning of its id; nil for an empty name.
func (s *Server) ChannelID(ctx context.Context, name string) (*[32]byte, error) {
	if name == "" {
		return nil, nil
	}
	c, err := s.findChannel(ctx, name)
	if err != nil {
		return nil, err
	}
	id := c.ID()
	return &id, nil
}

func (s *Server) contactsOf(ctx context.Context, channel string) ([]standing.ContactShown, error) {
	id, err := s.ChannelID(ctx, channel)
	if err != nil {
		return nil, err
	}
	return s.stands.Directory(ctx, id)
}

func (s *Server) contacts(ctx context.Context, _ officer.Actor, in *channelQuery) ([]api.Contact, error) {
	list, err := s.contactsOf(ctx, in.Channel)
	v := s.Viewer(ctx, language.English)
	out := []api.Contact{}
	for _, c := range list {
		out = append(out, v.Contact(c))
	}
	return out, err
}

func (s *Server) stateContact(ctx context.Context, by officer.Actor, in *struct{ Body api.ContactRequest }) (api.Sent, error) {
	return s.state(ctx, by, in.Body.Channel, "", api.Words{Form: "contact", Text: in.Body.Text})
}

func (s *Server) setContactStatus(ctx context.Context, by officer.Actor, in *struct{ Body api.ContactStatusRequest }) (api.Sent, error) {
	c, err := s.findChannel(ctx, in.Body.Channel)
	if err != nil {
		return api.Sent{}, err
	}
	if _, err := s.stands.Contact(ctx, c.ID(), in.Body.Name); err != nil {
		return api.Sent{}, err
	}
	text := map[string]string{"name": in.Body.Name, "action": in.Body.Action}
	if in.Body.Text != "" {
		text["text"] = in.Body.Text
	}
	return s.state(ctx, by, in.Body.Channel, "", api.Words{Form: "contact-status", Text: text})
}

// state makes a statement to all members of a channel, by whichever post may speak there.
func (s *Server) state(ctx context.Context, by officer.Actor, channel string, post traffic.Post, w api.Words) (api.Sent, error) {
	c, err := s.findChannel(ctx, channel)
	if err != nil {
		return api.Sent{}, err
	}
	if post == "" {
		post = s.firstSpeaker(c.Channel, by, w.Form)
	}
	return s.send(ctx, by, &struct{ Body api.SendRequest }{api.SendRequest{Channel: channel, To: statement.Everyone, Post: post, Words: w}})
}

// firstSpeaker is the first post that speaks on a channel and at which whoever acts may state the form; empty where there is none.
func (s *Server) firstSpeaker(c *party.Channel, by officer.Actor, formID string) traffic.Post {
	what := actionOf(&form.Form{ID: formID})
	for _, p := range s.node.Chain(s.node.Self()).Latest().Posts {
		if c.Speaks(p.Name) && by.May(what, p.Name) {
			return p.Name
		}
	}
	return ""
}

func (s *Server) exportDirectory(ctx context.Context, _ officer.Actor, in *channelQuery) ([]byte, error) {
	list, err := s.contactsOf(ctx, in.Channel)
	if err != nil {
		return nil, err
	}
	f, err := s.contactForm()
	if err != nil {
		return nil, err
	}
	v := s.Viewer(ctx, language.English)
	var rows []directory.Row
	for _, c := range list {
		rows = append(rows, v.Row(c))
	}
	return directory.Export(f, rows)
}

// contactForm is the form contact of the regime that ships with the program.
func (s *Server) contactForm() (*form.Form, error) {
	for _, r := range s.node.Regimes() {
		if f, ok := r.Latest("contact"); ok {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%w: contact", node.ErrNoForm)
}

// importDirectory states what is new or changed, or nothing where a line is not right: half a table is worse than none.
func (s *Server) importDirectory(ctx context.Context, by officer.Actor, in *struct {
	Channel string `query:"channel" required:"true"`
	RawBody []byte `contentType:"text/csv"`
}) (api.ImportedContacts, error) {
	out := api.ImportedContacts{Stated: []string{}, Refused: []string{}}
	c, err := s.findChannel(ctx, in.Channel)
	if err != nil {
		return out, err
	}
	f, err := s.contactForm()
	if err != nil {
		return out, err
	}
	entries, err := directory.Import(f, in.RawBody)
	if err != nil {
		return out, err
	}
	changed, unchanged, refused, err := s.stands.Changes(ctx, c.ID(), f, entries)
	out.Unchanged = unchanged
	if out.Refused = append(out.Refused, refused...); err != nil || len(refused) > 0 {
		return out, err
	}
	for _, values := range changed {
		fields, err := f.ToJSON(values)
		if err != nil {
			return out, err
		}
		if _, err := s.state(ctx, by, in.Channel, "", api.Words{Form: f.ID, Fields: fields}); err != nil {
			return out, fmt.Errorf("%q, after %d were stated: %w", values.Text("name"), len(out.Stated), err)
		}
		out.Stated = append(out.Stated, values.Text("name"))
	}
	return out, nil
}
