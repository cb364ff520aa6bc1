package dialogue

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"detente/api"
	"detente/api/compose"
	"detente/api/drafting"
	"detente/api/talks"
	"detente/dialogue"
	"detente/form"
	"detente/node"
	"detente/officer"
	"detente/secretariat"
	"detente/statement"
	"detente/traffic"

	"golang.org/x/text/language"
)

// voice is on whose part the words of a request are stated.
func voice(post traffic.Post, w *api.Words) drafting.Voice {
	return drafting.Voice{Post: post, Drafter: w.Drafter, Releaser: w.Releaser, Language: w.Language, Essential: w.Essential}
}

// state has the party say what the secretariat has drafted, on behalf of whoever asks. What needs a second person waits for one.
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
	sent, err := f.Send(ctx, by, r)
	if err != nil {
		return sent, err
	}
	return sent, f.work.Work(ctx)
}

// in states a draft of the talk itself, once it is known that it would have effect.
func (f *face) in(ctx context.Context, by officer.Actor, v drafting.Voice, t *secretariat.Talk, d node.Draft, err error, files ...api.Attachment) (api.Sent, error) {
	if err != nil {
		return api.Sent{}, err
	}
	d.Post = cmp.Or(v.Post, d.Post)
	if d.Post == "" {
		if d.Post, err = f.Speaker(t.Channel, ""); err != nil {
			return api.Sent{}, err
		}
	}
	v.Post = d.Post
	if err := f.work.Rehearse(t, d); err != nil {
		return api.Sent{}, err
	}
	return f.state(ctx, by, v, d, files...)
}

// values are the fields of a request.
func values(regime *form.Regime, w *api.Words) (form.Values, error) {
	fm, ok := regime.Latest(w.Form)
	if !ok {
		return nil, fmt.Errorf("%w: %s", node.ErrNoForm, w.Form)
	}
	bare := *w
	bare.Attachments = nil
	v, _, err := compose.Values(&bare, fm)
	return v, err
}

func (f *face) open(ctx context.Context, by officer.Actor, in *struct{ Body talks.Opening }) (api.Sent, error) {
	r := &in.Body
	c, err := f.ChannelNamed(ctx, r.Channel)
	if err != nil {
		return api.Sent{}, err
	}
	regime, err := f.work.Regime(c.ID())
	if err != nil {
		return api.Sent{}, err
	}
	v, err := values(regime, &r.Words)
	if err != nil {
		return api.Sent{}, err
	}
	d, err := f.work.Open(ctx, c.ID(), cmp.Or(r.Plane, traffic.Real), r.Words.Form, v)
	if err != nil {
		return api.Sent{}, err
	}
	return f.state(ctx, by, voice(r.Post, &r.Words), d)
}

func (f *face) say(ctx context.Context, by officer.Actor, in *struct {
	OnTalk
	Body talks.Statement
}) (api.Sent, error) {
	r := &in.Body
	t, err := f.find(ctx, in.Dialogue)
	if err != nil {
		return api.Sent{}, err
	}
	given, err := values(t.Regime, &r.Words)
	if err != nil {
		return api.Sent{}, err
	}
	d, err := f.work.Say(t, r.Words.Form, given, r.About, time.Now())
	return f.in(ctx, by, voice(r.Post, &r.Words), t, d, err, r.Words.Attachments...)
}

// number is that of the round that a request is about.
func number(t *secretariat.Talk, r *talks.OnText) int {
	if r.Round > 0 || t.Series == nil {
		return r.Round
	}
	at := t.Series.At(time.Now())
	if r.What != "agenda" && at.Last != nil {
		return at.Last.Number
	}
	return at.Number
}

// textOf is the text that a request is about.
func (f *face) textOf(ctx context.Context, t *secretariat.Talk, r *talks.OnText) (*secretariat.Text, error) {
	w := secretariat.Which{Number: number(t, r), What: r.What}
	if r.Negotiation != "" {
		h, err := f.node.Named(ctx, r.Negotiation)
		if err != nil {
			return nil, err
		}
		w.Negotiation = h.ID
	}
	return f.work.Text(ctx, t, w)
}

