package dialogue

import (
	"context"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"detente/api/talks"
	"detente/dialogue"
	"detente/directory"
	"detente/instrument"
	"detente/node"
	"detente/officer"
	"detente/secretariat"
	"detente/statement"
	"detente/traffic"

	"golang.org/x/text/language"
)

func (f *face) list(ctx context.Context, _ officer.Actor, in *struct {
	Kind    string        `query:"kind" enum:"series,group" default:"series"`
	Channel string        `query:"channel" maxLength:"128"`
	Plane   traffic.Plane `query:"plane" enum:"real,exercise,test"`
	Lang    string        `query:"lang" default:"en" maxLength:"64"`
}) ([]talks.Line, error) {
	if err := f.work.Work(ctx); err != nil {
		return nil, err
	}
	id, err := f.ChannelID(ctx, in.Channel)
	if err != nil {
		return nil, err
	}
	all, err := f.work.Talks(ctx, secretariat.Filter{Channel: id, Plane: in.Plane, Groups: in.Kind == "group"})
	out := []talks.Line{}
	for _, t := range all {
		out = append(out, f.reader(t, in.Lang).line(ctx))
	}
	return out, err
}

func (f *face) show(ctx context.Context, _ officer.Actor, in *OnTalk) (talks.File, error) {
	t, err := f.find(ctx, in.Dialogue)
	if err != nil {
		return talks.File{}, err
	}
	return f.reader(t, in.Lang).file(ctx), nil
}

// reader shows one series or group to whoever reads a language.
type reader struct {
	*face
	talk *secretariat.Talk
	lang language.Tag
	base string
	now  time.Time
}

func (f *face) reader(t *secretariat.Talk, lang string) *reader {
	tag := language.Make(lang)
	base, _ := tag.Base()
	return &reader{f, t, tag, base.String(), time.Now()}
}

// word is a phrase of the regime, such as that of a code.
func (r *reader) word(key, code string) string {
	if code == "" {
		return ""
	}
	if p := r.talk.Regime.Phrases.Phrase(r.lang, key+"."+code); p != key+"."+code {
		return p
	}
	return code
}

func hexed(b [32]byte) string {
	if b == [32]byte{} {
		return ""
	}
	return hex.EncodeToString(b[:])
}

// line is the talk in a list.
func (r *reader) line(ctx context.Context) talks.Line {
	t := r.talk
	out := talks.Line{
		ID: t.ID.String(), Number: t.Number(), Kind: "series", Name: t.Named(r.base), Channel: r.Viewer(ctx, r.lang).Channel(t.Name.Channel), ChannelID: hexed(t.Name.Channel),
		Protected: t.Channel.Protected, Goes: true, Plane: t.Name.Plane, Parties: []string{}, Last: t.Last(),
	}
	for _, p := range t.Parties {
		out.Parties = append(out.Parties, string(p))
	}
	r.suspended(ctx, &out)
	for _, a := range t.Actions() {
		if a.Open() {
			if out.Open++; a.Due.Before(r.now) {
				out.Late++
			}
		}
	}
	if g := t.Group; g != nil {
		out.Kind, out.Rapporteur, out.Members, out.Rule = "group", g.Rapporteur, g.Members, "open"
		if g.Chatham {
			out.Rule = "chatham-house"
		}
		out.Stands, out.Words = out.Rule, r.word("group.rule", out.Rule)
		return out
	}
	s := t.Series
	at := s.At(r.now)
	out.Level, out.LevelWords, out.Every, out.Round, out.Host = s.Level, r.word("series.level", s.Level), s.Every.String(), at.Number, at.Host
	out.Due, out.Overdue, out.Lighter, out.LighterIn = at.Due, at.Overdue, string(at.Lighter), r.word("round-proposal.mode", string(at.Lighter))
	if at.Last != nil {
		out.LastHeld = at.Last.End()
	}
	if at.Next != nil {
		p := r.proposal(at.Next.Agreed)
		out.Next = &p
	}
	out.Stands = stands(s, &at)
	out.Words = r.phrase(r.lang, "stands."+out.Stands, out.Stands)
	return out
}

// stands is the code of how a series stands.
func stands(s *dialogue.Series, at *dialogue.SeriesView) string {
	round := s.Rounds[at.Number]
	switch {
	case at.Next != nil:
		return "agreed"
	case at.Missed != nil:
		return "missed"
	case at.Overdue:
		return "overdue"
	case round != nil && len(round.Refused()) > 0:
		return "refused"
	case round != nil && slices.ContainsFunc(round.Proposals, func(p *dialogue.Proposal) bool { return len(p.Standing) > 0 }):
		return "proposed"
	}
	return "due"
}

