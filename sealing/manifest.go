// Package sealing binds all parties of an instrument at one stroke or none: the manifest they agree on, their consents, what sealers sign, and the verdict on that.
// It must never look at a clock by itself, speak to anybody, or let the verdict depend on anything but the manifest and signatures.
package sealing

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"time"

	"detente/canonical"
	"detente/key"
	"detente/traffic"
)

// What a decoder refuses, beside the errors of package canonical. protocol.md#manifest
var (
	ErrManifest = errors.New("sealing: not a manifest")
	ErrRoster   = errors.New("sealing: parties or sealers are malformed")
	ErrKeys     = errors.New("sealing: keys are malformed, or one stands there twice")
	ErrTerms    = errors.New("sealing: times, periods or effect are malformed")
)

// The bounds.
const (
	MaxManifest = 40 << 10 // bytes of a manifest
	MaxEvidence = 42 << 10 // bytes of evidence, and of a packet before it is encrypted
	MaxParties  = 256
	MaxSealers  = 31
	MaxDelta    = 31 * 24 * time.Hour

	maxTexts    = 1024
	maxPowers   = 16
	maxChannels = 16
	maxChannel  = 16 << 10
	maxTime     = 253402300799 // the end of the year 9999
)

// label parts a manifest's hash from whatever else is hashed.
const label = "detente/manifest/v1\n"

// Manifest is what all parties consent to, whole: its hash binds who takes part with which keys, who seals and until when, and to which texts.
// One without sealers is plain: it enters into force by the acts of all parties, one after the other, and no round is held.
type Manifest struct {
	Kind       string        // of the instrument, such as "treaty", or of what is done with one, such as "ratification": [a-z][a-z0-9-]{0,31}
	Plane      traffic.Plane // keys are of one plane; whoever reads the manifest alone must see it too
	Instrument [32]byte      // the dossier of the negotiation
	Text       [32]byte      // digest of the clean text
	Texts      []TextHash    // the originals, in the order of party and language; every party has one
	Regards    *[32]byte     // hash of the manifest that this one ratifies, amends, extends or ends
	Parties    []Member      // in the order of their ids, two at least, each party once
	Sealers    []Member      // in the order of their addresses
	Faulty     int           // f: how many sealers may fail or lie; there are 3f+1 at least
	Deadline   time.Time     // D: until when consents are deposited, whole seconds
	Delta      time.Duration // Δ: within which sealers reach each other, errors of clocks included; whole seconds
	Effect     Effect
	Duration   Period   // zero: without limit
	Renewal    Period   // by which the duration grows at its end unless a party gave notice; zero: it does not
	Notice     Period   // between a notice of termination and its effect; zero: no such notice is foreseen
	Channels   [][]byte // charters of the channels that come into being with it
	Nonce      [16]byte // another round about the same text has another
}

// TextHash names one original: the text as a party holds it in one language. In an exchange of notes the parties' texts differ.
type TextHash struct {
	Party  traffic.Party
	Lang   string // BCP 47
	Digest [32]byte
}

// Member is a party or a sealer, and the keys by which alone it speaks in this round.
type Member struct {
	Party   traffic.Party
	Post    traffic.Post
	Keys    []key.Public // all of them sign; the first is Ed25519
	Receive []byte       // of a sealer without a charter: its HPKE key, KEM 0x647a; empty: the one of its charter
	Powers  [][32]byte   // of a party: the statements that give this post full powers, nearest first
}

// Address is the party and post.
func (m Member) Address() traffic.Address { return traffic.Address{Party: m.Party, Post: m.Post} }

// The ways in which what is sealed takes effect.
const (
	OnSealing       = "sealing"    // at the moment of [Manifest.Final], the same for everyone
	OnDate          = "date"       // on the date
	AfterProcedures = "procedures" // a period after the last party has notified that its procedures are complete
)

// Effect is when what is sealed takes effect.
type Effect struct {
	Kind  string
	Date  time.Time // of OnDate only
	After Period    // of AfterProcedures only
}

// Final is the moment after which sealers sign their final statements: D + (f+1)Δ.
func (m *Manifest) Final() time.Time {
	return m.Deadline.Add(time.Duration(m.Faulty+1) * m.Delta)
}

// Quorum is how many final statements decide: n-f.
func (m *Manifest) Quorum() int { return len(m.Sealers) - m.Faulty }

