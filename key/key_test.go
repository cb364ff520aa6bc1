package key_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"detente/key"
)

func algorithms() []key.Algorithm { return []key.Algorithm{key.Ed25519, key.MLDSA44, key.MLDSA65} }

// A key signs, the other side verifies with the public half alone, and no change of message, signature or key goes unnoticed.
func TestSignAndVerify(t *testing.T) {
	for _, a := range algorithms() {
		k, err := key.Generate(a)
		if err != nil {
			t.Fatal(err)
		}
		v, err := key.Standard().Verifier(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		if v.ID() != k.ID() || v.Public().Algorithm != a || !bytes.Equal(v.Public().Bytes, k.Public().Bytes) {
			t.Errorf("%d: verifier of another key", a)
		}
		message := []byte("held up to 7")
		signature, err := k.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		if !v.Verify(message, signature) {
			t.Errorf("%d: own signature does not verify", a)
		}
		for range 64 {
			forged := bytes.Clone(signature)
			forged[rand.IntN(len(forged))] ^= 1 << rand.IntN(8)
			if v.Verify(message, forged) {
				t.Errorf("%d: verifies %x", a, forged)
			}
		}
		for n := range signature {
			if n%100 == 0 && v.Verify(message, signature[:n]) {
				t.Errorf("%d: verifies the first %d bytes", a, n)
			}
		}
		if v.Verify([]byte("held up to 8"), signature) || v.Verify(message, append(signature, 0)) || v.Verify(message, nil) {
			t.Errorf("%d: verifies what was not signed", a)
		}
		stranger, err := key.Generate(a)
		if err != nil {
			t.Fatal(err)
		}
		w, err := key.Standard().Verifier(stranger.Public())
		if err != nil {
			t.Fatal(err)
		}
		if w.Verify(message, signature) || w.ID() == v.ID() {
			t.Errorf("%d: another key verifies", a)
		}
	}
}

func TestSeedIsTheWholeKey(t *testing.T) {
	for _, a := range algorithms() {
		k, err := key.Generate(a)
		if err != nil {
			t.Fatal(err)
		}
		seed := k.Seed()
		again, err := key.FromSeed(a, seed)
		if err != nil || again.ID() != k.ID() {
			t.Errorf("%d: %v, %v from the seed of %v", a, again, err, k.ID())
		}
		clear(seed)
		if bytes.Equal(k.Seed(), seed) || bytes.Equal(again.Seed(), seed) {
			t.Errorf("%d: the caller can change the key", a)
		}
	}
}

// The same bytes under two algorithms are two keys: the id binds the algorithm.
func TestIDBindsTheAlgorithm(t *testing.T) {
	a := key.Public{Algorithm: key.MLDSA44, Bytes: []byte{1}}
	b := key.Public{Algorithm: key.MLDSA65, Bytes: []byte{1}}
	if a.ID() == b.ID() {
		t.Error("one id for two algorithms")
	}
	// SHA-256 of "detente.v1 key\n" and 82 38 2f 41 01, made with another program. protocol.md#keys
	if got, want := a.ID().String(), "f6d8cabb54ef0c0e5c32200a0e14b722"; got != want {
		t.Errorf("id %s, want %s", got, want)
	}
}

func TestRefused(t *testing.T) {
	for _, s := range []struct {
		story string
		key   key.Public
		want  error
	}{
		{"an algorithm that nobody registered", key.Public{Algorithm: -70000, Bytes: make([]byte, 32)}, key.ErrUnknownAlgorithm},
		{"the algorithm zero", key.Public{Bytes: make([]byte, 32)}, key.ErrUnknownAlgorithm},
		{"the old name of Ed25519", key.Public{Algorithm: -8, Bytes: make([]byte, 32)}, key.ErrUnknownAlgorithm},
		{"31 bytes of Ed25519", key.Public{Algorithm: key.Ed25519, Bytes: make([]byte, 31)}, key.ErrMalformed},
		{"33 bytes of Ed25519", key.Public{Algorithm: key.Ed25519, Bytes: make([]byte, 33)}, key.ErrMalformed},
		{"no bytes of Ed25519", key.Public{Algorithm: key.Ed25519}, key.ErrMalformed},
		{"a point of order 4", key.Public{Algorithm: key.Ed25519, Bytes: make([]byte, 32)}, key.ErrMalformed},
		{"the neutral point", key.Public{Algorithm: key.Ed25519, Bytes: append([]byte{1}, make([]byte, 31)...)}, key.ErrMalformed},
		{"a point that is not reduced", key.Public{Algorithm: key.Ed25519, Bytes: append(append([]byte{0xee}, bytes.Repeat([]byte{0xff}, 30)...), 0x7f)}, key.ErrMalformed},
		{"ML-DSA-44 as ML-DSA-65", key.Public{Algorithm: key.MLDSA65, Bytes: make([]byte, 1312)}, key.ErrMalformed},
		{"ML-DSA-65 as ML-DSA-44", key.Public{Algorithm: key.MLDSA44, Bytes: make([]byte, 1952)}, key.ErrMalformed},
	} {
		if v, err := key.Standard().Verifier(s.key); !errors.Is(err, s.want) {
			t.Errorf("%s: %v, %v, want %v", s.story, v, err, s.want)
		}
	}
	if _, err := key.Generate(-70000); !errors.Is(err, key.ErrUnknownAlgorithm) {
		t.Errorf("generated a key that nobody knows: %v", err)
	}
	if _, err := key.FromSeed(key.Ed25519, make([]byte, 31)); !errors.Is(err, key.ErrMalformed) {
		t.Errorf("made a key of 31 bytes: %v", err)
	}
}

// A deployment adds its national algorithm to its own copy; another copy does not know it.
func TestRegistryIsOpen(t *testing.T) {
	mine := key.Standard()
	mine[-70000] = func(public []byte) (func(message, signature []byte) bool, error) {
		return func(m, s []byte) bool { return bytes.Equal(s, append(bytes.Clone(public), m...)) }, nil
	}
	p := key.Public{Algorithm: -70000, Bytes: []byte("k")}
	v, err := mine.Verifier(p)
	if err != nil || !v.Verify([]byte("m"), []byte("km")) || v.Verify([]byte("m"), []byte("xm")) || v.ID() != p.ID() {
		t.Errorf("%v %v", v, err)
	}
	if _, err := key.Standard().Verifier(p); !errors.Is(err, key.ErrUnknownAlgorithm) {
		t.Errorf("the standard registry was changed: %v", err)
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, a := range algorithms() {
		b.Run(map[key.Algorithm]string{key.Ed25519: "Ed25519", key.MLDSA44: "ML-DSA-44", key.MLDSA65: "ML-DSA-65"}[a], func(b *testing.B) {
			k, err := key.Generate(a)
			if err != nil {
				b.Fatal(err)
			}
			v, err := key.Standard().Verifier(k.Public())
			if err != nil {
				b.Fatal(err)
			}
			m := make([]byte, 512)
			s, err := k.Sign(m)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if !v.Verify(m, s) {
					b.Fatal("does not verify")
				}
			}
		})
	}
}
