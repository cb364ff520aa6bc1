package drafts

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"detente/api/drafting"
	"detente/chancery"
	"detente/instrument"
	"detente/officer"
	"detente/sealing"
	"detente/statement"
	"detente/traffic"
	"detente/wording"

	"golang.org/x/text/language"
)

// reader shows one instrument to whoever reads a language.
type reader struct {
	*face
	draft *chancery.Draft
	lang  language.Tag
	now   time.Time
}

func (f *face) reader(d *chancery.Draft, lang string) *reader {
	return &reader{f, d, language.Make(lang), time.Now()}
}

func (f *face) find(ctx context.Context, in *OnDraft) (*reader, error) {
	if err := f.work.Work(ctx); err != nil {
		return nil, err
	}
	d, err := f.work.Draft(ctx, in.Draft)
	if err != nil {
		return nil, err
	}
	return f.reader(d, in.Lang), nil
}

func (f *face) list(ctx context.Context, _ officer.Actor, in *struct {
	Channel string        `query:"channel" maxLength:"128"`
	Plane   traffic.Plane `query:"plane" enum:"real,exercise,test"`
	Open    bool          `query:"open" doc:"Only those that are neither ended nor lapsed."`
	Lang    string        `query:"lang" default:"en" maxLength:"64"`
}) ([]drafting.Draft, error) {
	if err := f.work.Work(ctx); err != nil {
		return nil, err
	}
	id, err := f.ChannelID(ctx, in.Channel)
	if err != nil {
		return nil, err
	}
	all, err := f.work.Drafts(ctx, chancery.Filter{Channel: id, Plane: in.Plane, Open: in.Open})
	out := []drafting.Draft{}
	for _, d := range all {
		out = append(out, f.reader(d, in.Lang).line(ctx))
	}
	return out, err
}

func (f *face) show(ctx context.Context, _ officer.Actor, in *OnDraft) (drafting.File, error) {
	r, err := f.find(ctx, in)
	if err != nil {
		return drafting.File{}, err
	}
	return r.file(ctx)
}

func (f *face) status(ctx context.Context, _ officer.Actor, in *struct {
	OnDraft
	On time.Time `query:"on" doc:"Now by default."`
}) (drafting.Status, error) {
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return drafting.Status{}, err
	}
	if !in.On.IsZero() {
		r.now = in.On
	}
	return r.status(), nil
}

