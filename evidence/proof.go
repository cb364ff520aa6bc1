package evidence

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"detente/canonical"
	"detente/feed"
	"detente/form"
	"detente/judge"
	"detente/key"
	"detente/party"
	"detente/statement"
	"detente/traffic"
)

// Proof reads a proof file. The verdict is never nil: of a refused file it has what could be read before the refusal. The error is a
// [*Refusal], nil if and only if the file proves that the issuer made the statement and that it stands in the issuer's feed.
func (r *Reader) Proof(b []byte) (*Verdict, error) {
	v := &Verdict{}
	err := r.proof(b, v)
	if err == nil {
		v.Result = Proved
		return v, nil
	}
	v.Result = Refused
	v.Reason, v.Detail, v.Compare = explain(err, v.Compare)
	return v, err
}

// hearing is a proof while it is being read.
type hearing struct {
	*feed.Proof
	v          *Verdict
	trust      *trust
	channel    *party.Channel
	checkpoint *feed.Note
	issuer     *party.Chain
	judge      *judge.Judge
	finding    judge.Finding
	adoption   *statement.Statement // nil when none is shown
	seals      *seals               // nil: nothing is remembered of the checkpoint
}

// proof follows protocol.md#proof.
func (r *Reader) proof(b []byte, v *Verdict) error {
	h := &hearing{v: v}
	if err := r.parse(h, b); err != nil {
		return err
	}
	return r.hear(h)
}

// hear judges what has been taken apart.
func (r *Reader) hear(h *hearing) error {
	for _, step := range []func(*hearing) error{
		r.whose,
		r.examine,
		(*hearing).signed,
		(*hearing).included,
		(*hearing).valid,
		(*hearing).inForce,
		(*hearing).receipts,
	} {
		if err := step(h); err != nil {
			return err
		}
	}
	h.rest()
	return nil
}

// parse takes the file apart and links its charters. Nothing that does not decode is judged.
func (r *Reader) parse(h *hearing, b []byte) (err error) {
	if h.Proof, err = feed.DecodeProof(b); err != nil {
		return decoding("proof-shape", fmt.Errorf("%w: %w", ErrShape, err))
	}
	if h.channel, err = party.DecodeChannel(h.Channel); err != nil {
		return decoding("channel", err)
	}
	if h.checkpoint, err = feed.ReadNote(h.Proof.Checkpoint); err != nil {
		return decoding("note", err)
	}
	for _, a := range h.Adoptions {
		if h.adoption, err = statement.Decode(a.Statement); err != nil {
			return decoding("proof-shape", err)
		}
	}
	h.v.Position = &Position{h.Feed.Origin(), h.Index, h.checkpoint.Size, hex.EncodeToString(h.checkpoint.Root[:])}
	h.trust, err = r.trust(h.Charters)
	return err
}

// whose finds out whose feed it is, on which channel, and whether the reader knows that party.
func (r *Reader) whose(h *hearing) (err error) {
	switch {
	case h.channel.ID() != h.Feed.Channel:
		return &Refusal{judge.WrongFeed, fmt.Errorf("%w: another channel id", ErrWrongFeed)}
	case !h.channel.Member(h.Feed.Party):
		return &Refusal{judge.WrongFeed, fmt.Errorf("%w: %s is no member", ErrWrongFeed, h.Feed.Party)}
	}
	if h.issuer, err = h.trust.of(h.Feed.Party, h.channel); err != nil {
		return err
	}
	h.v.issuer, h.v.others = h.Feed.Party, h.channel.Others(h.Feed.Party)
	if h.checkpoint.Feed != h.Feed {
		return &Refusal{"origin", fmt.Errorf("%w: %s", ErrOrigin, h.checkpoint.Feed.Origin())}
	}
	return nil
}

