package evidence_test

import (
	"errors"
	"testing"

	"detente/canonical"
	"detente/evidence"
	"detente/key"
	"detente/statement"
	"detente/traffic"
)

// Whatever a stranger hands in as a case, it is refused with a reason and without harm.
func FuzzCase(f *testing.F) {
	w := stranger(f, key.Ed25519)
	c := evidence.CaseFile{
		Channel: []byte{0xa0}, Plane: traffic.Real, Dossier: statement.ID{1}, Charters: [][]byte{}, Checkpoints: []string{"x"},
		Entries: []evidence.CaseEntry{{Feed: traffic.Feed{Party: "xn", Plane: traffic.Real, Precedence: traffic.Routine}, Path: [][32]byte{}, Statement: []byte{0xa0}}},
	}
	b, err := c.Encode("xn", [32]byte{}, w)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("\x83\x6fdetente-case.v1\x40\x60"))
	reader := evidence.Reader{}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := reader.Case(b)
		if refusal := (*evidence.Refusal)(nil); err == nil || !errors.As(err, &refusal) || refusal.Code() == "" || v.Reason != refusal.Code() {
			t.Fatalf("%v: %+v", err, v)
		}
		c, content, seal, err := evidence.DecodeCase(b)
		if err != nil {
			return
		}
		again, err := canonical.Marshal([]any{"detente-case.v1", content, seal})
		if err != nil || string(again) != string(b) || len(c.Entries) == 0 {
			t.Fatalf("decoded, and another when it is encoded again (%v)", err)
		}
	})
}
