package node

import (
	"context"
	"fmt"

	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// Reply is what a person adds to a draft that refers to a statement held here.
type Reply struct {
	To       statement.ID
	Post     traffic.Post // empty for the post that was addressed
	Form     string
	Values   form.Values
	Language string
	Drafter  string
	Releaser string
	Blobs    [][]byte
	// Precedence of the reply; empty for that of the statement, lowered to the form's ceiling.
	Precedence traffic.Precedence
}

// Reply states something that refers to another statement, see [Node.Refer].
func (n *Node) Reply(ctx context.Context, r Reply) (Sent, error) {
	d, err := n.Refer(ctx, r)
	if err != nil {
		return Sent{}, err
	}
	return n.Send(ctx, d)
}

// Refer is the draft of a reply: on the channel of the statement that it refers to, in its dossier, to its author.
func (n *Node) Refer(ctx context.Context, r Reply) (Draft, error) {
	to, err := n.Statement(ctx, r.To)
	if err != nil {
		return Draft{}, err
	}
	s := to.Statement
	if s == nil || to.Reason != "" {
		return Draft{}, fmt.Errorf("node: %s is invalid (%s) and cannot be replied to; a notice can say so", r.To.Short(), to.Reason)
	}
	d := Draft{
		Channel: s.Channel, Plane: s.Plane, Precedence: r.Precedence, Post: r.Post, Audience: s.Issuer.String(), Form: r.Form, Values: r.Values,
		Dossier: s.Case(), Refs: []statement.ID{s.ID()}, Language: r.Language, Drafter: r.Drafter, Releaser: r.Releaser, Blobs: r.Blobs,
	}
	if s.Issuer.Party == n.self {
		d.Audience = s.Audience // a correction or cancellation of the own words goes where they went
	}
	if d.Post == "" {
		d.Post = n.addressed(s)
	}
	if d.Precedence == "" {
		d.Precedence = s.Precedence
		if c, err := n.channel(s.Channel); err == nil {
			if f, ok := c.regime.Latest(r.Form); ok && f.Ceiling.Rank() < d.Precedence.Rank() {
				d.Precedence = f.Ceiling
			}
		}
	}
	return d, nil
}

// addressed is the post that speaks in reply: the one that spoke, when the statement is the own; else the one addressed; else the one of the
// same name as the author's.
func (n *Node) addressed(s *statement.Statement) traffic.Post {
	if s.Issuer.Party != n.self && s.Audience != statement.Everyone {
		if a, err := traffic.ParseAddress(s.Audience); err == nil && a.Party == n.self && a.Post != "" {
			return a.Post
		}
	}
	return s.Issuer.Post
}