// examine judges the statement on its own. What is found is not refused yet: that it was logged comes first.
func (r *Reader) examine(h *hearing) error {
	h.v.regime = r.regime(h.channel.Regime)
	h.judge = &judge.Judge{Feed: h.Feed, Channel: h.channel, Issuer: h.issuer, Regime: h.v.regime}
	if h.v.regime == nil {
		h.judge.Regime = &form.Regime{} // knows no form
	}
	var err error
	if h.finding, err = h.one(h.Statement); err != nil {
		return err
	}
	s := h.finding.Statement
	if s == nil {
		return nil
	}
	h.v.describe(s)
	if _, ok := h.issuer.At(s.Charter); !ok && s.Issuer.Party == h.Feed.Party {
		if other := h.trust.strange[h.Feed.Party]; other != nil {
			h.v.Compare = untrusted(h.Feed.Party, other)
		}
		return &Refusal{judge.CharterUnknown, fmt.Errorf("%w: it is to be judged by version %d of the charter of %s; known are 1 to %d",
			ErrInvalid, s.Charter, h.Feed.Party, h.issuer.Latest().Version)}
	}
	return nil
}

func (h *hearing) one(body []byte) (judge.Finding, error) {
	found, err := h.judge.Examine(context.Background(), [][]byte{body})
	if err != nil {
		return judge.Finding{}, &Refusal{"proof-shape", err} // unreachable: the context does not end
	}
	f := found[0]
	if f.Reason == judge.UnknownForm && h.v.regime == nil { // all that stands before the form in protocol.md#held was in order
		f.Reason = ""
		if a, err := traffic.ParseAddress(f.Statement.Audience); f.Statement.Audience != statement.Everyone && (err != nil || !h.channel.Member(a.Party)) {
			f.Reason = judge.WrongAudience
		}
	}
	return f, nil
}

// signed checks that the checkpoint bears the signature of the feed's party, by a key that may be in force at its end: versions never
// decrease along the valid entries of a feed, so it is that of the statement's version or of a later one, and where the statement is the
// last entry, of that version.
func (h *hearing) signed() error {
	from, to := 1, h.issuer.Latest().Version
	if s := h.finding.Statement; s != nil && h.finding.Reason == "" {
		from = s.Charter
		if h.Index == h.checkpoint.Size-1 {
			to = from
		}
	}
	good, ok := h.author(from, to)
	if !ok {
		return &Refusal{"checkpoint-signature", ErrCheckpoint}
	}
	withdrawn := true
	for _, g := range good {
		k := h.trust.key("checkpoint", h.Feed.Party, g)
		withdrawn = withdrawn && !k.Withdrawn.IsZero()
		h.v.Keys = append(h.v.Keys, k)
	}
	if withdrawn {
		h.v.note("The checkpoint is signed by withdrawn keys alone: whoever had them may have put the statement in this place.")
	}
	if len(good) == 1 {
		h.v.note("No ML-DSA-44 signature of the checkpoint is in the file: the checkpoint rests on Ed25519 alone.")
	}
	return nil
}

// author verifies the checkpoint under the keys of some versions of the issuer's charter: Ed25519, and ML-DSA-44 where there is a line of it.
func (h *hearing) author(from, to int) (good []feed.Signed, ok bool) {
	if h.seals != nil {
		return h.seals.author(h.issuer, from, to)
	}
	return author(h.checkpoint, h.issuer, from, to)
}

func author(n *feed.Note, issuer *party.Chain, from, to int) (good []feed.Signed, ok bool) {
	good, bad := n.Check(authors(issuer, from, to)...)
	return good, len(bad) == 0 && slices.ContainsFunc(good, func(g feed.Signed) bool { return g.Algorithm == key.Ed25519 })
}

// included checks that the statement stands in the tree that was signed.
func (h *hearing) included() error {
	if err := h.checkpoint.Included(h.Index, h.Statement, h.Path); err != nil {
		return &Refusal{"not-included", fmt.Errorf("%w: index %d of %d", ErrIncluded, h.Index, h.checkpoint.Size)}
	}
	h.v.Logged = true
	return nil
}

