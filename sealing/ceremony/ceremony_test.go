package ceremony

import (
	"bytes"
	"errors"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/key"
	"detente/sealing"
	"detente/traffic"
)

var deadline = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// table is a box, and two parties whose keys are at hand.
func table(t testing.TB) (*Box, []byte, map[traffic.Party]key.Signer) {
	box, err := NewBox(traffic.Address{Party: "geneva", Post: "box"})
	must(t, err)
	card, err := box.Card()
	must(t, err)
	b, err := card.Encode()
	must(t, err)
	card, err = DecodeCard(b)
	must(t, err)
	m := &sealing.Manifest{
		Kind: "treaty", Plane: traffic.Real, Sealers: []sealing.Member{card.Member()}, Deadline: deadline, Delta: time.Minute, Effect: sealing.Effect{Kind: sealing.OnSealing},
	}
	signers := map[traffic.Party]key.Signer{}
	for _, p := range []traffic.Party{"xn", "xs"} {
		k, err := key.Generate(key.Ed25519)
		must(t, err)
		signers[p] = k
		m.Parties = append(m.Parties, sealing.Member{Party: p, Post: "mfa", Keys: []key.Public{k.Public()}})
		m.Texts = append(m.Texts, sealing.TextHash{Party: p, Lang: "en"})
	}
	manifest, err := m.Encode()
	must(t, err)
	return box, manifest, signers
}

func packet(t testing.TB, manifest []byte, p traffic.Party, k key.Signer) []byte {
	r, err := sealing.Open(manifest, key.Standard())
	must(t, err)
	c, err := r.SignConsent(p, k)
	must(t, err)
	b, err := r.SealPacket(sealing.Packet{Consents: []sealing.Consent{c}}, traffic.Address{Party: "geneva", Post: "box"}, nil)
	must(t, err)
	return b
}

// kept is the box after its machine was switched off and on.
func kept(t testing.TB, b *Box) *Box {
	t.Helper()
	state, err := b.Encode()
	must(t, err)
	again, err := DecodeBox(state)
	must(t, err)
	return again
}

func TestACeremonyAtATable(t *testing.T) {
	for _, c := range []struct {
		comes []traffic.Party
		want  sealing.State
	}{{[]traffic.Party{"xs", "xn"}, sealing.StateInForce}, {[]traffic.Party{"xn"}, sealing.StateLapsed}} {
		box, manifest, keys := table(t)
		if err := box.Take(deadline, nil); !errors.Is(err, ErrNone) {
			t.Error(err)
		}
		_, err := box.Begin(manifest)
		must(t, err)
		for _, p := range c.comes {
			box = kept(t, box)
			sealed := packet(t, manifest, p, keys[p])
			messages, err := Read(strings.Join(Message{KindPacket, sealed}.Lines(), "\n"))
			must(t, err)
			must(t, box.Take(deadline.Add(-time.Hour), messages[0].Data))
		}
		if err := box.Decide(deadline.Add(time.Minute)); !errors.Is(err, ErrEarly) {
			t.Error(err)
		}
		if err := box.Take(deadline.Add(-2*time.Hour), nil); !errors.Is(err, ErrClock) {
			t.Error(err)
		}
		if err := box.Take(deadline.Add(2*time.Minute), packet(t, manifest, "xs", keys["xs"])); !errors.Is(err, ErrEnded) {
			t.Error(err)
		}
		must(t, box.Decide(deadline.Add(3*time.Minute)))
		box = kept(t, box)
		must(t, box.Decide(deadline)) // nothing is decided twice, whatever the clock says
		file, _, err := box.Verdict()
		must(t, err)
		m, e, err := sealing.DecodeFile(file)
		must(t, err)
		if o, err := sealing.Verdict(m, key.Standard(), e); err != nil || o.State != c.want {
			t.Errorf("%+v, %v", o, err)
		}
		other, manifest2, _ := table(t)
		if _, err := box.Begin(manifest2); !errors.Is(err, ErrOther) {
			t.Error(err)
		}
		if _, err := other.Begin(manifest); !errors.Is(err, ErrOther) {
			t.Error(err)
		}
	}
}

func TestLinesComeBackWhole(t *testing.T) {
	data := bytes.Repeat([]byte("detente "), 300)
	lines := Message{KindManifest, data}.Lines()
	if len(lines) != 5 {
		t.Fatalf("%d lines", len(lines))
	}
	turned := slices.Clone(lines)
	slices.Reverse(turned)
	for _, text := range []string{
		strings.Join(lines, "\n"), strings.ToLower(strings.Join(lines, "\r\n")), "Please scan:\n" + strings.Join(append(turned, lines[2]), "\n\n"),
	} {
		got, err := Read(text)
		must(t, err)
		if len(got) != 1 || got[0].Kind != KindManifest || !bytes.Equal(got[0].Data, data) {
			t.Errorf("%d messages", len(got))
		}
	}
	for name, text := range map[string]string{
		"a part is missing": strings.Join(lines[1:], "\n"),
		"a letter":          strings.Replace(strings.Join(lines, "\n"), "MRSXI", "MRSXA", 1),
		"number":            strings.Replace(lines[0], "1/5", "6/5", 1),
		"kind":              strings.Replace(lines[0], "MANIFEST", "SECRET", 1),
		"huge":              strings.Replace(lines[0], "1/5", "1/99999999", 1),
		"cut":               lines[0][:30],
	} {
		if _, err := Read(text); !errors.Is(err, ErrLine) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, l := range lines[4:] {
		b, err := Picture(l)
		must(t, err)
		img, err := png.Decode(bytes.NewReader(b))
		must(t, err)
		if r, _, _, _ := img.At(0, 0).RGBA(); r == 0 || img.Bounds().Dx() < 200 {
			t.Error("no quiet zone, or no picture")
		}
		text, err := Show(l)
		must(t, err)
		if !strings.HasPrefix(text, "█") || strings.Count(text, "\n") < 20 {
			t.Error("no picture")
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(strings.Join(Message{KindCard, []byte("card")}.Lines(), "\n"))
	f.Fuzz(func(t *testing.T, text string) {
		list, err := Read(text)
		for _, m := range list {
			again, err := Read(strings.Join(m.Lines(), "\n"))
			if err != nil || len(again) != 1 || !bytes.Equal(again[0].Data, m.Data) {
				t.Fatal(err)
			}
		}
		if err != nil && list != nil {
			t.Fatal("half of something")
		}
	})
}

func FuzzDecodeBox(f *testing.F) {
	box, manifest, keys := table(f)
	_, err := box.Begin(manifest)
	must(f, err)
	must(f, box.Take(deadline, packet(f, manifest, "xn", keys["xn"])))
	b, err := box.Encode()
	must(f, err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		box, err := DecodeBox(b)
		if err != nil {
			return
		}
		if _, err := box.Encode(); err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeCard(b); err == nil {
			t.Fatal("a box is no card")
		}
	})
}
