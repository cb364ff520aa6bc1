package statement_test

import (
	"testing"
	"time"

	"detente/key"
	"detente/statement"
	"detente/traffic"
)

func sample(t testing.TB) (*statement.Statement, func(key.ID) key.Verifier) {
	k, err := key.Generate(key.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	v, err := key.Standard().Verifier(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	s, err := statement.Sign(statement.Header{
		Issuer: traffic.Address{Party: "xn", Post: "nrrc"}, Audience: "xs/nrrc", IssuedAt: time.Unix(1795000000, 0),
		Plane: traffic.Real, Precedence: traffic.Immediate, Form: "inquiry", Version: 1, Clock: 1, Language: "en",
		Drafter: "duty-officer", Charter: 1,
	}, []byte{0xa0}, k)
	if err != nil {
		t.Fatal(err)
	}
	return s, func(id key.ID) key.Verifier {
		if id == k.ID() {
			return v
		}
		return nil
	}
}

func TestRoundTrip(t *testing.T) {
	s, find := sample(t)
	if err := s.Verify(find); err != nil {
		t.Fatal(err)
	}
	t.Logf("empty statement: %d bytes", len(s.Bytes()))
}

func BenchmarkDecode(b *testing.B) {
	s, _ := sample(b)
	for b.Loop() {
		if _, err := statement.Decode(s.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	s, find := sample(b)
	for b.Loop() {
		if err := s.Verify(find); err != nil {
			b.Fatal(err)
		}
	}
}
