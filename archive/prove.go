package archive

import (
	"context"
	"errors"
	"slices"

	"detente/feed"
	"detente/key"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// Receipt is who held a statement, by when, and how that is signed.
type Receipt struct {
	Mirror     traffic.Party   `json:"mirror"`
	At         int64           `json:"at"` // unix seconds, of the earliest cosignature that covers the statement
	Size       int64           `json:"size"`
	Algorithms []key.Algorithm `json:"algorithms"`
}

// Receipts lists the mirrors that have cosigned a statement, this node's own cosignature of a peer's feed among them.
func (a *Archive) Receipts(ctx context.Context, f traffic.Feed, index int64) ([]Receipt, error) {
	out := []Receipt{}
	err := a.DB.View(ctx, func(tx *store.Tx) error {
		h, err := feed.Find(ctx, tx, f)
		if err != nil {
			return err
		}
		first, err := h.FirstReceipts(ctx, tx, index+1)
		for _, r := range first {
			i := slices.IndexFunc(out, func(o Receipt) bool { return o.Mirror == r.Mirror })
			if i < 0 {
				i, out = len(out), append(out, Receipt{Mirror: r.Mirror, At: r.At.Unix(), Size: r.Size})
			}
			out[i].At = min(out[i].At, r.At.Unix())
			out[i].Algorithms = append(out[i].Algorithms, r.Algorithm)
		}
		return err
	})
	return out, err
}

// Prove makes the proof file of a statement, protocol.md#proof: at the smallest signed size that the most mirrors have cosigned, with an
// ML-DSA signature if one covers it. Error: ErrNotHeld.
func (a *Archive) Prove(ctx context.Context, id statement.ID) ([]byte, error) {
	held, err := a.Statement(ctx, id)
	if err != nil {
		return nil, err
	}
	p, err := a.proof(ctx, held)
	if err != nil {
		return nil, err
	}
	return p.Encode()
}

// proof puts a proof together.
func (a *Archive) proof(ctx context.Context, held Held) (*feed.Proof, error) {
	c, err := a.Charter(held.Feed.Channel)
	if err != nil {
		return nil, err
	}
	p := &feed.Proof{Channel: c.Bytes(), Feed: held.Feed, Index: held.Index, Statement: held.Bytes}
	parties := []traffic.Party{held.Feed.Party}
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		h, err := feed.Find(ctx, tx, held.Feed)
		if err != nil {
			return err
		}
		if p.Adoptions, err = a.adoption(ctx, tx, h, held); err != nil {
			return err
		}
		last := held.Index
		for _, a := range p.Adoptions {
			last = a.Index
		}
		at, lines, mirrors, err := a.bestCheckpoint(ctx, tx, h, last, len(p.Adoptions) > 0)
		if err != nil {
			return err
		}
		parties = append(parties[:1], mirrors...)
		p.Checkpoint = at.Note(lines)
		if p.Path, err = inclusion(ctx, tx, h, held.Index, at.Size); err != nil {
			return err
		}
		for i := range p.Adoptions {
			a := &p.Adoptions[i]
			if a.Path, err = inclusion(ctx, tx, h, a.Index, at.Size); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(parties)
	for _, name := range slices.Compact(parties) {
		for _, charter := range a.Chain(name).All() {
			p.Charters = append(p.Charters, charter.Bytes())
		}
	}
	return p, nil
}

func inclusion(ctx context.Context, tx *store.Tx, h *feed.Head, index, size int64) ([][32]byte, error) {
	path, err := h.Inclusion(ctx, tx, index, size)
	return feed.Path[[32]byte](path), err
}

// bestCheckpoint chooses the checkpoint to prove with, of a tree that holds the entry at index: among the smallest signed ones, those at which
// somebody cosigned first, and the newest ones, the one that the most mirrors have cosigned. With sound, one that a withdrawn key has signed will not do.
func (a *Archive) bestCheckpoint(ctx context.Context, tx *store.Tx, h *feed.Head, index int64, sound bool) (feed.Checkpoint, string, []traffic.Party, error) {
	first, err := h.FirstReceipts(ctx, tx, index+1)
	if err != nil {
		return feed.Checkpoint{}, "", nil, err
	}
	sizes := []int64{index + 1}
	for _, r := range first {
		sizes = append(sizes, r.Size)
	}
	for _, r := range first {
		newest, err := h.Cosigned(ctx, tx, r.Mirror)
		if err != nil {
			return feed.Checkpoint{}, "", nil, err
		}
		sizes = append(sizes, newest)
	}
	if newest, _, err := h.SignedUpTo(ctx, tx, h.Size); err == nil && newest.Size > index {
		sizes = append(sizes, newest.Size)
	}
	var best feed.Checkpoint
	var bestLines string
	var bestMirrors []traffic.Party
	score := -1
	for _, size := range sizes {
		c, lines, err := h.SignedAt(ctx, tx, size)
		if errors.Is(err, feed.ErrNoEntry) || err == nil && sound && !a.sound(c, lines) {
			continue
		}
		if err != nil {
			return c, "", nil, err
		}
		receipts, err := h.ReceiptsAt(ctx, tx, c.Size)
		if err != nil {
			return c, "", nil, err
		}
		var mirrors []traffic.Party
		for _, r := range receipts {
			lines += r.Line
			if len(mirrors) == 0 || mirrors[len(mirrors)-1] != r.Mirror {
				mirrors = append(mirrors, r.Mirror)
			}
		}
		if s := 16*len(mirrors) + len(receipts); s > score {
			best, bestLines, bestMirrors, score = c, lines, mirrors, s
		}
	}
	if score < 0 {
		return best, "", nil, ErrNotHeld
	}
	return best, bestLines, bestMirrors, nil
}

// sound tells whether a checkpoint is signed with an Ed25519 key that was never withdrawn.
func (a *Archive) sound(c feed.Checkpoint, lines string) bool {
	chain := a.Chain(c.Feed.Party)
	var candidates []feed.Candidate
	for _, version := range chain.All() {
		k := version.Node.Checkpoint
		if _, gone := chain.WithdrawnAt(k.ID()); !gone {
			candidates = append(candidates, feed.Candidate{Key: version.Verifier(k)})
		}
	}
	_, signed, err := feed.OpenCheckpoint(c.Note(lines), candidates...)
	return err == nil && len(signed) > 0
}

// adoption finds the entry that shows a statement to be older than the withdrawal of a key that signed it, protocol.md#proof: the first later one
// that is valid and names a charter without that key. Nothing when no key was withdrawn, or when no entry names such a charter yet. Its path is for the
// caller to add.
func (a *Archive) adoption(ctx context.Context, tx *store.Tx, h *feed.Head, held Held) ([]feed.Adoption, error) {
	if held.Statement == nil {
		return nil, nil
	}
	lacking := withdrawnWith(a.Chain(held.Feed.Party), held.Statement)
	if lacking == 0 || h.Charter < lacking {
		return nil, nil
	}
	var out []feed.Adoption
	err := h.Range(ctx, tx, held.Index+1, h.Size, func(e feed.Entry) bool {
		if e.Reason != "" {
			return true
		}
		if s, err := statement.Decode(e.Bytes); err == nil && s.Charter >= lacking {
			out = []feed.Adoption{{Index: e.Index, Statement: e.Bytes}}
		}
		return out == nil
	})
	return out, err
}

// Adoption finds the entry that shows a statement to be older than the withdrawal of a key that signed it, for whoever makes proofs of many: its paths are
// for the caller to add. Nil when none is needed, or there is none yet.
func (a *Archive) Adoption(ctx context.Context, tx *store.Tx, h *feed.Head, held Held) ([]feed.Adoption, error) {
	return a.adoption(ctx, tx, h, held)
}

// withdrawnWith is the first version of the charter after the statement's that lacks a key that signed it, 0 when there is none.
func withdrawnWith(chain *party.Chain, s *statement.Statement) int {
	for v := s.Charter + 1; ; v++ {
		c, ok := chain.At(v)
		if !ok {
			return 0
		}
		for _, ref := range s.Signatures() {
			if c.PostKey(s.Issuer.Post, s.Plane, ref.Key) == nil {
				return v
			}
		}
	}
}
