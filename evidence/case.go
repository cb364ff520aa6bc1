package evidence

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/text/language"

	"detente/dossier"
	"detente/feed"
	"detente/form"
	"detente/judge"
	"detente/party"
	"detente/statement"
	"detente/traffic"
	"detente/transcript"
)

// Why a case file is refused, beside what a proof is refused for.
var (
	ErrSeal     = errors.New("evidence: the case is not sealed by the party that it names")
	ErrOrder    = errors.New("evidence: the statements are not in the canonical order")
	ErrStray    = errors.New("evidence: a statement of another dossier")
	ErrStanding = errors.New("evidence: a statement does not stand as the case says")
	ErrState    = errors.New("evidence: the statements do not fold to the state that the case names")
)

// CaseVerdict is what a case file shows.
type CaseVerdict struct {
	Result     string        `json:"verdict"` // Proved or Refused
	Reason     string        `json:"reason,omitempty"`
	Detail     string        `json:"detail,omitempty"`
	Dossier    string        `json:"dossier,omitempty"`
	Channel    string        `json:"channel,omitempty"`
	Plane      traffic.Plane `json:"plane,omitempty"`
	SealedBy   traffic.Party `json:"sealed_by,omitempty"` // who says that these are all statements that it holds of the dossier
	State      string        `json:"state,omitempty"`     // digest
	Folded     bool          `json:"folded"`              // the statements were folded here, to that digest
	Statements []CaseWord    `json:"statements,omitempty"`
	Files      []CaseBlob    `json:"attachments,omitempty"`
	Renderings []Rendering   `json:"renderings,omitempty"`
	Paper      string        `json:"paper,omitempty"` // SHA-256 of the PDF
	Compare    *Untrusted    `json:"compare,omitempty"`
	Notes      []string      `json:"notes,omitempty"`
}

// CaseWord is one statement of a case, with the verdict on it.
type CaseWord struct {
	Number   string   `json:"number"`
	Standing string   `json:"standing,omitempty"` // empty where the regime is not at hand
	Invalid  string   `json:"invalid,omitempty"`  // the reason for which it is held and counts for nothing
	Verdict  *Verdict `json:"proof"`
}

// CaseBlob is an attachment in a case file.
type CaseBlob struct {
	Hash  string `json:"hash"`
	Size  int    `json:"size"`
	Named bool   `json:"named"` // by a statement of the case; not known where the regime is not at hand
}

// Rendering is a transcript in a case file.
type Rendering struct {
	Language string `json:"language"`
	Matches  bool   `json:"matches"` // what this program writes of the statements is the same, to the byte
	Written  bool   `json:"written"` // this program can write it
}

// Case reads a case file. The verdict is never nil; the error is a [*Refusal], nil if and only if every statement is proved to be what the case says
// of it, and whoever exported it has signed for the whole.
func (r *Reader) Case(b []byte) (*CaseVerdict, error) {
	v := &CaseVerdict{}
	err := r.whole(b, v)
	if err == nil {
		v.Result = Proved
		return v, nil
	}
	v.Result = Refused
	v.Reason, v.Detail, v.Compare = explain(err, nil)
	return v, err
}

// whole follows protocol.md#case.
func (r *Reader) whole(b []byte, v *CaseVerdict) error {
	c, content, seal, err := DecodeCase(b)
	if err != nil {
		return decoding("case-shape", err)
	}
	channel, err := party.DecodeChannel(c.Channel)
	if err != nil {
		return decoding("channel", err)
	}
	id := channel.ID()
	v.Dossier, v.Channel, v.Plane, v.State = c.Dossier.String(), hex.EncodeToString(id[:]), c.Plane, hex.EncodeToString(c.State[:])
	trust, err := r.trust(c.Charters)
	if err != nil {
		return err
	}
	if err := sealed(c, content, seal, channel, trust); err != nil {
		return err
	}
	v.SealedBy = sealer(seal)
	items, err := r.words(c, channel, trust, v)
	if err != nil {
		return err
	}
	return r.folds(c, channel, items, v)
}

