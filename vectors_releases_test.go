package detente_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"detente/canonical"
	"detente/key"
	"detente/officer"
	"detente/statement"
	"detente/traffic"
)

type releaseVector struct {
	Vector
	Statement  Hex    `json:"statement"`
	Digest     Hex    `json:"digest"`
	Credential Hex    `json:"credential"`
	Assertion  Hex    `json:"assertion"`
	Origin     string `json:"origin,omitempty"`
}

func TestVectorsReleases(t *testing.T) {
	runVectors(t, "releases.json", generateReleases, func(t testing.TB, v releaseVector) error {
		s, err := statement.Decode(v.Statement)
		if err != nil {
			return err
		}
		digest, err := s.Release(s.Payload)
		if err != nil {
			return err
		}
		if string(digest[:]) != string(v.Digest) {
			t.Errorf("digest %x", digest)
		}
		origin, err := officer.VerifyApproval(v.Credential, v.Assertion, digest)
		if err == nil && origin != v.Origin {
			t.Errorf("origin %q", origin)
		}
		return as("assertion", err, officer.ErrAssertion)
	})
}

// passkey is one whose key is fixed, and signs the same way every time.
type passkey struct {
	rp     string
	origin string
	kind   string
	flags  byte
	cross  bool
}

func (p passkey) secret(t testing.TB) *ecdsa.PrivateKey {
	seed := sha256.Sum256([]byte("passkey of the deputy"))
	return must(ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:]))(t)
}

// public is the COSE key.
func (p passkey) public(t testing.TB) []byte {
	point := must(p.secret(t).PublicKey.Bytes())(t)
	return must(canonical.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]}))(t)
}

func (p passkey) sign(t testing.TB, digest [32]byte) []byte {
	client := fmt.Sprintf(`{"type":%q,"challenge":%q,"origin":%q,"crossOrigin":%t}`, p.kind, base64.RawURLEncoding.EncodeToString(digest[:]), p.origin, p.cross)
	rp := sha256.Sum256([]byte(p.rp))
	data := append(rp[:], p.flags, 0, 0, 0, 7)
	hash := sha256.Sum256([]byte(client))
	signed := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature := must(p.secret(t).Sign(nil, signed[:], crypto.SHA256))(t) // without a source of chance: RFC 6979
	return must(canonical.Marshal(map[int][]byte{1: data, 2: []byte(client), 3: signature}))(t)
}

func generateReleases(t testing.TB) []releaseVector {
	post := fixedKey(t, key.Ed25519, "xn/nrrc real")
	h := statement.Header{
		Issuer: traffic.Address{Party: "xn", Post: "nrrc"}, Audience: "xs/nrrc", IssuedAt: time.Unix(1795000000, 0), Channel: [32]byte(hashOf([]byte("channel"))),
		Plane: traffic.Real, Precedence: traffic.Flash, Form: "notice", Version: 1, Clock: 4, Language: "en", Drafter: "duty-officer", Releaser: "deputy", Charter: 1,
	}
	payload := must(canonical.Marshal(map[string]any{"subject": "accident", "text": "The grid is down."}))(t)
	good := passkey{"watch.xn.example", "https://watch.xn.example", "webauthn.get", 0x05, false}
	var list []releaseVector
	add := func(name, doc, refuse string, h statement.Header, p passkey, digest *[32]byte) releaseVector {
		s := must(statement.Sign(h, payload, post))(t)
		d := must(h.Release(payload))(t)
		v := releaseVector{Vector: Vector{name, doc, refuse}, Statement: s.Bytes(), Digest: d[:], Credential: p.public(t)}
		if digest == nil {
			digest = &d
		}
		v.Assertion = p.sign(t, *digest)
		if refuse == "" {
			v.Origin = p.origin
		}
		list = append(list, v)
		return v
	}
	add("approved", "The deputy's passkey has signed the digest of what the duty officer drafted.", "", h, good, nil)
	later := h
	later.IssuedAt, later.Clock, later.Charter = time.Unix(1795000600, 0), 9, 2
	add("sent-later", "Time, clock and charter are settled at the sending: the digest is that of the vector before.", "", later, good, nil)
	full := h
	full.Dossier, full.Refs, full.Marking, full.Audience = statement.ID{1}, []statement.ID{{1}, {2}}, "TLP:AMBER", "*"
	add("every-field", "With dossier, refs and marking.", "", full, good, nil)
	domain := good
	domain.rp = "xn.example"
	add("domain", "The key belongs to a domain that the page's host is in.", "", h, domain, nil)

	unreleased := h
	unreleased.Releaser = ""
	bare := must(unreleased.Release(payload))(t)
	add("without-releaser", "The digest of the draft as it was asked for, which names no releaser, was signed.", "assertion", h, good, &bare)
	louder := h
	louder.Precedence = traffic.Immediate
	other := must(h.Release(payload))(t)
	add("another-precedence", "The same text was approved at FLASH, and sent at IMMEDIATE.", "assertion", louder, good, &other)
	for _, x := range []struct {
		name, doc string
		change    func(*passkey)
	}{
		{"not-verified", "The person was present and was not verified.", func(p *passkey) { p.flags = 0x01 }},
		{"not-present", "The person was not present.", func(p *passkey) { p.flags = 0x04 }},
		{"registration", "The client data is of a registration.", func(p *passkey) { p.kind = "webauthn.create" }},
		{"another-site", "The page is of a host that the key does not belong to.", func(p *passkey) { p.origin = "https://watch.evil.example" }},
		{"within-another-page", "The page stood within another's.", func(p *passkey) { p.cross = true }},
	} {
		p := good
		x.change(&p)
		add(x.name, x.doc, "assertion", h, p, nil)
	}
	altered := add("signature", "One bit of the signature is another.", "assertion", h, good, nil)
	altered.Assertion[len(altered.Assertion)-1] ^= 1
	cut := add("cut-off", "The assertion is cut off.", "assertion", h, good, nil)
	list[len(list)-1].Assertion = cut.Assertion[:len(cut.Assertion)-1]
	foreign := add("another-key", "The key is no COSE key.", "assertion", h, good, nil)
	list[len(list)-1].Credential = foreign.Credential[:40]
	return list
}
