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

type asked struct {
	offset int64
	at     time.Time
}

// PeerWants takes what the peer asks for; the last bundle that asks says it all.
func (l *Link) PeerWants(w []bundle.Want) { l.mu.Lock(); l.wanted, l.given = w, false; l.mu.Unlock() }

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
	for _, w := range l.wanted {
		for at := w.Offset; len(b.Blobs) < bundle.MaxChunks; {
			if room -= bundle.MaxChunk + bundle.ChunkOverhead; room < 0 {
				break
			}
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
	}
	m.given = len(l.wanted) > 0
	l.given = m.given
	return nil
}