// suspended tells whether anything that was stated stops the talk.
func (r *reader) suspended(ctx context.Context, out *talks.Line) {
	if r.stands == nil {
		return
	}
	formID := "round-proposal"
	if r.talk.Group != nil {
		formID = "contribution"
	}
	err := r.stands.Permit(ctx, &node.Draft{
		Channel: r.talk.Name.Channel, Plane: r.talk.Name.Plane, Precedence: traffic.Routine, Post: r.talk.Post(), Audience: statement.Everyone, Form: formID,
	}, false)
	if errors.Is(err, directory.ErrSuspended) || errors.Is(err, directory.ErrDeclined) || errors.Is(err, directory.ErrMinimize) {
		out.Goes, out.Stopped = false, r.phrase(r.lang, "stopped", err.Error())
	}
}

func (r *reader) proposal(p *dialogue.Proposal) talks.Proposal {
	return talks.Proposal{
		ID: p.Statement.String(), Number: r.talk.Places[p.Statement].Number, By: p.By.String(), At: p.At, Mode: string(p.Mode), ModeIn: r.word("round-proposal.mode", string(p.Mode)),
		Host: p.Host, Place: p.Place, From: p.From, To: p.To, Words: p.Words, Standing: slices.Concat([]traffic.Party{}, p.Standing),
	}
}

func (r *reader) file(ctx context.Context) talks.File {
	t := r.talk
	out := talks.File{
		Line: r.line(ctx), Names: map[string]string{}, Rounds: []talks.Round{}, Actions: []talks.Action{}, Papers: []talks.Paper{}, Thread: []talks.Post{}, Reports: []talks.Report{},
		Sessions: []talks.Session{}, Entries: []talks.Entry{},
	}
	if s := t.Series; s != nil {
		out.Names, out.Opener, out.Opened, out.Hosts, out.Languages, out.Basis, out.Case = s.Name, s.By.String(), s.Opened, s.Hosts, s.Languages, hexed(s.Basis), s.Case
		for _, n := range s.Numbers() {
			out.Rounds = append(out.Rounds, r.round(s.Rounds[n]))
		}
	}
	if g := t.Group; g != nil {
		out.Names, out.Opener, out.Opened, out.Mandate = g.Name, g.By.String(), g.Opened, hexed(g.Mandate)
		for _, c := range g.Thread {
			out.Thread = append(out.Thread, talks.Post{ID: c.Statement.String(), Number: t.Places[c.Statement].Number, By: c.By.String(), At: c.At, Words: c.Words, To: hexed(c.To)})
		}
		for _, x := range g.Reports {
			text, dissent, adopted := x.Adopted(g)
			v := talks.Report{Negotiation: hexed(x.Negotiation), Adopted: adopted, Dissent: map[string]string{}, Positions: []talks.Position{}}
			for _, p := range slices.Sorted(maps.Keys(x.Words)) {
				a := x.Words[p]
				how := "consensus"
				if a.Dissent {
					how = "dissent"
				}
				v.Positions = append(v.Positions, talks.Position{By: p, Statement: a.Statement.String(), Text: hexed(a.Text), How: how, Words: a.Words})
			}
			if adopted {
				v.Text = hexed(text)
			}
			for _, p := range dissent {
				v.Dissent[string(p)] = x.Words[p].Words
			}
			out.Reports = append(out.Reports, v)
		}
		for _, x := range g.Sessions {
			v := talks.Session{
				ID: x.Statement.String(), Number: t.Places[x.Statement].Number, Name: x.Name, From: x.From, To: x.To, Until: x.Until(), Members: x.Members, Outputs: []map[string]string{},
			}
			for _, o := range x.Outputs {
				v.Outputs = append(v.Outputs, o.Words)
			}
			out.Sessions = append(out.Sessions, v)
		}
	}
	for _, a := range t.Actions() {
		out.Actions = append(out.Actions, talks.Action{
			ID: a.Statement.String(), Number: t.Places[a.Statement].Number, Round: a.Number, Texts: a.Words, Owner: a.Owner, Due: a.Due, State: a.State, Note: a.Note,
			Late: a.Open() && a.Due.Before(r.now),
		})
	}
	for _, p := range t.Papers {
		out.Papers = append(out.Papers, talks.Paper{
			ID: p.Statement.String(), By: p.By.String(), At: p.At, Round: p.Number, Kind: p.Kind, Title: p.Title, Words: p.Words, File: p.File.Name,
		})
	}
	for i := range t.Entries {
		e := &t.Entries[i]
		v := talks.Entry{
			ID: e.ID.String(), Number: t.Places[e.ID].Number, Form: e.Form, What: t.Regime.Phrases.Phrase(r.lang, e.Form), By: e.Issuer.String(), At: e.At, Held: t.Places[e.ID].Held, Why: e.Why,
		}
		if e.Why != "" {
			v.WhyWords = r.phrase(r.lang, "why."+e.Why, e.Why)
		}
		out.Entries = append(out.Entries, v)
	}
	return out
}

