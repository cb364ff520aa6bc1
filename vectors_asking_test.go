package detente_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"detente/asking"
	"detente/canonical"
	"detente/disclosure"
	"detente/observable"
	"detente/traffic"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/oprf"
	"github.com/cloudflare/circl/zk/dleq"
)

// oprfVector is one of RFC 9497, appendix A.1.2.
type oprfVector struct {
	Vector
	Seed        Hex   `json:"seed"`
	Info        Hex   `json:"info"`
	Secret      Hex   `json:"secret"`
	Public      Hex   `json:"public"`
	Inputs      []Hex `json:"inputs"`
	Blinds      []Hex `json:"blinds"`
	Elements    Hex   `json:"elements"`
	Evaluated   Hex   `json:"evaluated"`
	ProofRandom Hex   `json:"proof-random"`
	Proof       Hex   `json:"proof"`
	Outputs     []Hex `json:"outputs"`
}

// The file is the RFC's, not ours: it is read, never written.
func TestVectorsOPRF(t *testing.T) {
	stored, err := os.ReadFile(filepath.Join("testdata", "vectors", "voprf.json"))
	if err != nil {
		t.Fatal(err)
	}
	checkVectors(t, stored, func(t testing.TB, v oprfVector) error {
		suite := oprf.SuiteRistretto255
		derived := must(oprf.DeriveKey(suite, oprf.VerifiableMode, v.Seed, v.Info))(t)
		if !bytes.Equal(must(derived.MarshalBinary())(t), v.Secret) {
			t.Error("the key derived from the seed is another")
		}
		k := must(asking.ParseKey(v.Secret))(t)
		if !bytes.Equal(must(k.Public())(t), v.Public) {
			t.Error("the public key is another")
		}
		evaluated, _, err := k.Answer(v.Elements)
		if err != nil || !bytes.Equal(evaluated, v.Evaluated) {
			t.Errorf("evaluated %x, %v", evaluated, err)
		}
		if proof := prove(t, v.Secret, v.Public, v.Elements, v.Evaluated, v.ProofRandom); !bytes.Equal(proof, v.Proof) {
			t.Errorf("proof %x", proof)
		}
		var public oprf.PublicKey
		if err := public.UnmarshalBinary(suite, v.Public); err != nil {
			return err
		}
		client := oprf.NewVerifiableClient(suite, &public)
		inputs, blinds := make([][]byte, len(v.Inputs)), make([]oprf.Blind, len(v.Inputs))
		for i := range v.Inputs {
			inputs[i], blinds[i] = v.Inputs[i], scalar(t, v.Blinds[i])
		}
		data, request, err := client.DeterministicBlind(inputs, blinds)
		if err != nil {
			return err
		}
		if got := join(t, request.Elements); !bytes.Equal(got, v.Elements) {
			t.Errorf("blinded %x", got)
		}
		proof := new(dleq.Proof)
		if err := proof.UnmarshalBinary(suite.Group(), v.Proof); err != nil {
			return err
		}
		outputs, err := client.Finalize(data, &oprf.Evaluation{Elements: elements(t, v.Evaluated), Proof: proof})
		for i := range outputs {
			if !bytes.Equal(outputs[i], v.Outputs[i]) {
				t.Errorf("output %d: %x", i, outputs[i])
			}
		}
		return err
	})
}

func scalar(t testing.TB, b []byte) group.Scalar {
	s := group.Ristretto255.NewScalar()
	if err := s.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	return s
}