// valid refuses a statement that is logged and yet invalid, protocol.md#held.
func (h *hearing) valid() error {
	s := h.finding.Statement
	if s == nil {
		_, err := statement.Decode(h.Statement)
		return decoding(judge.Malformed, fmt.Errorf("%w: %w", ErrInvalid, err))
	}
	if h.finding.Reason != "" {
		return &Refusal{h.finding.Reason, fmt.Errorf("%w: %s", ErrInvalid, h.finding.Reason)}
	}
	for i, ref := range s.Signatures() {
		k := Key{Signed: "statement", Holder: s.Issuer.String(), Algorithm: algorithm(ref.Algorithm), ID: ref.Key.String()}
		k.Withdrawn, _ = h.issuer.WithdrawnAt(ref.Key)
		h.v.Keys = slices.Insert(h.v.Keys, i, k)
	}
	h.v.Level = E1
	h.v.note("Whether its clock and charter version fit the entries before it takes the whole feed to tell.")
	if h.v.regime == nil {
		h.v.note("The regime of the channel (%s, version %d) is not at hand: that the fields fit the form is not judged.",
			safe(h.channel.Regime.ID), h.channel.Regime.Version)
	}
	return nil
}

// inForce refuses a signature by a key that a newer charter lacks, unless it is shown that the statement is older: a later entry of the
// feed names that charter or one after it, and versions never decrease along a feed.
//
// Who stole the key could not write that entry, but could copy it behind a statement of his own. So the tree must be the party's, signed under
// a charter as new as that entry's, with a key that nobody can have stolen.
func (h *hearing) inForce() error {
	lacking := h.lacking(h.finding.Statement)
	if lacking == 0 {
		return nil
	}
	for _, a := range h.Adoptions {
		holds, err := h.adopts(a, lacking)
		if err != nil {
			return err
		}
		if holds {
			h.v.note("A key that signed was withdrawn with version %d of the charter. Entry %d of the feed names version %d and stands after the statement.",
				lacking, a.Index, h.adoption.Charter)
			return nil
		}
	}
	return &Refusal{"withdrawn", fmt.Errorf("%w: version %d of the charter of %s lacks it", ErrWithdrawn, lacking, h.Feed.Party)}
}

func (h *hearing) adopts(a feed.Adoption, lacking int) (bool, error) {
	if a.Index <= h.Index || h.adoption.Charter < lacking || h.checkpoint.Included(a.Index, a.Statement, a.Path) != nil {
		return false, nil
	}
	if f, err := h.one(a.Statement); err != nil || f.Reason != "" {
		return false, err
	}
	good, ok := h.author(h.adoption.Charter, h.issuer.Latest().Version)
	return ok && slices.ContainsFunc(good, func(g feed.Signed) bool {
		_, gone := h.issuer.WithdrawnAt(g.Key)
		return g.Algorithm == key.Ed25519 && !gone
	}), nil
}

// lacking is the first version after the statement's that lacks one of the keys that signed it, 0 if there is none.
func (h *hearing) lacking(s *statement.Statement) int {
	for n := s.Charter + 1; ; n++ {
		c, ok := h.issuer.At(n)
		if !ok {
			return 0
		}
		for _, ref := range s.Signatures() {
			if c.PostKey(s.Issuer.Post, s.Plane, ref.Key) == nil {
				return n
			}
		}
	}
}

// receipts collects the cosignatures that count, and raises the level if all addressees are among the cosigners.
func (h *hearing) receipts() error {
	var addressed, missing []traffic.Party
	for _, p := range h.channel.Others(h.Feed.Party) {
		toThem := addresses(h.finding.Statement, p)
		if toThem {
			addressed = append(addressed, p)
		}
		if !h.receipt(p) && toThem {
			missing = append(missing, p)
		}
	}
	switch {
	case len(addressed) > 0 && len(missing) == 0:
		h.v.Level = E2
	case len(missing) > 0:
		h.v.note("It is not shown that %s held it.", list(missing))
	}
	return nil
}

