package archive_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"detente/archive"
	"detente/evidence"
	"detente/feed"
	"detente/key"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/store/storetest"
	"detente/traffic"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// capital is a party that writes a feed on its link with another one, which has cosigned every checkpoint.
type capital struct {
	t       *testing.T
	chain   *party.Chain
	ring    *party.Keyring
	roots   []*party.RootKey
	peer    *capital // nil for the peer itself
	channel *party.Channel
	feed    traffic.Feed
	archive *archive.Archive
	said    []statement.ID
}

func found(t *testing.T, id traffic.Party) *capital {
	t.Helper()
	charter, ring, roots, err := party.Found(party.Plan{
		Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{"en"}, Roots: 1, Need: 1,
		Posts: []party.PostPlan{{Name: "nrrc", May: []string{party.Answer}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	chain, err := party.NewChain(charter)
	if err != nil {
		t.Fatal(err)
	}
	return &capital{t: t, chain: chain, ring: ring, roots: roots}
}

func newCapital(t *testing.T) *capital {
	t.Helper()
	c := found(t, "xn")
	c.peer = found(t, "xs")
	c.channel = party.LinkChannel(c.chain, c.peer.chain)
	c.feed = traffic.Feed{Channel: c.channel.ID(), Party: "xn", Plane: traffic.Real, Precedence: traffic.Priority}
	c.archive = &archive.Archive{
		DB:      storetest.Open(t, feed.Schema()),
		Charter: func([32]byte) (*party.Channel, error) { return c.channel, nil },
		Chain: func(p traffic.Party) *party.Chain {
			if p == "xn" {
				return c.chain
			}
			return c.peer.chain
		},
	}
	return c
}

// rotate takes new keys into the slots, in the next version of the charter.
func (c *capital) rotate(w party.Withdrawal, slots ...party.Slot) {
	c.t.Helper()
	d, ring, _, err := party.Rotate(c.chain.Latest(), c.ring, w, slots...)
	if err != nil {
		c.t.Fatal(err)
	}
	next, err := party.SignCharter(d, c.roots...)
	if err == nil {
		c.chain, err = c.chain.Extend(next)
	}
	if err == nil {
		c.ring, err = ring.Under(next)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// say states something under the newest charter, and has the checkpoint signed and cosigned.
func (c *capital) say() {
	c.t.Helper()
	signers, err := c.ring.Signers("nrrc", traffic.Real, key.Ed25519)
	if err != nil {
		c.t.Fatal(err)
	}
	version := c.chain.Latest().Version
	s, err := statement.Sign(statement.Header{
		Issuer: traffic.Address{Party: "xn", Post: "nrrc"}, Audience: "xs", IssuedAt: noon, Channel: c.feed.Channel, Plane: c.feed.Plane,
		Precedence: c.feed.Precedence, Form: "notice", Version: 1, Clock: int64(len(c.said) + 1), Language: "en", Drafter: "duty-officer", Charter: version,
	}, []byte{0xa0}, signers...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.said = append(c.said, s.ID())
	ctx := context.Background()
	err = c.archive.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
		h, err := feed.Open(ctx, tx, c.feed)
		if err != nil {
			return err
		}
		h.Clock, h.Charter = s.Clock, version
		if err := h.Extend(ctx, tx, []feed.Entry{{ID: s.ID(), Dossier: s.Case(), Clock: s.Clock, Issuer: "xn/nrrc", Form: s.Form, Bytes: s.Bytes()}}); err != nil {
			return err
		}
		cp := h.Checkpoint()
		own, err := cp.Sign(c.ring.Checkpoint, noon)
		if err != nil {
			return err
		}
		receipt, err := cp.Cosign("xs", c.peer.ring.Mirror, noon)
		if err != nil {
			return err
		}
		return errors.Join(h.SaveCheckpoint(ctx, tx, cp, own), h.SaveReceipt(ctx, tx, cp.Size, feed.Signed{
			Mirror: "xs", Algorithm: key.Ed25519, Key: c.peer.ring.Mirror.ID(), At: noon, Line: receipt,
		}))
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// Keys are replaced one after the other. What was said under the first ones stays provable to whoever knows every charter: the proof shows the
// entry that adopts the withdrawal, not merely a newer charter, and a checkpoint that nobody can have stolen the key for.
func TestProofOutlivesItsKeys(t *testing.T) {
	c := newCapital(t)
	c.say() // 0, under version 1
	c.rotate(party.Withdrawal{}, "node/bundle")
	c.say() // 1, under version 2, which still has the post's key
	c.rotate(party.Withdrawal{Since: noon, Reason: "stolen"}, "post/nrrc/real")
	proves := func(i, size int, adoption int64) {
		t.Helper()
		file, err := c.archive.Prove(t.Context(), c.said[i])
		if err != nil {
			t.Fatal(err)
		}
		r := evidence.Reader{Registry: key.Standard(), Trusted: map[traffic.Party]*party.Chain{"xn": c.chain, "xs": c.peer.chain}}
		v, err := r.Proof(file)
		if err != nil || v.Level != evidence.E2 || v.Position.Index != int64(i) || v.Position.Size != int64(size) {
			t.Fatalf("statement %d: %v, level %s, position %+v", i, err, v.Level, v.Position)
		}
		p, err := feed.DecodeProof(file)
		if err != nil {
			t.Fatal(err)
		}
		got := int64(-1)
		for _, a := range p.Adoptions {
			got = a.Index
		}
		if got != adoption {
			t.Errorf("statement %d: adoption %d, want %d", i, got, adoption)
		}
	}
	c.say() // 2, under version 3
	c.say() // 3
	proves(0, 3, 2)
	proves(1, 3, 2)
	proves(2, 3, -1)
	c.rotate(party.Withdrawal{Since: noon, Reason: "stolen"}, "node/checkpoint", "node/checkpoint-pq")
	c.say() // 4, under version 4, signed by a sound key
	proves(0, 5, 2)
	proves(4, 5, -1)
}
