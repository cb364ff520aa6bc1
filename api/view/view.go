// Package view is how what a node holds looks to one reader, in his language: statements, checks, contacts, channels.
// It must never show as one what a machine and what a person has done, nor change anything.
package view

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"detente/api"
	"detente/archive"
	"detente/dossier"
	"detente/exchange"
	"detente/form"
	"detente/journal"
	"detente/node"
	"detente/standing"
	"detente/statement"
	"detente/traffic"

	"golang.org/x/text/language"
)

// Viewer turns what is held into what one reader sees. It folds each dossier once, and lives as long as one request.
type Viewer struct {
	node     *node.Node
	standing *standing.Standing // nil where there is no watch floor
	phrases  *form.Phrasebook
	ctx      context.Context
	lang     language.Tag
	states   map[dossier.Name]*dossier.State
	names    map[[32]byte]string
}

// New makes a viewer for a reader of lang. st may be nil.
func New(ctx context.Context, n *node.Node, st *standing.Standing, phrases *form.Phrasebook, lang language.Tag) *Viewer {
	return &Viewer{
		node: n, standing: st, phrases: phrases, ctx: ctx, lang: lang, states: make(map[dossier.Name]*dossier.State), names: make(map[[32]byte]string),
	}
}

// Know gives the viewer a dossier that was folded already.
func (v *Viewer) Know(state *dossier.State) { v.states[state.Name] = state }

