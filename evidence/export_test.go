package evidence_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"detente/feed"
	"detente/key"
)

// vkey is the text form of a note's key, C2SP signed-note@v1.0.0.
func vkey(t *testing.T, name string, kind byte, k *key.Private) string {
	t.Helper()
	public := append([]byte{kind}, k.Public().Bytes...)
	if kind == 1 {
		s, err := note.NewEd25519VerifierKey(name, ed25519.PublicKey(k.Public().Bytes))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	h := sha256.Sum256(append([]byte(name+"\n"), public...))
	return fmt.Sprintf("%s+%08x+%s", name, binary.BigEndian.Uint32(h[:]), base64.StdEncoding.EncodeToString(public))
}

// Others' tools check what we export, with our keys in their own form, and refuse what we refuse.
func TestTorchwoodVerifiesTheExport(t *testing.T) {
	w := newWorld(t)
	w.logs(w.says(w.xn, nil), w.says(w.xn, nil), w.says(w.xn, nil), w.says(w.xn, nil), w.says(w.xn, nil))
	policy, err := torchwood.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness xs %s\nquorum xs\n",
		vkey(t, w.feed.Origin(), 1, w.xn.ring.Checkpoint), vkey(t, feed.MirrorName("xs"), 4, w.xs.ring.Mirror)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(5) {
		p := w.proves(i)
		text, err := w.reader().TLogProof(encoded(t, p))
		if err != nil {
			t.Fatal(err)
		}
		leaf := tlog.RecordHash(p.Statement)
		if err := torchwood.VerifyProof(policy, leaf, []byte(text)); err != nil {
			t.Errorf("entry %d: %v", i, err)
		}
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(p.Path[0][:]), []byte(text)); err == nil {
			t.Errorf("entry %d: proved of another record", i)
		}
		alone := w.signed(w.checkpoint())
		text = strings.Replace(text, p.Checkpoint, alone, 1)
		if err := torchwood.VerifyProof(policy, leaf, []byte(text)); err == nil {
			t.Errorf("entry %d: proved without the cosignature that the policy asks for", i)
		}
		// And with the reference implementation of the tree and of the note.
		v, err := note.NewVerifier(vkey(t, w.feed.Origin(), 1, w.xn.ring.Checkpoint))
		if err != nil {
			t.Fatal(err)
		}
		n, err := note.Open([]byte(p.Checkpoint), note.VerifierList(v))
		if err != nil {
			t.Fatal(err)
		}
		tree, err := feed.ParseCheckpoint(n.Text)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(feed.Path[tlog.Hash](p.Path), tree.Size, tlog.Hash(tree.Root), i, leaf); err != nil {
			t.Errorf("entry %d: %v", i, err)
		}
	}
	if _, err := w.reader().TLogProof([]byte{0xa0}); err == nil {
		t.Error("exported what is no proof")
	}
}
