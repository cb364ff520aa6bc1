package bundle

import (
	"bytes"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/canonical"
	"detente/envelope"
	"detente/key"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata")

// capital is a party with the node keys that bundles need, made from its name, so that every run has the same.
type capital struct {
	party   traffic.Party
	sign    *key.Private
	verify  key.Verifier
	sealing hpke.PrivateKey
}

func newCapital(t testing.TB, party traffic.Party) *capital {
	t.Helper()
	seed := bytes.Repeat([]byte(party), 32)[:32]
	sign, err := key.FromSeed(key.Ed25519, seed)
	if err != nil {
		t.Fatal(err)
	}
	verify, err := key.Standard().Verifier(sign.Public())
	if err != nil {
		t.Fatal(err)
	}
	sealing, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		t.Fatal(err)
	}
	return &capital{party, sign, verify, sealing}
}

func (c *capital) recipient() Recipient { return Recipient{c.party, c.sealing.PublicKey()} }

func (c *capital) opener() Opener {
	return Opener{c.party, func(id key.ID) hpke.PrivateKey {
		if id == SealingID(c.sealing.PublicKey()) {
			return c.sealing
		}
		return nil
	}}
}

// knows gives the verifiers of the parties that c is paired with.
func knows(others ...*capital) func(traffic.Party) func(key.ID) key.Verifier {
	return func(p traffic.Party) func(key.ID) key.Verifier {
		for _, o := range others {
			if o.party == p {
				return func(id key.ID) key.Verifier {
					if id == o.verify.ID() {
						return o.verify
					}
					return nil
				}
			}
		}
		return nil
	}
}

func full() *Bundle {
	f := traffic.Feed{Channel: [32]byte{1}, Party: "xn", Plane: traffic.Real, Precedence: traffic.Flash}
	return &Bundle{
		From: "xn", To: "xs", At: time.Unix(1795000000, 0).UTC(),
		Charters: [][]byte{[]byte("a charter")},
		Feeds: []FeedPart{
			{Feed: f, Start: 7, Entries: [][]byte{[]byte("first"), {}, []byte("third")}, Checkpoint: "origin\n10\n"},
			{Feed: traffic.Feed{Party: "xn", Plane: traffic.Test, Precedence: traffic.Routine, Epoch: 3}, Checkpoint: "only a checkpoint"},
		},
		Held:   []Held{{Feed: f, Size: 7, Root: [32]byte{2}, Cosignatures: "— xn abc\n"}, {Feed: f}},
		Gossip: []string{"a note"},
		Forks:  [][]byte{[]byte("a fork")},
		Wants:  []Want{{Hash: [32]byte{3}, Offset: 4096}},
		Blobs:  []Chunk{{Hash: [32]byte{4}, Size: 10, Offset: 4, Data: []byte("abcdef")}},
		Know:   map[traffic.Party]int{"xn": 2, "xs": 1, "xl-longer": 30},
		Hold:   5 * time.Minute,
	}
}