// entry is a statement in its folded dossier; nil for an entry that is no statement.
func (v *Viewer) entry(h archive.Held) (*dossier.State, *dossier.Entry, error) {
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

// Line is a statement in a list.
func (v *Viewer) Line(h archive.Held) (api.Line, error) {
	from, _ := traffic.ParseAddress(h.Issuer)
	if from.Party != h.Feed.Party {
		from = traffic.Address{Party: h.Feed.Party} // whoever it pretends to be by, this party has logged it
	}
	out := api.Line{
		ID: h.ID.String(), Number: traffic.Number(from, h.Feed, h.Index), Form: h.Form, Title: h.Form, Precedence: h.Feed.Precedence, Plane: h.Feed.Plane,
		Channel: v.Channel(h.Feed.Channel), From: from.String(), Held: h.Held, Own: h.Feed.Party == v.node.Self(),
		Dossier: h.Dossier.String(), Standing: string(dossier.Invalid), Reason: h.Reason,
	}
	s := h.Statement
	if s == nil {
		return out, nil
	}
	out.To, out.Issued = s.Audience, s.IssuedAt
	if v.standing != nil {
		if of, ok := v.standing.Duplicate(h.ID); ok {
			out.Duplicate = of.String()
		}
	}
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

// Channel is what a channel is called in lists.
func (v *Viewer) Channel(id [32]byte) string {
	if name, ok := v.names[id]; ok {
		return name
	}
	name := hex.EncodeToString(id[:4])
	if c, _, err := v.node.Channel(id); err == nil {
		name = ChannelName(c)
	}
	v.names[id] = name
	return name
}

// owed is what is due on a statement, by whom and until when. Time runs from when the addressee held it: what has not come cannot be late.
func (v *Viewer) owed(h archive.Held, e *dossier.Entry, f *form.Form) ([]api.Owed, error) {
	if f == nil || !e.AwaitsAcknowledgement && !e.AwaitsAnswer {
		return nil, nil
	}
	by := v.addressees(h.Statement)
	from, err := v.heldBy(h, by)
	if err != nil {
		return nil, err
	}
	due := func(what string, until time.Time) api.Owed {
		o := api.Owed{What: what, By: by}
		if !until.IsZero() {
			o.Until = until.UTC()
			o.Overdue = time.Now().After(o.Until)
		}
		return o
	}
	var out []api.Owed
	if e.AwaitsAcknowledgement {
		out = append(out, due("acknowledgement", e.AcknowledgeBy(f, from)))
	}
	if e.AwaitsAnswer {
		out = append(out, due("answer", e.AnswerBy(f, from)))
	}
	return out, nil
}

// addressees are the parties that a statement is addressed to.
func (v *Viewer) addressees(s *statement.Statement) []traffic.Party {
	if a, err := traffic.ParseAddress(s.Audience); err == nil {
		return []traffic.Party{a.Party}
	}
	if c, _, err := v.node.Channel(s.Channel); err == nil {
		return c.Others(s.Issuer.Party)
	}
	return nil
}

// heldBy is when the first of the addressees held a statement, zero when none is known to.
func (v *Viewer) heldBy(h archive.Held, by []traffic.Party) (first time.Time, err error) {
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

// Statement is all that is known of one.
func (v *Viewer) Statement(h archive.Held) (api.Statement, error) {
	line, err := v.Line(h)
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
		out.Silence = v.silence(h, state, e, &out)
		v.stand(h, state, &out)
	}
	if h.Statement == nil {
		out.Status = v.status(&out, nil)
		return out, nil
	}
	out.Status = v.status(&out, v.addressees(h.Statement))
	return out, v.render(h, state, &out)
}

func (v *Viewer) heldByAll(s *statement.Statement, receipts []archive.Receipt) bool {
	to := v.addressees(s)
	for _, p := range to {
		if p != s.Issuer.Party && !slices.ContainsFunc(receipts, func(r archive.Receipt) bool { return r.Mirror == p }) {
			return false
		}
	}
	return len(to) > 0
}

// replies are the statements of the dossier that refer to one.
func (v *Viewer) replies(state *dossier.State, to statement.ID) []api.Reply {
	out := []api.Reply{}
	for _, e := range state.Entries {
		s := e.Statement
		if s == nil || e.Standing == dossier.Invalid || e.Standing == dossier.OutOfOrder || !slices.Contains(s.Refs, to) {
			continue
		}
		out = append(out, api.Reply{
			ID: s.ID().String(), Number: traffic.Number(s.Issuer, e.Feed, e.Index), Form: s.Form, From: s.Issuer.String(), Drafter: s.Drafter, Issued: s.IssuedAt,
			Human: s.Drafter != journal.Machine,
		})
	}
	return out
}

// silence tells why each addressee of an own statement has not said what is due, and whether it has declined.
func (v *Viewer) silence(h archive.Held, state *dossier.State, e *dossier.Entry, s *api.Statement) []api.Silence {
	declined := v.declined(state, e)
	if !s.Own || h.Statement == nil || len(s.Owed) == 0 && !declined {
		return nil
	}
	overdue := slices.ContainsFunc(s.Owed, func(o api.Owed) bool { return o.Overdue })
	to := v.addressees(h.Statement)
	var out []api.Silence
	for _, c := range v.node.Conditions() {
		if !slices.Contains(to, c.Peer) {
			continue
		}
		signs := exchange.Signs{
			Up: c.Up, Acknowledged: e.AcknowledgedBy != (statement.ID{}), Answered: e.AnsweredBy != (statement.ID{}), Declined: declined, Overdue: overdue,
			Held: slices.ContainsFunc(s.Receipts, func(r archive.Receipt) bool { return r.Mirror == c.Peer }),
		}
		if v.standing != nil {
			signs.Suspended, signs.Unmanned = v.standing.Signs(h.Statement, c.Peer)
		}
		out = append(out, api.Silence{Party: c.Peer, Why: exchange.Silent(signs)})
	}
	return out
}

// declined tells whether a statement was answered with a refusal.
func (v *Viewer) declined(state *dossier.State, e *dossier.Entry) bool {
	answer := state.Find(e.AnsweredBy)
	if answer == nil {
		return false
	}
	f, _, err := v.node.Form(answer.Statement)
	if err != nil {
		return false
	}
	values, err := f.Decode(answer.Statement.Payload)
	return err == nil && values.Text("finding") == "refused"
}

// render lays the statement out for its reader. What the form refuses has no text: its bytes are kept, and its reason is shown.
func (v *Viewer) render(h archive.Held, state *dossier.State, out *api.Statement) error {
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
				name = traffic.Number(e.Statement.Issuer, e.Feed, e.Index)
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

// Draft is a statement that nobody has made yet, as its reader would see it. What the form refuses is an error, as when it is made.
func (v *Viewer) Draft(d *node.Draft, f *form.Form) (out api.Statement, err error) {
	_, regime, err := v.node.Channel(d.Channel)
	if err != nil {
		return out, err
	}
	payload, err := f.Encode(d.Values)
	if err != nil {
		return out, err
	}
	values, err := f.Decode(payload)
	if err != nil {
		return out, err
	}
	if err := f.Permit(form.Use{Post: d.Post, Precedence: d.Precedence, Refs: len(d.Refs), Drafter: "drafter", Releaser: "releaser"}, values); err != nil {
		return out, err // two persons are asked for when it is sent
	}
	from := traffic.Address{Party: v.node.Self(), Post: d.Post}.String()
	out.Line = api.Line{
		Form: f.ID, Title: regime.Phrases.Phrase(v.lang, f.ID), Precedence: d.Precedence, Plane: d.Plane, Channel: v.Channel(d.Channel), From: from, To: d.Audience,
		Issued: time.Now().UTC().Truncate(time.Second), Own: true,
	}
	out.Language, out.Marking, out.Drafter, out.Releaser = d.Language, d.Marking, d.Drafter, d.Releaser
	out.Refs, out.Attachments, out.Receipts, out.Replies, out.Status, out.Level = []string{}, []api.AttachedFile{}, []archive.Receipt{}, []api.Reply{}, []string{}, "E0"
	original, _ := language.Parse(d.Language)
	m := form.Message{
		Form: f, Values: values, From: from, To: d.Audience, At: out.Issued, Precedence: d.Precedence, Plane: d.Plane, Original: original, Marking: d.Marking,
	}
	for _, id := range d.Refs {
		name := id.Short()
		if h, err := v.node.Statement(v.ctx, id); err == nil && h.Statement != nil {
			name = traffic.Number(h.Statement.Issuer, h.Feed, h.Index)
		}
		m.Refs, out.Refs = append(m.Refs, name), append(out.Refs, id.String())
	}
	if out.Fields, err = f.ToJSON(values); err != nil {
		return out, err
	}
	laid := regime.Render(m, v.lang)
	out.Text, out.Document, out.Direction = laid.String(), viewDocument(laid), "ltr"
	if laid.RTL {
		out.Direction = "rtl"
	}
	return out, nil
}
