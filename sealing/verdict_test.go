package sealing

import (
	"crypto/hpke"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"detente/key"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

func (c *cast) consent(t testing.TB, p traffic.Party) Consent {
	t.Helper()
	got, err := c.round.SignConsent(p, c.keys[traffic.Address{Party: p, Post: "desk"}]...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (c *cast) seen(t testing.TB, i int) Seen {
	t.Helper()
	a := c.manifest.Sealers[i].Address()
	got, err := c.round.SignSeen(a, c.keys[a]...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (c *cast) final(t testing.TB, i int, d Decision) Final {
	t.Helper()
	a := c.manifest.Sealers[i].Address()
	got, err := c.round.SignFinal(a, d, c.keys[a]...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestVerdict(t *testing.T) {
	c := play(t, 4, 1, key.Ed25519, key.Ed25519) // two keys each, and cheap ones
	both := []Consent{c.consent(t, "xn"), c.consent(t, "xs")}
	yes, no := make([]Final, 4), make([]Final, 4)
	for i := range yes {
		yes[i], no[i] = c.final(t, i, InForce), c.final(t, i, Lapsed)
	}
	stolen := yes[0]
	stolen.Sealer = yes[3].Sealer
	half := yes[2]
	half.Signatures = half.Signatures[:1]
	for name, x := range map[string]struct {
		e    Evidence
		want State
	}{
		"nothing":                          {Evidence{}, StatePending},
		"three say in force":               {Evidence{both, yes[:3]}, StateInForce},
		"a consent is missing":             {Evidence{both[:1], yes}, StatePending},
		"a consent twice":                  {Evidence{[]Consent{both[0], both[0]}, yes}, StatePending},
		"two, one of them twice":           {Evidence{both, []Final{yes[0], yes[1], yes[1]}}, StatePending},
		"another's signature":              {Evidence{both, []Final{yes[0], yes[1], stolen}}, StatePending},
		"without the second key":           {Evidence{both, []Final{yes[0], yes[1], half}}, StatePending},
		"a bad one before the good one":    {Evidence{both, []Final{half, yes[0], yes[1], yes[2]}}, StateInForce},
		"three say lapsed":                 {Evidence{nil, no[1:]}, StateLapsed},
		"lapsed, though all had consented": {Evidence{both, no[1:]}, StateLapsed},
		"lapsed, one says otherwise":       {Evidence{both, append(slices.Clone(no[1:]), yes[0])}, StateLapsed},
		"both":                             {Evidence{both, append(slices.Clone(no), yes...)}, StateContested},
	} {
		t.Run(name, func(t *testing.T) {
			o := c.round.Verdict(x.e)
			if o.State != x.want || o.Need != 3 {
				t.Errorf("%+v, want %s", o, x.want)
			}
			if x.want == StateContested && len(o.Double) != 4 {
				t.Errorf("named are %v", o.Double)
			}
			// The order of the pile does not matter, and its deciding part decides the same and fits a statement.
			mixed := Evidence{slices.Clone(x.e.Consents), slices.Clone(x.e.Finals)}
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed.Finals), func(i, j int) { mixed.Finals[i], mixed.Finals[j] = mixed.Finals[j], mixed.Finals[i] })
			if d := cmp.Diff(o, c.round.Verdict(mixed)); d != "" {
				t.Error(d)
			}
			least := c.round.Deciding(x.e)
			if got := c.round.Verdict(least); got.State != x.want {
				t.Errorf("the deciding part gives %s", got.State)
			}
			if x.want == StateLapsed && least.Consents != nil {
				t.Error("the certificate of a lapse tells who had consented")
			}
			b, err := least.Encode()
			if err != nil {
				t.Fatal(err)
			}
			again, err := DecodeEvidence(b)
			if d := cmp.Diff(least, again); err != nil || d != "" {
				t.Error(err, d)
			}
		})
	}
	if o := play(t, 0, 0).round.Verdict(Evidence{}); o.State != StatePlain {
		t.Error(o.State)
	}
}

// A signature counts for the member, the round and the kind of statement that it was made for, and for nothing else.
func TestSignaturesCountForOneThing(t *testing.T) {
	c, other := play(t, 4, 1), play(t, 7, 2)
	consent, seen, final := c.consent(t, "xn"), c.seen(t, 0), c.final(t, 0, InForce)
	turned := final
	turned.Decision = Lapsed
	asFinal := final
	asFinal.Signatures = seen.Signatures
	moved := consent
	moved.Party = "xs"
	carried := consent
	carried.Round = other.round.Hash()
	for name, x := range map[string]struct{ got, want error }{
		"good":                {c.round.CheckConsent(consent), nil},
		"good seen":           {c.round.CheckSeen(seen), nil},
		"good final":          {c.round.CheckFinal(final), nil},
		"another round":       {other.round.CheckConsent(consent), ErrRound},
		"carried over":        {other.round.CheckConsent(carried), ErrSignature},
		"another party":       {c.round.CheckConsent(moved), ErrSignature},
		"stranger":            {c.round.CheckConsent(Consent{Round: c.round.Hash(), Party: "zz"}), ErrStranger},
		"other decision":      {c.round.CheckFinal(turned), ErrSignature},
		"seen as final":       {c.round.CheckFinal(asFinal), ErrSignature},
		"nothing is decided":  {c.round.CheckFinal(Final{c.round.Hash(), final.Sealer, "", final.Signatures}), ErrSignature},
		"a party is no judge": {c.round.CheckFinal(Final{Round: c.round.Hash(), Sealer: traffic.Address{Party: "xn", Post: "desk"}, Decision: InForce}), ErrStranger},
	} {
		if !errors.Is(x.got, x.want) {
			t.Errorf("%s: %v, want %v", name, x.got, x.want)
		}
	}
	if _, err := c.round.SignConsent("xn", c.keys[traffic.Address{Party: "xs", Post: "desk"}]...); !errors.Is(err, ErrSigner) {
		t.Error(err)
	}
	if _, err := c.round.SignFinal(final.Sealer, "perhaps", c.keys[final.Sealer]...); !errors.Is(err, ErrObject) {
		t.Error(err)
	}
}

func TestBothKeysOfAMemberSign(t *testing.T) {
	c := play(t, 1, 0, key.Ed25519, key.MLDSA65)
	final := c.final(t, 0, Lapsed)
	if o := c.round.Verdict(Evidence{Finals: []Final{final}}); o.State != StateLapsed {
		t.Error(o.State)
	}
	final.Signatures[1][100] ^= 1
	if o := c.round.Verdict(Evidence{Finals: []Final{final}}); o.State != StatePending {
		t.Error(o.State)
	}
}

func TestAKeyNobodyCanVerifyMakesNoRound(t *testing.T) {
	m := play(t, 1, 0).manifest
	m.Sealers[0].Keys = append(m.Sealers[0].Keys, key.Public{Algorithm: -70000, Bytes: []byte{1}})
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(b, key.Standard()); !errors.Is(err, ErrKeys) || !errors.Is(err, key.ErrUnknownAlgorithm) {
		t.Error(err)
	}
}

func TestPacketsOfARoundAreAllAlikeFromOutside(t *testing.T) {
	c := play(t, 4, 1)
	private, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	public := private.PublicKey().Bytes()
	to := c.manifest.Sealers[2].Address()
	find := func(id key.ID) hpke.PrivateKey {
		if id == ReceiveID(public) {
			return private
		}
		return nil
	}
	full := Packet{Consents: []Consent{c.consent(t, "xn"), c.consent(t, "xs")}}
	for i := range 4 {
		full.Seens = append(full.Seens, c.seen(t, i))
	}
	size := 0
	for _, p := range []Packet{{}, {Consents: full.Consents[:1]}, full} {
		b, err := c.round.SealPacket(p, to, public)
		if err != nil {
			t.Fatal(err)
		}
		if size == 0 {
			size = len(b)
		}
		if len(b) != size || len(b) > MaxPacket {
			t.Errorf("%d bytes, the first had %d", len(b), size)
		}
		got, err := c.round.OpenPacket(b, to, find)
		if d := cmp.Diff(p, got); err != nil || d != "" {
			t.Error(err, d)
		}
		if _, err := c.round.OpenPacket(b, c.manifest.Sealers[1].Address(), find); !errors.Is(err, ErrSealed) {
			t.Errorf("another sealer: %v", err)
		}
		if _, err := play(t, 7, 2).round.OpenPacket(b, to, find); err == nil {
			t.Error("opens in another round")
		}
		if _, err := c.round.OpenPacket(b, to, func(key.ID) hpke.PrivateKey { return nil }); !errors.Is(err, ErrSealed) {
			t.Error(err)
		}
		for i := 0; i < len(b); i += 37 {
			b[i] ^= 1
			if _, err := c.round.OpenPacket(b, to, find); err == nil {
				t.Errorf("byte %d changed, and it opens", i)
			}
			b[i] ^= 1
		}
	}
}

// A sealer that is stopped after any change and started from its record goes on as if it had not been.
func TestARecordIsAllThatASealerIs(t *testing.T) {
	c := play(t, 4, 1)
	self := c.manifest.Sealers[0].Address()
	s, err := NewSealer(c.round, self)
	if err != nil {
		t.Fatal(err)
	}
	again := func() {
		t.Helper()
		b, err := s.Record()
		if err != nil {
			t.Fatal(err)
		}
		next, err := Restore(c.round, self, b)
		if err != nil {
			t.Fatal(err)
		}
		same, err := next.Record()
		if d := cmp.Diff(b, same); err != nil || d != "" {
			t.Fatal(err, d)
		}
		if _, err := Restore(c.round, c.manifest.Sealers[1].Address(), b); !errors.Is(err, ErrRecord) {
			t.Error(err)
		}
		s = next
	}
	again()
	bad := c.consent(t, "xs")
	bad.Signatures = [][]byte{make([]byte, 64)}
	if !s.Receive(deadline.Add(time.Hour), Packet{Consents: []Consent{bad, c.consent(t, "xn")}}) || s.Consents() != 1 {
		t.Error("a bad consent spoils a good one")
	}
	again()
	s.Receive(deadline.Add(time.Hour), Packet{Consents: []Consent{c.consent(t, "xs")}})
	if s.Accepted() {
		t.Error("accepted after the deadline on nobody's word")
	}
	again()
	if s.Receive(deadline.Add(time.Hour), Packet{Seens: []Seen{c.seen(t, 0)}}) {
		t.Error("its own word counts")
	}
	s.Receive(deadline.Add(6*time.Hour), Packet{Seens: []Seen{c.seen(t, 3)}})
	if !s.Accepted() {
		t.Error("not accepted at D+Δ with the word of one")
	}
	again()
	p, to := s.Relay(c.seen(t, 0))
	if len(p.Consents) != 2 || len(p.Seens) != 2 || len(to) != 3 || !s.Has(to[2]) || s.Has(to[0]) {
		t.Errorf("%d consents, %d seens to %v", len(p.Consents), len(p.Seens), to)
	}
	if s.Tick(c.manifest.Final()) {
		t.Error("decided when others may still accept")
	}
	if !s.Tick(c.manifest.Final().Add(time.Nanosecond)) {
		t.Error("not decided")
	}
	again()
	if d, ok := s.Decision(); d != InForce || !ok || len(s.Evidence().Consents) != 2 {
		t.Error(d)
	}
	if s.Receive(deadline, Packet{Seens: []Seen{c.seen(t, 1)}}) || s.Tick(c.manifest.Final().Add(time.Hour)) {
		t.Error("something changes after the end")
	}
	if _, to := s.Relay(c.seen(t, 0)); to != nil {
		t.Error("passes on after the end")
	}
}
