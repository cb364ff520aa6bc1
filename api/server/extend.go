package server

import (
	"context"

	"detente/accord"
	"detente/api"
	"detente/node"
	"detente/officer"
	"detente/party"
	"detente/traffic"
)

// ChannelNamed finds a channel by its name, or the beginning of its id, for an extension. Error: node.ErrNoChannel.
func (s *Server) ChannelNamed(ctx context.Context, name string) (accord.Channel, error) {
	return s.findChannel(ctx, name)
}

// Speaker is the post that speaks on a channel: the one given, or the only one that may.
func (s *Server) Speaker(c *party.Channel, post traffic.Post) (traffic.Post, error) {
	return s.speaker(c, post)
}

// Sent is what a caller is told of a statement that was made.
func (s *Server) Sent(sent node.Sent, post traffic.Post) api.Sent { return s.viewSent(sent, post) }

// Must gives the duty role in which somebody does something at a post. Error: officer.ErrRole.
func Must(by officer.Actor, what officer.Action, post traffic.Post) (string, error) {
	return must(by, what, post, "")
}
