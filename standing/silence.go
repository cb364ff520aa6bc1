package standing

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"detente/directory"
	"detente/exchange"
	"detente/floor"
	"detente/statement"
	"detente/traffic"
)

// PostSilence is why nothing is heard of one post of a peer on one channel, or of the peer's link.
type PostSilence struct {
	Peer     traffic.Party
	Post     traffic.Post // empty for the link
	Channel  [32]byte
	Why      exchange.Silence
	Since    time.Time
	Evidence []Evidence
}

type silenceKey struct {
	post    traffic.Address
	channel [32]byte
}

// Evidence is what a silence rests on: a phrase, "silence.evidence." before its key, and what stands in its slots.
type Evidence struct {
	Key  string
	Args []any
}

// Silences tells how every link, and every post from which something is due, stands. A post from which nothing is due is silent for no reason that
// anybody could give, and is not listed unless it has stated that it is unmanned.
func (s *Standing) Silences(ctx context.Context) ([]PostSilence, error) {
	awaits, err := s.floor.Awaits(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	var out []PostSilence
	links := make(map[traffic.Party]exchange.Condition)
	for _, c := range s.node.Conditions() {
		links[c.Peer] = c
		out = append(out, linkSilence(c))
	}
	posts := make(map[silenceKey]*PostSilence)
	s.mu.RLock()
	for i := range awaits {
		s.silenceOf(&awaits[i], links, now, posts)
	}
	s.mu.RUnlock()
	for _, p := range posts {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b PostSilence) int {
		return cmp.Or(cmp.Compare(a.Peer, b.Peer), cmp.Compare(a.Post, b.Post), strings.Compare(string(a.Channel[:]), string(b.Channel[:])))
	})
	return out, nil
}

// linkSilence is how a link stands.
func linkSilence(c exchange.Condition) PostSilence {
	s := PostSilence{Peer: c.Peer, Why: exchange.SilenceNone, Since: c.Since}
	if !c.Up {
		s.Why = exchange.LinkDown
	}
	if c.Heard.IsZero() {
		s.Evidence = append(s.Evidence, Evidence{"never-heard", nil})
	} else {
		s.Evidence = append(s.Evidence, Evidence{"heard", []any{c.Heard, c.Route}})
	}
	if c.Failure != "" {
		s.Evidence = append(s.Evidence, Evidence{"failure", []any{c.Failure}})
	}
	return s
}

// silenceOf adds the silence about one own statement to those of the posts that it is addressed to. Of several the one that has lasted longest is
// the post's. f.mu is held.
func (s *Standing) silenceOf(d *floor.Awaited, links map[traffic.Party]exchange.Condition, now time.Time, posts map[silenceKey]*PostSilence) {
	m := d.Statement
	to, _ := traffic.ParseAddress(m.Audience)
	for _, p := range s.floor.Addressees(m) {
		c, paired := links[p]
		if !paired {
			continue
		}
		post := to.Post
		if post == "" {
			post = m.Issuer.Post // as the post of the same name answers
		}
		n := s.silent(d, traffic.Address{Party: p, Post: post}, c, now)
		n.Channel = m.Channel
		key := silenceKey{traffic.Address{Party: p, Post: post}, m.Channel}
		if old := posts[key]; old == nil || n.Since.Before(old.Since) {
			posts[key] = &n
		}
	}
}

// silent classifies the silence of a post about one own statement. f.mu is held.
func (s *Standing) silent(d *floor.Awaited, of traffic.Address, c exchange.Condition, now time.Time) PostSilence {
	m := d.Statement
	at := directory.Where{Channel: m.Channel, Plane: m.Plane}
	n := PostSilence{Peer: of.Party, Post: of.Post, Since: m.IssuedAt}
	stated := s.statuses.Of(at, of.Party, now)
	signs := exchange.Signs{
		Up: c.Up, Held: !d.There.IsZero(), Acknowledged: d.AcknowledgedBy != (statement.ID{}), Answered: d.AnsweredBy != (statement.ID{}),
		Suspended: stated.Stops(s.function(d)),
	}
	manning, unmanned := s.statuses.Unmanned(at, of, now)
	signs.Unmanned = unmanned
	next := d.NextBy(d.Form, d.There)
	signs.Overdue = signs.Held && !next.IsZero() && now.After(next)
	n.Why = exchange.Silent(signs)
	n.Evidence = append(n.Evidence, Evidence{"statement", []any{traffic.Number(m.Issuer, d.Feed, d.Index), m.IssuedAt}})
	if signs.Held {
		n.Evidence = append(n.Evidence, Evidence{"receipt", []any{string(of.Party), d.There}})
	} else {
		n.Evidence = append(n.Evidence, Evidence{"no-receipt", []any{string(of.Party)}})
	}
	switch n.Why {
	case exchange.LinkDown:
		n.Since = c.Since
		if m.IssuedAt.After(n.Since) {
			n.Since = m.IssuedAt
		}
		n.Evidence = append(n.Evidence, linkSilence(c).Evidence...)
	case exchange.DeliveredUnread:
		n.Since = d.There
	case exchange.BeingChecked:
		n.Since = d.Held
		n.Evidence = append(n.Evidence, Evidence{"acknowledged", []any{d.AcknowledgedBy.Short()}})
	case exchange.Suspended:
		n.Since = stated.From
		n.Evidence = append(n.Evidence, Evidence{"suspended", []any{s.places[stated.ID].number(), stated.Ground, stated.Condition}})
	case exchange.PostUnmanned:
		if unmanned {
			n.Since = manning.Since
			n.Evidence = append(n.Evidence, Evidence{"unmanned", []any{s.places[manning.ID].number(), manning.Since}})
			break
		}
		n.Since = next
		n.Evidence = append(n.Evidence, Evidence{"not-taken", []any{n.Since}})
	}
	return n
}

// function is the function that a statement from which something is due belongs to.
func (s *Standing) function(d *floor.Awaited) string {
	m := d.Statement
	u := directory.Utterance{Form: m.Form, Post: m.Issuer.Post, Audience: m.Audience, Precedence: m.Precedence}
	if v, err := d.Form.Decode(m.Payload); err == nil {
		u.Subject = v.Text("subject")
	}
	return directory.Function(u)
}

// Signs tells whether an addressee of an own statement has stated that it suspends it, and whether it has stated that the post is unmanned. What was read
// is asked: it does not wait.
func (s *Standing) Signs(m *statement.Statement, p traffic.Party) (suspended, unmanned bool) {
	now := time.Now()
	u := directory.Utterance{Form: m.Form, Post: m.Issuer.Post, Audience: m.Audience, Precedence: m.Precedence}
	if f, _, err := s.node.Form(m); err == nil {
		if v, err := f.Decode(m.Payload); err == nil {
			u.Subject = v.Text("subject")
		}
	}
	at := directory.Where{Channel: m.Channel, Plane: m.Plane}
	to, _ := traffic.ParseAddress(m.Audience)
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, unmanned = s.statuses.Unmanned(at, traffic.Address{Party: p, Post: cmp.Or(to.Post, m.Issuer.Post)}, now)
	return s.statuses.Of(at, p, now).Stops(directory.Function(u)), unmanned
}