// sealed checks that a member has signed for the content as a whole, with a key that was not withdrawn.
func sealed(c *CaseFile, content []byte, seal string, channel *party.Channel, trust *trust) error {
	by := sealer(seal)
	if by == "" || !channel.Member(by) {
		return &Refusal{"seal", fmt.Errorf("%w: by no member of the channel", ErrSeal)}
	}
	chain, err := trust.of(by, channel)
	if err != nil {
		return err
	}
	text, with, err := feed.OpenText(seal, authors(chain, 1, chain.Latest().Version)...)
	if err != nil || text != sealText(channel.ID(), by, c.Plane, c.Dossier, len(c.Entries), content) {
		return &Refusal{"seal", fmt.Errorf("%w: the file was changed after %s sealed it, or another has", ErrSeal, by)}
	}
	if since, gone := chain.WithdrawnAt(with); gone {
		return &Refusal{"seal", fmt.Errorf("%w: by a key withdrawn since %s", ErrSeal, clock(since))}
	}
	return nil
}

// words judges every statement as a proof of its own, and that it stands where the case says.
func (r *Reader) words(c *CaseFile, channel *party.Channel, trust *trust, v *CaseVerdict) ([]dossier.Item, error) {
	var items []dossier.Item
	notes := make([]*feed.Note, len(c.Checkpoints))
	for i := range c.Entries {
		e := &c.Entries[i]
		s, err := statement.Decode(e.Statement)
		if err != nil {
			return nil, decoding(judge.Malformed, err)
		}
		if s.Case() != c.Dossier || e.Feed.Channel != channel.ID() || e.Feed.Plane != c.Plane {
			return nil, &Refusal{"wrong-dossier", fmt.Errorf("%w: %s", ErrStray, s.ID())}
		}
		if i > 0 && inOrder(items[i-1].Statement, s) >= 0 {
			return nil, &Refusal{"order", fmt.Errorf("%w: %s", ErrOrder, s.ID())}
		}
		if notes[e.Checkpoint] == nil {
			if notes[e.Checkpoint], err = feed.ReadNote(c.Checkpoints[e.Checkpoint]); err != nil {
				return nil, decoding("note", err)
			}
		}
		h := &hearing{v: &Verdict{}, trust: trust, channel: channel, checkpoint: notes[e.Checkpoint]}
		h.Proof = &feed.Proof{
			Channel: c.Channel, Feed: e.Feed, Index: e.Index, Statement: e.Statement, Path: e.Path, Checkpoint: c.Checkpoints[e.Checkpoint], Adoptions: e.Adoptions,
		}
		word := CaseWord{Number: traffic.Number(s.Issuer, e.Feed, e.Index), Invalid: e.Reason, Verdict: h.v}
		if err := r.word(h, e.Reason, v); err != nil {
			v.Statements = append(v.Statements, word)
			return nil, err
		}
		v.Statements = append(v.Statements, word)
		items = append(items, dossier.Item{Statement: s, Feed: e.Feed, Index: e.Index, Reason: e.Reason})
	}
	return items, nil
}

// word judges one statement. One that the case calls invalid is proved to be logged, and invalid for that reason where one file can show it.
func (r *Reader) word(h *hearing, reason string, v *CaseVerdict) error {
	h.v.Position = &Position{h.Feed.Origin(), h.Index, h.checkpoint.Size, hex.EncodeToString(h.checkpoint.Root[:])}
	for _, a := range h.Adoptions {
		var err error
		if h.adoption, err = statement.Decode(a.Statement); err != nil {
			return decoding("case-shape", err)
		}
	}
	err := r.hear(h)
	h.v.Result = Proved
	if err != nil {
		h.v.Result = Refused
		h.v.Reason, h.v.Detail, h.v.Compare = explain(err, h.v.Compare)
	}
	switch {
	case reason == "":
		return err
	case err == nil && unseen(reason, h.v.regime != nil):
		v.note("That %s is invalid (%s) is the word of the party that exported the case: it takes more than this file to tell.", h.v.Statement.ID[:8], reason)
		return nil
	case err != nil && h.v.Reason == reason && (h.v.Logged || reason == judge.CharterUnknown):
		return nil
	}
	return &Refusal{"standing", fmt.Errorf("%w: it is said to be invalid (%s)", ErrStanding, safe(reason))}
}

