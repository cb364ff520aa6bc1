package sealing

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"detente/canonical"
	"detente/key"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

// cast is a round with everybody's keys at hand.
type cast struct {
	manifest *Manifest
	round    *Round
	keys     map[traffic.Address][]key.Signer
}

var deadline = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func fixedKeys(t testing.TB, a traffic.Address, algorithms ...key.Algorithm) (signers []key.Signer, public []key.Public) {
	for i, alg := range algorithms {
		seed := sha256.Sum256(fmt.Append(nil, a, alg, i))
		k, err := key.FromSeed(alg, seed[:])
		if err != nil {
			t.Fatal(err)
		}
		signers, public = append(signers, k), append(public, k.Public())
	}
	return signers, public
}

// play makes a round of two parties and n sealers; with lattice, members sign with ML-DSA-65 too.
func play(t testing.TB, n, f int, algorithms ...key.Algorithm) *cast {
	if algorithms == nil {
		algorithms = []key.Algorithm{key.Ed25519}
	}
	c := &cast{keys: map[traffic.Address][]key.Signer{}}
	m := &Manifest{
		Kind: "treaty", Plane: traffic.Real, Instrument: [32]byte{1}, Text: [32]byte{2}, Faulty: f, Deadline: deadline, Delta: 6 * time.Hour,
		Effect: Effect{Kind: OnSealing}, Duration: Period{Years: 5}, Renewal: Period{Years: 5}, Notice: Period{Months: 6}, Nonce: [16]byte{3},
	}
	member := func(party traffic.Party) Member {
		a := traffic.Address{Party: party, Post: "desk"}
		signers, public := fixedKeys(t, a, algorithms...)
		c.keys[a] = signers
		return Member{Party: party, Post: "desk", Keys: public}
	}
	for _, p := range []traffic.Party{"xn", "xs"} {
		m.Parties = append(m.Parties, member(p))
		m.Texts = append(m.Texts, TextHash{p, "en", [32]byte{4}}, TextHash{p, "ru", [32]byte{5}})
	}
	for i := range n {
		m.Sealers = append(m.Sealers, member(traffic.Party(fmt.Sprintf("s%02d", i))))
	}
	if n == 0 {
		m.Delta = 0
	}
	c.manifest = m
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if c.round, err = Open(b, key.Standard()); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestManifestReadsWhatItWrote(t *testing.T) {
	full := play(t, 4, 1, key.Ed25519, key.MLDSA65).manifest
	full.Regards = &[32]byte{9}
	full.Effect = Effect{Kind: AfterProcedures, After: Period{Days: 30}}
	full.Channels = [][]byte{{1, 2}, {3}}
	full.Parties[0].Powers = [][32]byte{{7}, {8}}
	for _, m := range []*Manifest{full, play(t, 1, 0).manifest, play(t, 0, 0).manifest} {
		b, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeManifest(b)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m, got, cmp.Comparer(func(a, b key.Public) bool { return a.ID() == b.ID() })); d != "" {
			t.Error(d)
		}
		h, err := m.Hash()
		if err != nil || h != HashOf(b) || !m.Equal(got) {
			t.Errorf("hash %x, %v", h, err)
		}
	}
}