func (f *face) openText(ctx context.Context, by officer.Actor, in *struct {
	OnTalk
	Body talks.NewText
}) (api.Sent, error) {
	t, err := f.find(ctx, in.Dialogue)
	if err != nil {
		return api.Sent{}, err
	}
	r := &in.Body
	n := number(t, &r.OnText)
	d, err := f.work.OpenText(t, n, r.What, r.Title)
	if err != nil {
		return api.Sent{}, err
	}
	sent, err := f.state(ctx, by, r.Voice, d)
	if err != nil || t.Series == nil {
		return sent, err
	}
	h, err := f.node.Named(ctx, sent.ID)
	if err != nil {
		return sent, err
	}
	_, err = f.in(ctx, by, r.Voice, t, t.NameText(n, r.What, h.ID), nil)
	return sent, err
}

// each states drafts in a negotiation, one after the other.
func (f *face) each(ctx context.Context, by officer.Actor, v drafting.Voice, said []node.Draft, err error) ([]api.Sent, error) {
	out := []api.Sent{}
	for _, d := range said {
		sent, fault := f.state(ctx, by, v, d)
		if fault != nil {
			return out, fault
		}
		out = append(out, sent)
	}
	return out, err
}

func (f *face) addItem(ctx context.Context, by officer.Actor, in *struct {
	OnTalk
	Body talks.NewItem
}) ([]api.Sent, error) {
	t, err := f.find(ctx, in.Dialogue)
	if err != nil {
		return nil, err
	}
	x, err := f.textOf(ctx, t, &in.Body.OnText)
	if err != nil {
		return nil, err
	}
	said, err := f.work.AddItem(t, x, in.Body.Texts)
	return f.each(ctx, by, in.Body.Voice, said, err)
}

func (f *face) agree(ctx context.Context, by officer.Actor, in *struct {
	OnTalk
	Body talks.OnText
}) ([]api.Sent, error) {
	t, err := f.find(ctx, in.Dialogue)
	if err != nil {
		return nil, err
	}
	x, err := f.textOf(ctx, t, &in.Body)
	if err != nil {
		return nil, err
	}
	return f.each(ctx, by, in.Body.Voice, f.work.Agree(t, x), nil)
}

func (f *face) sign(ctx context.Context, by officer.Actor, in *struct {
	OnTalk
	Body talks.Signature
}) (api.Sent, error) {
	t, err := f.find(ctx, in.Dialogue)
	if err != nil {
		return api.Sent{}, err
	}
	d, err := f.work.Sign(ctx, t, in.Body.Round, in.Body.Powers)
	return f.in(ctx, by, in.Body.Voice, t, d, err)
}

func (f *face) adopt(ctx context.Context, by officer.Actor, in *struct {
	OnTalk
	Body talks.Adoption
}) (api.Sent, error) {
	t, err := f.find(ctx, in.Dialogue)
	if err != nil {
		return api.Sent{}, err
	}
	d, err := f.work.Adopt(ctx, t, in.Body.Negotiation, in.Body.How, in.Body.Words)
	return f.in(ctx, by, in.Body.Voice, t, d, err)
}

func (f *face) openSession(ctx context.Context, by officer.Actor, in *struct {
	OnTalk
	Body talks.NewSession
}) (api.Sent, error) {
	t, err := f.find(ctx, in.Dialogue)
	if err != nil {
		return api.Sent{}, err
	}
	r := &in.Body
	keep, err := time.ParseDuration(r.Keep)
	if err != nil {
		return api.Sent{}, fmt.Errorf("%w: %.40q is no time such as 72h", compose.ErrRequest, r.Keep)
	}
	d, err := f.work.OpenSession(t, r.Name, r.From, r.To, keep, r.Members)
	return f.in(ctx, by, r.Voice, t, d, err)
}

// OnSession names a session.
type OnSession struct {
	OnTalk
	Session string `path:"session" maxLength:"128" doc:"Digits of its id, the number of its statement, or last."`
}

