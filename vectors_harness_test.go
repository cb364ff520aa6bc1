// Package detente_test holds what concerns the whole tree: the published vectors, which other implementations run as well.
// It must never test what a package's own tests can.
package detente_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"detente/canonical"
	"detente/envelope"
	"detente/evidence"
	"detente/key"
	"detente/party"
	"detente/statement"

	"filippo.io/mldsa"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata/vectors")

// Vector is what every vector has: its name in the file, one sentence on what it shows, and the reason for which it must be refused.
type Vector struct {
	Name   string `json:"name"`
	Doc    string `json:"doc"`
	Refuse string `json:"refuse,omitempty"`
}

func (v Vector) vector() Vector { return v }

// runVectors checks every vector of a file, and that the file is what generate gives. Everything generate uses is fixed: seeds, times,
// deterministic ML-DSA; so a change of one byte on the wire shows as a change of the file.
func runVectors[V interface{ vector() Vector }](t *testing.T, file string, generate func(testing.TB) []V, check func(testing.TB, V) error) {
	t.Helper()
	path := filepath.Join("testdata", "vectors", file)
	fresh := encodeVectors(t, generate(t))
	if *update {
		if err := os.WriteFile(path, fresh, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stored, fresh) {
		t.Errorf("%s is not what the code gives; if the wire changed on purpose, run go test -run TestVectors -update .\n%s",
			path, cmp.Diff(bytes.Split(stored, []byte("\n")), bytes.Split(fresh, []byte("\n"))))
	}
	checkVectors(t, stored, check)
}

// runStored checks every vector of a file that is another every time it is generated.
func runStored[V interface{ vector() Vector }](t *testing.T, file string, generate func(testing.TB) []V, check func(testing.TB, V) error) {
	t.Helper()
	path := filepath.Join("testdata", "vectors", file)
	if *update {
		if err := os.WriteFile(path, encodeVectors(t, generate(t)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	checkVectors(t, stored, check)
	checkVectors(t, encodeVectors(t, generate(t)), check) // the generator still says the same
}

func encodeVectors[V any](t testing.TB, list []V) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(list); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// checkVectors runs check, which reports the error of the decoder under test, on every vector of a file.
func checkVectors[V interface{ vector() Vector }](t *testing.T, file []byte, check func(testing.TB, V) error) {
	var list []V
	dec := json.NewDecoder(bytes.NewReader(file))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, v := range list {
		about := v.vector()
		if about.Name == "" || about.Doc == "" || seen[about.Name] {
			t.Errorf("vector %q has no doc, or its name twice", about.Name)
		}
		seen[about.Name] = true
		t.Run(about.Name, func(t *testing.T) {
			if got := reason(check(t, v)); got != about.Refuse {
				t.Errorf("refused for %q, want %q", got, about.Refuse)
			}
		})
	}
}

// reasons maps the sentinels to the codes of the files; the outermost layer comes first, because it wraps the others.
var reasons = []struct {
	err  error
	code string
}{
	{party.ErrNotApproved, "not-approved"},
	{statement.ErrClaims, "claims"},
	{statement.ErrHeader, "header"},
	{envelope.ErrUnknownHeader, "unknown-header"},
	{envelope.ErrContentType, "content-type"},
	{envelope.ErrSignatureSet, "signature-set"},
	{envelope.ErrUnknownKey, "unknown-key"},
	{envelope.ErrBadSignature, "bad-signature"},
	{envelope.ErrShape, "shape"},
	{key.ErrUnknownAlgorithm, "unknown-algorithm"},
	{key.ErrMalformed, "malformed-key"},
	{canonical.ErrTooLarge, "too-large"},
	{canonical.ErrTruncated, "truncated"},
	{canonical.ErrTrailing, "trailing"},
	{canonical.ErrNotCanonical, "not-canonical"},
	{canonical.ErrDuplicateKey, "duplicate-key"},
	{canonical.ErrForbidden, "forbidden"},
	{canonical.ErrDepth, "depth"},
	{canonical.ErrText, "text"},
}

// refused is an error whose code depends on what was asked, not on the error alone.
type refused struct {
	code string
	error
}

func (r refused) Unwrap() error { return r.error }

// as gives err the code if it is one of the listed errors.
func as(code string, err error, listed ...error) error {
	for _, l := range listed {
		if errors.Is(err, l) {
			return refused{code, err}
		}
	}
	return err
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	if r, ok := errors.AsType[refused](err); ok {
		return r.code
	}
	if r, ok := errors.AsType[*evidence.Refusal](err); ok {
		return r.Code()
	}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.code
		}
	}
	return "no code: " + err.Error()
}

// Hex is bytes, in JSON lower-case hex.
type Hex []byte

func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

func (h *Hex) UnmarshalText(b []byte) (err error) {
	*h, err = hex.AppendDecode(nil, b)
	return err
}

// PublicKey is a key as the files write it.
type PublicKey struct {
	Algorithm key.Algorithm `json:"alg"`
	Public    Hex           `json:"public"`
}

// fixedSigner signs the same way every time.
type fixedSigner struct{ *key.Private }

// fixedKey is the key of a name: its seed is SHA-256 of the name.
func fixedKey(t testing.TB, a key.Algorithm, name string) fixedSigner {
	seed := sha256.Sum256([]byte(name))
	k, err := key.FromSeed(a, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return fixedSigner{k}
}

func (s fixedSigner) Sign(message []byte) ([]byte, error) {
	params := mldsa.MLDSA44()
	switch s.Public().Algorithm {
	case key.Ed25519:
		return s.Private.Sign(message)
	case key.MLDSA65:
		params = mldsa.MLDSA65()
	}
	k, err := mldsa.NewPrivateKey(params, s.Seed())
	if err != nil {
		return nil, err
	}
	return k.SignDeterministic(message, nil)
}

func (s fixedSigner) published() PublicKey {
	p := s.Public()
	return PublicKey{p.Algorithm, p.Bytes}
}

// finder gives verifiers by key id, as the charter of a post would.
func finder(t testing.TB, keys []PublicKey) func(key.ID) key.Verifier {
	known := map[key.ID]key.Verifier{}
	for _, k := range keys {
		v, err := key.Standard().Verifier(key.Public{Algorithm: k.Algorithm, Bytes: k.Public})
		if err != nil {
			t.Fatal(err)
		}
		known[v.ID()] = v
	}
	return func(id key.ID) key.Verifier {
		if v, ok := known[id]; ok {
			return v
		}
		return nil
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
