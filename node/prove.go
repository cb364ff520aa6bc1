package node

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
func (n *Node) Receipts(ctx context.Context, f traffic.Feed, index int64) ([]Receipt, error) {
	out := []Receipt{}
	err := n.db.View(ctx, func(tx *store.Tx) error {
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
func (n *Node) Prove(ctx context.Context, id statement.ID) ([]byte, error) {
	held, err := n.Statement(ctx, id)
	if err != nil {
		return nil, err
	}
	c, err := n.channel(held.Feed.Channel)
	if err != nil {
		return nil, err
	}
	p := &feed.Proof{Channel: c.Bytes(), Feed: held.Feed, Index: held.Index, Statement: held.Bytes}
	parties := []traffic.Party{held.Feed.Party}
	err = n.db.View(ctx, func(tx *store.Tx) error {
		h, err := feed.Find(ctx, tx, held.Feed)
		if err != nil {
			return err
		}
		at, lines, mirrors, err := n.bestCheckpoint(ctx, tx, h, held.Index)
		if err != nil {
			return err
		}
		parties = append(parties[:1], mirrors...)
		p.Checkpoint = at.Note(lines)
		path, err := h.Inclusion(ctx, tx, held.Index, at.Size)
		if err != nil {
			return err
		}
		p.Path = feed.Path[[32]byte](path)
		p.Adoptions, err = n.adoption(ctx, tx, h, held, at.Size)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(parties)
	for _, name := range slices.Compact(parties) {
		for _, charter := range n.Chain(name).All() {
			p.Charters = append(p.Charters, charter.Bytes())
		}
	}
	return p.Encode()
}

// bestCheckpoint chooses the checkpoint to prove with among those of sizes at which somebody cosigned, and the newest signed one.
func (n *Node) bestCheckpoint(ctx context.Context, tx *store.Tx, h *feed.Head, index int64) (feed.Checkpoint, string, []traffic.Party, error) {
	first, err := h.FirstReceipts(ctx, tx, index+1)
	if err != nil {
		return feed.Checkpoint{}, "", nil, err
	}
	sizes := []int64{index + 1}
	for _, r := range first {
		sizes = append(sizes, r.Size)
	}
	var best feed.Checkpoint
	var bestLines string
	var bestMirrors []traffic.Party
	score := -1
	for _, size := range sizes {
		c, lines, err := h.SignedAt(ctx, tx, size)
		if errors.Is(err, feed.ErrNoEntry) {
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

// adoption finds the first later statement of the feed that names a newer charter, when there is one below the size.
func (n *Node) adoption(ctx context.Context, tx *store.Tx, h *feed.Head, held Held, size int64) ([]feed.Adoption, error) {
	if held.Statement == nil || h.Charter <= held.Statement.Charter {
		return nil, nil
	}
	var out []feed.Adoption
	err := h.Range(ctx, tx, held.Index+1, size, func(e feed.Entry) bool {
		s, err := statement.Decode(e.Bytes)
		if err == nil && e.Reason == "" && s.Charter > held.Statement.Charter {
			out = []feed.Adoption{{Index: e.Index, Statement: e.Bytes}}
		}
		return out == nil
	})
	if err != nil || out == nil {
		return nil, err
	}
	path, err := h.Inclusion(ctx, tx, out[0].Index, size)
	if err != nil {
		return nil, err
	}
	out[0].Path = feed.Path[[32]byte](path)
	return out, nil
}

// Charters gives a party's charter file, for a verifier to trust.
func (n *Node) Charters(p traffic.Party) ([]byte, error) {
	chain := n.Chain(p)
	if chain == nil {
		return nil, ErrNoPeer
	}
	return party.EncodeChain(chain)
}
