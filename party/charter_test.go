package party_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/canonical"
	"detente/envelope"
	"detente/key"
	"detente/party"
	"detente/traffic"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
)

// state is a party with everything that it and its root holders keep.
type state struct {
	charter *party.Charter
	ring    *party.Keyring
	roots   []*party.RootKey
	chain   *party.Chain
}

// found makes a party of three root holders, two of whom approve, with one post of each kind.
func found(t testing.TB, name traffic.Party) *state {
	t.Helper()
	c, ring, roots, err := party.Found(party.Plan{
		Party: name, Name: map[string]string{"en": "Northland", "ru": "Северия"}, Languages: []string{"en"},
		Posts: []party.PostPlan{
			{Name: "council", May: []string{party.Receive, party.Commit}, Lattice: true},
			{Name: "nrrc", May: []string{party.Receive, party.Acknowledge}},
		},
		Routes: []party.Route{{Name: "https", Address: "https://127.0.0.1:7443"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	chain, err := party.NewChain(c)
	if err != nil {
		t.Fatal(err)
	}
	return &state{c, ring, roots, chain}
}

func decode(t testing.TB, b []byte) *party.Charter {
	t.Helper()
	c, err := party.DecodeCharter(b, key.Standard())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFoundingAParty(t *testing.T) {
	s := found(t, "xn")
	c := decode(t, s.charter.Bytes())
	if diff := cmp.Diff(s.charter.Contents, c.Contents); diff != "" {
		t.Errorf("a charter decodes to something else (-want +got):\n%s", diff)
	}
	if c.Hash() != s.charter.Hash() || s.chain.Genesis() != c.Hash() {
		t.Error("the genesis is not the hash of version 1")
	}
	if h := c.Hash(); !bytes.Equal(h[:16], func() []byte { f := c.Fingerprint(); return f[:] }()) {
		t.Error("the fingerprint is not the first half of the hash")
	}
	if !c.May("council", party.Commit) || c.May("nrrc", party.Commit) || c.May("mfa", party.Receive) {
		t.Error("permissions are not those of the plan")
	}
}

func TestThePartyThatMostAre(t *testing.T) {
	c, ring, roots, err := party.Found(party.Plan{Party: "xn", Name: map[string]string{"en": "Northland"}, Languages: []string{"en"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(roots) != 3 || c.Need != 2 {
		t.Errorf("%d of %d holders", c.Need, len(roots))
	}
	lattice := map[traffic.Post]bool{"nrrc": false, "cert": false, "experts": false, "council": true, "mfa": true}
	if len(c.Posts) != len(lattice) {
		t.Errorf("%d posts", len(c.Posts))
	}
	for post, has := range lattice {
		for _, plane := range traffic.Planes() {
			if _, err := ring.Signers(post, plane, key.Ed25519); err != nil {
				t.Error(err)
			}
			if _, err := ring.Signers(post, plane, key.MLDSA65); (err == nil) != has {
				t.Errorf("ML-DSA-65 at %s on %s: %v", post, plane, err)
			}
		}
	}
	for _, plan := range []party.Plan{
		{Party: "xn", Name: c.Name, Languages: c.Languages, Roots: 9, Need: 1},
		{Party: "xn", Name: c.Name, Languages: c.Languages, Roots: 1, Need: 2},
	} {
		if _, _, _, err := party.Found(plan); !errors.Is(err, party.ErrRoots) {
			t.Errorf("%d of %d holders: %v", plan.Need, plan.Roots, err)
		}
	}
}

func TestAPostSpeaksOnlyOnItsPlane(t *testing.T) {
	s := found(t, "xn")
	message := []byte("line check")
	signers, err := s.ring.Signers("council", traffic.Real, key.Ed25519, key.MLDSA65)
	if err != nil {
		t.Fatal(err)
	}
	for _, signer := range signers {
		signature, err := signer.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		v := s.charter.PostKey("council", traffic.Real, signer.ID())
		if v == nil || !v.Verify(message, signature) {
			t.Errorf("algorithm %d of the post does not verify", signer.Public().Algorithm)
		}
		if s.charter.PostKey("council", traffic.Exercise, signer.ID()) != nil {
			t.Error("a real key speaks in an exercise")
		}
		if s.charter.PostKey("nrrc", traffic.Real, signer.ID()) != nil {
			t.Error("a key of the council speaks for the centre")
		}
	}
	if s.charter.PostKey("", "", s.ring.Bundle.ID()) != nil || s.charter.PostKey("", "", s.roots[0].Keys[0].ID()) != nil {
		t.Error("a node or root key speaks for a post")
	}
	if _, err := s.ring.Signers("nrrc", traffic.Real, key.MLDSA65); !errors.Is(err, party.ErrNoKey) {
		t.Errorf("the centre signs with a key it does not have: %v", err)
	}
	if n := len(s.ring.Post("council", traffic.Test)); n != 2 {
		t.Errorf("the council has %d keys on the test plane, want 2", n)
	}
}

// object is a map of a charter as a forger sees it.
type object = map[string]any

// forge signs a charter again after tampering with its payload, with the real root keys: what is refused is refused for its content.
func forge(t testing.TB, s *state, tamper func(object)) []byte {
	t.Helper()
	env, err := envelope.Decode(s.charter.Bytes(), "application/vnd.detente.charter", party.MaxCharter)
	if err != nil {
		t.Fatal(err)
	}
	mode, err := cbor.DecOptions{DefaultMapType: reflect.TypeFor[object]()}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	var m object
	if err := mode.Unmarshal(env.Payload, &m); err != nil {
		t.Fatal(err)
	}
	tamper(m)
	payload, err := canonical.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var signers []key.Signer
	for _, r := range s.roots {
		signers = append(signers, r.Signers()...)
	}
	b, err := envelope.Sign(envelope.Contents{ContentType: env.ContentType, Payload: payload}, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func list(m object, name string) []any   { return m[name].([]any) }
func part(m object, name string) object  { return m[name].(object) }
func item(m object, n string, i int) any { return list(m, n)[i] }

func TestTamperedChartersAreRefused(t *testing.T) {
	s := found(t, "xn")
	many := func(n int) []any {
		out := make([]any, n)
		for i := range out {
			out[i] = []any{"https", strings.Repeat("x", 1+i)}
		}
		return out
	}
	id := bytes.Repeat([]byte{7}, 16)
	for name, c := range map[string]struct {
		tamper func(object)
		want   error
	}{
		"untouched":               {func(m object) {}, nil},
		"field missing":           {func(m object) { delete(m, "routes") }, party.ErrShape},
		"field unknown":           {func(m object) { m["extra"] = 1 }, party.ErrShape},
		"empty list of withdrawn": {func(m object) { m["revoked"] = []any{} }, party.ErrShape},
		"party in capitals":       {func(m object) { m["party"] = "XN" }, party.ErrParty},
		"party a path":            {func(m object) { m["party"] = "../xn" }, party.ErrParty},
		"no version":              {func(m object) { m["version"] = 0 }, party.ErrVersion},
		"second without first":    {func(m object) { m["version"] = 2 }, party.ErrVersion},
		"first with a previous":   {func(m object) { m["previous"] = bytes.Repeat([]byte{1}, 32) }, party.ErrVersion},
		"short previous":          {func(m object) { m["version"], m["previous"] = 2, []byte{1} }, party.ErrVersion},
		"before 1970":             {func(m object) { m["issued"] = -1 }, party.ErrTime},
		"year 10000":              {func(m object) { m["issued"] = 253402300800 }, party.ErrTime},
		"nobody need approve":     {func(m object) { part(m, "roots")["need"] = 0 }, party.ErrRoots},
		"more than all":           {func(m object) { part(m, "roots")["need"] = 4 }, party.ErrRoots},
		"no roots":                {func(m object) { part(m, "roots")["roots"] = []any{} }, party.ErrRoots},
		"root without keys":       {func(m object) { list(part(m, "roots"), "roots")[2] = []any{} }, party.ErrRoots},
		"post twice":              {func(m object) { m["posts"] = append(list(m, "posts"), item(m, "posts", 1)) }, party.ErrOrder},
		"posts out of order":      {func(m object) { slices.Reverse(list(m, "posts")) }, party.ErrOrder},
		"keys out of order":       {func(m object) { slices.Reverse(list(item(m, "posts", 0).(object), "keys")) }, party.ErrOrder},
		"post with a slash":       {func(m object) { item(m, "posts", 0).(object)["post"] = "a/b" }, party.ErrPost},
		"unknown plane": {func(m object) {
			list(item(m, "posts", 0).(object), "keys")[0].([]any)[0] = "live"
		}, party.ErrPlane},
		"unknown permission":  {func(m object) { item(m, "posts", 0).(object)["may"] = []any{"launch"} }, party.ErrMay},
		"permission repeated": {func(m object) { item(m, "posts", 0).(object)["may"] = []any{"answer", "answer"} }, party.ErrMay},
		"node key of a post":  {func(m object) { part(m, "node")["bundle"] = part(m, "node")["transport"] }, party.ErrKeyTwice},
		"short key":           {func(m object) { part(m, "node")["bundle"] = []any{-19, []byte{1}} }, party.ErrKey},
		"checkpoint with ML-DSA": {func(m object) {
			part(m, "node")["checkpoint"] = part(m, "node")["checkpoint-pq"]
		}, party.ErrKey},
		"other KEM":       {func(m object) { part(m, "node")["sealing"].([]any)[0] = 32 }, party.ErrKey},
		"no name":         {func(m object) { m["name"] = object{} }, party.ErrCount},
		"language twice":  {func(m object) { m["languages"] = []any{"en", "en"} }, party.ErrCount},
		"too many routes": {func(m object) { m["routes"] = many(33) }, party.ErrCount},
		"name that turns the line round": {func(m object) {
			m["name"] = object{"en": "North\u202eland"}
		}, party.ErrText},
		"address with a line end": {func(m object) { m["routes"] = []any{[]any{"https", "a\nb"}} }, party.ErrText},
		"endless reason": {func(m object) {
			m["revoked"] = []any{object{"key": id, "since": 1, "reason": strings.Repeat("x", 257)}}
		}, party.ErrText},
		"withdrawn and still held": {func(m object) {
			held := s.ring.Mirror.ID()
			m["revoked"] = []any{object{"key": held[:], "since": 1, "reason": "lost"}}
		}, party.ErrRevoked},
		"short key id": {func(m object) {
			m["revoked"] = []any{object{"key": id[:15], "since": 1, "reason": "lost"}}
		}, party.ErrShape},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := party.DecodeCharter(forge(t, s, c.tamper), key.Standard()); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	if _, err := party.DecodeCharter(make([]byte, party.MaxCharter+1), key.Standard()); !errors.Is(err, canonical.ErrTooLarge) {
		t.Errorf("an oversize charter: %v", err)
	}
}

func TestACharterNeedsItsOwnRoots(t *testing.T) {
	s, stranger := found(t, "xn"), found(t, "xs")
	env, err := envelope.Decode(s.charter.Bytes(), "application/vnd.detente.charter", party.MaxCharter)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(signers ...key.Signer) error {
		b, err := envelope.Sign(envelope.Contents{ContentType: env.ContentType, Payload: env.Payload}, signers...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = party.DecodeCharter(b, key.Standard())
		return err
	}
	a, b, other := s.roots[0].Signers(), s.roots[1].Signers(), stranger.roots[0].Signers()
	if err := sign(slices.Concat(a, b)...); err != nil {
		t.Errorf("two of three: %v", err)
	}
	if err := sign(a...); !errors.Is(err, party.ErrNotApproved) {
		t.Errorf("one of three: %v", err)
	}
	if err := sign(append(a, b[0])...); !errors.Is(err, party.ErrNotApproved) {
		t.Errorf("a holder with one of his two keys counts: %v", err)
	}
	if err := sign(slices.Concat(a, b, other)...); !errors.Is(err, envelope.ErrUnknownKey) {
		t.Errorf("a stranger signs too: %v", err)
	}
	spoiled := s.charter.Bytes()
	spoiled[len(spoiled)-1] ^= 1
	if _, err := party.DecodeCharter(spoiled, key.Standard()); !errors.Is(err, envelope.ErrBadSignature) {
		t.Errorf("a spoiled signature: %v", err)
	}
}

func TestANationalAlgorithmIsKeptByThoseWhoCannotUseIt(t *testing.T) {
	s := found(t, "xn")
	national := key.Public{Algorithm: -70000, Bytes: []byte("a key of another kind")}
	d, err := party.Amend(s.charter, func(c *party.Contents) {
		c.Posts[0].Keys = append(c.Posts[0].Keys, party.PlaneKey{Plane: traffic.Real, Key: national})
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := party.SignCharter(d, s.roots...)
	if err != nil {
		t.Fatal(err)
	}
	post := c.Posts[0].Name
	if c.PostKey(post, traffic.Real, national.ID()) != nil {
		t.Error("an unknown algorithm verifies")
	}
	registry := key.Standard()
	registry[national.Algorithm] = func([]byte) (func(m, sig []byte) bool, error) {
		return func(m, sig []byte) bool { return bytes.Equal(m, sig) }, nil
	}
	knowing, err := party.DecodeCharter(c.Bytes(), registry)
	if err != nil {
		t.Fatal(err)
	}
	if v := knowing.PostKey(post, traffic.Real, national.ID()); v == nil || !v.Verify([]byte("x"), []byte("x")) {
		t.Error("a party that knows the algorithm cannot use the key")
	}
}

func TestDraftsAreNotTheCharterInForce(t *testing.T) {
	s := found(t, "xn")
	before := s.charter.Posts[0].Keys[0].Key.ID()
	d, err := party.Amend(s.charter, func(c *party.Contents) {
		c.Posts[0].Keys[0].Key.Bytes[0] ^= 1
		c.Name["en"] = "Elsewhere"
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.charter.Posts[0].Keys[0].Key.ID() != before || s.charter.Name["en"] != "Northland" {
		t.Error("a draft changed the charter in force")
	}
	if d.Version != 2 || d.Previous != s.charter.Hash() || d.Issued.After(time.Now()) {
		t.Errorf("draft is version %d of %v", d.Version, d.Issued)
	}
}

// The payload is what a stranger can shape freely, since he signs it with roots of his own; each input is tried as a charter and as a payload.
func FuzzCharter(f *testing.F) {
	contents, roots := standing(f)
	first, err := party.SignCharter(party.NewDraft(contents, key.Standard()), roots...)
	if err != nil {
		f.Fatal(err)
	}
	env, err := envelope.Decode(first.Bytes(), "application/vnd.detente.charter", party.MaxCharter)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(first.Bytes())
	f.Add(env.Payload)
	f.Fuzz(func(t *testing.T, b []byte) {
		signed, err := envelope.Sign(envelope.Contents{ContentType: env.ContentType, Payload: b}, roots[0].Keys[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{b, signed} {
			c, err := party.DecodeCharter(b, key.Standard())
			if err != nil {
				continue
			}
			if !bytes.Equal(c.Bytes(), b) {
				t.Error("a charter was accepted in two spellings")
			}
			var out strings.Builder
			if err := c.Print(&out, "en"); err != nil || out.Len() == 0 {
				t.Errorf("cannot be printed: %v", err)
			}
		}
	})
}

func BenchmarkDecodeCharter(b *testing.B) {
	c, _, _, err := party.Found(party.Plan{Party: "xn", Name: map[string]string{"en": "Northland"}, Languages: []string{"en"}})
	if err != nil {
		b.Fatal(err)
	}
	raw := c.Bytes()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := party.DecodeCharter(raw, key.Standard()); err != nil {
			b.Fatal(err)
		}
	}
}
