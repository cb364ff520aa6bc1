package feed_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/feed"
	"detente/key"
	"detente/traffic"

	"filippo.io/torchwood"
	"github.com/google/go-cmp/cmp"
	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// What is refused line by line stands in testdata/vectors/checkpoints.json and cosignatures.json at the root; here is who may void whose
// signature, and that the notes are those of others.

// bench is a checkpoint, and keys of its party and of a mirror.
type bench struct {
	feed.Checkpoint
	quick, slow, mirror, mirror44 *key.Private
	candidates                    []feed.Candidate
}

func newBench(t testing.TB) *bench {
	b := &bench{
		quick: secret(t, key.Ed25519, "checkpoint"), slow: secret(t, key.MLDSA44, "checkpoint-pq"),
		mirror: secret(t, key.Ed25519, "mirror"), mirror44: secret(t, key.MLDSA44, "mirror-pq"),
	}
	b.Feed = traffic.Feed{Party: "xn", Plane: traffic.Real, Precedence: traffic.Flash}
	b.Size, b.Root = 7, [32]byte{1, 2, 3}
	for _, k := range []*key.Private{b.quick, b.slow} {
		b.candidates = append(b.candidates, feed.Candidate{Key: verifier(t, k)})
	}
	for _, k := range []*key.Private{b.mirror, b.mirror44} {
		b.candidates = append(b.candidates, feed.Candidate{Mirror: "xs", Key: verifier(t, k)})
	}
	return b
}

func (b *bench) own(t testing.TB, k *key.Private) string { return line(t)(b.Sign(k, noon)) }

func (b *bench) receipt(t testing.TB, k *key.Private) string { return line(t)(b.Cosign("xs", k, noon)) }

// spoiled is a line whose signature does not verify.
func spoiled(t testing.TB, line string) string {
	t.Helper()
	head, encoded, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(line, "— "), "\n"), " ")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	return "— " + head + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
}

func TestNobodyVoidsTheSignatureOfAnother(t *testing.T) {
	b := newBench(t)
	own, own44, receipt, receipt44 := b.own(t, b.quick), b.own(t, b.slow), b.receipt(t, b.mirror), b.receipt(t, b.mirror44)
	stranger := line(t)(b.Cosign("xl", secret(t, key.Ed25519, "stranger"), noon))
	for _, test := range []struct {
		name  string
		lines string
		want  string // the lines that count
		err   error
	}{
		{"all four", own + own44 + receipt + receipt44, own + own44 + receipt + receipt44, nil},
		{"in another order", receipt44 + own44 + receipt + own, receipt44 + own44 + receipt + own, nil},
		{"a stranger's among them", stranger + own, own, nil},
		{"a mirror's bad line", own + spoiled(t, receipt) + receipt44, own + receipt44, nil},
		{"a mirror's bad lines alone", spoiled(t, receipt) + spoiled(t, receipt44), "", feed.ErrCosignature},
		{"a bad line of the party", own + spoiled(t, own44), "", feed.ErrUnsigned},
		{"a bad line of the party beside receipts", spoiled(t, own) + receipt + receipt44, "", feed.ErrUnsigned},
		{"a good line and a bad one by one key", own + spoiled(t, own), own, nil},
		{"a bad line and a good one by one key", spoiled(t, receipt) + receipt, "", feed.ErrCosignature},
		{"only strangers", stranger, "", feed.ErrUnsigned},
		{"more than a hundred lines", strings.Repeat(stranger, 200) + own, own, nil},
		{"a malformed line of a stranger", own + "— xl AAAA\n", "", feed.ErrNote},
		{"over a megabyte", strings.Repeat(stranger, 10000) + own, "", feed.ErrNote},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, signed, err := feed.OpenCheckpoint(b.Note(test.lines), b.candidates...)
			if !errors.Is(err, test.err) {
				t.Fatalf("%v, want %v", err, test.err)
			}
			if err == nil && c != b.Checkpoint {
				t.Errorf("checkpoint %+v", c)
			}
			got := ""
			for _, s := range signed {
				got += s.Line
				if s.Mirror == "" && s.Algorithm == key.Ed25519 != s.At.IsZero() || !s.At.IsZero() && !s.At.Equal(noon) {
					t.Errorf("signed at %s: %s", s.At, s.Line)
				}
			}
			if got != test.want {
				t.Errorf("counted:\n%swant:\n%s", got, test.want)
			}
		})
	}
}

