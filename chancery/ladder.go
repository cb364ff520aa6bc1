package chancery

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"detente/dossier"
	"detente/form"
	"detente/instrument"
	"detente/node"
	"detente/regimes/instruments/templates"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/wording"
)

// The steps of the ladder, as an officer takes them. What they come to, the fold says; it finds the full powers too by which a post takes them.

// Speaks is the post that takes a step: the one of the manifest where it names one, else the one that holds the powers; empty where that is for the channel to say.
func (c *Chancery) Speaks(d *Draft, m *instrument.Manifest) traffic.Post {
	if m != nil {
		if member, ok := m.Terms.Party(c.self); ok {
			return member.Post
		}
	}
	for _, w := range slices.Backward(d.Powers) {
		if w.Party == c.self && w.Revoked == (statement.ID{}) && (w.Instrument == [32]byte{} || w.Instrument == d.Name.ID) {
			return w.Post.Post
		}
	}
	for i := len(d.Entries) - 1; i >= 0; i-- {
		if e := &d.Entries[i]; e.Issuer.Party == c.self && e.Form != FormPowers {
			return e.Issuer.Post
		}
	}
	return ""
}

// Certify states that all languages of the clean text say the same. Error: ErrOpen.
func (c *Chancery) Certify(d *Draft, languages []string, officer string) (node.Draft, error) {
	text, err := d.text()
	if err != nil {
		return node.Draft{}, err
	}
	digest := text.Digest()
	if len(languages) == 0 {
		languages = text.Languages
	}
	return d.draft("conformity", form.Values{"text": digest[:], "languages": strings.Join(languages, " "), "officer": officer}), nil
}

// Initial authenticates the text of a manifest. It is refused unless this side renders the clean text to the digests that the manifest names. Errors: ErrManifest,
// ErrDifferent with which, ErrTerms, ErrChannel, ErrOpen.
func (c *Chancery) Initial(d *Draft, manifest string) (node.Draft, error) {
	m, err := d.ManifestNamed(manifest)
	if err != nil {
		return node.Draft{}, err
	}
	if err := c.verify(d, m); err != nil {
		return node.Draft{}, err
	}
	return d.draft("initialling", form.Values{"manifest": m.Hash[:]}), nil
}

// Sign signs an instrument. What was never initialled is held against the own rendering as [Chancery.Initial] does.
func (c *Chancery) Sign(d *Draft, manifest, manner, where string) (node.Draft, error) {
	m, err := d.ManifestNamed(manifest)
	if err != nil {
		return node.Draft{}, err
	}
	if err := c.verify(d, m); err != nil {
		return node.Draft{}, err
	}
	v := form.Values{"manifest": m.Hash[:], "manner": cmp.Or(manner, "definitive")}
	if where != "" {
		v["place"] = where
	}
	return d.draft("signature", v), nil
}

// Confirm confirms the own signature ad referendum. Error: ErrNothing.
func (c *Chancery) Confirm(d *Draft, remarks string) (node.Draft, error) {
	for _, s := range slices.Backward(d.Steps) {
		if s.Form == "signature" && s.By.Party == c.self && s.Manner == "ad-referendum" && s.LapsedAt.IsZero() {
			v := form.Values{}
			if remarks != "" {
				v["remarks"] = remarks
			}
			return d.draft("confirmation", v, s.Statement), nil
		}
	}
	return node.Draft{}, fmt.Errorf("%w: no own signature ad referendum", ErrNothing)
}

// Consent expresses the consent to be bound. In a round with sealers it is package sealer that does it: a plain act would bind nobody there.
func (c *Chancery) Consent(d *Draft, manifest, manner string) (node.Draft, error) {
	m, err := d.ManifestNamed(manifest)
	if err != nil {
		return node.Draft{}, err
	}
	if err := c.verify(d, m); err != nil {
		return node.Draft{}, err
	}
	return d.draft("consent", form.Values{"manifest": m.Hash[:], "manner": cmp.Or(manner, "ratification")}), nil
}