func seal(t testing.TB, b *Bundle, from, to *capital) []byte {
	t.Helper()
	raw, err := Seal(b, from.sign, to.recipient())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestWhatIsSealedIsOpened(t *testing.T) {
	xn, xs := newCapital(t, "xn"), newCapital(t, "xs")
	for name, b := range map[string]*Bundle{
		"full":    full(),
		"nothing": {From: "xn", To: "xs", At: time.Unix(1, 0).UTC()},
	} {
		raw := seal(t, b, xn, xs)
		got, err := Open(raw, xs.opener(), knows(xn))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(b, got, cmp.AllowUnexported(traffic.Feed{}, Want{})); d != "" {
			t.Errorf("%s (-sealed +opened):\n%s", name, d)
		}
		if strings.Contains(string(raw), "first") || strings.Contains(string(raw), "only a checkpoint") {
			t.Errorf("%s: something of the content is readable in the sealed bytes", name)
		}
	}
}

// A key that was encapsulated ahead seals one bundle, and none once the receiver has another key.
func TestSealerIsForOneBundle(t *testing.T) {
	xn, xs, other := newCapital(t, "xn"), newCapital(t, "xs"), newCapital(t, "xl")
	s, err := NewSealer(xs.recipient())
	if err != nil {
		t.Fatal(err)
	}
	if !s.Fits(xs.sealing.PublicKey().Bytes()) || s.Fits(other.sealing.PublicKey().Bytes()) || (*Sealer)(nil).Fits(nil) {
		t.Error("a new sealer fits its recipient's key and no other")
	}
	raw, _, err := s.SealAsking(full(), xn.sign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(raw, xs.opener(), knows(xn)); err != nil {
		t.Error(err)
	}
	if s.Fits(xs.sealing.PublicKey().Bytes()) {
		t.Error("a used sealer fits")
	}
	if _, _, err := s.SealAsking(full(), xn.sign); !errors.Is(err, ErrSeal) {
		t.Errorf("a used sealer seals: %v", err)
	}
	if s, err = NewSealer(other.recipient()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.SealAsking(full(), xn.sign); !errors.Is(err, ErrNotForUs) {
		t.Errorf("sealed to another than the receiver: %v", err)
	}
}

func TestOnlyTheReceiverOpens(t *testing.T) {
	xn, xs, xl := newCapital(t, "xn"), newCapital(t, "xs"), newCapital(t, "xl")
	raw := seal(t, full(), xn, xs)

	if _, err := Open(raw, xl.opener(), knows(xn)); !errors.Is(err, ErrNotForUs) {
		t.Errorf("another party opens it: %v", err)
	}
	if got, want := Describe(raw), "for party xs, sealed to its key "+SealingID(xs.sealing.PublicKey()).String(); !strings.Contains(got, want) {
		t.Errorf("described as %q, want %q", got, want)
	}
	changed := Opener{"xs", func(key.ID) hpke.PrivateKey { return nil }}
	if _, err := Open(raw, changed, knows(xn)); !errors.Is(err, ErrKey) {
		t.Errorf("after the sealing key was changed: %v", err)
	}
	wrong := Opener{"xs", func(key.ID) hpke.PrivateKey { return xl.sealing }}
	if _, err := Open(raw, wrong, knows(xn)); !errors.Is(err, ErrSeal) {
		t.Errorf("with another key: %v", err)
	}
	for _, i := range []int{len(raw) - 1, len(raw) / 2, 100} {
		broken := bytes.Clone(raw)
		broken[i] ^= 1
		if _, err := Open(broken, xs.opener(), knows(xn)); !errors.Is(err, ErrSeal) {
			t.Errorf("with a bit changed at %d: %v", i, err)
		}
	}
}

func TestOnlyTheSenderSigns(t *testing.T) {
	xn, xs, xl := newCapital(t, "xn"), newCapital(t, "xs"), newCapital(t, "xl")
	forged := seal(t, full(), xl, xs)
	if _, err := Open(forged, xs.opener(), knows(xn, xl)); !errors.Is(err, ErrSender) {
		t.Errorf("signed by another party that is known: %v", err)
	}
	if _, err := Open(seal(t, full(), xn, xs), xs.opener(), knows(xl)); !errors.Is(err, ErrSender) {
		t.Errorf("from a party that is not known: %v", err)
	}

	// A receiver seals on to a third party what was written to it.
	if _, err := Open(sealPlain(t, plainOf(t, full(), xn), xl), xl.opener(), knows(xn)); !errors.Is(err, ErrNotForUs) {
		t.Errorf("passed on to a party it was not written to: %v", err)
	}
	swapped := plainOf(t, full(), xn)
	swapped[bytes.Index(swapped, []byte("first"))] ^= 1
	if _, err := Open(sealPlain(t, swapped, xs), xs.opener(), knows(xn)); !errors.Is(err, ErrSender) {
		t.Errorf("with another content than was signed: %v", err)
	}
}

func TestAHeadIsStrict(t *testing.T) {
	xn, xs := newCapital(t, "xn"), newCapital(t, "xs")
	content := []byte{0xa0}
	payload, err := canonical.Marshal(head{"xn", "xs", 1, 1, sha256.Sum256(content)})
	if err != nil {
		t.Fatal(err)
	}
	longer := bytes.Replace(payload, []byte("dsize\x01"), []byte("dsize\x02"), 1)
	for name, c := range map[string]struct {
		contents envelope.Contents
		signers  []key.Signer
		content  string
		want     error
	}{
		"as it should be":          {envelope.Contents{ContentType: contentType, Payload: payload}, []key.Signer{xn.sign}, "\xa0", nil},
		"two signatures":           {envelope.Contents{ContentType: contentType, Payload: payload}, []key.Signer{xn.sign, xs.sign}, "\xa0", ErrSender},
		"another content type":     {envelope.Contents{ContentType: "application/vnd.detente.charter", Payload: payload}, []key.Signer{xn.sign}, "\xa0", ErrShape},
		"a size that lies":         {envelope.Contents{ContentType: contentType, Payload: longer}, []key.Signer{xn.sign}, "\xa0", ErrSender},
		"content in the padding":   {envelope.Contents{ContentType: contentType, Payload: payload}, []key.Signer{xn.sign}, "\xa0\x01", ErrShape},
		"more padding than needed": {envelope.Contents{ContentType: contentType, Payload: payload}, []key.Signer{xn.sign}, "\xa0" + strings.Repeat("\x00", 32), ErrShape},
	} {
		env, err := envelope.Sign(c.contents, c.signers...)
		if err != nil {
			t.Fatal(err)
		}
		plain := append(binary.BigEndian.AppendUint32(nil, uint32(len(env))), env...)
		plain = append(plain, c.content...)
		plain = append(plain, make([]byte, padded(len(plain))-len(plain))...)
		if _, err := Open(sealPlain(t, plain, xs), xs.opener(), knows(xn, xs)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for name, plain := range map[string][]byte{"nothing": {}, "a length alone": {0, 0, 0, 1}, "a length that lies": {0xff, 0xff, 0xff, 0xff, 1}} {
		if _, err := Open(sealPlain(t, plain, xs), xs.opener(), knows(xn)); !errors.Is(err, ErrShape) {
			t.Errorf("%s: %v, want %v", name, err, ErrShape)
		}
	}
}

// plainOf is what Seal encrypts.
func plainOf(t testing.TB, b *Bundle, from *capital) []byte {
	t.Helper()
	plain, err := signed(b, from.sign)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// sealPlain seals any bytes, as a hostile sender may.
func sealPlain(t testing.TB, plain []byte, to *capital) []byte {
	t.Helper()
	enc, sender, err := hpke.NewSender(to.sealing.PublicKey(), hpke.HKDFSHA256(), hpke.AES256GCM(), info(to.party))
	if err != nil {
		t.Fatal(err)
	}
	ciphertext, err := sender.Seal(nil, plain)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := canonical.Marshal(outer{Version: version, To: to.party, Key: SealingID(to.sealing.PublicKey()), Enc: enc, Ciphertext: ciphertext})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestWhatAReceiverWouldRefuseIsNotSealed(t *testing.T) {
	xn, xs := newCapital(t, "xn"), newCapital(t, "xs")
	for name, c := range map[string]struct {
		change func(*Bundle)
		want   error
	}{
		"entry too large":  {func(b *Bundle) { b.Feeds[0].Entries[0] = make([]byte, MaxEntry+1) }, ErrLimit},
		"too many entries": {func(b *Bundle) { b.Feeds[0].Entries = make([][]byte, MaxEntries+1) }, ErrLimit},
		"too many over two feeds": {func(b *Bundle) {
			b.Feeds[0].Entries = slices.Repeat([][]byte{{}}, MaxEntries)
			b.Feeds[1].Entries = [][]byte{{}}
		}, ErrLimit},
		"checkpoint too long":   {func(b *Bundle) { b.Feeds[0].Checkpoint = strings.Repeat("x", MaxNote+1) }, ErrLimit},
		"no checkpoint":         {func(b *Bundle) { b.Feeds[0].Checkpoint = "" }, ErrShape},
		"feed with no name":     {func(b *Bundle) { b.Feeds[0].Feed = traffic.Feed{} }, ErrShape},
		"feed of no precedence": {func(b *Bundle) { b.Feeds[0].Feed.Precedence = "X" }, ErrShape},
		"negative start":        {func(b *Bundle) { b.Feeds[0].Start = -1 }, ErrShape},
		"start beyond counting": {func(b *Bundle) { b.Feeds[0].Start = maxPosition + 1 }, ErrLimit},
		"no sender":             {func(b *Bundle) { b.From = "" }, ErrShape},
		"no time":               {func(b *Bundle) { b.At = time.Time{} }, ErrShape},
		"held too long":         {func(b *Bundle) { b.Hold = MaxHold + time.Second }, ErrLimit},
		"chunk beyond its blob": {func(b *Bundle) { b.Blobs[0].Offset = 5 }, ErrLimit},
		"charter version 0":     {func(b *Bundle) { b.Know["xn"] = 0 }, ErrShape},
		"text that is not":      {func(b *Bundle) { b.Gossip[0] = "\xff" }, ErrShape},
		"over 8 MiB": {func(b *Bundle) {
			b.Feeds[0].Entries = slices.Repeat([][]byte{make([]byte, MaxEntry)}, MaxSealed/MaxEntry)
		}, ErrLimit},
		"to another": {func(b *Bundle) { b.To = "xl" }, ErrNotForUs},
	} {
		b := full()
		c.change(b)
		if _, err := Seal(b, xn.sign, xs.recipient()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A bundle bomb, although its sender is known and signed it, is refused for little more than its own bytes.
func TestBombsCostNothing(t *testing.T) {
	many := func(n uint32, element string) string {
		return "\x9a" + string(binary.BigEndian.AppendUint32(nil, n)) + strings.Repeat(element, int(n))
	}
	for name, content := range map[string]string{
		"two million charters":    "\xa1\x68charters" + many(2<<20, "\x40"),
		"a count that lies":       "\xa1\x68charters\x9b\x00\x00\x00\xff\xff\xff\xff\xff\x40",
		"a length that lies":      "\xa1\x68charters\x81\x5b\x00\x00\x00\xff\xff\xff\xff\xff\x40",
		"nested to the floor":     "\xa1\x68charters" + strings.Repeat("\x81", 4<<20) + "\x40",
		"an unknown key of lists": "\xa1\x63abc" + many(2<<20, "\x80"),
		"a million empty feeds":   "\xa1\x65feeds" + many(1<<20, "\xa0"),
	} {
		raw := []byte(content)
		used, err := allocated(func() error { return refusal(decode(raw, new(Bundle))) })
		if !errors.Is(err, ErrLimit) && !errors.Is(err, ErrShape) {
			t.Errorf("%s: %v", name, err)
		}
		if used > 1<<16 {
			t.Errorf("%s: %d bytes allocated", name, used)
		}
	}
	xs := newCapital(t, "xs")
	raw := make([]byte, MaxSealed+1)
	used, err := allocated(func() error {
		_, err := Open(raw, xs.opener(), knows())
		return err
	})
	if !errors.Is(err, ErrLimit) || used > 1<<16 {
		t.Errorf("more than 8 MiB: %v, %d bytes allocated", err, used)
	}
}

// allocated runs f and tells how many bytes were allocated meanwhile.
func allocated(f func() error) (uint64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, err
}

func TestPaddingHidesTheLength(t *testing.T) {
	shown := map[int]bool{}
	for n := 1024; n < 2048; n++ {
		p := padded(n)
		if p < n || p > n+n/8 {
			t.Fatalf("%d is padded to %d", n, p)
		}
		shown[p] = true
	}
	if len(shown) > 17 {
		t.Errorf("lengths from 1024 to 2047 show as %d", len(shown))
	}
}

// A packer that fills a bundle up to what Capacity says never goes over the route's limit, and wastes little of it.
func TestSizeIsAnUpperBound(t *testing.T) {
	xn, xs := newCapital(t, "xn"), newCapital(t, "xs")
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, limit := range []int{4 << 10, 64 << 10, 1 << 20, MaxSealed} {
		b := full()
		b.Feeds[0].Entries = nil
		size := b.Size()
		for {
			e := make([]byte, 1+rnd.IntN(600))
			if size += len(e) + EntryOverhead; size > Capacity(limit) {
				break
			}
			b.Feeds[0].Entries = append(b.Feeds[0].Entries, e)
		}
		body, err := encode(b)
		if err != nil {
			t.Fatal(err)
		}
		if len(body) > b.Size() {
			t.Errorf("content of %d bytes, said to be at most %d", len(body), b.Size())
		}
		raw := seal(t, b, xn, xs)
		if len(raw) > limit {
			t.Errorf("%d bytes over a route of %d", len(raw), limit)
		}
		if limit >= 64<<10 && len(raw) < limit*9/10 {
			t.Errorf("only %d bytes over a route of %d", len(raw), limit)
		}
	}
	for _, limit := range []int{-1, 0, 1000, outerRoom + tagSize + headRoom} {
		if c := Capacity(limit); c != 0 {
			t.Errorf("a route of %d bytes takes %d", limit, c)
		}
	}
}

// sealedVector is for other implementations: the key opens the bundle, which holds the content.
type sealedVector struct {
	Sealing string `json:"sealing_seed"` // MLKEM768-X25519
	Sender  string `json:"sender_ed25519"`
	Content string `json:"content"`
	Sealed  string `json:"sealed"`
}

func TestVector(t *testing.T) {
	const file = "testdata/sealed.json"
	xn, xs := newCapital(t, "xn"), newCapital(t, "xs")
	body, err := encode(full())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		seed, err := xs.sealing.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		v := sealedVector{hex.EncodeToString(seed), hex.EncodeToString(xn.sign.Public().Bytes), hex.EncodeToString(body), hex.EncodeToString(seal(t, full(), xn, xs))}
		out, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(out, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	in, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v sealedVector
	if err := json.Unmarshal(in, &v); err != nil {
		t.Fatal(err)
	}
	if v.Content != hex.EncodeToString(body) {
		t.Error("the content is encoded otherwise than in testdata")
	}
	raw, err := hex.DecodeString(v.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Open(raw, xs.opener(), knows(xn))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(full(), got, cmp.AllowUnexported(traffic.Feed{}, Want{})); d != "" {
		t.Error(d)
	}
}

// FuzzOpen gives a stranger's bytes to a node, at both doors: as they came, and sealed, as any stranger with our charter can.
func FuzzOpen(f *testing.F) {
	xn, xs := newCapital(f, "xn"), newCapital(f, "xs")
	f.Add(seal(f, full(), xn, xs))
	f.Add(plainOf(f, full(), xn))
	f.Add([]byte("\x85\x71detente-bundle.v1\x62xs"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		Describe(raw)
		if b, err := Open(raw, xs.opener(), knows(xn)); err == nil && b.To != "xs" {
			t.Fatal("opened what is not for us")
		}
		if b, err := openSigned(raw, knows(xn)); err == nil && b.From != "xn" {
			t.Fatal("opened what is not from the sender")
		}
	})
}

// FuzzDecode holds that a content has one encoding: what is read is written back byte for byte.
func FuzzDecode(f *testing.F) {
	for _, b := range []*Bundle{full(), {}} {
		body, err := encode(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b := new(Bundle)
		if decode(raw, b) != nil {
			return
		}
		again, err := encode(b)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(raw, again) {
			t.Fatalf("read  %x\nwrote %x", raw, again)
		}
		if len(raw) > b.Size() {
			t.Fatalf("%d bytes, said to be at most %d", len(raw), b.Size())
		}
	})
}

// BenchmarkBundle seals and opens 512 statements of 500 bytes.
func BenchmarkBundle(b *testing.B) {
	xn, xs := newCapital(b, "xn"), newCapital(b, "xs")
	const count, size = 512, 500
	in := full()
	in.Charters, in.Blobs, in.Gossip, in.Forks, in.Wants = nil, nil, nil, nil, nil
	in.Feeds, in.Held = in.Feeds[:1], in.Held[:1]
	in.Feeds[0].Entries = slices.Repeat([][]byte{make([]byte, size)}, count)
	raw := seal(b, in, xn, xs)
	b.Run("seal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			seal(b, in, xn, xs)
		}
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Open(raw, xs.opener(), knows(xn)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(raw)-count*size)/count, "overhead-B/statement")
	})
	b.Run("one-statement", func(b *testing.B) {
		in.Feeds[0].Entries = in.Feeds[0].Entries[:1]
		var raw []byte
		for b.Loop() {
			raw = seal(b, in, xn, xs)
			if _, err := Open(raw, xs.opener(), knows(xn)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(raw)), "B/bundle")
	})
}

// BenchmarkSeal seals one statement: with all that it takes, and with a key that was encapsulated ahead.
func BenchmarkSeal(b *testing.B) {
	xn, xs := newCapital(b, "xn"), newCapital(b, "xs")
	public := xs.sealing.PublicKey().Bytes()
	sealer := func() *Sealer {
		s, err := SealerFor("xs", public)
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	one := full()
	for name, ahead := range map[string]bool{"now": false, "ahead": true} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				var s *Sealer
				if ahead {
					b.StopTimer()
					s = sealer()
					b.StartTimer()
				} else {
					s = sealer()
				}
				if _, _, err := s.SealAsking(one, xn.sign); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