// Each change makes a manifest that no party could rely on.
func TestManifestRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Manifest)
		want   error
	}{
		"kind":               {func(m *Manifest) { m.Kind = "Treaty" }, ErrManifest},
		"plane":              {func(m *Manifest) { m.Plane = "" }, ErrManifest},
		"one party":          {func(m *Manifest) { m.Parties, m.Texts = m.Parties[:1], m.Texts[:2] }, ErrRoster},
		"party twice":        {func(m *Manifest) { m.Parties[1].Party = "xn" }, ErrRoster},
		"parties turned":     {func(m *Manifest) { m.Parties[0], m.Parties[1] = m.Parties[1], m.Parties[0] }, ErrRoster},
		"too few sealers":    {func(m *Manifest) { m.Sealers = m.Sealers[:3] }, ErrRoster},
		"negative faulty":    {func(m *Manifest) { m.Faulty = -1 }, ErrRoster},
		"sealer twice":       {func(m *Manifest) { m.Sealers[1] = m.Sealers[0] }, ErrRoster},
		"key of a party":     {func(m *Manifest) { m.Sealers[0].Keys = m.Parties[0].Keys }, ErrKeys},
		"key twice":          {func(m *Manifest) { m.Sealers[0].Keys = m.Sealers[1].Keys }, ErrKeys},
		"no key":             {func(m *Manifest) { m.Parties[0].Keys = nil }, ErrKeys},
		"party receives":     {func(m *Manifest) { m.Parties[0].Receive = make([]byte, receiveSize) }, ErrRoster},
		"short key":          {func(m *Manifest) { m.Sealers[0].Receive = make([]byte, 32) }, ErrRoster},
		"sealer with powers": {func(m *Manifest) { m.Sealers[0].Powers = [][32]byte{{}} }, ErrRoster},
		"party without text": {func(m *Manifest) { m.Texts = m.Texts[:2] }, ErrManifest},
		"text of a stranger": {func(m *Manifest) { m.Texts = append(m.Texts, TextHash{"zz", "en", [32]byte{}}) }, ErrManifest},
		"texts out of order": {func(m *Manifest) { m.Texts[0], m.Texts[1] = m.Texts[1], m.Texts[0] }, ErrManifest},
		"language":           {func(m *Manifest) { m.Texts[3].Lang = "the Russian" }, ErrManifest},
		"no deadline":        {func(m *Manifest) { m.Deadline = time.Time{} }, ErrTerms},
		"half a second":      {func(m *Manifest) { m.Deadline = m.Deadline.Add(time.Second / 2) }, ErrTerms},
		"no delta":           {func(m *Manifest) { m.Delta = 0 }, ErrTerms},
		"long delta":         {func(m *Manifest) { m.Delta = MaxDelta + time.Second }, ErrTerms},
		"delta for nobody":   {func(m *Manifest) { m.Sealers, m.Faulty = nil, 0 }, ErrTerms},
		"never ends":         {func(m *Manifest) { m.Deadline = time.Unix(maxTime, 0) }, ErrTerms},
		"effect":             {func(m *Manifest) { m.Effect.Kind = "soon" }, ErrTerms},
		"date and sealing":   {func(m *Manifest) { m.Effect.Date = deadline }, ErrTerms},
		"no date":            {func(m *Manifest) { m.Effect.Kind = OnDate }, ErrTerms},
		"long period":        {func(m *Manifest) { m.Notice.Years = 1000 }, ErrTerms},
		"negative period":    {func(m *Manifest) { m.Notice.Days = -1 }, ErrTerms},
		"empty channel":      {func(m *Manifest) { m.Channels = [][]byte{{}} }, ErrManifest},
		"large": {func(m *Manifest) {
			m.Channels = [][]byte{make([]byte, maxChannel), make([]byte, maxChannel), make([]byte, maxChannel)}
		}, ErrManifest},
		"too many signatures": {func(m *Manifest) {
			m.Parties[0].Keys = append(m.Parties[0].Keys, key.Public{Algorithm: -70000, Bytes: []byte{1}}, key.Public{Algorithm: -70000, Bytes: []byte{2}}, key.Public{Algorithm: -70000, Bytes: []byte{3}})
		}, ErrRoster},
	} {
		t.Run(name, func(t *testing.T) {
			m := play(t, 4, 1).manifest
			c.change(m)
			if _, err := m.Encode(); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestManifestBytesHaveOneSpelling(t *testing.T) {
	b, err := play(t, 4, 1).manifest.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeManifest(append(bytes.Clone(b), 0)); !errors.Is(err, canonical.ErrTrailing) {
		t.Error(err)
	}
	for i := range b { // whatever is still a manifest after a change has another hash
		changed := bytes.Clone(b)
		changed[i] ^= 1
		if m, err := DecodeManifest(changed); err == nil {
			again, err := m.Encode()
			if err != nil || !bytes.Equal(again, changed) || HashOf(again) == HashOf(b) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	}
}

func TestPeriodsCountAsTreatiesDo(t *testing.T) {
	at := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 9, 30, 0, 0, time.UTC) }
	for _, c := range []struct {
		p          Period
		text       string
		from, want time.Time
	}{
		{Period{Years: 5}, "P5Y", at(2027, 3, 1), at(2032, 3, 1)},
		{Period{Months: 6}, "P6M", at(2027, 8, 31), at(2028, 2, 29)},
		{Period{Years: 1}, "P1Y", at(2028, 2, 29), at(2029, 2, 28)},
		{Period{Months: 1, Days: 1}, "P1M1D", at(2027, 1, 31), at(2027, 3, 1)},
		{Period{Days: 30}, "P30D", at(2027, 12, 15), at(2028, 1, 14)},
		{Period{}, "P0D", at(2027, 1, 31), at(2027, 1, 31)},
	} {
		if got := c.p.From(c.from); !got.Equal(c.want) || c.p.String() != c.text {
			t.Errorf("%s after %v is %v, want %v", c.p, c.from, got, c.want)
		}
	}
}