// Party is the member that is the party, false when it does not take part.
func (m *Manifest) Party(p traffic.Party) (Member, bool) {
	for _, member := range m.Parties {
		if member.Party == p {
			return member, true
		}
	}
	return Member{}, false
}

// Sealer is the member that is the sealer, false when there is none of that address.
func (m *Manifest) Sealer(a traffic.Address) (Member, bool) {
	for _, member := range m.Sealers {
		if member.Address() == a {
			return member, true
		}
	}
	return Member{}, false
}

// Hash is what is consented to: H, SHA-256("detente/manifest/v1\n" ‖ canonical CBOR). Errors: those of Encode.
func (m *Manifest) Hash() ([32]byte, error) {
	b, err := m.Encode()
	if err != nil {
		return [32]byte{}, err
	}
	return HashOf(b), nil
}

// HashOf is the hash of a manifest that is there as bytes; whether they are one, it does not ask.
func HashOf(manifest []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte(label))
	h.Write(manifest)
	return [32]byte(h.Sum(nil))
}

// wireManifest is the manifest on the wire.
type wireManifest struct {
	Type       string       `cbor:"type"`
	Kind       string       `cbor:"kind"`
	Plane      string       `cbor:"plane"`
	Instrument [32]byte     `cbor:"instrument"`
	Text       [32]byte     `cbor:"text"`
	Texts      []wireText   `cbor:"texts"`
	Regards    []byte       `cbor:"regards,omitempty"`
	Parties    []wireMember `cbor:"parties"`
	Sealers    []wireMember `cbor:"sealers,omitempty"`
	Faulty     int64        `cbor:"faulty"`
	Deadline   int64        `cbor:"deadline"`
	Delta      int64        `cbor:"delta"`
	Effect     string       `cbor:"effect"`
	Date       int64        `cbor:"date,omitempty"`
	After      []int64      `cbor:"after,omitempty"`
	Duration   []int64      `cbor:"duration,omitempty"`
	Renewal    []int64      `cbor:"renewal,omitempty"`
	Notice     []int64      `cbor:"notice,omitempty"`
	Channels   [][]byte     `cbor:"channels,omitempty"`
	Nonce      [16]byte     `cbor:"nonce"`
}

type wireText struct {
	_      struct{} `cbor:",toarray"`
	Party  string
	Lang   string
	Digest [32]byte
}

type wireMember struct {
	Party   string       `cbor:"party"`
	Post    string       `cbor:"post"`
	Keys    []key.Public `cbor:"keys"`
	Receive []byte       `cbor:"receive,omitempty"`
	Powers  [][32]byte   `cbor:"powers,omitempty"`
}

const manifestType = "detente-manifest.v1"

// Encode is the one encoding. Errors: those of DecodeManifest, for a manifest that would be refused.
func (m *Manifest) Encode() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	w := wireManifest{
		Type: manifestType, Kind: m.Kind, Plane: string(m.Plane), Instrument: m.Instrument, Text: m.Text, Texts: make([]wireText, len(m.Texts)),
		Parties: toWire(m.Parties), Sealers: toWire(m.Sealers), Faulty: int64(m.Faulty), Deadline: m.Deadline.Unix(), Delta: int64(m.Delta / time.Second),
		Effect: m.Effect.Kind, After: m.Effect.After.wire(), Duration: m.Duration.wire(), Renewal: m.Renewal.wire(), Notice: m.Notice.wire(),
		Channels: m.Channels, Nonce: m.Nonce,
	}
	for i, t := range m.Texts {
		w.Texts[i] = wireText{Party: string(t.Party), Lang: t.Lang, Digest: t.Digest}
	}
	if m.Regards != nil {
		w.Regards = m.Regards[:]
	}
	if m.Effect.Kind == OnDate {
		w.Date = m.Effect.Date.Unix()
	}
	b, err := canonical.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if len(b) > MaxManifest {
		return nil, fmt.Errorf("%w: %d bytes: %w", ErrManifest, len(b), canonical.ErrTooLarge)
	}
	return b, nil
}

