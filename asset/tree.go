package asset

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"detente/traffic"
)

const (
	label    = "detente.v1 asset\n"
	saltSize = 32
	maxDepth = 17 // 131,072 leaves, more than twice MaxEntries
)

// node is a hash and what lies below it.
type node struct {
	Hash [32]byte
	Sums Totals
}

// leaf hashes an entry, or a decoy where entry is "". Party and version are in it, so that nobody can publish another's root and use the proofs that the
// other has shown.
func leaf(p traffic.Party, version uint64, salt []byte, weight Totals, entry string) node {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write([]byte(label))
	h.Write([]byte(p))
	h.Write([]byte{'\n'})
	h.Write(binary.BigEndian.AppendUint64(nil, version))
	h.Write(salt)
	h.Write(weight.bytes())
	h.Write([]byte(entry))
	return node{Hash: [32]byte(h.Sum(nil)), Sums: weight}
}

// join is the parent of two nodes; false if its sums would go beyond what a total may be.
func join(l, r node) (node, bool) {
	sums, ok := l.Sums.plus(r.Sums)
	if !ok {
		return node{}, false
	}
	h := sha256.New()
	h.Write([]byte{1})
	h.Write(l.Hash[:])
	h.Write(l.Sums.bytes())
	h.Write(r.Hash[:])
	h.Write(r.Sums.bytes())
	return node{Hash: [32]byte(h.Sum(nil)), Sums: sums}, true
}

func (t Totals) bytes() []byte {
	b := make([]byte, 0, 40)
	for _, n := range t.each() {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// parseNode reads a hash and its sums.
func parseNode(b []byte) (n node, ok bool) {
	if len(b) != 32+40 {
		return n, false
	}
	var sums [5]uint64
	for i := range sums {
		if sums[i] = binary.BigEndian.Uint64(b[32+8*i:]); sums[i] > maxTotal {
			return n, false
		}
	}
	return node{[32]byte(b[:32]), Totals{sums[0], sums[1], sums[2], sums[3], sums[4]}}, true
}

// salt is that of the leaf at an index. The key is fresh for each version, so that no leaf can be recognised in the next one.
func salt(key []byte, version, index uint64) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(label))
	h.Write(binary.BigEndian.AppendUint64(nil, version))
	h.Write(binary.BigEndian.AppendUint64(nil, index))
	return h.Sum(nil)
}

// depthOf gives the depth of a tree of that many leaves; false unless it is a power of two from 2 to 1<<maxDepth.
func depthOf(leaves uint64) (int, bool) {
	d := bits.Len64(leaves) - 1
	return d, d >= 1 && d <= maxDepth && leaves == 1<<d
}
