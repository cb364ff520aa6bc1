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

// Note is one checkpoint note, verified by the keys of one version of its party's charter. The zero value is one that has not been.
type Note struct {
	issuer  *party.Chain
	version int
	opened  feed.Checkpoint
	signed  []feed.Signed
	err     error
}

// Open is feed.OpenCheckpoint by the signers of a version. What it has found for a version it says again without verifying.
func (n *Note) Open(text string, issuer *party.Chain, version int) (feed.Checkpoint, []feed.Signed, error) {
	if n.issuer != issuer || n.version != version {
		n.issuer, n.version = issuer, version
		n.opened, n.signed, n.err = feed.OpenCheckpoint(text, Signers(issuer, version)...)
	}
	return n.opened, n.signed, n.err
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
