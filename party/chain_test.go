package party_test

import (
	"bytes"
	"crypto/hpke"
	"errors"
	"slices"
	"testing"
	"time"

	"detente/canonical"
	"detente/envelope"
	"detente/key"
	"detente/party"
	"detente/traffic"
)

// amend approves a change by the holders given, all by default, without adding it to the chain.
func (s *state) amend(t testing.TB, change func(*party.Contents), roots ...*party.RootKey) *party.Charter {
	t.Helper()
	if roots == nil {
		roots = s.roots
	}
	d, err := party.Amend(s.chain.Latest(), change)
	if err != nil {
		t.Fatal(err)
	}
	c, err := party.SignCharter(d, roots...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rotate replaces the keys in the slots and adopts the charter. It returns the new root keys.
func (s *state) rotate(t testing.TB, w party.Withdrawal, slots ...party.Slot) []*party.RootKey {
	t.Helper()
	d, ring, fresh, err := party.Rotate(s.chain.Latest(), s.ring, w, slots...)
	if err != nil {
		t.Fatal(err)
	}
	c, err := party.SignCharter(d, slices.Concat(s.roots, fresh)...)
	if err != nil {
		t.Fatal(err)
	}
	if s.chain, err = s.chain.Extend(c); err != nil {
		t.Fatal(err)
	}
	if s.ring, err = ring.Under(c); err != nil {
		t.Fatal(err)
	}
	s.charter = c
	return fresh
}

func TestEveryKindOfKeyCanBeRotated(t *testing.T) {
	s := found(t, "xn")
	first := s.charter
	if n := len(first.Slots()); n != 3+2*3+7 {
		t.Fatalf("%d slots", n)
	}
	for _, slot := range first.Slots() {
		if slot[:5] == "root/" {
			continue // below
		}
		t.Run(string(slot), func(t *testing.T) {
			s := *s
			s.rotate(t, party.Withdrawal{}, slot)
			changed := 0
			now := keysOf(s.charter)
			for id := range keysOf(first) {
				if !now[id] {
					changed++
					if _, gone := s.chain.WithdrawnAt(id); gone {
						t.Error("a plain rotation withdrew the old key")
					}
					if !s.chain.Holds(id) {
						t.Error("the chain forgot the old key")
					}
				}
			}
			if want := map[party.Slot]int{"post/council/real": 2, "post/council/exercise": 2, "post/council/test": 2}[slot]; changed != max(want, 1) {
				t.Errorf("%d keys changed", changed)
			}
		})
	}
	for _, slot := range []party.Slot{"root/0", "root/4", "root/x", "node/none", "post/nrrc/live", "post/none/real", "post/nrrc", "nrrc", ""} {
		if _, _, _, err := party.Rotate(first, s.ring, party.Withdrawal{}, slot); !errors.Is(err, party.ErrSlot) {
			t.Errorf("%q: %v", slot, err)
		}
	}
}

func keysOf(c *party.Charter) map[key.ID]bool {
	out := map[key.ID]bool{c.Node.Sealing.ID(): true}
	n := c.Node
	for _, k := range []key.Public{n.Checkpoint, n.CheckpointPQ, n.Mirror, n.MirrorPQ, n.Bundle, n.Transport} {
		out[k.ID()] = true
	}
	for _, p := range c.Posts {
		for _, k := range p.Keys {
			out[k.Key.ID()] = true
		}
	}
	return out
}

func TestWhatIsAcceptedBeforeAndAfterAPostKeyIsRotated(t *testing.T) {
	s := found(t, "xn")
	old := s.ring.Post("nrrc", traffic.Real)[0]
	first := s.charter
	s.rotate(t, party.Withdrawal{}, "post/nrrc/real")
	fresh := s.ring.Post("nrrc", traffic.Real)[0]
	if first.PostKey("nrrc", traffic.Real, old.ID()) == nil || first.PostKey("nrrc", traffic.Real, fresh.ID()) != nil {
		t.Error("version 1 is judged by other keys than its own")
	}
	if s.charter.PostKey("nrrc", traffic.Real, old.ID()) != nil || s.charter.PostKey("nrrc", traffic.Real, fresh.ID()) == nil {
		t.Error("version 2 is judged by other keys than its own")
	}
	under, err := s.ring.Under(first)
	if err != nil {
		t.Fatal(err)
	}
	if under.Post("nrrc", traffic.Real)[0].ID() != old.ID() {
		t.Error("the old key is not found under the old charter")
	}
}

func TestABundleSealedBeforeTheRotationStillOpens(t *testing.T) {
	s := found(t, "xn")
	to, info := s.charter.Node.Sealing, []byte("test")
	public, err := hpke.MLKEM768X25519().NewPublicKey(to.Public)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES256GCM(), info, []byte("in the pouch"))
	if err != nil {
		t.Fatal(err)
	}
	s.rotate(t, party.Withdrawal{}, "node/sealing")
	if s.charter.Node.Sealing.ID() == to.ID() {
		t.Fatal("the sealing key did not change")
	}
	plain, err := hpke.Open(s.ring.Unsealing(to.ID()), hpke.HKDFSHA256(), hpke.AES256GCM(), info, sealed)
	if err != nil || string(plain) != "in the pouch" {
		t.Errorf("opened %q, %v", plain, err)
	}
	if s.ring.Unsealing(key.ID{}) != nil {
		t.Error("an unknown key opens")
	}
}

func TestAWithdrawnMirrorKey(t *testing.T) {
	s := found(t, "xn")
	lost := s.ring.Mirror
	since := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	s.rotate(t, party.Withdrawal{Since: since, Reason: "machine stolen"}, "node/mirror", "node/mirror-pq")
	if at, gone := s.chain.WithdrawnAt(lost.ID()); !gone || !at.Equal(since) {
		t.Errorf("withdrawn at %v, %v", at, gone)
	}
	keys := s.chain.MirrorKeys(false)
	if len(keys) != 2 || keys[0].ID() != s.ring.Mirror.ID() || keys[1].ID() != lost.ID() {
		t.Error("mirror keys are not the new one, then the old one")
	}
	if n := len(s.chain.MirrorKeys(true)); n != 2 {
		t.Errorf("%d ML-DSA mirror keys", n)
	}
	again := s.amend(t, func(c *party.Contents) { c.Node.Mirror = lost.Public() })
	if _, err := s.chain.Extend(again); !errors.Is(err, party.ErrRevoked) {
		t.Errorf("a withdrawn key comes back: %v", err)
	}
	// A later version that claims a later time does not make the old signatures good again.
	later := s.amend(t, func(c *party.Contents) {
		c.Revoked = []party.Revocation{{Key: lost.ID(), Since: since.Add(time.Hour), Reason: "later after all"}}
	})
	longer, err := s.chain.Extend(later)
	if err != nil {
		t.Fatal(err)
	}
	if at, _ := longer.WithdrawnAt(lost.ID()); !at.Equal(since) {
		t.Errorf("withdrawn at %v", at)
	}
}

func TestOneHolderIsMissing(t *testing.T) {
	s := found(t, "xn")
	two := s.amend(t, nil, s.roots[0], s.roots[2])
	if _, err := s.chain.Extend(two); err != nil {
		t.Errorf("two of three holders: %v", err)
	}
	d, err := party.Amend(s.charter, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := party.SignCharter(d, s.roots[1]); !errors.Is(err, party.ErrNotApproved) {
		t.Errorf("one of three holders: %v", err)
	}
}

func TestHoldersSignOneAfterTheOtherOnMachinesOfTheirOwn(t *testing.T) {
	s := found(t, "xn")
	d, err := party.Amend(s.charter, func(c *party.Contents) { c.Languages = []string{"en", "fr"} })
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Circulate(s.roots[0].Public(), s.roots[1].Public())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Charter(); !errors.Is(err, party.ErrNotApproved) {
		t.Errorf("nobody has signed: %v", err)
	}
	travels := func() {
		b, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if c, err = party.DecodeCircular(b, key.Standard()); err != nil {
			t.Fatal(err)
		}
	}
	travels()
	if got := c.Contents().Languages; !slices.Equal(got, []string{"en", "fr"}) {
		t.Errorf("the holder is shown languages %v", got)
	}
	if err := c.Sign(s.roots[2].Signers()...); !errors.Is(err, party.ErrNotAsked) {
		t.Errorf("a holder who is not asked signs: %v", err)
	}
	if err := c.Sign(s.roots[0].Signers()...); err != nil {
		t.Fatal(err)
	}
	travels()
	if n := len(c.Missing()); n != 2 {
		t.Errorf("%d signatures missing, want 2", n)
	}
	if err := c.Sign(s.roots[1].Signers()...); err != nil {
		t.Fatal(err)
	}
	travels()
	next, err := c.Charter()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.chain.Extend(next); err != nil {
		t.Error(err)
	}
	b, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if _, err := party.DecodeCircular(b, key.Standard()); !errors.Is(err, envelope.ErrBadSignature) {
		t.Errorf("a signature spoiled on the way: %v", err)
	}
	if _, err := party.DecodeCircular([]byte{0x80}, key.Standard()); !errors.Is(err, party.ErrCircular) {
		t.Errorf("not a draft: %v", err)
	}
}

func TestANewRootNeedsOldAndNewRoots(t *testing.T) {
	s := found(t, "xn")
	d, _, fresh, err := party.Rotate(s.charter, s.ring, party.Withdrawal{Since: time.Now(), Reason: "holder left"}, "root/1", "root/2")
	if err != nil {
		t.Fatal(err)
	}
	old, kept := s.roots[:2], s.roots[2]
	if _, err := party.SignCharter(d, fresh[0], fresh[1]); !errors.Is(err, party.ErrNotApproved) {
		t.Errorf("new roots alone: %v", err)
	}
	if _, err := party.SignCharter(d, old[0], old[1]); !errors.Is(err, party.ErrNotApproved) {
		t.Errorf("old roots alone: %v", err)
	}
	stranger := found(t, "xs")
	if _, err := party.SignCharter(d, old[0], kept, fresh[0], stranger.roots[0]); !errors.Is(err, party.ErrNotAsked) {
		t.Errorf("with a stranger's root: %v", err)
	}
	next, err := party.SignCharter(d, old[0], kept, fresh[0])
	if err != nil {
		t.Fatal(err)
	}
	longer, err := s.chain.Extend(next)
	if err != nil {
		t.Fatal(err)
	}
	// From here the old holder has no say.
	d, err = party.Amend(next, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := party.SignCharter(d, old[0], old[1]); !errors.Is(err, party.ErrNotAsked) {
		t.Errorf("withdrawn roots approve: %v", err)
	}
	if d, err = party.Amend(next, nil); err != nil {
		t.Fatal(err)
	}
	third, err := party.SignCharter(d, kept, fresh[1])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := longer.Extend(third); err != nil {
		t.Error(err)
	}
}

// A thief of some root keys below the number needed makes a charter that stands on its own, with roots of his own.
func TestAThiefCannotTakeOverWithRootsOfHisOwn(t *testing.T) {
	s, thief := found(t, "xn"), found(t, "xn")
	env, err := envelope.Decode(thief.amend(t, func(c *party.Contents) { c.Previous = s.charter.Hash() }).Bytes(),
		"application/vnd.detente.charter", party.MaxCharter)
	if err != nil {
		t.Fatal(err)
	}
	signers := slices.Concat(thief.roots[0].Signers(), thief.roots[1].Signers(), s.roots[0].Signers())
	b, err := envelope.Sign(envelope.Contents{ContentType: env.ContentType, Payload: env.Payload}, signers...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.chain.Extend(decode(t, b)); !errors.Is(err, party.ErrNotApproved) {
		t.Errorf("one of the two roots needed: %v", err)
	}
}

func TestOnlyTheNextVersionFollows(t *testing.T) {
	s, other := found(t, "xn"), found(t, "xs")
	second := s.amend(t, nil)
	longer, err := s.chain.Extend(second)
	if err != nil {
		t.Fatal(err)
	}
	twin := s.amend(t, func(c *party.Contents) { c.Languages = []string{"fr"} })
	for name, c := range map[string]struct {
		chain *party.Chain
		next  *party.Charter
		want  error
	}{
		"the same again":             {longer, second, party.ErrChain},
		"another second version":     {longer, twin, party.ErrChain},
		"the first again":            {s.chain, s.charter, party.ErrChain},
		"another party's second":     {s.chain, other.amend(t, nil), party.ErrParty},
		"another party's first":      {s.chain, other.charter, party.ErrParty},
		"another first of that name": {s.chain, found(t, "xn").amend(t, nil), party.ErrChain},
	} {
		if _, err := c.chain.Extend(c.next); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if _, err := party.NewChain(second); !errors.Is(err, party.ErrChain) {
		t.Errorf("a chain starts at version 2: %v", err)
	}
	if got, ok := longer.At(2); !ok || got != second {
		t.Error("version 2 is not at its place")
	}
	for _, v := range []int{-1, 0, 3} {
		if _, ok := longer.At(v); ok {
			t.Errorf("there is a version %d", v)
		}
	}
	if len(s.chain.All()) != 1 {
		t.Error("extending changed the chain that was extended")
	}
}

func TestAChainTravelsAsOneFile(t *testing.T) {
	s := found(t, "xn")
	s.rotate(t, party.Withdrawal{}, "node/transport")
	s.rotate(t, party.Withdrawal{}, "node/transport")
	b, err := party.EncodeChain(s.chain)
	if err != nil {
		t.Fatal(err)
	}
	ch, err := party.DecodeChain(b, key.Standard())
	if err != nil {
		t.Fatal(err)
	}
	if len(ch.All()) != 3 || ch.Latest().Hash() != s.charter.Hash() || !ch.Extends(s.chain) || ch.Party() != "xn" {
		t.Error("another chain arrived")
	}
	all := s.chain.All()
	file := func(charters ...[]byte) []byte {
		b, err := canonical.Marshal([]any{"detente-charters.v1", charters})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"a version left out": {file(all[0].Bytes(), all[2].Bytes()), party.ErrChain},
		"the end alone":      {file(all[2].Bytes()), party.ErrChain},
		"empty":              {file(), party.ErrShape},
		"a charter":          {all[0].Bytes(), canonical.ErrForbidden},
		"trailing":           {append(bytes.Clone(b), 0), canonical.ErrTrailing},
		"oversize":           {make([]byte, party.MaxChainFile+1), canonical.ErrTooLarge},
	} {
		if _, err := party.DecodeChain(c.file, key.Standard()); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}
