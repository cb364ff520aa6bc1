package chancery

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"detente/form"
	"detente/instrument"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/sealing"
	"detente/statement"
	"detente/traffic"
)

// Terms are what a manifest says beside the text.
type Terms struct {
	Kind     string // empty: that of the negotiation
	Posts    map[traffic.Party]traffic.Post
	Sealers  []traffic.Address
	Faulty   int
	Deadline time.Time     // until when consents are deposited, or by which the plain acts are expected; zero: in 90 days
	Delta    time.Duration // with sealers only
	Effect   sealing.Effect
	Duration sealing.Period
	Renewal  sealing.Period
	Notice   sealing.Period
	Channels []ChannelTerms
	Regards  *[32]byte
}

// ChannelTerms are a channel that comes into being when the instrument enters into force.
type ChannelTerms struct {
	Name      string
	Regime    string // such as incidents/1
	Posts     []traffic.Post
	Open      bool
	Protected bool
}

// defaultDeadline is how long a manifest is open where its terms do not say.
const defaultDeadline = 90 * 24 * time.Hour

// Manifest makes the manifest of the clean text: what each party will hold in each language, by which keys the parties speak, and on what terms. Errors: ErrOpen
// with what is open, ErrTerms, ErrPowers, ErrChannel.
func (c *Chancery) Manifest(ctx context.Context, d *Draft, t Terms) (node.Draft, *sealing.Manifest, error) {
	text, err := d.Clean()
	if err != nil {
		return node.Draft{}, nil, fmt.Errorf("%w: %w", ErrOpen, err)
	}
	m := &sealing.Manifest{
		Kind: cmp.Or(t.Kind, d.Opening.Kind), Plane: d.Name.Plane, Instrument: d.Name.ID, Text: text.Digest(), Regards: t.Regards, Faulty: t.Faulty,
		Deadline: t.Deadline.UTC().Truncate(time.Second), Delta: t.Delta, Effect: t.Effect, Duration: t.Duration, Renewal: t.Renewal, Notice: t.Notice,
	}
	rand.Read(m.Nonce[:])
	if t.Deadline.IsZero() {
		m.Deadline = time.Now().UTC().Truncate(time.Second).Add(defaultDeadline)
	}
	if m.Effect.Kind == "" {
		m.Effect.Kind = sealing.OnSealing
	}
	if m.Regards == nil && d.Opening.Amends != ([32]byte{}) {
		amends := d.Opening.Amends
		m.Regards = &amends
	}
	for _, p := range slices.Sorted(slices.Values(d.Opening.Parties)) {
		member, err := c.member(d, p, t.Posts[p])
		if err != nil {
			return node.Draft{}, nil, err
		}
		m.Parties = append(m.Parties, member)
	}
	for _, a := range t.Sealers {
		keys, err := c.keys(a, d.Name.Plane)
		if err != nil {
			return node.Draft{}, nil, err
		}
		m.Sealers = append(m.Sealers, sealing.Member{Party: a.Party, Post: a.Post, Keys: keys})
	}
	slices.SortFunc(m.Sealers, func(a, b sealing.Member) int { return strings.Compare(a.Address().String(), b.Address().String()) })
	for _, o := range c.originals(d, text) {
		m.Texts = append(m.Texts, sealing.TextHash{Party: o.Party, Lang: o.Lang, Digest: o.Digest()})
	}
	terms := t.Channels
	if len(terms) == 0 {
		if terms, err = foreseen(&text); err != nil {
			return node.Draft{}, nil, err
		}
	}
	var charters []*party.Channel
	for _, term := range terms {
		ch, err := c.charter(d, term)
		if err != nil {
			return node.Draft{}, nil, err
		}
		charters = append(charters, ch)
		m.Channels = append(m.Channels, ch.Bytes())
	}
	if err := fulfils(&text, charters); err != nil {
		return node.Draft{}, nil, err
	}
	b, err := m.Encode()
	if err != nil {
		return node.Draft{}, nil, fmt.Errorf("%w: %w", ErrTerms, err)
	}
	return d.draft("manifest", form.Values{"manifest": b}), m, nil
}

// member is a party of the manifest: the post named, or the one that has full powers to sign, or the one that spoke last.
func (c *Chancery) member(d *Draft, p traffic.Party, post traffic.Post) (sealing.Member, error) {
	m := sealing.Member{Party: p, Post: post}
	for _, w := range slices.Backward(d.Powers) {
		fits := w.Party == p && w.Revoked == (statement.ID{}) && (w.Instrument == [32]byte{} || w.Instrument == d.Name.ID) && slices.Contains(w.May, "sign")
		if fits && (m.Post == "" || w.Post.Post == m.Post) {
			m.Post, m.Powers = w.Post.Post, [][32]byte{w.Statement}
			break
		}
	}
	for i := len(d.Entries) - 1; i >= 0 && m.Post == ""; i-- {
		if e := &d.Entries[i]; e.Issuer.Party == p && e.Why == "" {
			m.Post = e.Issuer.Post
		}
	}
	if m.Post == "" {
		return m, fmt.Errorf("%w: which post of %s takes part?", ErrTerms, p)
	}
	var err error
	m.Keys, err = c.keys(m.Address(), d.Name.Plane)
	return m, err
}