// unseen are the reasons that a single statement does not show: those of the whole feed, and of a form where the regime is not at hand.
func unseen(reason string, regime bool) bool {
	switch reason {
	case judge.CharterBackwards, judge.Clock:
		return true
	case judge.UnknownForm, judge.BadPayload, judge.PrecedenceCeiling, judge.NoReleaser, judge.NotAllowedPost:
		return !regime
	}
	return false
}

// inOrder compares two statements in the canonical order, protocol.md#clock.
func inOrder(a, b *statement.Statement) int {
	idA, idB := a.ID(), b.ID()
	return cmp.Or(cmp.Compare(a.Clock, b.Clock), cmp.Compare(a.Issuer.String(), b.Issuer.String()), bytes.Compare(idA[:], idB[:]))
}

// folds folds the statements, and sets what is for people beside what this program writes.
func (r *Reader) folds(c *CaseFile, channel *party.Channel, items []dossier.Item, v *CaseVerdict) error {
	v.note("That nothing is missing is the word of %s: whoever knows of a statement that is not here can show it.", v.SealedBy)
	regime := r.regime(channel.Regime)
	for _, lang := range slices.Sorted(maps.Keys(c.Renderings)) {
		v.Renderings = append(v.Renderings, Rendering{Language: lang})
	}
	if c.Paper != nil {
		sum := sha256.Sum256(c.Paper)
		v.Paper = hex.EncodeToString(sum[:])
	}
	if regime == nil {
		v.note("The regime of the channel (%s, version %d) is not at hand: the state of the case, the attachments and the renderings are not judged.",
			safe(channel.Regime.ID), channel.Regime.Version)
		v.attachments(c, nil)
		return nil
	}
	state := dossier.Fold(dossier.Name{ID: c.Dossier, Channel: channel.ID(), Plane: c.Plane}, items, regime)
	for i := range state.Entries { // in the order of the file, which is the canonical one
		v.Statements[i].Standing = string(state.Entries[i].Standing)
	}
	if state.Digest != c.State {
		return &Refusal{"state", fmt.Errorf("%w: they fold to %x", ErrState, state.Digest)}
	}
	v.Folded = true
	if !state.Opened {
		v.note("The statement that opened the case is not in the file.")
	}
	v.attachments(c, named(state, regime))
	return v.compare(c, transcript.Case{Channel: channel.Name, Members: channel.Members, State: state, Regime: regime})
}

// named are the attachments that the statements name.
func named(state *dossier.State, regime *form.Regime) map[[32]byte]bool {
	out := make(map[[32]byte]bool)
	for i := range state.Entries {
		s := state.Entries[i].Statement
		fm, ok := regime.Form(s.Form, s.Version)
		if !ok {
			continue
		}
		values, err := fm.Decode(s.Payload)
		if err != nil {
			continue
		}
		for _, b := range fm.Blobs(values) {
			out[b.Hash] = true
		}
	}
	return out
}

func (v *CaseVerdict) attachments(c *CaseFile, named map[[32]byte]bool) {
	here := make(map[[32]byte]bool)
	for _, b := range c.Blobs {
		sum := sha256.Sum256(b)
		here[sum] = true
		v.Files = append(v.Files, CaseBlob{hex.EncodeToString(sum[:]), len(b), named[sum]})
		if named != nil && !named[sum] {
			v.note("The attachment %x is named by no statement of the case.", sum[:4])
		}
	}
	missing := 0
	for hash := range named {
		if !here[hash] {
			missing++
		}
	}
	if missing > 0 {
		v.note("Attachments that the statements name and that are not in the file: %d.", missing)
	}
}

// compare writes the transcripts anew. They are for people: one that does not match refuses nothing, and is said.
func (v *CaseVerdict) compare(c *CaseFile, written transcript.Case) error {
	w, err := transcript.NewWriter()
	if err != nil {
		return &Refusal{"case-shape", err} // unreachable: the phrases are in the program, and tested
	}
	for i := range v.Renderings {
		r := &v.Renderings[i]
		tag, err := language.Parse(r.Language)
		r.Written = err == nil && slices.Contains(w.Languages(), tag)
		r.Matches = r.Written && w.Text(written, tag) == c.Renderings[r.Language]
		if !r.Matches {
			v.note("The rendering in %s is not what this program writes of these statements: do not rely on it.", safe(r.Language))
		}
	}
	return nil
}

func (v *CaseVerdict) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}
