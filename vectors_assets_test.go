package detente_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"detente/asset"
	"detente/canonical"
	"detente/traffic"
)

// assetVector is the proof of one protected asset, and the head of the list that it is on.
type assetVector struct {
	Vector
	Proof   Hex           `json:"proof"`
	Party   traffic.Party `json:"party"`
	Version uint64        `json:"version"`
	Root    Hex           `json:"root"`
	Leaves  uint64        `json:"leaves"`
	Totals  [5]uint64     `json:"totals"`
	Entry   string        `json:"entry,omitempty"`
}

func (v assetVector) head() asset.Head {
	h := asset.Head{Party: v.Party, Version: v.Version, Leaves: v.Leaves, Totals: asset.Totals{
		Entries: v.Totals[0], Addresses: v.Totals[1], Subnets: v.Totals[2], Names: v.Totals[3], Numbers: v.Totals[4],
	}}
	copy(h.Root[:], v.Root)
	return h
}

func TestVectorsAssets(t *testing.T) {
	runVectors(t, "assets.json", generateAssets, func(t testing.TB, v assetVector) error {
		p, err := asset.ParseProof(v.Proof)
		if err != nil {
			return as("proof", err, asset.ErrProof)
		}
		if v.Entry != "" && p.Entry.String() != v.Entry {
			t.Errorf("the entry is %s", p.Entry)
		}
		err = p.Verify(v.head())
		return as("head", as("root", err, asset.ErrRoot), asset.ErrHead)
	})
}

// listOf opens a list whose places and key are fixed, where its owner would draw them.
func listOf(t testing.TB, version uint64, entries ...string) *asset.List {
	key := sha256.Sum256([]byte("assets"))
	var slots []any
	for i, e := range entries {
		slots = append(slots, []any{int64(37 * (i + 1)), e})
	}
	secret := must(canonical.Marshal(map[string]any{
		"type": "detente-asset-list.v1", "party": "xn", "version": int64(version), "key": key[:], "leaves": int64(256), "entries": slots,
	}))(t)
	return must(asset.Open(secret))(t)
}

func generateAssets(t testing.TB) []assetVector {
	entries := []string{"prefix 192.0.2.0/24", "ip 198.51.100.7", "prefix 2001:db8:40::/44", "domain votes.example", "asn AS64500"}
	l := listOf(t, 3, entries...)
	vector := func(name, doc, refuse string, l *asset.List, entry string) assetVector {
		for _, e := range l.Entries() {
			if e.String() != entry {
				continue
			}
			h := l.Head()
			return assetVector{
				Vector: Vector{name, doc, refuse}, Proof: must(must(l.Prove(e))(t).Bytes())(t), Party: h.Party, Version: h.Version, Root: bytes.Clone(h.Root[:]), Leaves: h.Leaves,
				Totals: [5]uint64{h.Totals.Entries, h.Totals.Addresses, h.Totals.Subnets, h.Totals.Names, h.Totals.Numbers}, Entry: entry,
			}
		}
		t.Fatalf("no entry %s", entry)
		return assetVector{}
	}
	var out []assetVector
	for i, e := range entries {
		out = append(out, vector(fmt.Sprintf("entry %d", i+1), "An entry of each kind, of the list that the others are on too.", "", l, e))
	}
	out = append(out, vector("one", "The only entry of a list among decoys.", "", listOf(t, 1, "domain grid.example"), "domain grid.example"))
	spoil := func(name, doc, refuse string, change func(*assetVector)) {
		v := vector(name, doc, refuse, l, "domain votes.example")
		change(&v)
		v.Entry = ""
		out = append(out, v)
	}
	spoil("another party", "The root of one party is no other's.", "root", func(v *assetVector) { v.Party = "xs" })
	spoil("another version", "A proof is of one list.", "root", func(v *assetVector) { v.Version++ })
	spoil("a smaller total", "The sums along the path are the totals, all five of them.", "root", func(v *assetVector) { v.Totals[1]-- })
	spoil("another root", "The path leads to one root.", "root", func(v *assetVector) { v.Root[0] ^= 1 })
	spoil("fewer leaves", "The path has as many steps as the tree has levels.", "root", func(v *assetVector) { v.Leaves = 128 })
	spoil("odd leaves", "The leaves are a power of two.", "head", func(v *assetVector) { v.Leaves = 255 })
	spoil("more entries than leaves", "A head that no list can have.", "head", func(v *assetVector) { v.Totals[0] = 257 })
	spoil("a byte", "The proof has one form: here a hash beside the path is another.", "root", func(v *assetVector) { v.Proof[len(v.Proof)/2] ^= 1 })
	spoil("cut", "The proof is whole.", "proof", func(v *assetVector) { v.Proof = v.Proof[:len(v.Proof)-1] })
	spoil("another spelling", "An entry has one spelling, and its kind is that of the value.", "proof", func(v *assetVector) {
		v.Proof = bytes.Replace(v.Proof, []byte("domain votes.example"), []byte("domain VOTES.example"), 1)
	})
	return out
}