// Two keys whose ids in notes are the same 32 bits are told apart by their signatures: a party cannot disown what one signed by taking the
// other into its charter.
func TestKeysOfOneID(t *testing.T) {
	b := newBench(t)
	one, two := secret(t, key.Ed25519, "xs/mirror of one id 31048"), secret(t, key.Ed25519, "xs/mirror of one id 35199") // found by trying
	first, second := b.receipt(t, one), b.receipt(t, two)
	if first[:strings.LastIndex(first, " ")+6] != second[:strings.LastIndex(second, " ")+6] {
		t.Fatalf("the ids differ:\n%s%s", first, second)
	}
	candidates := []feed.Candidate{{Mirror: "xs", Key: verifier(t, one)}, {Mirror: "xs", Key: verifier(t, two)}}
	for _, test := range []struct {
		lines string
		by    *key.Private
	}{{first, one}, {second, two}, {first + second, one}, {second + first, two}} {
		for range 2 {
			_, signed, err := feed.OpenCheckpoint(b.Note(test.lines), candidates...)
			if err != nil || len(signed) != 1 || signed[0].Key != test.by.ID() {
				t.Errorf("%+v, %v", signed, err)
			}
			slices.Reverse(candidates)
		}
	}
	if _, _, err := feed.OpenCheckpoint(b.Note(spoiled(t, first)), candidates...); !errors.Is(err, feed.ErrCosignature) {
		t.Errorf("by neither: %v", err)
	}
}

func TestNoteTellsWhatDoesNotVerify(t *testing.T) {
	b := newBench(t)
	bad := spoiled(t, b.receipt(t, b.mirror))
	n, err := feed.ReadNote(b.Note(b.own(t, b.quick) + bad))
	if err != nil {
		t.Fatal(err)
	}
	good, wrong := n.Check(b.candidates...)
	if len(good) != 1 || len(wrong) != 1 || wrong[0].Mirror != "xs" || wrong[0].Key != b.mirror.ID() || wrong[0].Line != bad {
		t.Errorf("good %+v, bad %+v", good, wrong)
	}
	if !n.Names(feed.MirrorName("xs")) || n.Names(feed.MirrorName("xl")) {
		t.Error("names")
	}
}

// verifierKey is a key in the text form of C2SP signed-note.
func verifierKey(name string, kind byte, k *key.Private) string {
	public := append([]byte{kind}, k.Public().Bytes...)
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, public), base64.StdEncoding.EncodeToString(public))
}

func keyHash(name string, public []byte) uint32 {
	h := sum([]byte(name), []byte("\n"), public)
	return binary.BigEndian.Uint32(h[:])
}

// The library of transparency-dev verifies our cosignatures, those of the party with ML-DSA-44 too, and we verify its.
func TestCosignaturesAreThoseOfFormats(t *testing.T) {
	b := newBench(t)
	b.Feed.Channel = [32]byte{9}
	for _, test := range []struct {
		name   string
		signer string // as the note names it
		mirror traffic.Party
		kind   byte
		key    *key.Private
		line   string
	}{
		{"mirror, Ed25519", feed.MirrorName("xs"), "xs", 4, b.mirror, b.receipt(t, b.mirror)},
		{"mirror, ML-DSA-44", feed.MirrorName("xs"), "xs", 6, b.mirror44, b.receipt(t, b.mirror44)},
		{"party, ML-DSA-44", b.Feed.Origin(), "", 6, b.slow, b.own(t, b.slow)},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, err := formats.NewVerifierForCosignatureV1(verifierKey(test.signer, test.kind, test.key))
			if err != nil {
				t.Fatal(err)
			}
			n, err := note.Open([]byte(b.Note(test.line)), note.VerifierList(v))
			if err != nil {
				t.Fatal(err)
			}
			if at, err := formats.CoSigV1Timestamp(n.Sigs[0]); err != nil || !at.Equal(noon) {
				t.Errorf("time %s, %v", at, err)
			}
			if _, err := note.Open([]byte(b.Note(spoiled(t, test.line))), note.VerifierList(v)); err == nil {
				t.Error("a wrong line verifies")
			}

			private := append([]byte{test.kind}, test.key.Seed()...)
			public := append([]byte{test.kind}, test.key.Public().Bytes...)
			s, err := formats.NewSignerForCosignatureV1(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", test.signer, keyHash(test.signer, public), base64.StdEncoding.EncodeToString(private)))
			if err != nil {
				t.Fatal(err)
			}
			before := time.Now().Truncate(time.Second)
			theirs, err := note.Sign(&note.Note{Text: b.Text()}, s)
			if err != nil {
				t.Fatal(err)
			}
			c, signed, err := feed.OpenCheckpoint(string(theirs), feed.Candidate{Mirror: test.mirror, Key: verifier(t, test.key)})
			if err != nil || c != b.Checkpoint || len(signed) != 1 || signed[0].Key != test.key.ID() || signed[0].At.Before(before) {
				t.Errorf("%+v, %+v, %v", c, signed, err)
			}
		})
	}
}