func (r *reader) round(x *dialogue.Round) talks.Round {
	v := talks.Round{
		Number: x.Number, Host: r.talk.Series.Host(x.Number), Proposals: []talks.Proposal{}, Refusals: []talks.Refusal{}, Held: []talks.Held{}, Delegations: []talks.Delegation{}, Texts: []talks.Text{},
	}
	for _, p := range x.Proposals {
		v.Proposals = append(v.Proposals, r.proposal(p))
	}
	if x.Agreed != nil {
		p := r.proposal(x.Agreed)
		v.Agreed = &p
	}
	for _, p := range x.Refusals {
		v.Refusals = append(v.Refusals, talks.Refusal{
			By: string(p.By), At: p.At, Ground: p.Ground, GroundIn: r.word("round-refusal.ground", p.Ground), Words: p.Words, Instead: p.Instead, InForce: p.InForce,
		})
	}
	for _, p := range slices.Sorted(maps.Keys(x.Held)) {
		h := x.Held[p]
		v.Held = append(v.Held, talks.Held{By: string(p), From: h.From, To: h.To, Mode: string(h.Mode), Place: h.Place})
	}
	for _, p := range slices.Sorted(maps.Keys(x.Delegations)) {
		d := x.Delegations[p]
		v.Delegations = append(v.Delegations, talks.Delegation{By: string(p), Head: d.Head, Members: d.Members, Credentials: d.Credentials})
	}
	for _, what := range secretariat.Kinds() {
		if y := r.talk.TextOf(x.Number, what); y != nil {
			v.Texts = append(v.Texts, text(x, what, y))
			if what == "minutes" && y.Agreed {
				v.Signed = x.MinutesSigned(y.Digest, r.talk.Parties)
			}
		}
	}
	return v
}

// text shows a text of a round, in the order in which it is shown while parties differ.
func text(x *dialogue.Round, what string, y *secretariat.Text) talks.Text {
	v := talks.Text{What: what, Negotiation: y.ID.String(), Number: y.Number, Agreed: y.Agreed, Digest: hexed(y.Digest), Signed: []traffic.Party{}, Items: []talks.Item{}}
	if y.Agreed {
		for _, p := range slices.Sorted(maps.Keys(x.Signed)) {
			if x.Signed[p][y.Digest] != "" {
				v.Signed = append(v.Signed, p)
			}
		}
	}
	for _, c := range y.Rolling().Clauses {
		if c.ID == instrument.Title || c.ID == instrument.Names {
			continue
		}
		i := talks.Item{ID: c.ID, Agreed: c.Agreed, Texts: map[string]string{}}
		maps.Copy(i.Texts, c.Texts)
		for lang, pieces := range c.Brackets {
			var said []string
			for _, p := range pieces {
				said = append(said, p.Text)
			}
			if i.Texts[lang] == "" {
				i.Texts[lang] = strings.Join(said, " / ")
			}
		}
		v.Items = append(v.Items, i)
	}
	return v
}

func (f *face) showText(ctx context.Context, _ officer.Actor, in *struct {
	OnTalk
	Round       int    `query:"round" minimum:"0" maximum:"100000"`
	What        string `query:"what" enum:"agenda,minutes,report,mandate"`
	Negotiation string `query:"negotiation" maxLength:"128"`
}) (talks.Text, error) {
	t, err := f.find(ctx, in.Dialogue)
	if err != nil {
		return talks.Text{}, err
	}
	r := &talks.OnText{Round: in.Round, What: in.What, Negotiation: in.Negotiation}
	y, err := f.textOf(ctx, t, r)
	if err != nil {
		return talks.Text{}, err
	}
	x := &dialogue.Round{}
	if t.Series != nil && in.Negotiation == "" {
		x = t.Series.Rounds[number(t, r)]
	}
	return text(x, in.What, y), nil
}

func (f *face) calendar(ctx context.Context, _ officer.Actor, in *struct {
	Channel string        `query:"channel" maxLength:"128"`
	Plane   traffic.Plane `query:"plane" enum:"real,exercise,test" default:"real"`
	Lang    string        `query:"lang" default:"en" maxLength:"64"`
}) ([]byte, error) {
	if err := f.work.Work(ctx); err != nil {
		return nil, err
	}
	id, err := f.ChannelID(ctx, in.Channel)
	if err != nil {
		return nil, err
	}
	return f.work.Calendar(ctx, secretariat.Filter{Channel: id, Plane: in.Plane}, in.Lang, f.words(in.Lang))
}

// words are the phrases of a calendar.
func (f *face) words(lang string) func(key string, args ...any) string {
	tag := language.Make(lang)
	return func(key string, args ...any) string { return f.phrase(tag, key, key, args...) }
}
