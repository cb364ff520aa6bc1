package feed

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"detente/key"
	"detente/traffic"
)

// Errors of checkpoints and cosignatures.
var (
	ErrNote        = errors.New("feed: not a checkpoint note")
	ErrOrigin      = errors.New("feed: checkpoint of another feed")
	ErrUnsigned    = errors.New("feed: checkpoint is not signed by its party")
	ErrCosignature = errors.New("feed: no cosignature verifies")
)

// Signature types of C2SP signed-note@v1.0.0 and tlog-cosignature@v1.1.0-rc.1.
const (
	typeEd25519    = 0x01 // a log's own signature over the note's text
	typeCosigned   = 0x04 // cosignature/v1
	typeCosigned44 = 0x06 // ML-DSA-44 cosignature of a subtree, here always of the whole tree

	maxNote  = 1 << 20      // sixty-four members' cosignatures with both algorithms, several times over
	lastTime = 253402300799 // the end of the year 9999
)

// Checkpoint is the state of a feed that its party signs, protocol.md#feed.
type Checkpoint struct {
	Feed traffic.Feed
	Size int64
	Root [32]byte
}

// Text is the three signed lines: origin, size, root.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Feed.Origin(), c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// ParseCheckpoint reads the three lines; anything after them is refused, because ML-DSA cosignatures do not cover extension lines.
func ParseCheckpoint(text string) (Checkpoint, error) {
	var c Checkpoint
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) != 4 || lines[3] != "" {
		return c, fmt.Errorf("%w: not three lines", ErrNote)
	}
	var err error
	if c.Feed, err = traffic.ParseOrigin(lines[0]); err != nil {
		return c, fmt.Errorf("%w: %v", ErrNote, err)
	}
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 || strconv.FormatInt(c.Size, 10) != lines[1] {
		return c, fmt.Errorf("%w: size %q", ErrNote, lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) {
		return c, fmt.Errorf("%w: root", ErrNote)
	}
	copy(c.Root[:], root)
	return c, nil
}

// MirrorName is the key name under which a party cosigns as a mirror, protocol.md#receipt.
func MirrorName(p traffic.Party) string { return "detente.v1/" + string(p) + "/mirror" }

// Sign gives the signature line of the feed's own party: Ed25519 over the text, or ML-DSA-44 over the C2SP structure with the time.
func (c Checkpoint) Sign(s key.Signer, at time.Time) (line string, err error) {
	if s.Public().Algorithm == key.Ed25519 {
		return c.line(c.Feed.Origin(), typeEd25519, s, at)
	}
	return c.line(c.Feed.Origin(), typeCosigned44, s, at)
}

// Cosign gives the signature line of a mirror: "by this time I had durably logged the contents up to here".
func (c Checkpoint) Cosign(mirror traffic.Party, s key.Signer, at time.Time) (line string, err error) {
	if s.Public().Algorithm == key.Ed25519 {
		return c.line(MirrorName(mirror), typeCosigned, s, at)
	}
	return c.line(MirrorName(mirror), typeCosigned44, s, at)
}

func (c Checkpoint) line(name string, kind byte, s key.Signer, at time.Time) (string, error) {
	stamp := uint64(at.Unix())
	message, err := c.message(name, kind, stamp)
	if err != nil {
		return "", err
	}
	sig, err := s.Sign(message)
	if err != nil {
		return "", fmt.Errorf("feed: sign checkpoint: %w", err)
	}
	b := binary.BigEndian.AppendUint32(nil, keyHash(name, kind, s.Public().Bytes))
	if kind != typeEd25519 {
		b = binary.BigEndian.AppendUint64(b, stamp)
	}
	return "— " + name + " " + base64.StdEncoding.EncodeToString(append(b, sig...)) + "\n", nil
}

// message is what a signature of this kind covers.
func (c Checkpoint) message(name string, kind byte, stamp uint64) ([]byte, error) {
	switch kind {
	case typeEd25519:
		return []byte(c.Text()), nil
	case typeCosigned:
		return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", stamp, c.Text()), nil
	}
	origin := c.Feed.Origin()
	if len(name) > 255 || len(origin) > 255 {
		return nil, fmt.Errorf("%w: name too long", ErrNote)
	}
	m := []byte("subtree/v1\n\x00")
	m = append(append(m, byte(len(name))), name...)
	m = binary.BigEndian.AppendUint64(m, stamp)
	m = append(append(m, byte(len(origin))), origin...)
	m = binary.BigEndian.AppendUint64(m, 0)
	m = binary.BigEndian.AppendUint64(m, uint64(c.Size))
	return append(m, c.Root[:]...), nil
}

