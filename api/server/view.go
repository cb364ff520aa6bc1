package server

import (
	"context"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"time"

	"detente/api"
	"detente/archive"
	"detente/dossier"
	"detente/exchange"
	"detente/form"
	"detente/statement"
	"detente/traffic"

	"golang.org/x/text/language"
)

//go:embed phrases
var phraseFiles embed.FS

// Phrases loads the words in which the standing of statements, and the items of the watch, are told. Error: form.ErrRegime.
func Phrases() (*form.Phrasebook, error) {
	book, err := form.LoadPhrases(fs.FS(phraseFiles))
	if err != nil {
		return nil, err
	}
	return book, book.Complete()
}

// viewer turns statements into what one reader sees. It folds each dossier once, and lives as long as one request.
type viewer struct {
	*Server
	ctx    context.Context
	lang   language.Tag
	states map[dossier.Name]*dossier.State
	names  map[[32]byte]string
}

func (s *Server) viewer(ctx context.Context, lang language.Tag) *viewer {
	return &viewer{Server: s, ctx: ctx, lang: lang, states: make(map[dossier.Name]*dossier.State), names: make(map[[32]byte]string)}
}

// entry is a statement in its folded dossier; nil for an entry that is no statement.
func (v *viewer) entry(h archive.Held) (*dossier.State, *dossier.Entry, error) {
	name, ok := dossier.Of(h.Placed)
	if !ok {
		return nil, nil, nil
	}
	state := v.states[name]
	if state == nil {
		var err error
		if state, err = v.node.Dossier(v.ctx, h); errors.Is(err, archive.ErrNoChannel) {
			return nil, nil, nil
		} else if err != nil {
			return nil, nil, err
		}
		v.states[name] = state
	}
	return state, state.Find(h.ID), nil
}

// line is a statement in a list.
func (v *viewer) line(h archive.Held) (api.Line, error) {
	from, _ := traffic.ParseAddress(h.Issuer)
	if from.Party != h.Feed.Party {
		from = traffic.Address{Party: h.Feed.Party} // whoever it pretends to be by, this party has logged it
	}
	out := api.Line{
		ID: h.ID.String(), Number: number(from, h.Feed, h.Index), Form: h.Form, Title: h.Form, Precedence: h.Feed.Precedence, Plane: h.Feed.Plane,
		Channel: v.channelName(h.Feed.Channel), From: from.String(), Held: h.Held, Own: h.Feed.Party == v.node.Self(),
		Dossier: h.Dossier.String(), Standing: string(dossier.Invalid), Reason: h.Reason,
	}
	s := h.Statement
	if s == nil {
		return out, nil
	}
	out.To, out.Issued = s.Audience, s.IssuedAt
	// What is invalid may name a form or a channel that is not there: it is listed all the same, else one bad statement would hide all others.
	f, regime, err := v.node.Form(s)
	if err == nil {
		out.Title = regime.Phrases.Phrase(v.lang, f.ID)
	}
	_, e, err := v.entry(h)
	if e == nil || err != nil {
		return out, err
	}
	out.Standing, out.Reason = string(e.Standing), e.Why
	out.Owed, err = v.owed(h, e, f)
	return out, err
}

func (v *viewer) channelName(id [32]byte) string {
	if name, ok := v.names[id]; ok {
		return name
	}
	name := hex.EncodeToString(id[:4])
	if c, _, err := v.node.Channel(id); err == nil {
		name = channelName(c)
	}
	v.names[id] = name
	return name
}

// owed is what is due on a statement, by whom and until when. Time runs from when the addressee held it: what has not come cannot be late.
func (v *viewer) owed(h archive.Held, e *dossier.Entry, f *form.Form) ([]api.Owed, error) {
	if f == nil || !e.AwaitsAcknowledgement && !e.AwaitsAnswer {
		return nil, nil
	}
	by := v.addressees(h.Statement)
	from, err := v.heldBy(h, by)
	if err != nil {
		return nil, err
	}
	due := func(what string, within time.Duration) api.Owed {
		o := api.Owed{What: what, By: by}
		if !from.IsZero() && within > 0 {
			o.Until = from.Add(within).UTC()
			o.Overdue = time.Now().After(o.Until)
		}
		return o
	}
	var out []api.Owed
	if e.AwaitsAcknowledgement {
		out = append(out, due("acknowledgement", f.AcknowledgeWithin(h.Feed.Precedence)))
	}
	if e.AwaitsAnswer {
		out = append(out, due("answer", f.AnswerWithin(h.Feed.Precedence)))
	}
	return out, nil
}

// addressees are the parties that a statement is addressed to.
func (v *viewer) addressees(s *statement.Statement) []traffic.Party {
	if a, err := traffic.ParseAddress(s.Audience); err == nil {
		return []traffic.Party{a.Party}
	}
	if c, _, err := v.node.Channel(s.Channel); err == nil {
		return c.Others(s.Issuer.Party)
	}
	return nil
}