// Torchwood and the note package of x/mod verify the party's Ed25519 signature among lines of all kinds.
func TestCheckpointsAreSignedNotes(t *testing.T) {
	a := newAuthor(t)
	a.grow(3)
	c := a.head()
	b := newBench(t)
	b.Checkpoint = c
	text := c.Note(b.own(t, b.slow) + b.receipt(t, b.mirror) + b.receipt(t, b.mirror44) + b.own(t, b.quick))
	got, n, err := torchwood.VerifyCheckpoint([]byte(text), a.policy())
	if err != nil || got.N != c.Size || got.Hash != c.Root || got.Origin != a.feed.Origin() || len(n.UnverifiedSigs) != 3 {
		t.Errorf("%+v, %v", got, err)
	}
}

// FuzzCheckpoint holds that a note is read here exactly when the note package reads it, but for the limits that differ on purpose, and
// that what verifies there verifies here.
func FuzzCheckpoint(f *testing.F) {
	b := newBench(f)
	b.candidates = b.candidates[:1] // one at a time: of several, note.Open refuses all for one
	own := b.own(f, b.quick)
	f.Add(b.Note(own))
	f.Add(b.Note(own + b.receipt(f, b.mirror)))
	f.Add(b.Note(b.receipt(f, b.mirror) + spoiled(f, own)))
	f.Add(b.Text())
	f.Add(b.Text() + "\n" + "— x AAAAAAAA\n")
	encoded, err := note.NewEd25519VerifierKey(b.Feed.Origin(), b.quick.Public().Bytes)
	if err != nil {
		f.Fatal(err)
	}
	theirs, err := note.NewVerifier(encoded)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := feed.ReadNote(text)
		opened, noteErr := note.Open([]byte(text), note.VerifierList(theirs))
		var unverified *note.UnverifiedNoteError
		var invalid *note.InvalidSignatureError
		well := noteErr == nil || errors.As(noteErr, &unverified) || errors.As(noteErr, &invalid)
		if err == nil && !well && strings.Count(text, "\n") <= 100 {
			t.Fatalf("read here, and there %v", noteErr)
		}
		if err != nil {
			if !errors.Is(err, feed.ErrNote) {
				t.Fatal(err)
			}
			if noteErr == nil && !strict(text) {
				return
			}
			if noteErr == nil {
				if _, bad := feed.ParseCheckpoint(opened.Text); bad == nil {
					t.Fatalf("read there and a checkpoint, and here %v", err)
				}
			}
			return
		}
		if again, err := feed.ParseCheckpoint(n.Text()); err != nil || again != n.Checkpoint {
			t.Fatalf("written again %+v, %v", again, err)
		}
		_, signed, err := feed.OpenCheckpoint(text, b.candidates...)
		if n.Feed == b.Feed && well && (noteErr == nil) != (err == nil) {
			t.Fatalf("here %v, there %v", err, noteErr)
		}
		if err == nil && (n.Checkpoint != b.Checkpoint || len(signed) != 1) {
			t.Fatalf("signed what was never signed: %+v", n.Checkpoint)
		}
		if diff := cmp.Diff(feed.Lines(text), feed.Lines(n.Note(feed.Lines(text)))); diff != "" {
			t.Fatal(diff)
		}
	})
}

// strict tells whether all base64 of the signature lines has no stray bits, which the note package does not ask.
func strict(text string) bool {
	for l := range strings.Lines(feed.Lines(text)) {
		_, encoded, _ := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(l, "\n"), "— "), " ")
		if _, err := base64.StdEncoding.Strict().DecodeString(encoded); err != nil {
			return false
		}
	}
	return true
}