// DecodeManifest reads a manifest strictly: bytes that it accepts are those that Encode writes. Errors: ErrManifest, ErrRoster, ErrKeys, ErrTerms.
func DecodeManifest(b []byte) (*Manifest, error) {
	var w wireManifest
	if err := canonical.Unmarshal(b, &w, MaxManifest); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if w.Type != manifestType {
		return nil, fmt.Errorf("%w: it says it is %.40q", ErrManifest, w.Type)
	}
	if !within(w.Deadline, 1, maxTime) || !within(w.Delta, 0, int64(MaxDelta/time.Second)) || !within(w.Date, 0, maxTime) || !within(w.Faulty, 0, MaxSealers) {
		return nil, fmt.Errorf("%w: a number is out of range", ErrTerms)
	}
	m := &Manifest{
		Kind: w.Kind, Plane: traffic.Plane(w.Plane), Instrument: w.Instrument, Text: w.Text, Parties: fromWire(w.Parties), Sealers: fromWire(w.Sealers),
		Faulty: int(w.Faulty), Deadline: time.Unix(w.Deadline, 0).UTC(), Delta: time.Duration(w.Delta) * time.Second,
		Effect: Effect{Kind: w.Effect}, Channels: w.Channels, Nonce: w.Nonce,
	}
	for _, t := range w.Texts {
		m.Texts = append(m.Texts, TextHash{traffic.Party(t.Party), t.Lang, t.Digest})
	}
	if w.Regards != nil {
		if len(w.Regards) != 32 {
			return nil, fmt.Errorf("%w: regards no manifest", ErrManifest)
		}
		m.Regards = (*[32]byte)(w.Regards)
	}
	if w.Date != 0 {
		m.Effect.Date = time.Unix(w.Date, 0).UTC()
	}
	for _, p := range []struct {
		to   *Period
		from []int64
	}{{&m.Effect.After, w.After}, {&m.Duration, w.Duration}, {&m.Renewal, w.Renewal}, {&m.Notice, w.Notice}} {
		if err := p.to.read(p.from); err != nil {
			return nil, err
		}
	}
	return m, m.check()
}

func within(n, least, most int64) bool { return n >= least && n <= most }

func toWire(members []Member) []wireMember {
	list := make([]wireMember, len(members))
	for i, m := range members {
		list[i] = wireMember{string(m.Party), string(m.Post), m.Keys, m.Receive, m.Powers}
	}
	return list
}

func fromWire(list []wireMember) []Member {
	var members []Member
	for _, w := range list {
		members = append(members, Member{traffic.Party(w.Party), traffic.Post(w.Post), w.Keys, w.Receive, w.Powers})
	}
	return members
}

var (
	kindPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	langPattern = regexp.MustCompile(`^[A-Za-z0-9]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$`)
)

// check is what holds of every manifest, read or to be written. Errors: those of DecodeManifest.
func (m *Manifest) check() error {
	if !kindPattern.MatchString(m.Kind) || !m.Plane.Valid() {
		return fmt.Errorf("%w: kind %.40q, plane %.40q", ErrManifest, m.Kind, string(m.Plane))
	}
	if len(m.Channels) > maxChannels {
		return fmt.Errorf("%w: %d channels", ErrManifest, len(m.Channels))
	}
	for _, c := range m.Channels {
		if len(c) == 0 || len(c) > maxChannel {
			return fmt.Errorf("%w: the charter of a channel has %d bytes", ErrManifest, len(c))
		}
	}
	if err := m.checkRoster(); err != nil {
		return err
	}
	if err := m.checkTexts(); err != nil {
		return err
	}
	return m.checkTerms()
}

func (m *Manifest) checkRoster() error {
	if len(m.Parties) < 2 || len(m.Parties) > MaxParties || len(m.Sealers) > MaxSealers {
		return fmt.Errorf("%w: %d parties and %d sealers", ErrRoster, len(m.Parties), len(m.Sealers))
	}
	if m.Faulty < 0 || len(m.Sealers) == 0 && m.Faulty != 0 || len(m.Sealers) > 0 && len(m.Sealers) < 3*m.Faulty+1 {
		return fmt.Errorf("%w: of %d sealers %d cannot be allowed to fail", ErrRoster, len(m.Sealers), m.Faulty)
	}
	seen := map[key.ID]bool{}
	for i, p := range m.Parties {
		if i > 0 && m.Parties[i-1].Party >= p.Party {
			return fmt.Errorf("%w: parties are not in the order of their ids, or one is there twice", ErrRoster)
		}
		if p.Receive != nil {
			return fmt.Errorf("%w: party %s has a key to receive", ErrRoster, p.Party)
		}
		if err := p.check(seen); err != nil {
			return err
		}
	}
	for i, s := range m.Sealers {
		if i > 0 && m.Sealers[i-1].Address().String() >= s.Address().String() {
			return fmt.Errorf("%w: sealers are not in the order of their addresses, or one is there twice", ErrRoster)
		}
		if s.Powers != nil || s.Receive != nil && len(s.Receive) != receiveSize {
			return fmt.Errorf("%w: sealer %s has powers, or a key to receive of %d bytes", ErrRoster, s.Address(), len(s.Receive))
		}
		if err := s.check(seen); err != nil {
			return err
		}
	}
	if n := m.packetSize(); n > MaxEvidence {
		return fmt.Errorf("%w: their signatures would make %d bytes of evidence", ErrRoster, n)
	}
	return nil
}