// heldBy is when the first of the addressees held a statement, zero when none is known to.
func (v *viewer) heldBy(h archive.Held, by []traffic.Party) (first time.Time, err error) {
	if h.Feed.Party != v.node.Self() && slices.Contains(by, v.node.Self()) {
		return h.Held, nil
	}
	receipts, err := v.node.Receipts(v.ctx, h.Feed, h.Index)
	for _, r := range receipts {
		if at := time.Unix(r.At, 0); slices.Contains(by, r.Mirror) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first, err
}

// statement is all that is known of one.
func (v *viewer) statement(h archive.Held) (api.Statement, error) {
	line, err := v.line(h)
	if err != nil {
		return api.Statement{}, err
	}
	out := api.Statement{
		Line: line, Refs: []string{}, Feed: h.Feed.Origin(), Index: h.Index, Attachments: []api.AttachedFile{}, Replies: []api.Reply{}, Level: "E1",
		Status: []string{}, Direction: "ltr",
	}
	if out.Receipts, err = v.node.Receipts(v.ctx, h.Feed, h.Index); err != nil {
		return out, err
	}
	if s := h.Statement; s != nil {
		out.Language, out.Marking, out.Drafter, out.Releaser, out.Charter = s.Language, s.Marking, s.Drafter, s.Releaser, s.Charter
		for _, id := range s.Refs {
			out.Refs = append(out.Refs, id.String())
		}
		if v.heldByAll(s, out.Receipts) {
			out.Level = "E2"
		}
	}
	state, e, err := v.entry(h)
	if err != nil {
		return out, err
	}
	if e != nil {
		out.Replies = v.replies(state, h.ID)
		out.Silence = v.silence(h, e, &out)
	}
	if h.Statement == nil {
		out.Status = v.status(&out, nil)
		return out, nil
	}
	out.Status = v.status(&out, v.addressees(h.Statement))
	return out, v.render(h, state, &out)
}

func (v *viewer) heldByAll(s *statement.Statement, receipts []archive.Receipt) bool {
	to := v.addressees(s)
	for _, p := range to {
		if p != s.Issuer.Party && !slices.ContainsFunc(receipts, func(r archive.Receipt) bool { return r.Mirror == p }) {
			return false
		}
	}
	return len(to) > 0
}

// replies are the statements of the dossier that refer to one.
func (v *viewer) replies(state *dossier.State, to statement.ID) []api.Reply {
	out := []api.Reply{}
	for _, e := range state.Entries {
		s := e.Statement
		if s == nil || e.Standing == dossier.Invalid || e.Standing == dossier.OutOfOrder || !slices.Contains(s.Refs, to) {
			continue
		}
		out = append(out, api.Reply{
			ID: s.ID().String(), Number: number(s.Issuer, e.Feed, e.Index), Form: s.Form, From: s.Issuer.String(), Drafter: s.Drafter, Issued: s.IssuedAt,
		})
	}
	return out
}

// silence tells why each addressee of an own statement has not said what is due.
func (v *viewer) silence(h archive.Held, e *dossier.Entry, s *api.Statement) []api.Silence {
	if !s.Own || len(s.Owed) == 0 {
		return nil
	}
	overdue := slices.ContainsFunc(s.Owed, func(o api.Owed) bool { return o.What == "acknowledgement" && o.Overdue })
	var out []api.Silence
	for _, c := range v.node.Conditions() {
		if !slices.Contains(s.Owed[0].By, c.Peer) {
			continue
		}
		held := slices.ContainsFunc(s.Receipts, func(r archive.Receipt) bool { return r.Mirror == c.Peer })
		acknowledged := e.AcknowledgedBy != (statement.ID{})
		why := exchange.Silent(exchange.Signs{Up: c.Up, Held: held, Acknowledged: acknowledged, Answered: e.AnsweredBy != (statement.ID{}), Overdue: overdue})
		out = append(out, api.Silence{Party: c.Peer, Why: why})
	}
	return out
}

// render lays the statement out for its reader. What the form refuses has no text: its bytes are kept, and its reason is shown.
func (v *viewer) render(h archive.Held, state *dossier.State, out *api.Statement) error {
	s := h.Statement
	f, regime, err := v.node.Form(s)
	if err != nil {
		return nil
	}
	values, err := f.Decode(s.Payload)
	if err != nil {
		return nil
	}
	if out.Fields, err = f.ToJSON(values); err != nil {
		return err
	}
	for _, b := range f.Blobs(values) {
		_, complete, err := v.node.BlobHeld(v.ctx, b.Hash)
		if err != nil {
			return err
		}
		out.Attachments = append(out.Attachments, api.AttachedFile{Name: b.Name, Type: b.Type, Size: b.Size, Hash: hex.EncodeToString(b.Hash[:]), Held: complete})
	}
	original, _ := language.Parse(s.Language) // an unknown language is shown as it is called
	m := form.Message{
		Form: f, Values: values, Number: out.Number, From: out.From, To: out.To, At: s.IssuedAt, Precedence: s.Precedence, Plane: s.Plane,
		Original: original, Marking: s.Marking, Status: out.Status,
	}
	if s.Case() != h.ID {
		m.Case = s.Case().Short()
	}
	for _, id := range s.Refs {
		name := id.Short()
		if state != nil {
			if e := state.Find(id); e != nil {
				name = number(e.Statement.Issuer, e.Feed, e.Index)
			}
		}
		m.Refs = append(m.Refs, name)
	}
	d := regime.Render(m, v.lang)
	out.Text, out.Document = d.String(), viewDocument(d)
	if d.RTL {
		out.Direction = "rtl"
	}
	if out.Fields == nil {
		out.Fields = json.RawMessage("{}")
	}
	return nil
}
