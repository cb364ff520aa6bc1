package exchange

import (
	"context"
	"errors"
	"time"

	"detente/blob"
	"detente/bundle"
	"detente/store"
)

// reask is how long a piece of a blob may take before it is asked for again.
const reask = 5 * time.Second

// pouchPieces is how many pieces of blobs one pouch has room for: it is made in memory.
const pouchPieces = 256

type asked struct {
	offset int64
	at     time.Time
}

// PeerWants takes what the peer asks for; the last bundle that asks says it all.
func (l *Link) PeerWants(w []bundle.Want) { l.mu.Lock(); l.wanted, l.given = w, false; l.mu.Unlock() }

// KeepWants makes durable what a bundle of a pouch asks for. Where there is no line nobody asks again, and the process that packs the pouch that answers
// may be another.
func (l *Link) KeepWants(ctx context.Context, db *store.DB, way string, b *bundle.Bundle) error {
	if way != "pouch" || len(b.Wants) == 0 && b.Know == nil { // one that says neither what it has nor what it lacks goes on where another began
		return nil
	}
	pieces := make([]blob.Piece, len(b.Wants))
	for i, w := range b.Wants {
		pieces[i] = blob.Piece{Hash: w.Hash, Offset: w.Offset}
	}
	return db.Update(ctx, store.Calm, func(tx *store.Tx) error { return blob.KeepAsked(ctx, tx, l.Peer, pieces) })
}

// PackBlobs asks for pieces of blobs that are missing, and adds pieces of those that the peer asked for, in at most room bytes. m is of the
// same bundle.
func (l *Link) PackBlobs(ctx context.Context, tx *store.Tx, b *bundle.Bundle, m *Manifest, room int) error {
	missing, err := blob.Missing(ctx, tx, l.Peer, 16)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, p := range missing {
		if was, ok := l.asked[p.Hash]; ok && was.offset == p.Offset && now.Sub(was.at) < reask {
			continue
		}
		l.asked[p.Hash] = asked{p.Offset, now}
		b.Wants = append(b.Wants, bundle.Want{Hash: p.Hash, Offset: p.Offset})
	}
	if l.given {
		return nil
	}
	if l.aside && l.wanted == nil {
		pieces, err := blob.Asked(ctx, tx, l.Peer)
		if err != nil {
			return err
		}
		for _, p := range pieces {
			l.wanted = append(l.wanted, bundle.Want{Hash: p.Hash, Offset: p.Offset})
		}
	}
	var left []bundle.Want
	for _, w := range l.wanted {
		at, full := w.Offset, false
		for {
			if full = len(b.Blobs) >= bundle.MaxChunks || room < bundle.MaxChunk+bundle.ChunkOverhead; full {
				break
			}
			room -= bundle.MaxChunk + bundle.ChunkOverhead
			data, size, err := blob.Give(ctx, tx, l.Peer, w.Hash, at, bundle.MaxChunk)
			if errors.Is(err, blob.ErrNotHeld) || err == nil && len(data) == 0 {
				break
			}
			if err != nil {
				return err
			}
			b.Blobs = append(b.Blobs, bundle.Chunk{Hash: w.Hash, Size: size, Offset: at, Data: data})
			if at += int64(len(data)); at >= size {
				break
			}
		}
		if full {
			left = append(left, bundle.Want{Hash: w.Hash, Offset: at})
		}
	}
	if l.aside { // nobody asks between two bundles of one pouch: the next goes on here
		m.Pieces = len(b.Blobs)
		l.pieces += m.Pieces
		l.wanted, l.given = left, len(left) == 0 || l.pieces >= pouchPieces
		m.More = m.More || !l.given
		return nil
	}
	m.given = len(l.wanted) > 0
	l.given = m.given
	return nil
}
