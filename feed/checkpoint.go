package feed

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"detente/key"
	"detente/traffic"

	"golang.org/x/mod/sumdb/note"
)

// Errors of checkpoints and cosignatures.
var (
	ErrNote        = errors.New("feed: not a checkpoint note")
	ErrOrigin      = errors.New("feed: checkpoint of another feed")
	ErrUnsigned    = errors.New("feed: checkpoint is not signed by its party")
	ErrCosignature = errors.New("feed: cosignature does not verify")
)

// Signature types of C2SP signed-note@v1.0.0 and tlog-cosignature@v1.1.0-rc.1.
const (
	typeEd25519    = 0x01 // a log's own signature over the note's text
	typeCosigned   = 0x04 // cosignature/v1
	typeCosigned44 = 0x06 // ML-DSA-44 cosignature of a subtree, here always of the whole tree

	maxNote = 32 << 10
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

// Signed is one verified signature of a checkpoint.
type Signed struct {
	Mirror    traffic.Party // the cosigner; empty for the feed's own party
	Algorithm key.Algorithm
	Key       key.ID
	At        time.Time // zero for the party's own Ed25519 signature, which has no time
	Line      string    // as it stands in the note
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

// lineVerifier checks lines of one candidate for the note package, which knows the format of lines and leaves the signatures to us.
type lineVerifier struct {
	name string
	hash uint32
	kind byte
	key  key.Verifier
}

func (v lineVerifier) Name() string    { return v.name }
func (v lineVerifier) KeyHash() uint32 { return v.hash }
func (v lineVerifier) Verify(text, sig []byte) bool {
	c, err := ParseCheckpoint(string(text))
	if err != nil {
		return false
	}
	stamp, sig, ok := v.split(sig)
	if !ok {
		return false
	}
	m, err := c.message(v.name, v.kind, stamp)
	return err == nil && v.key.Verify(m, sig)
}

// split takes the time off the front of a timestamped signature.
func (v lineVerifier) split(sig []byte) (stamp uint64, rest []byte, ok bool) {
	if v.kind == typeEd25519 {
		return 0, sig, true
	}
	if len(sig) < 8 {
		return 0, nil, false
	}
	stamp = binary.BigEndian.Uint64(sig)
	return stamp, sig[8:], stamp < 1<<62
}

// OpenCheckpoint reads a note and verifies its signatures by the candidates. Lines by others are ignored, as signed-note demands; a line
// by a candidate that does not verify refuses the whole note. Errors: ErrNote; ErrUnsigned when no candidate signed.
func OpenCheckpoint(text string, candidates ...Candidate) (Checkpoint, []Signed, error) {
	if len(text) > maxNote {
		return Checkpoint{}, nil, fmt.Errorf("%w: %d bytes", ErrNote, len(text))
	}
	body, _, found := strings.Cut(text, "\n\n")
	if !found {
		return Checkpoint{}, nil, fmt.Errorf("%w: no signatures", ErrNote)
	}
	c, err := ParseCheckpoint(body + "\n")
	if err != nil {
		return Checkpoint{}, nil, err
	}
	verifiers := make([]note.Verifier, len(candidates))
	byHash := make(map[uint32]int, len(candidates))
	for i, k := range candidates {
		name := c.Feed.Origin()
		if k.Mirror != "" {
			name = MirrorName(k.Mirror)
		}
		v := lineVerifier{name, keyHash(name, k.kind(), k.Key.Public().Bytes), k.kind(), k.Key}
		verifiers[i], byHash[v.hash] = v, i
	}
	n, err := note.Open([]byte(text), note.VerifierList(verifiers...))
	if unverified := (*note.UnverifiedNoteError)(nil); errors.As(err, &unverified) {
		return c, nil, ErrUnsigned
	}
	if err != nil {
		return c, nil, fmt.Errorf("%w: %v", ErrNote, err)
	}
	var signed []Signed
	for _, s := range n.Sigs {
		k := candidates[byHash[s.Hash]]
		raw, err := base64.StdEncoding.DecodeString(s.Base64)
		if err != nil || len(raw) < 4 {
			return c, nil, ErrNote
		}
		out := Signed{Mirror: k.Mirror, Algorithm: k.Key.Public().Algorithm, Key: k.Key.ID(), Line: "— " + s.Name + " " + s.Base64 + "\n"}
		if stamp, _, _ := verifiers[byHash[s.Hash]].(lineVerifier).split(raw[4:]); stamp > 0 {
			out.At = time.Unix(int64(stamp), 0).UTC()
		}
		signed = append(signed, out)
	}
	return c, signed, nil
}

// Note joins a checkpoint and signature lines into a signed note.
func (c Checkpoint) Note(lines string) string { return c.Text() + "\n" + lines }

// Lines is the signature lines of a note.
func Lines(text string) string {
	_, lines, _ := strings.Cut(text, "\n\n")
	return lines
}
