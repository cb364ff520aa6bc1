package party_test

import (
	"bytes"
	"crypto/hpke"
	"crypto/sha256"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/key"
	"detente/party"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), rewritten by -update:\n%s", path, diff)
	}
}

// fixed makes the key that a name stands for, the same in every run.
func fixed(t testing.TB, a key.Algorithm, name string) *key.Private {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	k, err := key.FromSeed(a, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// standing is the draft of a charter whose keys never change, and its roots, Ed25519 alone because those signatures repeat.
func standing(t testing.TB) (party.Contents, []*party.RootKey) {
	sealing, err := hpke.MLKEM768X25519().DeriveKeyPair(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	var roots []*party.RootKey
	for _, name := range []string{"first holder", "second holder"} {
		roots = append(roots, &party.RootKey{Party: "xn", Keys: []*key.Private{fixed(t, key.Ed25519, name)}})
	}
	one := func(a key.Algorithm, name string) key.Public { return fixed(t, a, name).Public() }
	return party.Contents{
		Party: "xn", Name: map[string]string{"en": "Northland", "ru": "Северия"}, Version: 1,
		Issued: time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC), Need: 1, Roots: [][]key.Public{roots[0].Public(), roots[1].Public()},
		Posts: []party.Post{
			{Name: "nrrc", May: []string{party.Receive, party.Acknowledge}, Keys: []party.PlaneKey{
				{Plane: traffic.Real, Key: one(key.Ed25519, "real")}, {Plane: traffic.Exercise, Key: one(key.Ed25519, "exercise")},
			}},
			{Name: "archive"},
		},
		Node: party.NodeKeys{
			Checkpoint: one(key.Ed25519, "checkpoint"), CheckpointPQ: one(key.MLDSA44, "checkpoint"), Mirror: one(key.Ed25519, "mirror"),
			MirrorPQ: one(key.MLDSA44, "mirror"), Bundle: one(key.Ed25519, "bundle"), Transport: one(key.Ed25519, "transport"),
			Sealing: party.SealingKey{KEM: party.SealingKEM, Public: sealing.PublicKey().Bytes()},
		},
		Languages: []string{"en", "ru"},
		Routes:    []party.Route{{Name: "https", Address: "https://127.0.0.1:7443"}, {Name: "pouch", Address: "courier, Tuesdays"}},
	}, roots
}

func TestWhatACharterLooksLike(t *testing.T) {
	contents, roots := standing(t)
	first, err := party.SignCharter(party.NewDraft(contents, key.Standard()), roots[0])
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := first.Print(&out, "ru"); err != nil {
		t.Fatal(err)
	}
	golden(t, "charter.txt", out.String())

	d, err := party.Amend(first, func(c *party.Contents) {
		lost := c.Node.Mirror.ID()
		c.Issued = c.Issued.AddDate(0, 1, 0)
		c.Node.Mirror = fixed(t, key.Ed25519, "mirror again").Public()
		c.Revoked = []party.Revocation{{Key: lost, Since: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Reason: "machine stolen"}}
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Issued = contents.Issued.AddDate(0, 0, 2)
	c, err := d.Circulate(roots[0].Public(), roots[1].Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Sign(roots[1].Signers()...); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := c.Print(&out, "fr"); err != nil {
		t.Fatal(err)
	}
	golden(t, "draft.txt", out.String())
}

// broken is a screen that is gone.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestPrintingTellsOfItsWriter(t *testing.T) {
	if err := found(t, "xn").charter.Print(broken{}, "en"); err == nil {
		t.Error("nothing was printed and nobody was told")
	}
}
