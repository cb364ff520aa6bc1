package drafts

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"detente/api"
	"detente/api/compose"
	"detente/api/drafting"
	"detente/chancery"
	"detente/instrument"
	"detente/node"
	"detente/officer"
	"detente/statement"
	"detente/traffic"
)

// state has the party say what the chancery has drafted, on behalf of whoever asks. What needs a second person waits for one.
func (f *face) state(ctx context.Context, by officer.Actor, v drafting.Voice, d node.Draft, files ...api.Attachment) (api.Sent, error) {
	regime, err := f.work.Regime(d.Channel)
	if err != nil {
		return api.Sent{}, err
	}
	fm, ok := regime.Latest(d.Form)
	if !ok {
		return api.Sent{}, fmt.Errorf("%w: %s", node.ErrNoForm, d.Form)
	}
	payload, err := fm.Encode(d.Values) // in the types that ToJSON takes
	if err != nil {
		return api.Sent{}, err
	}
	values, err := fm.Decode(payload)
	if err != nil {
		return api.Sent{}, err
	}
	fields, err := fm.ToJSON(values)
	if err != nil {
		return api.Sent{}, err
	}
	r := api.SendRequest{
		Channel: hex.EncodeToString(d.Channel[:]), To: d.Audience, Post: cmp.Or(v.Post, d.Post), Plane: d.Plane, Precedence: string(d.Precedence),
		Words: api.Words{Form: d.Form, Fields: fields, Attachments: files, Language: v.Language, Drafter: v.Drafter, Releaser: v.Releaser, Essential: v.Essential},
	}
	if d.Dossier != (statement.ID{}) {
		r.Dossier = d.Dossier.String()
	}
	for _, id := range d.Refs {
		r.Refs = append(r.Refs, id.String())
	}
	return f.Send(ctx, by, r)
}

// in states drafts in a negotiation, one after the other, once it is known that each would have effect.
func (f *face) in(ctx context.Context, by officer.Actor, v drafting.Voice, r *reader, m *instrument.Manifest, said []node.Draft, files ...api.Attachment) ([]api.Sent, error) {
	out := []api.Sent{}
	v.Post = cmp.Or(v.Post, f.work.Speaks(r.draft, m))
	if v.Post == "" {
		c, _, err := f.node.Channel(r.draft.Name.Channel)
		if err != nil {
			return out, err
		}
		if v.Post, err = f.Speaker(c, ""); err != nil {
			return out, err
		}
	}
	if _, err := r.draft.Rehearse(traffic.Address{Party: f.work.Self(), Post: v.Post}, said...); err != nil {
		return out, err
	}
	for _, d := range said {
		sent, err := f.state(ctx, by, v, d, files...)
		if err != nil {
			return out, err
		}
		out = append(out, sent)
	}
	return out, f.work.Work(ctx)
}

// one is in for a single statement.
func (f *face) one(ctx context.Context, by officer.Actor, v drafting.Voice, r *reader, m *instrument.Manifest, d node.Draft, err error, files ...api.Attachment) (api.Sent, error) {
	if err != nil {
		return api.Sent{}, err
	}
	sent, err := f.in(ctx, by, v, r, m, []node.Draft{d}, files...)
	if len(sent) == 1 {
		return sent[0], err
	}
	return api.Sent{}, err
}

