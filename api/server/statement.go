package server

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/api/compose"
	"detente/archive"
	"detente/dossier"
	"detente/node"
	"detente/officer"
	"detente/traffic"

	"golang.org/x/text/language"
)

// onStatement is a request about one statement.
type onStatement struct {
	ID   string `path:"id" doc:"Four or more digits of the id, or the number, such as XN/NRRC-O-0003."`
	Lang string `query:"lang" doc:"Of the reader, BCP 47." default:"en"`
}

// listing narrows a list of statements.
type listing struct {
	Direction  string        `query:"direction" enum:"in,out,all" default:"in" doc:"By others, by this party, or all."`
	Open       bool          `query:"open" doc:"Only those on which something is due."`
	Newest     bool          `query:"newest" doc:"The newest first, open or not: as quick with many statements as with few."`
	Channel    string        `query:"channel"`
	Plane      traffic.Plane `query:"plane" enum:"real,exercise,test"`
	Form       string        `query:"form"`
	Precedence string        `query:"precedence"`
	From       string        `query:"from" doc:"Party, or party/post."`
	System     bool          `query:"system" doc:"Also what nodes say to each other on link and public channels."`
	Limit      int           `query:"limit" default:"50" minimum:"1" maximum:"1000"`
	Lang       string        `query:"lang" default:"en"`
}

func (s *Server) registerStatements() {
	const tag, one = "statements", "/v1/statements/{id}"
	Handle(s, Operation(s, officer.Send, tag, http.MethodPost, "/v1/statements", "send", "Make a statement", officer.Check, officer.Translate, officer.Directory, officer.Commit), s.send)
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/statements", "list-statements", "Statements: what is open first, then the newest first"), s.list)
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, one, "show-statement", "One statement: what it says, where it stands"), s.show)
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, one+"/receipts", "list-receipts", "Who has held it, by when"), s.receipts)
	HandleFile(s, Operation(s, officer.Read, tag, http.MethodGet, one+"/proof", "prove", "The proof file of a statement"), "application/cbor", s.prove)
	Handle(s, Operation(s, officer.Acknowledge, tag, http.MethodPost, one+"/replies", "reply", "Acknowledge, answer, correct, cancel", officer.Answer, officer.Send, officer.Translate), s.reply)
	HandleFile(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/blobs/{hash}", "get-attachment", "An attachment, by its SHA-256 in hex"),
		"application/octet-stream", s.blob)
}

func (s *Server) list(ctx context.Context, _ officer.Actor, in *listing) ([]api.Line, error) {
	match, err := s.matcher(ctx, in)
	if err != nil {
		return nil, err
	}
	v := s.Viewer(ctx, language.Make(in.Lang))
	out := []api.Line{}
	seen, clocks := make(map[string]bool), make(map[string]int64)
	var open []*dossier.State
	if !in.Newest {
		if open, err = s.node.OpenDossiers(ctx, 4*in.Limit); err != nil { // some are of the other direction, or of what is not asked for
			return nil, err
		}
	}
	for _, state := range open {
		v.Know(state)
		for _, id := range state.Open {
			h, err := s.node.Statement(ctx, id)
			if err != nil {
				return nil, err
			}
			if match(h) && len(out) < in.Limit {
				line, err := v.Line(h)
				if err != nil {
					return nil, err
				}
				out, seen[line.ID], clocks[line.ID] = append(out, line), true, h.Clock
			}
		}
	}
	slices.SortStableFunc(out, func(a, b api.Line) int {
		return cmp.Or(b.Held.Compare(a.Held), cmp.Compare(clocks[b.ID], clocks[a.ID]))
	})
	if in.Open {
		return out, nil
	}
	rest, err := s.node.List(ctx, in.Limit, match)
	if err != nil {
		return nil, err
	}
	for _, h := range rest {
		if len(out) == in.Limit {
			break
		}
		if seen[h.ID.String()] {
			continue
		}
		line, err := v.Line(h)
		if err != nil {
			return nil, err
		}
		out = append(out, line)
	}
	return out, nil
}

// matcher tells which statements a listing is about.
func (s *Server) matcher(ctx context.Context, in *listing) (func(archive.Held) bool, error) {
	var channel *[32]byte
	if in.Channel != "" {
		c, err := s.findChannel(ctx, in.Channel)
		if err != nil {
			return nil, err
		}
		id := c.ID()
		channel = &id
	}
	var precedence traffic.Precedence
	if in.Precedence != "" {
		p, err := traffic.ParsePrecedence(in.Precedence)
		if err != nil {
			return nil, err
		}
		precedence = p
	}
	system := make(map[[32]byte]bool)
	states, err := s.node.Channels(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range states {
		system[c.ID()] = c.Kind != "common"
	}
	self := s.node.Self()
	return func(h archive.Held) bool {
		f := h.Feed
		return (in.Direction == "all" || (f.Party == self) == (in.Direction == "out")) &&
			(channel == nil || f.Channel == *channel) && (channel != nil || in.System || !system[f.Channel]) &&
			(in.Plane == "" || f.Plane == in.Plane) && (in.Form == "" || h.Form == in.Form) &&
			(precedence == "" || f.Precedence == precedence) &&
			(in.From == "" || h.Issuer == in.From || strings.HasPrefix(h.Issuer, in.From+"/"))
	}, nil
}

func (s *Server) show(ctx context.Context, _ officer.Actor, in *onStatement) (api.Statement, error) {
	h, err := s.node.Named(ctx, in.ID)
	if err != nil {
		return api.Statement{}, err
	}
	if s.stands != nil {
		if err := s.stands.Read(ctx); err != nil { // the statement itself can be shown
			s.log.Error("what stands around a statement cannot be read", "id", h.ID, "reason", err)
		}
	}
	return s.Viewer(ctx, language.Make(in.Lang)).Statement(h)
}

func (s *Server) receipts(ctx context.Context, _ officer.Actor, in *struct {
	ID   string        `path:"id" doc:"As in show-statement."`
	Wait int           `query:"wait" doc:"Seconds to wait until the party given by from holds it." maximum:"600"`
	From traffic.Party `query:"from" doc:"Whose receipt is waited for; empty for every other member."`
}) ([]archive.Receipt, error) {
	h, err := s.node.Named(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Wait > 0 {
		wait, cancel := context.WithTimeout(ctx, min(time.Duration(in.Wait)*time.Second, api.MostWait))
		defer cancel()
		for _, p := range s.mirrors(h.Feed.Channel, in.From) {
			if err := s.node.WaitReceipt(wait, node.Sent{ID: h.ID, Feed: h.Feed, Index: h.Index}, p); err != nil {
				return nil, err
			}
		}
	}
	return s.node.Receipts(ctx, h.Feed, h.Index)
}

// mirrors are those whose receipts an own statement on a channel gets.
func (s *Server) mirrors(channel [32]byte, only traffic.Party) []traffic.Party {
	if only != "" {
		return []traffic.Party{only}
	}
	c, _, err := s.node.Channel(channel)
	if err != nil {
		return nil
	}
	return c.Others(s.node.Self())
}

func (s *Server) prove(ctx context.Context, _ officer.Actor, in *onStatement) ([]byte, error) {
	h, err := s.node.Named(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.node.Prove(ctx, h.ID)
}

func (s *Server) blob(ctx context.Context, _ officer.Actor, in *struct {
	Hash string `path:"hash" minLength:"64" maxLength:"64"`
}) ([]byte, error) {
	raw, err := hex.DecodeString(in.Hash)
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("%w: a hash has 64 hexadecimal digits", compose.ErrRequest)
	}
	return s.node.Blob(ctx, [32]byte(raw))
}