// FirstNote is the first note of an exchange. Errors: ErrWording, ErrNothing.
func (c *Chancery) FirstNote(d *Draft, number string, texts wording.Texts) (node.Draft, error) {
	if len(texts) == 0 {
		return node.Draft{}, fmt.Errorf("%w: a note says something", ErrWording)
	}
	if err := texts.Check(); err != nil {
		return node.Draft{}, fmt.Errorf("%w: %w", ErrWording, err)
	}
	return d.draft("note", form.Values{"order": "first", "number": number, "texts": map[string]string(texts)}), nil
}

// SecondNote answers the last first note of another party: its texts have that note in them, byte for byte. In texts {note} stands for it; without texts the
// answer is the note itself. Errors: ErrNothing, ErrWording.
func (c *Chancery) SecondNote(d *Draft, number string, texts wording.Texts) (node.Draft, error) {
	for _, n := range slices.Backward(d.Negotiation.Notes) {
		if n.Second || n.By.Party == c.self {
			continue
		}
		answer := make(wording.Texts)
		for lang, text := range n.Texts {
			answer[lang] = strings.ReplaceAll(cmp.Or(texts[lang], "{note}"), "{note}", text)
		}
		if err := answer.Check(); err != nil {
			return node.Draft{}, fmt.Errorf("%w: %w", ErrWording, err)
		}
		return d.draft("note", form.Values{"order": "second", "number": number, "texts": map[string]string(answer), "quotes": n.Statement[:]}, n.Statement), nil
	}
	return node.Draft{}, fmt.Errorf("%w: no first note of another party", ErrNothing)
}

// Exchange writes the two notes of an agreed text by the template that the negotiation began with. Errors: ErrTemplate, ErrOpen, ErrWording.
func (c *Chancery) Exchange(d *Draft) (first, second wording.Texts, err error) {
	m, err := templates.Load(d.Opening.Template)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %.70q", ErrTemplate, d.Opening.Template)
	}
	text, err := d.text()
	if err != nil {
		return nil, nil, err
	}
	plain := make(wording.Texts)
	for _, lang := range text.Languages {
		o := text.Render(lang, c.Named(d, &text), c.self)
		var b strings.Builder
		for i, block := range o.Blocks {
			if i > 0 {
				b.WriteString("\n\n")
			}
			b.WriteString(strings.TrimSpace(block.Label + " " + block.Text))
		}
		plain[lang] = b.String()
	}
	if first, second, err = m.Write(plain); err != nil {
		err = fmt.Errorf("%w: %w", ErrWording, err)
	}
	return first, second, err
}

// Correct proposes the correction of an error in an authenticated text. A language that is left out stays as it reads now; while another correction of the
// provision may still be objected to, nobody knows how that is, and every language is to be given. Errors: ErrManifest, ErrWording.
func (c *Chancery) Correct(d *Draft, manifest string, w Wish, reason string) (node.Draft, error) {
	m, err := d.ManifestNamed(manifest)
	if err != nil {
		return node.Draft{}, err
	}
	now := time.Now()
	if text, ok := d.TextOn(now); ok && len(w.Texts) > 0 {
		clause, _ := text.Clause(w.Provision)
		pending := slices.ContainsFunc(d.Steps, func(s *instrument.Step) bool { return s.Provision == w.Provision && d.pending(s, now) })
		for _, l := range d.Opening.Languages {
			switch {
			case w.Texts[l] != "" || clause == nil:
			case pending:
				return node.Draft{}, fmt.Errorf("%w: another correction of %s is pending: give it in %s too", ErrWording, w.Provision, l)
			default:
				w.Texts[l] = clause.Texts[l]
			}
		}
	}
	if err := w.Texts.Check(); err != nil {
		return node.Draft{}, fmt.Errorf("%w: %w", ErrWording, err)
	}
	return d.draft("rectification", form.Values{
		"manifest": m.Hash[:], "provision": w.Provision, "texts": map[string]string(w.Texts), "reason": reason,
	}), nil
}

