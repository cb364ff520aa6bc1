package statement_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"detente/canonical"
	"detente/envelope"
	"detente/key"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

const contentType = "application/vnd.detente.statement"

func generate(t testing.TB, a key.Algorithm) *key.Private {
	t.Helper()
	k, err := key.Generate(a)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func known(t testing.TB, keys ...*key.Private) func(key.ID) key.Verifier {
	m := map[key.ID]key.Verifier{}
	for _, k := range keys {
		v, err := key.Standard().Verifier(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		m[k.ID()] = v
	}
	return func(id key.ID) key.Verifier { return m[id] }
}

// inquiry is a header with no more than what is always there.
func inquiry() statement.Header {
	return statement.Header{
		Issuer: traffic.Address{Party: "xn", Post: "nrrc"}, Audience: "xs/nrrc", IssuedAt: time.Unix(1795000000, 0).UTC(),
		Channel: [32]byte{7}, Plane: traffic.Real, Precedence: traffic.Immediate, Form: "inquiry", Version: 1, Clock: 1, Language: "en",
		Drafter: "duty-officer", Charter: 1,
	}
}

func sign(t testing.TB, h statement.Header, payload []byte, signers ...key.Signer) *statement.Statement {
	t.Helper()
	s, err := statement.Sign(h, payload, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var ignoreRaw = cmpopts.IgnoreUnexported(statement.Seen{})

func TestWhatIsSignedIsRead(t *testing.T) {
	ed, lattice := generate(t, key.Ed25519), generate(t, key.MLDSA65)
	h := inquiry()
	h.Audience, h.Dossier, h.Refs, h.Marking, h.Releaser = statement.Everyone, statement.ID{1}, []statement.ID{{2}, {3}}, "TLP:AMBER", "deputy"
	s := sign(t, h, []byte("\xa1\x64text\x62hi"), ed, lattice)

	got, err := statement.Decode(s.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, got.Header, ignoreRaw); diff != "" {
		t.Error(diff)
	}
	if got.ID() != sha256.Sum256(s.Bytes()) || got.ID() != s.ID() || got.Case() != h.Dossier {
		t.Errorf("id %v, case %v", got.ID(), got.Case())
	}
	if !strings.HasPrefix(got.ID().String(), got.ID().Short()) || len(got.ID().Short()) != 8 {
		t.Errorf("%v for short is %s", got.ID(), got.ID().Short())
	}
	if set := got.Signatures(); len(set) != 2 || set[0].Key != ed.ID() || set[1].Algorithm != key.MLDSA65 {
		t.Errorf("signed by %v", set)
	}
	if err := got.Verify(known(t, ed, lattice)); err != nil {
		t.Error(err)
	}
	if err := got.Verify(known(t, ed)); !errors.Is(err, envelope.ErrUnknownKey) {
		t.Errorf("verified without the lattice key: %v", err)
	}
	if first := sign(t, inquiry(), []byte{0xa0}, ed); first.Case() != first.ID() {
		t.Errorf("what opens a dossier belongs to %v", first.Case())
	}
}

// Whatever header can be signed is read as the same header, and gives the same bytes again.
func TestRoundTrip(t *testing.T) {
	k := generate(t, key.Ed25519)
	find := known(t, k)
	id := rapid.Custom(func(t *rapid.T) statement.ID { return statement.ID(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "id")) })
	word := rapid.StringMatching(`[a-zA-Zа-я0-9 :+-]{1,40}`)
	rapid.Check(t, func(t *rapid.T) {
		h := statement.Header{
			Issuer:     traffic.Address{Party: traffic.Party(rapid.StringMatching(`[a-z0-9-]{2,32}`).Draw(t, "party")), Post: "nrrc"},
			Audience:   rapid.SampledFrom([]string{"*", "xs", "xs/nrrc"}).Draw(t, "audience"),
			IssuedAt:   time.Unix(rapid.Int64Range(0, 253402300799).Draw(t, "time"), 0).UTC(),
			Channel:    id.Draw(t, "channel"),
			Plane:      rapid.SampledFrom(traffic.Planes()).Draw(t, "plane"),
			Precedence: rapid.SampledFrom(traffic.Precedences()).Draw(t, "precedence"),
			Form:       word.Draw(t, "form"), Version: rapid.IntRange(1, 1<<40).Draw(t, "version"),
			Refs:  rapid.SliceOfN(id, 0, 64).Draw(t, "refs"),
			Clock: rapid.Int64Range(1, 1<<62).Draw(t, "clock"), Language: "ru", Drafter: word.Draw(t, "drafter"),
			Charter: rapid.IntRange(1, 1<<40).Draw(t, "charter"),
		}
		if rapid.Bool().Draw(t, "more") {
			h.Dossier, h.Marking, h.Releaser = statement.ID{1}, word.Draw(t, "marking"), word.Draw(t, "releaser")
		}
		var sights []statement.Sight
		for i := range rapid.IntRange(0, 4).Draw(t, "feeds") {
			sights = append(sights, statement.Sight{
				Party: "xs", Precedence: traffic.Precedences()[i], Size: rapid.Int64Range(0, 1<<40).Draw(t, "size"), Root: id.Draw(t, "root"),
			})
		}
		var err error
		if h.Seen, err = statement.NewSeen(sights, rapid.IntRange(2, 3).Draw(t, "members")); err != nil {
			t.Fatal(err)
		}
		payload, err := canonical.Marshal(map[string]any{"text": rapid.String().Draw(t, "text")})
		if err != nil {
			t.Fatal(err)
		}
		s, err := statement.Sign(h, payload, k)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(h, s.Header, ignoreRaw, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if err := s.Verify(find); err != nil {
			t.Fatal(err)
		}
		again, err := statement.Sign(s.Header, s.Payload, k)
		if err != nil || !bytes.Equal(again.Bytes(), s.Bytes()) {
			t.Fatalf("signed again it is %x, %v", again.Bytes(), err)
		}
	})
}

// What the author had seen is a list for two members and its hash for three; feeds of which nothing was seen are not in it.
func TestSeen(t *testing.T) {
	sights := []statement.Sight{
		{Party: "xs", Precedence: traffic.Routine, Size: 300, Root: [32]byte{1}},
		{Party: "xs", Precedence: traffic.Flash, Size: 0},
		{Party: "xs", Precedence: traffic.Flash, Epoch: 1, Size: 2, Root: [32]byte{2}},
		{Party: "xl", Precedence: traffic.Flash, Size: 1, Root: [32]byte{3}},
	}
	list, err := canonical.Marshal([]any{
		[]any{"xl", "Z", 0, 1, append([]byte{3}, make([]byte, 31)...)},
		[]any{"xs", "R", 0, 300, append([]byte{1}, make([]byte, 31)...)},
		[]any{"xs", "Z", 1, 2, append([]byte{2}, make([]byte, 31)...)},
	})
	if err != nil {
		t.Fatal(err)
	}
	k := generate(t, key.Ed25519)
	read := func(members int, sights ...statement.Sight) statement.Seen {
		h := inquiry()
		if h.Seen, err = statement.NewSeen(sights, members); err != nil {
			t.Fatal(err)
		}
		return sign(t, h, []byte{0xa0}, k).Seen
	}
	two := read(2, sights...)
	if diff := cmp.Diff([]statement.Sight{sights[3], sights[0], sights[2]}, two.Sights, cmpopts.IgnoreUnexported(statement.Sight{})); diff != "" {
		t.Error(diff)
	}
	if two.Hash != [32]byte{} {
		t.Errorf("a hash among two: %x", two.Hash)
	}
	three := read(3, sights...)
	if three.Hash != sha256.Sum256(list) || three.Sights != nil {
		t.Errorf("among three: %x %v, want the hash of %x", three.Hash, three.Sights, list)
	}
	for members := 2; members <= 3; members++ {
		if none := read(members, sights[1]); none.Hash != [32]byte{} || none.Sights != nil {
			t.Errorf("nothing seen is %v", none)
		}
	}
}

// One fault each; the signature is good, for what is wrong was signed. protocol.md#statement
func TestRefused(t *testing.T) {
	k := generate(t, key.Ed25519)
	claims := map[int]any{1: "xn/nrrc", 3: "xs/nrrc", 6: 1795000000}
	header := map[int]any{1: make([]byte, 32), 2: "real", 3: "O", 4: "inquiry", 5: 1, 9: 1, 10: "en", 12: "duty-officer", 14: 1}
	seal := func(claims, header map[int]any, payload []byte) []byte {
		c := envelope.Contents{ContentType: contentType, Payload: payload}
		var err error
		if c.Claims, err = canonical.Marshal(claims); err != nil {
			t.Fatal(err)
		}
		if c.Header, err = canonical.Marshal(header); err != nil {
			t.Fatal(err)
		}
		b, err := envelope.Sign(c, k)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	with := func(m map[int]any, label int, v any) map[int]any {
		m = maps.Clone(m)
		if m[label] = v; v == nil {
			delete(m, label)
		}
		return m
	}
	refused := func(story string, b []byte, want error) {
		t.Helper()
		if s, err := statement.Decode(b); !errors.Is(err, want) {
			t.Errorf("%s: %v, %v, want %v", story, s, err, want)
		}
	}
	if _, err := statement.Decode(seal(claims, header, []byte{0xa0})); err != nil {
		t.Fatalf("the base that the stories change is itself refused: %v", err)
	}
	for label := range claims {
		refused("a claim missing", seal(with(claims, label, nil), header, []byte{0xa0}), statement.ErrClaims)
	}
	for label := range header {
		refused("a field missing", seal(claims, with(header, label, nil), []byte{0xa0}), statement.ErrHeader)
	}
	for story, c := range map[string]struct {
		label int
		value any
	}{
		"an issuer without a post": {1, "xn"}, "an issuer that is no name": {1, "Xn/nrrc"}, "everyone as issuer": {1, "*"},
		"an empty audience": {3, ""}, "an audience that is no name": {3, "xs/"}, "a time before 1970": {6, -1},
		"a time after 9999": {6, 253402300800}, "an unknown claim": {7, "id"},
	} {
		refused(story, seal(with(claims, c.label, c.value), header, []byte{0xa0}), statement.ErrClaims)
	}
	sight := func(party, precedence string, epoch, size int) []any {
		return []any{party, precedence, epoch, size, make([]byte, 32)}
	}
	for story, c := range map[string]struct {
		label int
		value any
	}{
		"a channel of 33 bytes": {1, make([]byte, 33)}, "an unknown plane": {2, "drill"}, "an unknown precedence": {3, "X"},
		"a long form": {4, strings.Repeat("x", 129)}, "an empty form": {4, ""}, "version 0": {5, 0}, "a dossier of 31 bytes": {6, make([]byte, 31)},
		"a dossier of zeros": {6, make([]byte, 32)}, "no refs": {7, []any{}}, "65 refs": {7, make([][32]byte, 65)},
		"a ref of 33 bytes": {7, [][]byte{make([]byte, 33)}}, "nothing seen": {8, []any{}}, "seen as text": {8, "x"},
		"a seen hash of 33 bytes": {8, make([]byte, 33)}, "a feed seen twice": {8, []any{sight("xs", "R", 0, 1), sight("xs", "R", 0, 1)}},
		"seen out of order":       {8, []any{sight("xs", "Z", 0, 1), sight("xs", "R", 0, 1)}},
		"a feed seen of size 0":   {8, []any{sight("xs", "R", 0, 0)}},
		"a feed of no precedence": {8, []any{sight("xs", "", 0, 1)}}, "a feed of no party": {8, []any{sight("", "R", 0, 1)}},
		"a feed of epoch -1": {8, []any{sight("xs", "R", -1, 1)}}, "a sight of four parts": {8, []any{sight("xs", "R", 0, 1)[:4]}},
		"clock 0": {9, 0}, "an empty language": {10, ""}, "an empty marking": {11, ""}, "a long marking": {11, strings.Repeat("x", 129)},
		"an empty drafter": {12, ""}, "an empty releaser": {13, ""}, "charter 0": {14, 0}, "an unknown field": {15, 1},
	} {
		refused(story, seal(claims, with(header, c.label, c.value), []byte{0xa0}), statement.ErrHeader)
	}
	refused("no payload", seal(claims, header, nil), canonical.ErrTruncated)
	refused("a payload of two items", seal(claims, header, []byte{1, 2}), canonical.ErrTrailing)
	refused("a payload with a float", seal(claims, header, []byte{0xf9, 0, 0}), canonical.ErrForbidden)
	refused("a payload with a long head", seal(claims, header, []byte{0x18, 1}), canonical.ErrNotCanonical)
	refused("a statement over 48 KiB", seal(claims, header, append([]byte{0x59, 0xc0, 0}, make([]byte, statement.MaxSize)...)), canonical.ErrTooLarge)
	refused("nothing", nil, envelope.ErrShape)

	charter, err := envelope.Sign(envelope.Contents{ContentType: "application/vnd.detente.charter", Payload: []byte{0xa0}}, k)
	if err != nil {
		t.Fatal(err)
	}
	refused("a charter", charter, envelope.ErrContentType)
	bare, err := envelope.Sign(envelope.Contents{ContentType: contentType, Payload: []byte{0xa0}}, k)
	if err != nil {
		t.Fatal(err)
	}
	refused("an envelope without claims and header", bare, statement.ErrClaims)
}

// Nobody signs what the other side would refuse.
func TestSignRefuses(t *testing.T) {
	k := generate(t, key.Ed25519)
	h := inquiry()
	h.Clock = 0
	if _, err := statement.Sign(h, []byte{0xa0}, k); !errors.Is(err, statement.ErrHeader) {
		t.Errorf("clock 0: %v", err)
	}
	h = inquiry()
	h.Drafter = "\xff"
	if _, err := statement.Sign(h, []byte{0xa0}, k); !errors.Is(err, canonical.ErrText) {
		t.Errorf("a drafter that is not text: %v", err)
	}
	if _, err := statement.Sign(inquiry(), make([]byte, statement.MaxSize), k); !errors.Is(err, canonical.ErrTooLarge) {
		t.Errorf("too much: %v", err)
	}
	if _, err := statement.Sign(inquiry(), []byte{0xa0}); !errors.Is(err, envelope.ErrSignatureSet) {
		t.Errorf("nobody signs: %v", err)
	}
}

// FuzzStatement holds that a statement that is accepted says what it says in one way only: its parts make the same bytes again.
func FuzzStatement(f *testing.F) {
	k, err := key.FromSeed(key.Ed25519, make([]byte, key.SeedSize))
	if err != nil {
		f.Fatal(err)
	}
	h := inquiry()
	f.Add(sign(f, h, []byte{0xa0}, k).Bytes())
	h.Dossier, h.Refs, h.Marking, h.Releaser = statement.ID{1}, []statement.ID{{2}}, "TLP:RED", "deputy"
	if h.Seen, err = statement.NewSeen([]statement.Sight{{Party: "xs", Precedence: traffic.Flash, Size: 1}}, 2); err != nil {
		f.Fatal(err)
	}
	f.Add(sign(f, h, []byte("\xa1\x61x\x01"), k).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := statement.Decode(b)
		if err != nil {
			return
		}
		_ = s.Verify(known(t, k)) // whatever the signatures are, it must not panic
		again, err := statement.Sign(s.Header, s.Payload, k)
		if err != nil {
			t.Fatalf("%x was read and cannot be written: %v", b, err)
		}
		// The signatures are others, so what they sign is compared: claims and header, as the envelope holds them.
		x, err := envelope.Decode(b, contentType, statement.MaxSize)
		if err != nil {
			t.Fatal(err)
		}
		y, err := envelope.Decode(again.Bytes(), contentType, statement.MaxSize)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(x.Contents, y.Contents); diff != "" {
			t.Fatal(diff)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	s := sign(b, inquiry(), []byte{0xa0}, generate(b, key.Ed25519))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := statement.Decode(s.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	k := generate(b, key.Ed25519)
	s, find := sign(b, inquiry(), []byte{0xa0}, k), known(b, k)
	for b.Loop() {
		if err := s.Verify(find); err != nil {
			b.Fatal(err)
		}
	}
}