// session finds it, and refuses whoever is no member.
func (f *face) session(ctx context.Context, by officer.Actor, in *OnSession) (*secretariat.Talk, *dialogue.Session, error) {
	t, err := f.find(ctx, in.Dialogue)
	if err != nil {
		return nil, nil, err
	}
	if in.Session == "last" {
		in.Session = ""
	}
	x, err := t.Session(in.Session)
	if err != nil {
		return nil, nil, err
	}
	return t, x, f.may(by, x.Members)
}

func spoken(c secretariat.Spoken) talks.Spoken {
	id := c.ID()
	return talks.Spoken{ID: hexed(id), At: c.At, Speaker: c.Speaker, Words: c.Words, Own: c.Own, Attributed: c.Attributed}
}

func (f *face) heard(ctx context.Context, by officer.Actor, in *OnSession) ([]talks.Spoken, error) {
	_, x, err := f.session(ctx, by, in)
	if err != nil {
		return nil, err
	}
	list, err := f.work.Heard(ctx, x, time.Now())
	out := []talks.Spoken{}
	for _, c := range list {
		out = append(out, spoken(c))
	}
	return out, err
}

func (f *face) outside(ctx context.Context, by officer.Actor, in *OnSession) ([]talks.Anonymous, error) {
	_, x, err := f.session(ctx, by, in)
	if err != nil {
		return nil, err
	}
	list, err := f.work.Outside(ctx, x, time.Now())
	out := []talks.Anonymous{}
	for _, c := range list {
		out = append(out, talks.Anonymous{On: c.On, By: f.phrase(language.Make(in.Lang), "participant", "a participant"), Words: c.Words})
	}
	return out, err
}

func (f *face) sealed(ctx context.Context, by officer.Actor, in *struct {
	OnSession
	Own bool `query:"own" doc:"Only what was said here."`
}) ([]byte, error) {
	_, x, err := f.session(ctx, by, &in.OnSession)
	if err != nil {
		return nil, err
	}
	return f.work.Sealed(ctx, x, in.Own, time.Now())
}

func (f *face) take(ctx context.Context, _ officer.Actor, in *struct {
	RawBody []byte `contentType:"application/octet-stream"`
}) (talks.Taken, error) {
	if err := f.work.Work(ctx); err != nil {
		return talks.Taken{}, err
	}
	got, err := f.work.Take(ctx, bytes.Clone(in.RawBody), time.Now()) // the buffer is huma's
	if err != nil {
		return talks.Taken{}, err
	}
	return talks.Taken{Session: got.Session.Statement.String(), Came: got.Came, Refused: got.Refused}, nil
}

func (f *face) contribute(ctx context.Context, by officer.Actor, in *struct {
	OnSession
	Body talks.Say
}) (talks.Spoken, error) {
	_, x, err := f.session(ctx, by, &in.OnSession)
	if err != nil {
		return talks.Spoken{}, err
	}
	c, err := f.work.SayInSession(ctx, x, in.Body.Words, time.Now())
	if err != nil {
		return talks.Spoken{}, err
	}
	return spoken(c), nil
}

func (f *face) attribute(ctx context.Context, by officer.Actor, in *struct {
	OnSession
	Body talks.Attribution
}) (api.Sent, error) {
	t, x, err := f.session(ctx, by, &in.OnSession)
	if err != nil {
		return api.Sent{}, err
	}
	d, err := f.work.Attribute(ctx, t, x, in.Body.Contribution, time.Now())
	return f.in(ctx, by, in.Body.Voice, t, d, err)
}

func (f *face) output(ctx context.Context, by officer.Actor, in *struct {
	OnSession
	Body talks.Output
}) (api.Sent, error) {
	t, x, err := f.session(ctx, by, &in.OnSession)
	if err != nil {
		return api.Sent{}, err
	}
	return f.in(ctx, by, in.Body.Voice, t, f.work.Output(t, x, in.Body.Words), nil)
}