// keys are the keys by which a post speaks on a plane, Ed25519 first.
func (c *Chancery) keys(a traffic.Address, plane traffic.Plane) ([]key.Public, error) {
	chain := c.node.Chain(a.Party)
	if chain == nil {
		return nil, fmt.Errorf("%w: %s", node.ErrNoPeer, a.Party)
	}
	post, ok := chain.Latest().Post(a.Post)
	if !ok {
		return nil, fmt.Errorf("%w: %s is not in the charter of %s", ErrTerms, a.Post, a.Party)
	}
	var out []key.Public
	for _, k := range post.Keys {
		if k.Plane == plane {
			out = append(out, k.Key)
		}
	}
	slices.SortStableFunc(out, func(a, b key.Public) int {
		return cmp.Compare(classic(a), classic(b))
	})
	if len(out) == 0 || out[0].Algorithm != key.Ed25519 {
		return nil, fmt.Errorf("%w: %s has no key on the plane %s", ErrTerms, a, plane)
	}
	return out, nil
}

func classic(k key.Public) int {
	if k.Algorithm == key.Ed25519 {
		return 0
	}
	return 1
}

// charter makes the charter of a channel between the parties.
func (c *Chancery) charter(d *Draft, t ChannelTerms) (*party.Channel, error) {
	i := slices.IndexFunc(c.node.Regimes(), func(r *form.Regime) bool { return fmt.Sprintf("%s/%d", r.ID, r.Version) == t.Regime })
	if i < 0 {
		return nil, fmt.Errorf("%w: this program has no regime %.80q", ErrChannel, t.Regime)
	}
	r := c.node.Regimes()[i]
	var chains []*party.Chain
	for _, p := range d.Opening.Parties {
		chain := c.node.Chain(p)
		if chain == nil {
			return nil, fmt.Errorf("%w: %s", node.ErrNoPeer, p)
		}
		chains = append(chains, chain)
	}
	ch, err := party.NewChannel(party.Channel{
		Name: t.Name, Regime: party.RegimeRef{ID: r.ID, Version: r.Version, Hash: r.Hash}, Posts: t.Posts, Open: t.Open, Protected: t.Protected,
	}, chains...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrChannel, err)
	}
	return ch, nil
}

// originals renders the text for each party in each language, in the order in which a manifest has them.
func (c *Chancery) originals(d *Draft, text instrument.Text) (out []instrument.Original) {
	names := c.Named(d, &text)
	for _, p := range slices.Sorted(slices.Values(d.Opening.Parties)) {
		for _, lang := range slices.Sorted(slices.Values(text.Languages)) {
			out = append(out, text.Render(lang, names, p))
		}
	}
	return out
}

// Named is how the parties are called in a text: as its names have it, and where it says nothing of them as their charters call them.
func (c *Chancery) Named(d *Draft, text *instrument.Text) []instrument.Named {
	named, all := text.Named(d.Opening.Parties)
	if all {
		return named
	}
	for i, p := range d.Opening.Parties {
		n := instrument.Named{Party: p, Names: make(map[string]string)}
		if chain := c.node.Chain(p); chain != nil {
			maps.Copy(n.Names, chain.Latest().Name)
		}
		if i < len(named) {
			maps.Copy(n.Names, named[i].Names)
			named[i] = n
		} else {
			named = append(named, n)
		}
	}
	return named
}

// Original renders the clean text as a party keeps it in a language. Errors: ErrOpen, ErrWording.
func (c *Chancery) Original(d *Draft, p traffic.Party, lang string) (instrument.Original, error) {
	text, err := d.text()
	switch {
	case err != nil:
		return instrument.Original{}, err
	case !slices.Contains(d.Opening.Parties, p), !slices.Contains(text.Languages, lang):
		return instrument.Original{}, fmt.Errorf("%w: %s holds no original in %s", ErrWording, p, lang)
	}
	return text.Render(lang, c.Named(d, &text), p), nil
}

// text is the text that all have authenticated, else the clean one. Error: ErrOpen.
func (d *Draft) text() (instrument.Text, error) {
	if text, ok := d.Text(); ok {
		return text, nil
	}
	text, err := d.Clean()
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrOpen, err)
	}
	return text, err
}