func (f *face) open(ctx context.Context, by officer.Actor, in *struct{ Body drafting.New }) (drafting.Opened, error) {
	r := &in.Body
	c, err := f.ChannelNamed(ctx, r.Channel)
	if err != nil {
		return drafting.Opened{}, err
	}
	doc, err := f.begun(r)
	if err != nil {
		return drafting.Opened{}, err
	}
	o := chancery.Opening{
		Channel: c.ID(), Plane: cmp.Or(r.Plane, traffic.Real), Title: r.Title, Kind: cmp.Or(r.Kind, doc.Kind, "treaty"), Nature: cmp.Or(r.Nature, doc.Nature, "legal"),
		Languages: r.Languages, Prevailing: cmp.Or(r.Prevailing, doc.Prevailing), Parties: r.Parties, Template: r.Template, Case: r.Case, Remarks: r.Remarks,
	}
	if len(o.Title) == 0 {
		o.Title = doc.Title
	}
	if len(o.Languages) == 0 {
		o.Languages = doc.Languages
	}
	if r.Amends != "" {
		b, err := hex.DecodeString(r.Amends)
		if err != nil || len(b) != len(o.Amends) {
			return drafting.Opened{}, fmt.Errorf("%w: %.80q is no hash of a manifest", compose.ErrRequest, r.Amends)
		}
		o.Amends = [32]byte(b)
	}
	doc.Title = nil // the opening has it
	if len(doc.Clauses) > 0 && len(doc.Names) == 0 {
		parties := o.Parties
		if len(parties) == 0 {
			parties = c.Members
		}
		doc.Names = f.work.Names(parties, o.Languages)
	}
	d, err := f.work.Open(ctx, o)
	if err != nil {
		return drafting.Opened{}, err
	}
	if err := doc.Check(); err != nil { // before anything is stated
		return drafting.Opened{}, err
	}
	v := r.Voice
	if v.Post, err = f.Speaker(c.Channel, v.Post); err != nil {
		return drafting.Opened{}, err
	}
	sent, err := f.state(ctx, by, v, d)
	out := drafting.Opened{Sent: sent}
	if err != nil || len(doc.Clauses) == 0 {
		return out, err
	}
	opened, err := f.find(ctx, &OnDraft{Draft: sent.ID})
	if err != nil {
		return out, err
	}
	wishes, err := opened.draft.Import(f.work.Self(), doc, "")
	if err != nil {
		return out, err
	}
	tabled, err := f.wish(ctx, by, v, opened, wishes)
	out.Positions = len(tabled)
	return out, err
}

// begun is the text with which a negotiation begins.
func (f *face) begun(r *drafting.New) (chancery.Document, error) {
	switch {
	case r.Template != "" && r.Text != nil:
		return chancery.Document{}, fmt.Errorf("%w: a template or a text, not both", compose.ErrRequest)
	case r.Template != "":
		return chancery.Template(r.Template)
	case r.Text != nil:
		return document(r.Text), nil
	}
	return chancery.Document{}, nil
}

func (f *face) wish(ctx context.Context, by officer.Actor, v drafting.Voice, r *reader, wishes []chancery.Wish) ([]api.Sent, error) {
	var said []node.Draft
	for _, w := range wishes {
		d, err := r.draft.Table(w)
		if err != nil {
			return nil, err
		}
		said = append(said, d)
	}
	return f.in(ctx, by, v, r, nil, said)
}

func (f *face) table(ctx context.Context, by officer.Actor, in *struct {
	OnDraft
	Body drafting.Table
}) (drafting.Tabled, error) {
	t := &in.Body
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return drafting.Tabled{}, err
	}
	wishes, err := f.wishes(r, t)
	if err != nil {
		return drafting.Tabled{}, err
	}
	out := drafting.Tabled{Provision: cmp.Or(t.Provision, wishes[0].Provision)}
	if !t.Hidden {
		out.Sent, err = f.wish(ctx, by, t.Voice, r, wishes)
		return out, err
	}
	var said []node.Draft
	v := t.Voice
	if v.Post = cmp.Or(v.Post, f.work.Speaks(r.draft, nil)); v.Post == "" {
		c, _, err := f.node.Channel(r.draft.Name.Channel)
		if err != nil {
			return out, err
		}
		if v.Post, err = f.Speaker(c, ""); err != nil {
			return out, err
		}
	}
	if err := must(by, officer.Send, v.Post); err != nil { // before the salt is kept
		return out, err
	}
	for _, w := range wishes {
		d, err := f.work.Commit(ctx, r.draft, w, t.With, v.Post)
		if err != nil {
			return out, err
		}
		said = append(said, d)
	}
	out.Sent, err = f.in(ctx, by, v, r, nil, said)
	return out, err
}

