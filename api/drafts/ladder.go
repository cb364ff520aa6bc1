package drafts

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"detente/api"
	"detente/api/compose"
	"detente/api/drafting"
	"detente/chancery"
	"detente/instrument"
	"detente/node"
	"detente/officer"
	"detente/sealing"
	"detente/traffic"
	"detente/wording"
)

func (f *face) manifest(ctx context.Context, by officer.Actor, in *struct {
	OnDraft
	Body drafting.Terms
}) (drafting.Manifested, error) {
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return drafting.Manifested{}, err
	}
	terms, err := termsOf(&in.Body)
	if err != nil {
		return drafting.Manifested{}, err
	}
	d, m, err := f.work.Manifest(ctx, r.draft, terms)
	if err != nil {
		return drafting.Manifested{}, err
	}
	hash, err := m.Hash()
	if err != nil {
		return drafting.Manifested{}, err
	}
	sent, err := f.one(ctx, by, in.Body.Voice, r, nil, d, nil)
	if err != nil {
		return drafting.Manifested{}, err
	}
	out := drafting.Manifested{Sent: sent}
	if r, err = f.find(ctx, &OnDraft{Draft: r.draft.Name.ID.String(), Lang: in.Lang}); err != nil {
		return out, err
	}
	for _, x := range r.draft.Manifests {
		if x.Hash == hash {
			out.Manifest = r.manifestView(ctx, x)
		}
	}
	return out, nil
}

func termsOf(r *drafting.Terms) (chancery.Terms, error) {
	t := chancery.Terms{Kind: r.Kind, Posts: r.Posts, Faulty: r.Faulty, Deadline: r.Deadline, Effect: sealing.Effect{Kind: r.Effect, Date: date(r.Date)}}
	for _, s := range r.Sealers {
		a, err := traffic.ParseAddress(s)
		if err != nil {
			return t, err
		}
		t.Sealers = append(t.Sealers, a)
	}
	var err error
	if r.Delta != "" {
		if t.Delta, err = time.ParseDuration(r.Delta); err != nil {
			return t, fmt.Errorf("%w: delta: %w", compose.ErrRequest, err)
		}
	}
	for _, p := range []struct {
		text string
		to   *sealing.Period
	}{{r.After, &t.Effect.After}, {r.Duration, &t.Duration}, {r.Renewal, &t.Renewal}, {r.Notice, &t.Notice}} {
		if *p.to, err = chancery.ParsePeriod(p.text); err != nil {
			return t, err
		}
	}
	for _, c := range r.Channels {
		t.Channels = append(t.Channels, chancery.ChannelTerms{Name: c.Name, Regime: c.Regime, Posts: c.Posts, Open: c.Open, Protected: c.Protected})
	}
	if r.Regards != "" {
		b, err := hex.DecodeString(r.Regards)
		if err != nil || len(b) != 32 {
			return t, fmt.Errorf("%w: %.80q is no hash of a manifest", compose.ErrRequest, r.Regards)
		}
		t.Regards = (*[32]byte)(b)
	}
	return t, nil
}

func (f *face) step(ctx context.Context, by officer.Actor, in *struct {
	OnDraft
	Body drafting.Step
}) (api.Sent, error) {
	s := &in.Body
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return api.Sent{}, err
	}
	var files []api.Attachment
	if s.Scan != nil {
		scan := *s.Scan
		scan.Field = "scan"
		files = append(files, scan)
	}
	d, err := f.drafted(r, s)
	var m *instrument.Manifest
	if err == nil && s.Step != "certify" {
		m, _ = r.draft.ManifestNamed(s.Manifest) // of an exchange of notes there is none
	}
	v := s.Voice
	if v.Post = cmp.Or(v.Post, f.work.Speaks(r.draft, m)); v.Post != "" && err == nil {
		if err := must(by, officer.Commit, v.Post); err != nil {
			return api.Sent{}, err
		}
	}
	return f.one(ctx, by, v, r, m, d, err, files...)
}

