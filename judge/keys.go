package judge

import (
	"detente/feed"
	"detente/key"
	"detente/party"
)

// Signers are the keys that may sign a checkpoint whose last valid statement names a charter version, protocol.md#feed; those of the newest
// version when no statement names one that is known.
func Signers(chain *party.Chain, version int) []feed.Candidate {
	c, ok := chain.At(version)
	if !ok {
		c = chain.Latest()
	}
	return []feed.Candidate{{Key: c.Verifier(c.Node.Checkpoint)}, {Key: c.Verifier(c.Node.CheckpointPQ)}}
}

// EverSigned are the checkpoint keys of every charter version: a fork is a fork, whenever its two sides were signed.
func EverSigned(chain *party.Chain) []feed.Candidate {
	var out []feed.Candidate
	seen := make(map[key.ID]bool)
	for _, c := range chain.All() {
		for _, s := range Signers(chain, c.Version) {
			if !seen[s.Key.ID()] {
				seen[s.Key.ID()] = true
				out = append(out, s)
			}
		}
	}
	return out
}

// Mirrors are the keys under which a party's cosignatures may count, protocol.md#charter.
func Mirrors(chain *party.Chain) []feed.Candidate {
	var out []feed.Candidate
	for _, pq := range []bool{false, true} {
		for _, v := range chain.MirrorKeys(pq) {
			out = append(out, feed.Candidate{Mirror: chain.Party(), Key: v})
		}
	}
	return out
}