// regarding finds a step of a form by digits of its id or by its number; empty is the last one that keep lets pass. Error: ErrNothing.
func (d *Draft) regarding(formID, notation string, keep func(*instrument.Step) bool) (*instrument.Step, error) {
	for _, s := range slices.Backward(d.Steps) {
		named := notation == "" || strings.EqualFold(d.Places[s.Statement].Number, notation) || len(notation) >= 4 && strings.HasPrefix(s.Statement.String(), strings.ToLower(notation))
		if s.Form == formID && named && keep(s) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%w: no %s %s", ErrNothing, formID, notation)
}

// AnswerCorrection accepts or objects to the correction of another party.
func (c *Chancery) AnswerCorrection(d *Draft, correction, decision, words string) (node.Draft, error) {
	s, err := d.regarding("rectification", correction, func(s *instrument.Step) bool { return s.By.Party != c.self })
	if err != nil {
		return node.Draft{}, err
	}
	v := form.Values{"decision": decision}
	if words != "" {
		v["words"] = words
	}
	return d.draft("rectification-answer", v, s.Statement), nil
}

// Suspend gives notice that provisions, or all where there are none, are suspended from a moment on; Resume ends that.
func (c *Chancery) Suspend(d *Draft, manifest string, provisions []string, ground string, from time.Time) (node.Draft, error) {
	return c.operate(d, "suspension-notice", manifest, provisions, ground, from)
}

// Resume has what was suspended operate again.
func (c *Chancery) Resume(d *Draft, manifest string, provisions []string, ground string, from time.Time) (node.Draft, error) {
	return c.operate(d, "resumption", manifest, provisions, ground, from)
}

func (c *Chancery) operate(d *Draft, formID, manifest string, provisions []string, ground string, from time.Time) (node.Draft, error) {
	m, err := d.ManifestNamed(manifest)
	if err != nil {
		return node.Draft{}, err
	}
	v := form.Values{"manifest": m.Hash[:], "ground": ground}
	if len(provisions) > 0 {
		v["provisions"] = strings.Join(provisions, "\n")
	}
	if !from.IsZero() {
		v["from"] = from
	}
	return d.draft(formID, v), nil
}

// Terminate gives notice of termination, with effect at a moment; zero is as soon as the notice period allows.
func (c *Chancery) Terminate(d *Draft, manifest, ground string, effect time.Time) (node.Draft, error) {
	m, err := d.ManifestNamed(manifest)
	if err != nil {
		return node.Draft{}, err
	}
	v := form.Values{"manifest": m.Hash[:]}
	if ground != "" {
		v["ground"] = ground
	}
	if !effect.IsZero() {
		v["effect"] = effect
	}
	return d.draft("termination-notice", v), nil
}

// RevokeNotice revokes an own notice of termination before it takes effect.
func (c *Chancery) RevokeNotice(d *Draft, notice, words string) (node.Draft, error) {
	s, err := d.regarding("termination-notice", notice, func(s *instrument.Step) bool { return s.By.Party == c.self })
	if err != nil {
		return node.Draft{}, err
	}
	v := form.Values{}
	if words != "" {
		v["words"] = words
	}
	return d.draft("notice-revocation", v, s.Statement), nil
}

// Extend extends the duration; it counts when all parties have stated the same.
func (c *Chancery) Extend(d *Draft, manifest string, until time.Time) (node.Draft, error) {
	m, err := d.ManifestNamed(manifest)
	if err != nil {
		return node.Draft{}, err
	}
	return d.draft("extension", form.Values{"manifest": m.Hash[:], "until": until}), nil
}

// NewPowers are full powers to be issued.
type NewPowers struct {
	Channel        [32]byte
	Plane          traffic.Plane
	Representative string // an office, never a name
	Post           traffic.Post
	May            []string
	Instrument     [32]byte // dossier; zero: every instrument
	From, Until    time.Time
	Authority      string
}

// Issue gives an own post full powers. Errors: ErrRegime, ErrPowers.
func (c *Chancery) Issue(p NewPowers) (node.Draft, error) {
	if _, err := c.Regime(p.Channel); err != nil {
		return node.Draft{}, err
	}
	if _, ok := c.node.Chain(c.self).Latest().Post(p.Post); !ok {
		return node.Draft{}, fmt.Errorf("%w: %s has no post %q", ErrPowers, c.self, p.Post)
	}
	v := form.Values{
		"representative": p.Representative, "post": traffic.Address{Party: c.self, Post: p.Post}.String(), "may": p.May, "authority": p.Authority,
	}
	if p.Instrument != ([32]byte{}) {
		v["instrument"] = p.Instrument[:]
	}
	if !p.From.IsZero() || !p.Until.IsZero() {
		if p.From.IsZero() {
			p.From = time.Now()
		}
		if p.Until.IsZero() {
			p.Until = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
		}
		v["window"] = [2]time.Time{p.From.UTC(), p.Until.UTC()}
	}
	return node.Draft{
		Channel: p.Channel, Plane: p.Plane, Precedence: traffic.Routine, Audience: statement.Everyone, Form: FormPowers, Values: v,
	}, nil
}

// Held are full powers, and where they stand.
type Held struct {
	*instrument.Powers
	Draft *Draft // that has their statement; of no negotiation where there is none on their channel
}

// Powers lists the full powers on a channel, or on all; the newest last.
func (c *Chancery) Powers(ctx context.Context, channel *[32]byte) (out []Held, err error) {
	if err := c.Read(ctx); err != nil {
		return nil, err
	}
	c.mu.RLock()
	names := make(map[place][]dossier.Name)
	for at, set := range c.powers {
		if channel == nil || *channel == at.channel {
			names[at] = slices.Collect(maps.Keys(set))
		}
	}
	regimes := maps.Clone(c.regimes)
	c.mu.RUnlock()
	for at, list := range names {
		d := &Draft{Name: dossier.Name{Channel: at.channel, Plane: at.plane}, Regime: regimes[at.channel], Places: make(map[statement.ID]Place)}
		var items []instrument.Item
		if err := c.node.DB.View(ctx, func(tx *store.Tx) error {
			items = nil
			for _, n := range list {
				state, err := dossier.Read(ctx, tx, n, d.Regime)
				if err != nil {
					return err
				}
				items = append(items, d.items(state, true)...)
			}
			return nil
		}); err != nil {
			return nil, fmt.Errorf("chancery: %w", err)
		}
		d.folds(items)
		for _, p := range d.Negotiation.Powers {
			out = append(out, Held{p, d})
		}
	}
	slices.SortStableFunc(out, func(a, b Held) int {
		x, y := a.Draft.Entries[a.Draft.order[a.Statement]], b.Draft.Entries[b.Draft.order[b.Statement]]
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Clock, y.Clock))
	})
	return out, nil
}

