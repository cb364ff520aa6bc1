package chatham_test

import (
	"bytes"
	"crypto/hpke"
	"errors"
	"strings"
	"testing"
	"time"

	"detente/chatham"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

var (
	now  = time.Date(2027, 3, 4, 10, 11, 12, 0, time.UTC)
	id   = [32]byte{7}
	over = now.AddDate(0, 0, 30)
)

// member is one who takes part: all that he has.
type member struct {
	party     traffic.Party
	receiving hpke.PrivateKey
	session   *chatham.Session
}

// group opens a session among parties, each with the key that was sealed to him.
func group(t testing.TB, parties ...traffic.Party) map[traffic.Party]*member {
	t.Helper()
	k := chatham.NewKey()
	out := map[traffic.Party]*member{}
	for _, p := range parties {
		private, err := hpke.MLKEM768X25519().GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		wrapped, err := k.Wrap("experts 4", p, private.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		own, err := chatham.Unwrap(wrapped, "experts 4", p, private)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := chatham.Unwrap(wrapped, "experts 5", p, private); !errors.Is(err, chatham.ErrKey) {
			t.Errorf("the key opens under another name: %v", err)
		}
		s, err := chatham.Open(own, id, over)
		if err != nil {
			t.Fatal(err)
		}
		out[p] = &member{p, private, s}
	}
	return out
}

func (m *member) says(t testing.TB, words string) (sealed, opening []byte) {
	t.Helper()
	c, opening, err := m.session.Say(m.party, words, now)
	if err != nil {
		t.Fatal(err)
	}
	if sealed, err = m.session.Seal(c); err != nil {
		t.Fatal(err)
	}
	return sealed, opening
}

func (m *member) hears(t testing.TB, sealed []byte) *chatham.Contribution {
	t.Helper()
	c, err := m.session.Hear(sealed, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Three experts speak. Each hears the others, and knows by whose word who spoke.
func TestASession(t *testing.T) {
	g := group(t, "xn", "xs", "xm")
	a, opening := g["xn"].says(t, "We would accept a shorter notice for scans.")
	b, _ := g["xs"].says(t, "We would not.")
	var all []*chatham.Contribution
	for _, sealed := range [][]byte{b, a, a} {
		all = append(all, g["xm"].hears(t, sealed))
	}
	if got := chatham.Transcript(all); len(got) != 2 {
		t.Errorf("%d contributions", len(got))
	}
	want := []chatham.Anonymous{{now.Truncate(24 * time.Hour), "We would accept a shorter notice for scans."}, {now.Truncate(24 * time.Hour), "We would not."}}
	if diff := cmp.Diff(want, chatham.Export(all)); diff != "" {
		t.Error(diff)
	}

	// Later the first speaker wants to be named. Nobody else can be named in his place, nor can he take the other's words.
	c := g["xm"].hears(t, a)
	if err := g["xm"].session.Attribute(c, "xn", opening); err != nil {
		t.Error(err)
	}
	if err := g["xm"].session.Attribute(c, "xs", opening); !errors.Is(err, chatham.ErrAttribution) {
		t.Error(err)
	}
	if err := g["xm"].session.Attribute(g["xm"].hears(t, b), "xn", opening); !errors.Is(err, chatham.ErrAttribution) {
		t.Error(err)
	}
}

// Southland's expert leaks the session: the transcript, and every key that he has. Whoever gets it checks every code, and has learned nothing: with Merania's
// keys alone the same transcript is made to the byte, and so is one in which Northland says the opposite.
func TestALeakProvesNothing(t *testing.T) {
	g := group(t, "xn", "xs", "xm")
	said, _ := g["xn"].says(t, "My minister is wrong about this.")
	leaked := g["xs"].hears(t, said)
	proof, err := g["xs"].session.Seal(leaked)
	if err != nil {
		t.Fatal(err)
	}

	forger := g["xm"]
	forged, err := forger.session.Forge(leaked.Speaker, leaked.Words, leaked.At, leaked.Commitment)
	if err != nil {
		t.Fatal(err)
	}
	if forged.ID() != leaked.ID() {
		t.Error("what one member makes up is not what another said, to the byte")
	}
	opposite, err := forger.session.Forge("xn", "My minister is right about this.", now, [32]byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := forger.session.Seal(opposite)
	if err != nil {
		t.Fatal(err)
	}
	judge := g["xs"].session // all the keys that were leaked
	for name, b := range map[string][]byte{"what was said": proof, "what was not": sealed} {
		if _, err := judge.Hear(b, now); err != nil {
			t.Errorf("%s: %v: the judge can tell them apart", name, err)
		}
	}
}

// A stranger, another session, a changed byte, a session that is over: nothing is heard.
func TestWhatIsNotHeard(t *testing.T) {
	g, other := group(t, "xn", "xs"), group(t, "xn", "xs")
	sealed, _ := g["xn"].says(t, "Words.")
	if _, err := other["xs"].session.Hear(sealed, now); !errors.Is(err, chatham.ErrContribution) {
		t.Error(err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := g["xs"].session.Hear(bad, now); !errors.Is(err, chatham.ErrContribution) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	if _, err := g["xs"].session.Hear(sealed, over); !errors.Is(err, chatham.ErrOver) {
		t.Error(err)
	}
	if _, _, err := g["xn"].session.Say("xn", "Late.", over); !errors.Is(err, chatham.ErrOver) {
		t.Error(err)
	}
	for _, words := range []string{"", strings.Repeat("a", chatham.MaxWords+1), "\xff"} {
		if _, _, err := g["xn"].session.Say("xn", words, now); !errors.Is(err, chatham.ErrContribution) {
			t.Errorf("%.10q: %v", words, err)
		}
	}
	short, _ := g["xn"].says(t, "No.")
	long, _ := g["xn"].says(t, strings.Repeat("a", 250))
	if len(short) != len(long) {
		t.Errorf("%d and %d bytes: the length tells who is brief", len(short), len(long))
	}
}

func FuzzHear(f *testing.F) {
	g := group(f, "xn", "xs")
	sealed, _ := g["xn"].says(f, "Words.")
	f.Add(sealed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := g["xs"].session.Hear(b, now); err == nil && c.Words != "Words." {
			t.Fatalf("%q was heard, and not said", c.Words)
		}
	})
}

func FuzzUnwrap(f *testing.F) {
	private, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		f.Fatal(err)
	}
	wrapped, err := chatham.NewKey().Wrap("a", "xn", private.PublicKey())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wrapped)
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := chatham.Unwrap(b, "a", "xn", private); err == nil && !bytes.Equal(b, wrapped) {
			t.Fatal("a key that nobody sealed")
		}
	})
}