// check looks at one member; seen has the keys of those before it: whoever held two places could be counted twice.
func (m Member) check(seen map[key.ID]bool) error {
	if !m.Party.Valid() || !m.Post.Valid() {
		return fmt.Errorf("%w: %.70q", ErrRoster, m.Address().String())
	}
	if len(m.Powers) > maxPowers {
		return fmt.Errorf("%w: %s has %d powers", ErrRoster, m.Address(), len(m.Powers))
	}
	if len(m.Keys) == 0 || len(m.Keys) > maxKeys || m.Keys[0].Algorithm != key.Ed25519 {
		return fmt.Errorf("%w: %s has %d, or the first is not Ed25519", ErrKeys, m.Address(), len(m.Keys))
	}
	for _, k := range m.Keys {
		if len(k.Bytes) == 0 || len(k.Bytes) > maxKey {
			return fmt.Errorf("%w: one of %s has %d bytes", ErrKeys, m.Address(), len(k.Bytes))
		}
		id := k.ID()
		if seen[id] {
			return fmt.Errorf("%w: %s", ErrKeys, m.Address())
		}
		seen[id] = true
	}
	return nil
}

func (m *Manifest) checkTexts() error {
	if len(m.Texts) > maxTexts {
		return fmt.Errorf("%w: %d texts", ErrManifest, len(m.Texts))
	}
	has := map[traffic.Party]bool{}
	for i, t := range m.Texts {
		if i > 0 && !before(m.Texts[i-1], t) {
			return fmt.Errorf("%w: texts are not in the order of party and language, or one is there twice", ErrManifest)
		}
		if !langPattern.MatchString(t.Lang) {
			return fmt.Errorf("%w: language %.40q", ErrManifest, t.Lang)
		}
		has[t.Party] = true
	}
	for _, p := range m.Parties {
		if !has[p.Party] {
			return fmt.Errorf("%w: %s has no text", ErrManifest, p.Party)
		}
		delete(has, p.Party)
	}
	if len(has) > 0 {
		return fmt.Errorf("%w: a text is for nobody who takes part", ErrManifest)
	}
	return nil
}

func before(a, b TextHash) bool {
	return a.Party < b.Party || a.Party == b.Party && a.Lang < b.Lang
}

func (m *Manifest) checkTerms() error {
	d := m.Deadline.Unix()
	if !within(d, 1, maxTime) || !m.Deadline.Equal(time.Unix(d, 0)) {
		return fmt.Errorf("%w: deadline", ErrTerms)
	}
	if m.Delta%time.Second != 0 || m.Delta < 0 || m.Delta > MaxDelta || (m.Delta == 0) != (len(m.Sealers) == 0) {
		return fmt.Errorf("%w: Δ is %v with %d sealers", ErrTerms, m.Delta, len(m.Sealers))
	}
	if m.Final().Unix() > maxTime {
		return fmt.Errorf("%w: the round would not end", ErrTerms)
	}
	for _, p := range []Period{m.Effect.After, m.Duration, m.Renewal, m.Notice} {
		if !p.valid() {
			return fmt.Errorf("%w: period %s", ErrTerms, p)
		}
	}
	date := m.Effect.Date
	switch m.Effect.Kind {
	case OnSealing:
		if date.IsZero() && m.Effect.After.Zero() {
			return nil
		}
	case OnDate:
		if within(date.Unix(), 1, maxTime) && date.Equal(time.Unix(date.Unix(), 0)) && m.Effect.After.Zero() {
			return nil
		}
	case AfterProcedures:
		if date.IsZero() {
			return nil
		}
	}
	return fmt.Errorf("%w: effect %.40q", ErrTerms, m.Effect.Kind)
}

// Equal tells whether two manifests are the same to the byte.
func (m *Manifest) Equal(other *Manifest) bool {
	a, err := m.Encode()
	if err != nil {
		return false
	}
	b, err := other.Encode()
	return err == nil && bytes.Equal(a, b)
}