// Revoke revokes own full powers, named by digits of their id or by their number. Errors: ErrPowers, ErrAmbiguous.
func (c *Chancery) Revoke(ctx context.Context, notation, reason string) (node.Draft, error) {
	all, err := c.Powers(ctx, nil)
	if err != nil {
		return node.Draft{}, err
	}
	all = slices.DeleteFunc(all, func(h Held) bool {
		named := len(notation) >= 4 && strings.HasPrefix(h.Statement.String(), strings.ToLower(notation)) || strings.EqualFold(h.Draft.Places[h.Statement].Number, notation)
		return h.Party != c.self || !named || h.Revoked != (statement.ID{})
	})
	switch {
	case len(all) == 0:
		return node.Draft{}, fmt.Errorf("%w: no own ones %q that stand", ErrPowers, notation)
	case len(all) > 1:
		return node.Draft{}, fmt.Errorf("%w: %q", ErrAmbiguous, notation)
	}
	h := all[0]
	v := form.Values{}
	if reason != "" {
		v["reason"] = reason
	}
	said := h.Draft.draft(FormRevocation, v, h.Statement)
	for _, e := range h.Draft.Entries {
		if e.ID == h.Statement { // they may have been stated in the dossier of a negotiation
			said.Dossier, said.Post = h.Draft.dossiers[e.ID], e.Issuer.Post
		}
	}
	return said, nil
}

// Answering is the frame of a second note by the template that the negotiation began with, {note} in the place of the first; nil where there is none.
func (c *Chancery) Answering(d *Draft) wording.Texts {
	m, err := templates.Load(d.Opening.Template)
	if err != nil || m.Notes == nil {
		return nil
	}
	return m.Notes.Second
}