func elements(t testing.TB, b []byte) (out []group.Element) {
	for ; len(b) > 0; b = b[asking.ElementSize:] {
		e := group.Ristretto255.NewElement()
		if err := e.UnmarshalBinary(b[:asking.ElementSize]); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func join(t testing.TB, list []group.Element) (out []byte) {
	for _, e := range list {
		out = append(out, must(e.MarshalBinaryCompress())(t)...)
	}
	return out
}

// prove makes the proof of an answer with a number that is fixed, where a node draws one.
func prove(t testing.TB, secret, public, blinded, evaluated, random []byte) []byte {
	params := dleq.Params{G: group.Ristretto255, H: crypto.SHA512, DST: []byte("OPRFV1-\x01-ristretto255-SHA512")}
	p, err := dleq.Prover{Params: params}.ProveBatchWithRandomnessRFC9497(
		scalar(t, secret), elements(t, public)[0], elements(t, blinded), elements(t, evaluated), scalar(t, random))
	if err != nil {
		t.Fatal(err)
	}
	return must(p.MarshalBinary())(t)
}

// lookupVector is a question with its answer, or a list.
type lookupVector struct {
	Vector
	Secret    Hex         `json:"secret,omitempty"`
	Public    Hex         `json:"public,omitempty"`
	Asked     []indicator `json:"asked,omitempty"`
	Blinds    []Hex       `json:"blinds,omitempty"`
	Elements  Hex         `json:"elements,omitempty"`
	Evaluated Hex         `json:"evaluated,omitempty"`
	Proof     Hex         `json:"proof,omitempty"`
	Entries   []Hex       `json:"entries,omitempty"`
	List      Hex         `json:"list,omitempty"`
	Bucket    int64       `json:"bucket,omitempty"`
	Has       []Hex       `json:"has,omitempty"`
	HasNot    []Hex       `json:"has-not,omitempty"`
}

type indicator struct {
	Kind  observable.Kind `json:"kind"`
	Value string          `json:"value"`
	Input Hex             `json:"input"`
}

func TestVectorsLookups(t *testing.T) {
	runVectors(t, "lookups.json", generateLookups, func(t testing.TB, v lookupVector) error {
		if v.List != nil {
			l, err := asking.ParseList(v.List, v.Bucket)
			for _, e := range v.Has {
				if err == nil && !l.Has(asking.Entry(e)) {
					t.Errorf("%x is not found", e)
				}
			}
			for _, e := range v.HasNot {
				if err == nil && l.Has(asking.Entry(e)) {
					t.Errorf("%x is found", e)
				}
			}
			return as("list", err, asking.ErrList)
		}
		var kept struct {
			Kinds  []string `cbor:"kinds"`
			Values []string `cbor:"values"`
			Blinds [][]byte `cbor:"blinds"`
		}
		for i, a := range v.Asked {
			o := observable.Observable{Kind: a.Kind, Value: a.Value}
			if !bytes.Equal(must(asking.Input(o))(t), a.Input) {
				t.Errorf("input of %s", o)
			}
			kept.Kinds, kept.Values, kept.Blinds = append(kept.Kinds, string(a.Kind)), append(kept.Values, a.Value), append(kept.Blinds, v.Blinds[i])
		}
		q := must(asking.ParseQuestion(must(canonical.Marshal(kept))(t)))(t)
		if !bytes.Equal(q.Elements, v.Elements) {
			t.Errorf("elements %x", q.Elements)
		}
		if v.Secret != nil {
			evaluated, _, err := must(asking.ParseKey(v.Secret))(t).Answer(v.Elements)
			if err != nil || !bytes.Equal(evaluated, v.Evaluated) {
				t.Errorf("evaluated %x, %v", evaluated, err)
			}
		}
		entries, err := q.Finish(v.Public, v.Evaluated, v.Proof)
		for i, e := range entries {
			if !bytes.Equal(e[:], v.Entries[i]) {
				t.Errorf("entry %x", e)
			}
		}
		for code, sentinel := range map[string]error{"key": asking.ErrKey, "count": asking.ErrCount, "element": asking.ErrElement, "proof": asking.ErrProof} {
			err = as(code, err, sentinel)
		}
		return err
	})
}

func generateLookups(t testing.TB) []lookupVector {
	fixed := func(name string) []byte {
		return must(group.Ristretto255.HashToScalar([]byte(name), []byte("detente vectors")).MarshalBinary())(t)
	}
	k := must(asking.ParseKey(fixed("key of the list")))(t)
	base := lookupVector{Secret: must(k.Bytes())(t), Public: must(k.Public())(t)}
	var kept struct {
		Kinds  []string `cbor:"kinds"`
		Values []string `cbor:"values"`
		Blinds [][]byte `cbor:"blinds"`
	}
	for i, s := range []string{
		"192.0.2.7", "2001:db8::7", "198.51.100.0/24", "bücher.example", "https://evil.example/%7Ea?b", "d41d8cd98f00b204e9800998ecf8427e", "Desk@Evil.Example",
	} {
		o := must(observable.Guess(s))(t)
		blind := fixed(fmt.Sprint("blind ", i))
		base.Asked, base.Blinds = append(base.Asked, indicator{o.Kind, o.Value, must(asking.Input(o))(t)}), append(base.Blinds, blind)
		kept.Kinds, kept.Values, kept.Blinds = append(kept.Kinds, string(o.Kind)), append(kept.Values, o.Value), append(kept.Blinds, blind)
	}
	q := must(asking.ParseQuestion(must(canonical.Marshal(kept))(t)))(t)
	base.Elements = q.Elements
	evaluated, _, err := k.Answer(q.Elements)
	if err != nil {
		t.Fatal(err)
	}
	base.Evaluated, base.Proof = evaluated, prove(t, base.Secret, base.Public, q.Elements, evaluated, fixed("proof"))
	entries := must(q.Finish(base.Public, base.Evaluated, base.Proof))(t)
	for _, e := range entries {
		base.Entries = append(base.Entries, slices.Clone(e[:]))
	}
	var list []lookupVector
	add := func(name, doc, refuse string, change func(*lookupVector)) {
		v := base
		v.Vector = Vector{name, doc, refuse}
		change(&v)
		if refuse != "" {
			v.Secret, v.Entries = nil, nil
		}
		list = append(list, v)
	}
	add("asked", "One of each kind is asked about; the answer verifies, and gives these entries.", "", func(*lookupVector) {})
	add("another-key", "The list was published with another key than the one that answered.", "proof", func(v *lookupVector) {
		other := must(asking.ParseKey(fixed("another key")))(t)
		v.Public = must(other.Public())(t)
	})
	add("proof-changed", "One bit of the proof is another.", "proof", func(v *lookupVector) {
		v.Proof = slices.Clone(v.Proof)
		v.Proof[0] ^= 1
	})
	add("proof-not-reduced", "The second scalar of the proof is the right one plus the order of the group.", "proof", func(v *lookupVector) {
		v.Proof = slices.Clone(v.Proof)
		order := []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 31: 0x10}
		carry := 0
		for i := range order {
			carry += int(v.Proof[32+i]) + int(order[i])
			v.Proof[32+i] = byte(carry)
			carry >>= 8
		}
	})
	add("swapped", "Two evaluated elements have changed places.", "proof", func(v *lookupVector) {
		v.Evaluated = slices.Concat(v.Evaluated[32:64], v.Evaluated[:32], v.Evaluated[64:])
	})
	add("one-less", "An element less than was asked is answered.", "count", func(v *lookupVector) { v.Evaluated = v.Evaluated[:len(v.Evaluated)-32] })
	add("identity", "An evaluated element is the identity.", "element", func(v *lookupVector) { v.Evaluated = slices.Concat(make([]byte, 32), v.Evaluated[32:]) })
	add("not-canonical", "An evaluated element is no encoding of RFC 9496: it is negative.", "element", func(v *lookupVector) {
		v.Evaluated = slices.Concat([]byte{0xec}, bytes.Repeat([]byte{0xff}, 30), []byte{0x7f}, v.Evaluated[32:])
	})
	add("key-identity", "The key in the statement is the identity.", "key", func(v *lookupVector) { v.Public = make([]byte, 32) })

	// A list whose filling is fixed: SHA-256 of numbers.
	all := slices.Clone(entries[:5])
	for i := 0; len(all) < asking.MinBucket; i++ {
		h := sha256.Sum256(fmt.Append(nil, "filling ", i))
		all = append(all, asking.Entry(h[:asking.EntrySize]))
	}
	slices.SortFunc(all, func(a, b asking.Entry) int { return bytes.Compare(a[:], b[:]) })
	text := []byte("detente-lookup-list.v1\n")
	for _, e := range all {
		text = append(text, e[:]...)
	}
	list = append(list, lookupVector{
		Vector: Vector{"list", "A list of five of the indicators of the first vector, and not of the last two.", ""},
		List:   text, Bucket: asking.MinBucket, Has: base.Entries[:5], HasNot: base.Entries[5:],
	}, lookupVector{
		Vector: Vector{"list-too-short", "A list of two entries.", "list"}, List: text[:23+32], Bucket: 2,
	})
	return list
}

type disclosureVector struct {
	Vector
	Issuer      traffic.Party `json:"issuer"`
	File        Hex           `json:"file,omitempty"`
	Digests     []Hex         `json:"digests,omitempty"`
	Disclosures []Hex         `json:"disclosures,omitempty"`
	Names       []string      `json:"names,omitempty"`
	Values      []Hex         `json:"values,omitempty"` // canonical encodings
}

func TestVectorsDisclosures(t *testing.T) {
	runVectors(t, "disclosure.json", generateDisclosures, func(t testing.TB, v disclosureVector) error {
		f := &disclosure.File{Issuer: v.Issuer}
		for _, d := range v.Digests {
			f.Digests = append(f.Digests, disclosure.Digest(d))
		}
		for _, d := range v.Disclosures {
			f.Disclosures = append(f.Disclosures, d)
		}
		if v.File != nil {
			var err error
			if f, err = disclosure.ParseFile(v.File); err != nil {
				return as("file", err, disclosure.ErrFile)
			}
		}
		parts, err := f.Parts()
		for i, p := range parts {
			if p.Name != v.Names[i] || !bytes.Equal(must(canonical.Marshal(p.Value))(t), v.Values[i]) {
				t.Errorf("part %s: %v", p.Name, p.Value)
			}
		}
		for code, sentinel := range map[string]error{
			"part": disclosure.ErrPart, "digests": disclosure.ErrDigests, "unknown": disclosure.ErrUnknown, "twice": disclosure.ErrTwice,
		} {
			err = as(code, err, sentinel)
		}
		return err
	})
}

func generateDisclosures(t testing.TB) []disclosureVector {
	of := func(issuer string, salt int, name string, value any) ([]byte, []byte) {
		s := sha256.Sum256(fmt.Append(nil, "salt ", salt))
		b := must(canonical.Marshal([]any{s[:], name, value}))(t)
		d := sha256.Sum256(slices.Concat([]byte("detente.v1 disclosure\n"+issuer+"\n"), b))
		return b, d[:]
	}
	var opens, digests []Hex
	values := []any{"A sensor at the exchange point.", "Районная больница", map[string]any{"count": 12, "since": 1795000000}}
	names := []string{"source", "victim", "hosts"}
	for i, value := range values {
		b, d := of("xn", i, names[i], value)
		opens, digests = append(opens, b), append(digests, d)
	}
	first := digests[0]
	for i := len(digests); i < 8; i++ {
		h := sha256.Sum256(fmt.Append(nil, "decoy ", i))
		digests = append(digests, h[:])
	}
	sorted := slices.Clone(digests)
	slices.SortFunc(sorted, func(a, b Hex) int { return bytes.Compare(a, b) })
	file := func(digests, opens []Hex, kind string) []byte {
		return must(canonical.Marshal(map[string]any{"type": kind, "issuer": "xn", "digests": digests, "disclosures": opens}))(t)
	}
	var list []disclosureVector
	add := func(name, doc, refuse string, issuer traffic.Party, digests, opens []Hex, shown ...int) {
		v := disclosureVector{Vector: Vector{name, doc, refuse}, Issuer: issuer, Digests: digests, Disclosures: opens}
		for _, i := range shown {
			v.Names, v.Values = append(v.Names, names[i]), append(v.Values, must(canonical.Marshal(values[i]))(t))
		}
		list = append(list, v)
	}
	add("all", "All three parts are shown; five digests are decoys.", "", "xn", sorted, opens, 0, 1, 2)
	add("victim", "One part is shown.", "", "xn", sorted, opens[1:2], 1)
	add("nothing", "Nothing is shown.", "", "xn", sorted, nil)
	list = append(list, disclosureVector{Vector: Vector{"file", "A file that shows the source and the hosts.", ""}, Issuer: "xn",
		File: file(sorted, []Hex{opens[0], opens[2]}, "detente-disclosures.v1"), Names: []string{names[0], names[2]},
		Values: []Hex{must(canonical.Marshal(values[0]))(t), must(canonical.Marshal(values[2]))(t)}})
	add("another-issuer", "The digests stand in a statement of another party, which has copied them.", "unknown", "xs", sorted, opens)
	changed := bytes.Replace(opens[0], []byte("sensor"), []byte("person"), 1)
	add("changed", "A word of the part is another.", "unknown", "xn", sorted, []Hex{changed})
	add("twice", "One part is shown twice.", "twice", "xn", sorted, []Hex{opens[0], opens[0]})
	other, d := of("xn", 9, "source", "Another sensor.")
	two := []Hex{first, d}
	slices.SortFunc(two, func(a, b Hex) int { return bytes.Compare(a, b) })
	add("two-values", "The author has two digests of one name, and both are shown.", "twice", "xn", two, []Hex{opens[0], other})
	add("out-of-order", "The digests do not ascend.", "digests", "xn", []Hex{sorted[1], sorted[0]}, nil)
	add("no-digests", "There are no digests.", "digests", "xn", nil, nil)
	short := must(canonical.Marshal([]any{make([]byte, 16), "source", "x"}))(t)
	add("short-salt", "The salt has 16 bytes.", "part", "xn", sorted, []Hex{short})
	capital, _ := of("xn", 0, "Source", "x")
	add("name", "The name has a capital letter.", "part", "xn", sorted, []Hex{capital})
	add("trailing", "A byte follows the disclosure.", "part", "xn", sorted, []Hex{append(slices.Clone(opens[0]), 0)})
	list = append(list, disclosureVector{Vector: Vector{"file-type", "The file says that it is something else.", "file"}, Issuer: "xn", File: file(sorted, opens, "detente-disclosures.v2")})
	return list
}