// say gives a phrase; a code for which there is none, of a regime that is newer than this program, is shown as it is.
func (r *reader) say(group, code string, args ...any) string {
	if code == "" {
		return ""
	}
	key := group + "." + code
	if p := r.phrases.Phrase(r.lang, key, args...); p != key {
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

// line is the instrument in a list.
func (r *reader) line(ctx context.Context) drafting.Draft {
	d, st := r.draft, r.draft.Status(r.now)
	base, _ := r.lang.Base()
	out := drafting.Draft{
		ID: d.Name.ID.String(), Number: d.Number(), Title: d.Named(base.String()), Kind: d.Opening.Kind,
		KindWords: d.Regime.Phrases.Phrase(r.lang, "negotiation.kind."+d.Opening.Kind), Nature: d.Opening.Nature, Channel: r.Viewer(ctx, r.lang).Channel(d.Name.Channel),
		ChannelID: hexed(d.Name.Channel), Plane: d.Name.Plane, Parties: []string{}, Languages: d.Opening.Languages, Stage: string(st.Rung), Stands: r.rung(&st),
		Since: date(st.Since), Ours: len(d.Waiting(r.work.Self())), Last: d.Last(),
	}
	for _, p := range d.Opening.Parties {
		out.Parties = append(out.Parties, string(p))
	}
	for id, p := range d.Provisions {
		if len(p.Stands) == 0 && len(p.Commitments) == 0 {
			continue
		}
		out.Total++
		if agreed, _ := d.Agreed(id); agreed {
			out.Agreed++
		}
	}
	return out
}

// rung is how far it has come, in words: of a political instrument nothing is said that only a legal one does.
func (r *reader) rung(st *instrument.Status) string {
	if !st.Legal {
		if p := r.say("rung", string(st.Rung)+".political"); p != string(st.Rung)+".political" {
			return p
		}
	}
	return r.say("rung", string(st.Rung))
}

func (r *reader) file(ctx context.Context) (drafting.File, error) {
	d, o := r.draft, &r.draft.Opening
	notes, err := r.work.Notes(ctx, d.Name.ID)
	if err != nil {
		return drafting.File{}, err
	}
	out := drafting.File{
		Draft: r.line(ctx), Titles: d.TitleTexts(), Opener: o.By.String(), Opened: o.At, Prevailing: o.Prevailing, Template: o.Template, Amends: hexed(o.Amends), Case: o.Case,
		Remarks: o.Remarks, Provisions: []drafting.Provision{}, Packages: []drafting.Package{}, Comments: []drafting.Comment{}, Manifests: []drafting.Manifest{},
		Powers: []drafting.Powers{}, Ladder: []drafting.Rung{}, Notes: []drafting.Note{}, Entries: []drafting.Entry{}, Next: r.next(),
	}
	if d.Frozen != nil {
		out.Frozen = hexed(d.Frozen.Hash)
	}
	if text, err := d.Clean(); err == nil {
		out.Text = hexed(text.Digest())
	}
	for _, n := range notes {
		out.Notes = append(out.Notes, noteView(n))
	}
	for _, c := range d.Comments {
		out.Comments = append(out.Comments, drafting.Comment{By: c.By.String(), Provision: c.Provision, Words: c.Words, Paper: c.Paper, Statement: c.Statement.String(), At: c.At})
	}
	out.Provisions = r.provisions(out.Notes, out.Comments)
	for _, p := range d.Packages {
		out.Packages = append(out.Packages, r.pack(p))
	}
	for _, m := range d.Manifests {
		out.Manifests = append(out.Manifests, r.manifestView(ctx, m))
	}
	for _, p := range d.Powers {
		out.Powers = append(out.Powers, powersView(d, p))
	}
	for _, s := range d.Steps {
		out.Ladder = append(out.Ladder, drafting.Rung{
			Form: s.Form, What: d.Regime.Phrases.Phrase(r.lang, s.Form), Party: string(s.By.Party), By: s.By.String(), At: s.At, Statement: s.Statement.String(),
			Number: d.Places[s.Statement].Number, Manifest: hexed(s.Manifest), Manner: s.Manner, Powers: hexed(s.Powers),
		})
	}
	for i := range d.Entries {
		e := &d.Entries[i]
		v := drafting.Entry{
			ID: e.ID.String(), Number: d.Places[e.ID].Number, Form: e.Form, What: d.Regime.Phrases.Phrase(r.lang, e.Form), By: e.Issuer.String(), At: e.At, Held: d.Places[e.ID].Held,
			Why: e.Why, WhyWords: r.say("why", e.Why),
		}
		for _, remark := range e.Remarks {
			v.Remarks = append(v.Remarks, r.say("remark", remark))
		}
		out.Entries = append(out.Entries, v)
	}
	if len(d.Manifests) > 0 || len(d.Steps) > 0 {
		st := r.status()
		out.Status = &st
	}
	return out, nil
}

// next lists the steps that this party may take, for a person to choose from; what it comes to is rehearsed where it is taken.
func (r *reader) next() []string {
	d := r.draft
	self := r.work.Self()
	out := []string{}
	if !slices.Contains(d.Opening.Parties, self) {
		return out
	}
	st := d.Status(r.now)
	var own instrument.PartyStatus
	for _, p := range st.Parties {
		if p.Party == self {
			own = p
		}
	}
	if d.Frozen == nil {
		out = append(out, "table", "accept", "reserve", "withdraw", "package")
	}
	_, err := d.Clean()
	clean := err == nil
	manifest, err := d.ManifestNamed("")
	in := st.Rung == instrument.InForce || st.Rung == instrument.Suspended
	switch {
	case in:
		out = append(out, "correct", "suspend", "terminate", "extend")
		if slices.Contains(st.Suspenders, self) {
			out = append(out, "resume")
		}
		if d.Answers(self, r.now) {
			out = append(out, "accept-correction", "object-to-correction")
		}
		if own.Leaves.After(r.now) {
			out = append(out, "revoke-notice")
		}
	case err == nil && manifest.Complete:
		if own.Initialled.IsZero() {
			out = append(out, "initial")
		}
		if own.Signed.IsZero() {
			out = append(out, "sign")
		} else if own.Manner == "ad-referendum" && own.Confirmed.IsZero() {
			out = append(out, "confirm")
		}
		if own.Consented.IsZero() {
			out = append(out, "consent")
		}
	}
	if clean && own.Certified.IsZero() && !in {
		out = append(out, "certify")
	}
	if clean && !in {
		out = append(out, "manifest")
	}
	return append(out, "comment")
}

func noteView(n chancery.Note) drafting.Note {
	return drafting.Note{ID: n.ID, Provision: n.Provision, Kind: n.Kind, Officer: n.Officer, At: n.At, Words: n.Words, Texts: n.Texts}
}

func (r *reader) pack(p *instrument.Package) drafting.Package {
	v := drafting.Package{ID: p.Statement.String(), Name: p.Name, By: p.By, Items: make(map[string]string), Withdrawn: p.Withdrawn, Met: !p.Withdrawn}
	for id, digest := range p.Items {
		v.Items[id] = hexed(digest)
		agreed, _ := r.draft.Agreed(id)
		v.Met = v.Met && agreed
	}
	return v
}

// provisions shows every provision: what is no clause first, then those of the text as it stands.
func (r *reader) provisions(notes []drafting.Note, comments []drafting.Comment) []drafting.Provision {
	d := r.draft
	waiting := d.Waiting(r.work.Self())
	clauses := make(map[string]*instrument.RollingClause)
	var order []string
	for _, id := range []string{instrument.Title, instrument.Names, instrument.Structure} {
		if d.Provisions[id] != nil {
			order = append(order, id)
		}
	}
	rolling := d.Rolling()
	for i := range rolling.Clauses {
		c := &rolling.Clauses[i]
		clauses[c.ID] = c
		if !slices.Contains(order, c.ID) {
			order = append(order, c.ID)
		}
	}
	out := []drafting.Provision{}
	for _, id := range order {
		v := drafting.Provision{ID: id, Kind: id, Ours: slices.Contains(waiting, id), Stands: []drafting.Stand{}}
		if c := clauses[id]; c != nil {
			r.clause(&v, c)
		}
		r.stands(&v, d.Provisions[id])
		for _, n := range notes {
			if n.Provision == id {
				v.Notes = append(v.Notes, n)
			}
		}
		for _, c := range comments {
			if c.Provision == id {
				v.Comments = append(v.Comments, c)
			}
		}
		out = append(out, v)
	}
	return out
}

// clause shows the brackets of a clause of the text.
func (r *reader) clause(v *drafting.Provision, c *instrument.RollingClause) {
	v.Agreed, v.Why, v.Reopened, v.Texts = c.Agreed, c.Why, c.Reopened, c.Texts
	if c.ID != instrument.Title && c.ID != instrument.Names {
		v.Kind, v.Number = string(c.Kind), c.Number
	}
	v.Label = make(map[string]string)
	for _, lang := range r.draft.Opening.Languages {
		if l := instrument.Label(lang, c.Kind, c.Number); l != "" {
			v.Label[lang] = l
		}
	}
	if len(c.Brackets) > 0 {
		v.Brackets, v.Lines = make(map[string][]drafting.Piece), make(map[string]string)
	}
	for lang, pieces := range c.Brackets {
		for _, p := range pieces {
			v.Brackets[lang] = append(v.Brackets[lang], drafting.Piece{Text: p.Text, Parties: p.Parties})
		}
		v.Lines[lang] = wording.Line(pieces)
	}
}

// stands shows who stands where, this party first.
func (r *reader) stands(v *drafting.Provision, p *instrument.Provision) {
	if p == nil { // a heading of which nobody has spoken
		return
	}
	d, self := r.draft, r.work.Self()
	if v.Reopened = p.Reopened; p.ID == instrument.Structure {
		v.Agreed, v.Why = d.Agreed(p.ID)
	}
	v.WhyWords = r.say("open", v.Why)
	parties := slices.Clone(d.Opening.Parties)
	slices.SortStableFunc(parties, func(a, b traffic.Party) int {
		switch {
		case a == self && b != self:
			return -1
		case b == self && a != self:
			return 1
		}
		return 0
	})
	for _, q := range parties {
		s, stands := p.Stands[q]
		if !stands {
			v.Stands = append(v.Stands, drafting.Stand{Party: q, Words: r.say("stand", "nowhere")})
			continue
		}
		w := drafting.Stand{
			Party: q, Kind: s.Kind, Words: r.say("stand", s.Kind), Digest: hexed(s.Digest), Texts: s.Texts, Order: s.Order, Reserved: s.Reserved, Reason: s.Words, Package: hexed(s.Package),
			Statement: s.Statement.String(), Number: d.Places[s.Statement].Number, At: s.At,
		}
		if s.Reserved != "" {
			w.Words += ", " + d.Regime.Phrases.Phrase(r.lang, "reservation.reason."+s.Reserved)
		}
		v.Stands = append(v.Stands, w)
		if v.Agreed {
			v.Texts, v.Order, v.Digest = s.Texts, s.Order, hexed(s.Digest)
		}
	}
	r.changes(v, p)
	for _, k := range p.Commitments {
		if k.Revealed == (statement.ID{}) && !k.Passed {
			v.Hidden = append(v.Hidden, drafting.Commitment{Party: k.By, With: k.With, Digest: hexed(k.Digest), Statement: k.Statement.String(), Waits: d.Waits(k)})
		}
	}
}

// changes tells word by word how the first other wording becomes the own one.
func (r *reader) changes(v *drafting.Provision, p *instrument.Provision) {
	own, stands := p.Stands[r.work.Self()]
	if !stands || p.ID == instrument.Structure {
		return
	}
	for _, q := range r.draft.Opening.Parties {
		other, there := p.Stands[q]
		if q == r.work.Self() || !there || other.Digest == own.Digest {
			continue
		}
		v.Changes = compared(other.Texts, own.Texts)
		return
	}
}

// compared tells word by word, in each language of both, how a wording becomes another.
func compared(from, to wording.Texts) map[string]drafting.Changes {
	out := make(map[string]drafting.Changes)
	langs := make(wording.Texts)
	maps.Copy(langs, from)
	maps.Copy(langs, to)
	for lang := range langs {
		if from[lang] == to[lang] {
			continue
		}
		for _, c := range wording.Diff(lang, from[lang], to[lang]) {
			out[lang] = append(out[lang], drafting.Change{Op: map[byte]string{'=': "same", '+': "added", '-': "removed"}[c.Op], Text: c.Text})
		}
	}
	return out
}

func (r *reader) manifestView(ctx context.Context, m *instrument.Manifest) drafting.Manifest {
	v := drafting.Manifest{
		Hash: hexed(m.Hash), Statement: m.Statement.String(), By: string(m.By), At: m.At, Current: m.Complete, Originals: []drafting.Original{}, Parties: []drafting.Member{},
		Initialled: []string{}, Signed: []string{}, Consented: []string{},
	}
	for _, s := range r.draft.Steps {
		if s.Manifest != m.Hash {
			continue
		}
		list := map[string]*[]string{"initialling": &v.Initialled, "signature": &v.Signed, "consent": &v.Consented}[s.Form]
		if list != nil && !slices.Contains(*list, string(s.By.Party)) {
			*list = append(*list, string(s.By.Party))
		}
	}
	mf, err := sealing.DecodeManifest(m.Bytes)
	if err != nil {
		return v // the fold has left it incomplete
	}
	v.Kind, v.Text, v.Faulty, v.Deadline, v.Effect, v.EffectDate = mf.Kind, hexed(mf.Text), mf.Faulty, mf.Deadline, mf.Effect.Kind, date(mf.Effect.Date)
	if mf.Delta > 0 {
		v.Delta = mf.Delta.String()
	}
	for _, x := range []struct {
		to     *string
		period sealing.Period
	}{{&v.After, mf.Effect.After}, {&v.Duration, mf.Duration}, {&v.Renewal, mf.Renewal}, {&v.Notice, mf.Notice}} {
		if !x.period.Zero() {
			*x.to = x.period.String()
		}
	}
	if mf.Regards != nil {
		v.Regards = hexed(*mf.Regards)
	}
	differ, err := r.work.Differences(r.draft, m)
	for _, t := range mf.Texts {
		o := drafting.Original{Party: t.Party, Lang: t.Lang, Digest: hexed(t.Digest), Own: "same"}
		switch {
		case err != nil:
			o.Own = "unknown"
		case slices.ContainsFunc(differ, func(x chancery.Difference) bool { return x.Party == t.Party && x.Lang == t.Lang }):
			o.Own = "different"
		}
		v.Originals = append(v.Originals, o)
	}
	for _, member := range mf.Parties {
		v.Parties = append(v.Parties, memberView(member))
	}
	for _, member := range mf.Sealers {
		v.Sealers = append(v.Sealers, memberView(member))
	}
	for _, b := range mf.Channels {
		v.Channels = append(v.Channels, r.newChannel(ctx, b))
	}
	return v
}

func memberView(m sealing.Member) drafting.Member {
	v := drafting.Member{Address: m.Address().String(), Keys: []string{}}
	for _, k := range m.Keys {
		v.Keys = append(v.Keys, fmt.Sprint(k.ID()))
	}
	for _, p := range m.Powers {
		v.Powers = append(v.Powers, hexed(p))
	}
	return v
}

func (r *reader) newChannel(ctx context.Context, charter []byte) drafting.NewChannel {
	c, state, err := r.work.Foreseen(ctx, charter)
	if err != nil {
		return drafting.NewChannel{State: "foreseen"}
	}
	return drafting.NewChannel{ID: hexed(c.ID()), Name: c.Name, Regime: fmt.Sprintf("%s/%d", c.Regime.ID, c.Regime.Version), State: state}
}

func powersView(d *chancery.Draft, p *instrument.Powers) drafting.Powers {
	v := drafting.Powers{
		ID: p.Statement.String(), Number: d.Places[p.Statement].Number, Party: string(p.Party), Post: p.Post.String(), Representative: p.Representative, May: p.May,
		Instrument: hexed(p.Instrument), Authority: p.Authority, From: date(p.From), Until: date(p.To), RevokedBy: hexed(p.Revoked),
	}
	for i := range d.Entries {
		switch d.Entries[i].ID {
		case p.Statement:
			v.At = d.Entries[i].At
		case p.Revoked:
			v.Revoked = d.Entries[i].At
		}
	}
	return v
}

// status is how the instrument stands at the reader's moment.
func (r *reader) status() drafting.Status {
	d := r.draft
	st := d.Status(r.now)
	v := drafting.Status{
		On: r.now.UTC().Truncate(time.Second), Stage: string(st.Rung), Words: r.rung(&st), Legal: st.Legal, Manifest: hexed(st.Manifest), Since: date(st.Since),
		InForce: date(st.InForce), Until: date(st.Until), Suspended: st.Suspended, Parties: []drafting.Party{}, Dues: []drafting.Due{},
	}
	v.Term, v.NoticeBy = d.Term(&st, r.now)
	for _, p := range st.Parties {
		v.Parties = append(v.Parties, drafting.Party{
			Party: p.Party, Certified: date(p.Certified), Initialled: date(p.Initialled), Signed: date(p.Signed), Manner: p.Manner, Confirmed: date(p.Confirmed),
			Consented: date(p.Consented), By: p.By, Leaves: date(p.Leaves), Bound: slices.Contains(st.Bound, p.Party),
		})
	}
	for _, due := range d.Dues(&st, r.now) {
		v.Dues = append(v.Dues, drafting.Due{ID: due.ID, Words: r.say("due", due.ID), Party: string(due.Party), At: due.At})
	}
	return v
}

func (f *face) powers(ctx context.Context, _ officer.Actor, in *struct {
	Channel string `query:"channel" maxLength:"128"`
}) ([]drafting.Powers, error) {
	id, err := f.ChannelID(ctx, in.Channel)
	if err != nil {
		return nil, err
	}
	list, err := f.work.Powers(ctx, id)
	out := []drafting.Powers{}
	for _, p := range list {
		out = append(out, powersView(p.Draft, p.Powers))
	}
	return out, err
}
