package officer_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"detente/officer"
)

// Whatever the bytes are, they are an approval or are refused as none.
func FuzzVerifyApproval(f *testing.F) {
	b, err := os.ReadFile(filepath.Join("..", "testdata", "vectors", "releases.json"))
	if err != nil {
		f.Fatal(err)
	}
	var vectors []struct{ Credential, Assertion, Digest string }
	if err := json.Unmarshal(b, &vectors); err != nil {
		f.Fatal(err)
	}
	for _, v := range vectors {
		var parts [3][]byte
		for i, text := range []string{v.Credential, v.Assertion, v.Digest} {
			if parts[i], err = hex.DecodeString(text); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(parts[0], parts[1], parts[2])
	}
	f.Fuzz(func(t *testing.T, credential, assertion, digest []byte) {
		if len(digest) != 32 {
			return
		}
		origin, err := officer.VerifyApproval(credential, assertion, [32]byte(digest))
		if err != nil && !errors.Is(err, officer.ErrAssertion) || err == nil && origin == "" {
			t.Errorf("%q, %v", origin, err)
		}
		officer.Challenge(assertion)
	})
}