// receipt adds the receipt of a member, and tells whether there is one.
func (h *hearing) receipt(p traffic.Party) bool {
	if !h.checkpoint.Names(feed.MirrorName(p)) {
		return false
	}
	chain, err := h.trust.of(p, h.channel)
	if err != nil {
		h.v.note("%s has cosigned, but no charter that you trust says who %s is: not counted.", p, p)
		return false
	}
	good, bad := h.checkpoint.Check(mirrors(chain)...)
	if len(bad) > 0 {
		h.v.note("A cosignature by %s does not verify: not counted.", p)
	}
	r := Receipt{Party: p}
	for _, g := range good {
		k := h.trust.key("receipt", p, g)
		if !k.Withdrawn.IsZero() && !g.At.Before(k.Withdrawn) {
			h.v.note("A cosignature by %s is of %s, and its key was withdrawn since %s: not counted.", p, clock(g.At), clock(k.Withdrawn))
			continue
		}
		if r.At.IsZero() || g.At.Before(r.At) {
			r.At = g.At
		}
		r.Algorithms = append(r.Algorithms, k.Algorithm)
		h.v.Keys = append(h.v.Keys, k)
	}
	if len(r.Algorithms) == 0 {
		return false
	}
	if !slices.Contains(r.Algorithms, algorithm(key.MLDSA44)) {
		h.v.note("No ML-DSA-44 cosignature of %s is in the file: its receipt rests on Ed25519 alone.", p)
	}
	h.v.Receipts = append(h.v.Receipts, r)
	return true
}

func addresses(s *statement.Statement, p traffic.Party) bool {
	a, err := traffic.ParseAddress(s.Audience)
	return s.Audience == statement.Everyone || err == nil && a.Party == p
}

// rest says on whose charters the verdict rests.
func (h *hearing) rest() {
	h.v.RestsOn = append(h.v.RestsOn, h.trust.basis(h.Feed.Party))
	for _, r := range h.v.Receipts {
		h.v.RestsOn = append(h.v.RestsOn, h.trust.basis(r.Party))
	}
}

// regime gives the regime that a channel is under, nil when it is not at hand.
func (r *Reader) regime(ref party.RegimeRef) *form.Regime {
	for _, g := range r.Regimes {
		if g.ID == ref.ID && g.Version == ref.Version && (ref.Hash == [32]byte{} || ref.Hash == g.Hash) {
			return g
		}
	}
	return nil
}

// describe fills the verdict's statement.
func (v *Verdict) describe(s *statement.Statement) {
	v.Statement = &Statement{
		ID: s.ID().String(), Issuer: s.Issuer.String(), Audience: s.Audience, Channel: hex.EncodeToString(s.Channel[:]), Form: s.Form, Version: s.Version,
		Precedence: s.Precedence, Plane: s.Plane, Issued: s.IssuedAt, DTG: form.DTG(s.IssuedAt), Dossier: s.Case().String(),
		Language: s.Language, Marking: s.Marking, Drafter: s.Drafter, Releaser: s.Releaser, Charter: s.Charter,
	}
	for _, id := range s.Refs {
		v.Statement.Refs = append(v.Statement.Refs, id.String())
	}
	v.Statement.raw = hex.EncodeToString(s.Payload)
	var fields map[string]any
	if canonical.Unmarshal(s.Payload, &fields, statement.MaxSize) == nil {
		v.Statement.raw = plain(fields)
	}
	v.Statement.Fields = v.Statement.raw
	v.interpret(s)
}

// interpret reads the fields by the form, if the regime is at hand and they fit.
func (v *Verdict) interpret(s *statement.Statement) {
	if v.regime == nil {
		return
	}
	f, ok := v.regime.Form(s.Form, s.Version)
	if !ok {
		return
	}
	values, err := f.Decode(s.Payload)
	if err != nil {
		return
	}
	if fields, err := f.ToJSON(values); err == nil {
		v.form, v.values, v.Statement.Fields = f, values, fields
	}
}

// plain is a value of a payload as JSON can hold it, byte strings in hex, for when no form says what it means.
func plain(value any) any {
	switch x := value.(type) {
	case []byte:
		return hex.EncodeToString(x)
	case []any:
		out := make([]any, len(x))
		for i, item := range x {
			out[i] = plain(item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, item := range x {
			out[k] = plain(item)
		}
		return out
	case map[any]any:
		out := make(map[string]any, len(x))
		for k, item := range maps.All(x) {
			out[fmt.Sprint(k)] = plain(item)
		}
		return out
	}
	return value
}

func (v *Verdict) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}
