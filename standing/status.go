package standing

import (
	"context"
	"time"

	"detente/directory"
	"detente/node"
	"detente/party"
	"detente/traffic"
)

// ChannelStanding is how a channel stands by what its members have stated.
type ChannelStanding struct {
	Channel  *party.Channel
	State    string
	Minimize *directory.Minimized
	Members  []MemberStanding
}

// MemberStanding is what a member has stated; State is directory.Open where it has stated nothing that is in force.
type MemberStanding struct {
	Party  traffic.Party
	Stated *directory.Statement // nil where nothing is in force
	Number string
}

// Channels tells how the common channels stand on a plane, in the order of the node's list.
func (s *Standing) Channels(ctx context.Context, plane traffic.Plane) ([]ChannelStanding, error) {
	if err := s.Read(ctx); err != nil {
		return nil, err
	}
	channels, err := s.node.Channels(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []ChannelStanding
	for _, c := range channels {
		if c.Kind != party.Common || !c.Established {
			continue
		}
		at := directory.Where{Channel: c.ID(), Plane: plane}
		e := ChannelStanding{
			Channel: c.Channel, State: s.statuses.State(at, c.Members, now), Minimize: s.statuses.Minimize(at, c.Members, now),
		}
		for _, p := range c.Members {
			m := MemberStanding{Party: p, Stated: s.statuses.Of(at, p, now)}
			if m.Stated != nil {
				m.Number = s.places[m.Stated.ID].number()
			}
			e.Members = append(e.Members, m)
		}
		out = append(out, e)
	}
	return out, nil
}

// Permit tells whether this party may make a statement on its channel as that stands, protocol.md#suspension. essential says that its author takes it
// for something that cannot wait. A FLASH is permitted without looking. Errors: directory.ErrSuspended, ErrDeclined, ErrMinimize.
func (s *Standing) Permit(ctx context.Context, d *node.Draft, essential bool) error {
	if d.Precedence == traffic.Flash {
		return nil
	}
	c, err := s.node.Charter(d.Channel)
	if err != nil {
		return nil // the node says so itself
	}
	if err := s.Read(ctx); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.statuses.Permit(directory.Where{Channel: d.Channel, Plane: d.Plane}, s.self, c.Members, directory.Utterance{
		Form: d.Form, Subject: d.Values.Text("subject"), Post: d.Post, Audience: d.Audience, Precedence: d.Precedence, Essential: essential,
	}, time.Now())
}

// Glossary lists the terms of a channel, or of all where it is nil.
func (s *Standing) Glossary(ctx context.Context, channel *[32]byte) ([]directory.Term, error) {
	if err := s.Read(ctx); err != nil {
		return nil, err
	}
	channels, err := s.node.Channels(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []directory.Term
	for _, c := range channels {
		if c.Kind == party.Common && (channel == nil || *channel == c.ID()) {
			out = append(out, s.glossary.All(directory.Where{Channel: c.ID(), Plane: traffic.Real})...)
		}
	}
	return out, nil
}