// ManifestNamed finds a manifest of the negotiation by digits of its hash; empty is the one that all have authenticated, or else the last that is complete. Error:
// ErrManifest.
func (d *Draft) ManifestNamed(digits string) (*instrument.Manifest, error) {
	if digits == "" {
		if d.Frozen != nil {
			return d.Frozen, nil
		}
		for _, m := range slices.Backward(d.Manifests) {
			if m.Complete {
				return m, nil
			}
		}
		return nil, ErrManifest
	}
	var found *instrument.Manifest
	for _, m := range d.Manifests {
		if len(digits) >= 4 && strings.HasPrefix(fmt.Sprintf("%x", m.Hash), strings.ToLower(digits)) {
			if found != nil && found.Hash != m.Hash {
				return nil, fmt.Errorf("%w: several begin with %q", ErrManifest, digits)
			}
			found = m
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%w: %.70q", ErrManifest, digits)
	}
	return found, nil
}

// Difference is an original of which the own rendering is another than the manifest's.
type Difference struct {
	Party traffic.Party
	Lang  string
	Why   string // rendered-otherwise, not-foreseen (the manifest has it, and the text does not), missing (the other way round)
}

// Differences holds the originals that a manifest names against those that are rendered here. Empty is: the same.
func (c *Chancery) Differences(d *Draft, m *instrument.Manifest) ([]Difference, error) {
	text := m.Text
	if !m.Complete {
		var err error
		if text, err = d.text(); err != nil {
			return nil, err
		}
	}
	type original struct {
		party traffic.Party
		lang  string
	}
	own := make(map[original][32]byte)
	for _, o := range c.originals(d, text) {
		own[original{o.Party, o.Lang}] = o.Digest()
	}
	var out []Difference
	for _, t := range m.Terms.Texts {
		at := original{t.Party, t.Lang}
		digest, there := own[at]
		switch {
		case !there:
			out = append(out, Difference{t.Party, t.Lang, "not-foreseen"})
		case digest != t.Digest:
			out = append(out, Difference{t.Party, t.Lang, "rendered-otherwise"})
		}
		delete(own, at)
	}
	for at := range own {
		out = append(out, Difference{at.party, at.lang, "missing"})
	}
	slices.SortFunc(out, func(a, b Difference) int { return cmp.Or(cmp.Compare(a.Party, b.Party), cmp.Compare(a.Lang, b.Lang)) })
	return out, nil
}

// verify refuses a manifest that this side would not have made of the same text: its originals, its parties' keys, its channels. Errors: ErrDifferent, ErrTerms,
// ErrChannel, ErrManifest.
func (c *Chancery) verify(d *Draft, m *instrument.Manifest) error {
	mf := m.Terms
	text, err := d.text()
	if err != nil {
		return err
	}
	if text.Digest() != mf.Text {
		return fmt.Errorf("%w: the clean text itself", ErrDifferent)
	}
	list, err := c.Differences(d, m)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		var which []string
		for _, x := range list {
			which = append(which, fmt.Sprintf("%s of %s (%s)", x.Lang, x.Party, x.Why))
		}
		return fmt.Errorf("%w: %s", ErrDifferent, strings.Join(which, ", "))
	}
	for _, member := range append(slices.Clone(mf.Parties), mf.Sealers...) {
		keys, err := c.keys(member.Address(), mf.Plane)
		if err != nil {
			if member.Receive != nil { // a sealer without a charter
				continue
			}
			return err
		}
		if !slices.EqualFunc(keys, member.Keys, func(a, b key.Public) bool { return a.ID() == b.ID() }) {
			return fmt.Errorf("%w: the keys of %s are not those of its charter", ErrTerms, member.Address())
		}
	}
	var charters []*party.Channel
	for _, b := range mf.Channels {
		ch, err := c.namedChannel(b, d.Opening.Parties)
		if err != nil {
			return err
		}
		charters = append(charters, ch)
	}
	return fulfils(&text, charters)
}

// Foreseen reads the charter of a channel out of a manifest, and tells whether it is foreseen, proposed or established.
func (c *Chancery) Foreseen(ctx context.Context, charter []byte) (*party.Channel, string, error) {
	ch, err := party.DecodeChannel(charter)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrChannel, err)
	}
	states, err := c.node.Channels(ctx)
	if err != nil {
		return nil, "", err
	}
	for _, s := range states {
		switch {
		case s.ID() != ch.ID():
		case s.Established:
			return ch, "established", nil
		default:
			return ch, "proposed", nil
		}
	}
	return ch, "foreseen", nil
}

// ParsePeriod reads a period as ISO 8601 writes it, such as P3Y6M or P90D; empty is none. Error: ErrTerms.
func ParsePeriod(s string) (p sealing.Period, err error) {
	rest, ok := strings.CutPrefix(s, "P")
	if s == "" {
		return p, nil
	}
	for _, part := range []struct {
		unit string
		to   *int
	}{{"Y", &p.Years}, {"M", &p.Months}, {"D", &p.Days}} {
		digits, more, there := strings.Cut(rest, part.unit)
		if !there {
			continue
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n < 0 || n > 400_000 || digits == "" || digits[0] == '+' {
			return p, fmt.Errorf("%w: %.40q is no period such as P3Y or P6M", ErrTerms, s)
		}
		*part.to, rest = n, more
	}
	if !ok || rest != "" || s == "P" {
		return p, fmt.Errorf("%w: %.40q is no period such as P3Y or P6M", ErrTerms, s)
	}
	return p, nil
}
