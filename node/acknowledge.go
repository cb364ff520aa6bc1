package node

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"detente/feed"
	"detente/form"
	"detente/statement"
	"detente/store"
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

// Reply states something that refers to another statement, on its channel, in its dossier, to its author.
func (n *Node) Reply(ctx context.Context, r Reply) (Sent, error) {
	to, err := n.Statement(ctx, r.To)
	if err != nil {
		return Sent{}, err
	}
	s := to.Statement
	if s == nil || to.Reason != "" {
		return Sent{}, fmt.Errorf("node: %s is invalid (%s) and cannot be replied to; a notice can say so", r.To.Short(), to.Reason)
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
	return n.Send(ctx, d)
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

// Acknowledge states that a person of the watch has the statement in hand. It does not indicate concurrence.
func (n *Node) Acknowledge(ctx context.Context, id statement.ID, by string, v form.Values) (Sent, error) {
	if v == nil {
		v = form.Values{}
	}
	if _, ok := v["received"]; !ok {
		held, err := n.Statement(ctx, id)
		if err != nil {
			return Sent{}, err
		}
		v["received"] = held.Held.Unix()
	}
	return n.Reply(ctx, Reply{To: id, Form: "acknowledgement", Values: v, Language: n.language(), Drafter: by})
}

// language is the party's first, in which its officers write unless they say otherwise.
func (n *Node) language() string {
	if l := n.Chain(n.self).Latest().Languages; len(l) > 0 {
		return l[0]
	}
	return "en"
}

// Held is a statement as it is held here.
type Held struct {
	feed.Placed
	Statement *statement.Statement // nil for an entry that is not a statement
}

// Statement finds a statement. Error: ErrNotHeld.
func (n *Node) Statement(ctx context.Context, id statement.ID) (Held, error) {
	return n.one(ctx, func(tx *store.Tx) ([]feed.Placed, error) { return feed.ByID(ctx, tx, id) })
}

// Find finds a statement by the beginning of its id in hex, at least four digits. Errors: ErrNotHeld, ErrAmbiguous.
func (n *Node) Find(ctx context.Context, prefix string) (Held, error) {
	raw, err := hex.DecodeString(strings.ToLower(prefix[:len(prefix)/2*2]))
	if err != nil || len(raw) < 2 || len(raw) > 32 {
		return Held{}, fmt.Errorf("%w: %q is not the beginning of a statement id, four or more hexadecimal digits", ErrNotHeld, prefix)
	}
	return n.one(ctx, func(tx *store.Tx) ([]feed.Placed, error) {
		all, err := feed.ByPrefix(ctx, tx, raw, 16)
		var out []feed.Placed
		for _, p := range all {
			if strings.HasPrefix(p.ID.String(), strings.ToLower(prefix)) {
				out = append(out, p)
			}
		}
		return out, err
	})
}

func (n *Node) one(ctx context.Context, find func(*store.Tx) ([]feed.Placed, error)) (h Held, err error) {
	var placed []feed.Placed
	err = n.db.View(ctx, func(tx *store.Tx) (err error) {
		placed, err = find(tx)
		return err
	})
	if err != nil {
		return h, err
	}
	if len(placed) == 0 {
		return h, ErrNotHeld
	}
	for _, p := range placed {
		if p.ID != placed[0].ID {
			return h, fmt.Errorf("%w: give more digits", ErrAmbiguous)
		}
		if p.Reason == "" { // a copy that another party logged as its own is not the statement
			placed[0] = p
		}
	}
	h.Placed = placed[0]
	h.Statement, _ = statement.Decode(h.Bytes)
	return h, nil
}