// wishes are what a request to table asks for: a wording, and where the clause is new, or is to go, a structure with it.
func (f *face) wishes(r *reader, t *drafting.Table) ([]chancery.Wish, error) {
	self := f.work.Self()
	if t.Drop {
		order, err := chancery.Drop(r.draft.Order(self), t.Provision)
		return []chancery.Wish{{Provision: instrument.Structure, Order: order, Note: t.Note}}, err
	}
	w := chancery.Wish{Provision: cmp.Or(t.Provision, chancery.NewID()), Order: t.Order, Note: t.Note}
	if len(t.Texts) > 0 {
		w.Texts = r.draft.Merge(self, w.Provision, t.Texts)
	}
	if t.Kind == "" {
		if t.Provision == "" {
			return nil, fmt.Errorf("%w: of what kind is the new clause?", compose.ErrRequest)
		}
		return []chancery.Wish{w}, nil
	}
	kind := instrument.Kind(t.Kind)
	if !slices.Contains(instrument.Kinds(), kind) {
		return nil, fmt.Errorf("%w: %.40q is no kind of clause", compose.ErrRequest, t.Kind)
	}
	order, err := chancery.Insert(r.draft.Order(self), kind, w.Provision, t.After)
	if err != nil {
		return nil, err
	}
	out := []chancery.Wish{{Provision: instrument.Structure, Order: order, Note: t.Note}}
	if len(w.Texts) > 0 || !kind.Heads() {
		out = append([]chancery.Wish{w}, out...)
	}
	return out, nil
}

func (f *face) accept(ctx context.Context, by officer.Actor, in *struct {
	OnDraft
	Body drafting.Accept
}) ([]api.Sent, error) {
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return nil, err
	}
	list := in.Body.Provisions
	if in.Body.All {
		list = f.work.Acceptable(r.draft)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: which provisions?", chancery.ErrNothing)
	}
	var said []node.Draft
	for _, id := range list {
		d, err := f.work.Accept(r.draft, id, in.Body.Of)
		if err != nil {
			return nil, err
		}
		said = append(said, d)
	}
	return f.in(ctx, by, in.Body.Voice, r, nil, said)
}

func (f *face) reserve(ctx context.Context, by officer.Actor, in *struct {
	OnDraft
	Body drafting.Reserve
}) (api.Sent, error) {
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return api.Sent{}, err
	}
	d, err := f.work.Reserve(r.draft, in.Body.Provision, in.Body.Of, in.Body.Reason, in.Body.Words)
	return f.one(ctx, by, in.Body.Voice, r, nil, d, err)
}

func (f *face) withdraw(ctx context.Context, by officer.Actor, in *struct {
	OnDraft
	Body drafting.Withdraw
}) (api.Sent, error) {
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return api.Sent{}, err
	}
	d, err := f.work.Withdraw(r.draft, in.Body.Provision)
	return f.one(ctx, by, in.Body.Voice, r, nil, d, err)
}

func (f *face) pack(ctx context.Context, by officer.Actor, in *struct {
	OnDraft
	Body drafting.Bundle
}) (api.Sent, error) {
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return api.Sent{}, err
	}
	d, err := f.work.Package(r.draft, in.Body.Name, in.Body.Items)
	return f.one(ctx, by, in.Body.Voice, r, nil, d, err)
}

func (f *face) unpack(ctx context.Context, by officer.Actor, in *struct {
	OnDraft
	Package string `path:"package" maxLength:"64"`
	Body    drafting.Voice
}) (api.Sent, error) {
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return api.Sent{}, err
	}
	d, err := f.work.Unpack(r.draft, in.Package)
	return f.one(ctx, by, in.Body, r, nil, d, err)
}

func (f *face) comment(ctx context.Context, by officer.Actor, in *struct {
	OnDraft
	Body drafting.Remark
}) (api.Sent, error) {
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return api.Sent{}, err
	}
	d, err := r.draft.Comment(in.Body.Provision, in.Body.Words, in.Body.Paper)
	return f.one(ctx, by, in.Body.Voice, r, nil, d, err)
}

func (f *face) note(ctx context.Context, by officer.Actor, in *struct {
	OnDraft
	Body drafting.NewNote
}) (drafting.Note, error) {
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return drafting.Note{}, err
	}
	n, err := f.work.Note(ctx, r.draft.Name.ID, chancery.Note{
		Provision: in.Body.Provision, Kind: in.Body.Kind, Officer: by.ID, Words: in.Body.Words, Texts: in.Body.Texts,
	})
	return noteView(n), err
}

func (f *face) forget(ctx context.Context, _ officer.Actor, in *struct {
	OnDraft
	Note string `path:"note" maxLength:"64"`
}) (struct{}, error) {
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return struct{}{}, err
	}
	return struct{}{}, f.work.Forget(ctx, r.draft.Name.ID, in.Note)
}