// must holds that whoever asks may do so at a post. Error: officer.ErrRole.
func must(by officer.Actor, what officer.Action, post traffic.Post) error {
	if by.Terminal() || by.May(what, post) {
		return nil
	}
	return fmt.Errorf("%w: %s has none with the action %s at %s", officer.ErrRole, by.ID, what, post)
}

// drafted is the statement of a step.
func (f *face) drafted(r *reader, s *drafting.Step) (node.Draft, error) {
	d, w := r.draft, chancery.Wish{Provision: s.Provision, Texts: wording.Texts(s.Texts)}
	switch s.Step {
	case "certify":
		return f.work.Certify(d, s.Languages, cmp.Or(s.Officer, s.Words))
	case "initial":
		return f.work.Initial(d, s.Manifest)
	case "sign":
		return f.work.Sign(d, s.Manifest, s.Manner, s.Place)
	case "confirm":
		return f.work.Confirm(d, s.Words)
	case "first-note":
		if len(w.Texts) == 0 {
			first, _, err := f.work.Exchange(d)
			if err != nil {
				return node.Draft{}, err
			}
			w.Texts = first
		}
		return f.work.FirstNote(d, s.Number, w.Texts)
	case "second-note":
		if len(w.Texts) == 0 {
			w.Texts = f.work.Answering(d)
		}
		return f.work.SecondNote(d, s.Number, w.Texts)
	case "consent":
		return f.work.Consent(d, s.Manifest, s.Manner)
	case "correct":
		return f.work.Correct(d, s.Manifest, w, s.Words)
	case "accept-correction":
		return f.work.AnswerCorrection(d, s.About, "accept", s.Words)
	case "object-to-correction":
		return f.work.AnswerCorrection(d, s.About, "object", s.Words)
	case "suspend":
		return f.work.Suspend(d, s.Manifest, s.Provisions, s.Words, s.At)
	case "resume":
		return f.work.Resume(d, s.Manifest, s.Provisions, s.Words, s.At)
	case "terminate":
		return f.work.Terminate(d, s.Manifest, s.Words, s.At)
	case "revoke-notice":
		return f.work.RevokeNotice(d, s.About, s.Words)
	case "extend":
		return f.work.Extend(d, s.Manifest, s.At)
	}
	return node.Draft{}, fmt.Errorf("%w: %.40q is no step", compose.ErrRequest, s.Step)
}

func (f *face) issue(ctx context.Context, by officer.Actor, in *struct{ Body drafting.NewPowers }) (api.Sent, error) {
	r := &in.Body
	p := chancery.NewPowers{
		Plane: cmp.Or(r.Plane, traffic.Real), Representative: r.Representative, Post: r.For, May: r.May, From: date(r.From), Until: date(r.Until), Authority: r.Authority,
	}
	if r.Instrument != "" {
		d, err := f.find(ctx, &OnDraft{Draft: r.Instrument})
		if err != nil {
			return api.Sent{}, err
		}
		p.Channel, p.Plane, p.Instrument = d.draft.Name.Channel, d.draft.Name.Plane, d.draft.Name.ID
	} else {
		c, err := f.ChannelNamed(ctx, r.Channel)
		if err != nil {
			return api.Sent{}, err
		}
		p.Channel = c.ID()
	}
	d, err := f.work.Issue(p)
	if err != nil {
		return api.Sent{}, err
	}
	var files []api.Attachment
	if r.Scan != nil {
		scan := *r.Scan
		scan.Field = "scan"
		files = append(files, scan)
	}
	return f.state(ctx, by, r.Voice, d, files...)
}

func (f *face) revoke(ctx context.Context, by officer.Actor, in *struct {
	Powers string `path:"powers" maxLength:"128"`
	Body   drafting.Revoke
}) (api.Sent, error) {
	d, err := f.work.Revoke(ctx, in.Powers, in.Body.Reason)
	if err != nil {
		return api.Sent{}, err
	}
	return f.state(ctx, by, in.Body.Voice, d)
}