func keyHash(name string, kind byte, public []byte) uint32 {
	h := sha256.New()
	h.Write([]byte(name))
	h.Write([]byte{'\n', kind})
	h.Write(public)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// Candidate is a key that may have signed a checkpoint, and as whom.
type Candidate struct {
	Mirror traffic.Party // empty: the feed's own party
	Key    key.Verifier
}

func (k Candidate) kind() byte {
	switch {
	case k.Key.Public().Algorithm != key.Ed25519:
		return typeCosigned44
	case k.Mirror == "":
		return typeEd25519
	}
	return typeCosigned
}

// Signed is one signature of a checkpoint, by a candidate.
type Signed struct {
	Mirror    traffic.Party // the cosigner; empty for the feed's own party
	Algorithm key.Algorithm
	Key       key.ID
	At        time.Time // zero for the party's own Ed25519 signature, which has no time
	Line      string    // as it stands in the note
}

// Note is a checkpoint with signature lines that are well formed; whether they verify, [Note.Check] says.
//
// Package note of x/mod refuses a whole note for one line that does not verify, for two keys with one 32-bit id, and for more than a hundred
// lines. Each would let one signer void the signatures of the others, so lines are read here.
type Note struct {
	Checkpoint
	lines []line
}

// line is a signature line: who signed, by name and 32 bits, and what.
type line struct {
	signer
	signature []byte
	text      string
}

// signer is what a line says of its key. Several keys may have one.
type signer struct {
	name string
	hash uint32
}

// ReadNote reads a note of at most 1 MiB without verifying its signatures. Error: ErrNote.
func ReadNote(text string) (*Note, error) {
	if len(text) > maxNote {
		return nil, fmt.Errorf("%w: %d bytes", ErrNote, len(text))
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 && r != '\n' }) {
		return nil, fmt.Errorf("%w: not text", ErrNote)
	}
	split := strings.LastIndex(text, "\n\n")
	if split < 0 || len(text) == split+2 || !strings.HasSuffix(text, "\n") {
		return nil, fmt.Errorf("%w: no signatures", ErrNote)
	}
	c, err := ParseCheckpoint(text[:split+1])
	if err != nil {
		return nil, err
	}
	n := &Note{Checkpoint: c}
	for text := range strings.Lines(text[split+2:]) {
		l, err := readLine(text)
		if err != nil {
			return nil, err
		}
		n.lines = append(n.lines, l)
	}
	return n, nil
}

func readLine(text string) (line, error) {
	rest, dash := strings.CutPrefix(strings.TrimSuffix(text, "\n"), "— ")
	name, encoded, _ := strings.Cut(rest, " ")
	sig, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !dash || name == "" || strings.Contains(name, "+") || strings.ContainsFunc(name, unicode.IsSpace) || err != nil || len(sig) < 5 {
		return line{}, fmt.Errorf("%w: signature line", ErrNote)
	}
	return line{signer{name, binary.BigEndian.Uint32(sig)}, sig[4:], text}, nil
}

// Check verifies the lines of the candidates' keys, protocol.md#feed. It returns those that verify and those that do not, each in the order
// of the note; one that does not has the first candidate that it may be by. Of a key's lines only the first counts; lines of others are
// ignored, as signed-note demands.
func (n *Note) Check(candidates ...Candidate) (good, bad []Signed) {
	by := make(map[signer][]Candidate, len(candidates))
	for _, k := range candidates {
		s := signer{n.Feed.Origin(), 0}
		if k.Mirror != "" {
			s.name = MirrorName(k.Mirror)
		}
		s.hash = keyHash(s.name, k.kind(), k.Key.Public().Bytes)
		by[s] = append(by[s], k)
	}
	for _, l := range n.lines {
		keys := by[l.signer]
		if keys == nil {
			continue
		}
		delete(by, l.signer)
		verified := false
		for _, k := range keys {
			if at, ok := n.verify(l, k); ok {
				good, verified = append(good, signed(k, at, l)), true
				break
			}
		}
		if !verified {
			bad = append(bad, signed(keys[0], time.Time{}, l))
		}
	}
	return good, bad
}

// Names tells whether there is a line under a key name, whoever made it.
func (n *Note) Names(name string) bool {
	return slices.ContainsFunc(n.lines, func(l line) bool { return l.name == name })
}

func signed(k Candidate, at time.Time, l line) Signed {
	return Signed{Mirror: k.Mirror, Algorithm: k.Key.Public().Algorithm, Key: k.Key.ID(), At: at, Line: l.text}
}

// verify checks a line under one key, and gives the time that stands before a timestamped signature.
func (n *Note) verify(l line, k Candidate) (at time.Time, ok bool) {
	stamp, sig := uint64(0), l.signature
	if k.kind() != typeEd25519 {
		if len(sig) < 8 {
			return at, false
		}
		stamp, sig = binary.BigEndian.Uint64(sig), sig[8:]
		if stamp < 1 || stamp > lastTime {
			return at, false
		}
		at = time.Unix(int64(stamp), 0).UTC()
	}
	m, err := n.message(l.name, k.kind(), stamp)
	return at, err == nil && k.Key.Verify(m, sig)
}

// OpenCheckpoint reads a note and verifies its signatures by the candidates, as [Note.Check] does. A line of the feed's own party that
// does not verify refuses the note; one of a mirror is left out. Errors: ErrNote; ErrUnsigned when no candidate signed, or the party's line
// is wrong; ErrCosignature when there are lines of mirrors only and none verifies.
func OpenCheckpoint(text string, candidates ...Candidate) (Checkpoint, []Signed, error) {
	n, err := ReadNote(text)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	good, bad := n.Check(candidates...)
	switch {
	case slices.ContainsFunc(bad, func(s Signed) bool { return s.Mirror == "" }):
		return n.Checkpoint, nil, fmt.Errorf("%w: a line of its party does not verify", ErrUnsigned)
	case len(good) > 0:
		return n.Checkpoint, good, nil
	case len(bad) > 0:
		return n.Checkpoint, nil, ErrCosignature
	}
	return n.Checkpoint, nil, ErrUnsigned
}

// Note joins a checkpoint and signature lines into a signed note.
func (c Checkpoint) Note(lines string) string { return c.Text() + "\n" + lines }

// Lines is the signature lines of a note.
func Lines(text string) string {
	_, lines, _ := strings.Cut(text, "\n\n")
	return lines
}
