package detente_test

import (
	"encoding/base64"
	"testing"

	"detente/evidence"
	"detente/feed"
	"detente/key"
	"detente/party"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

func fromBase64(t testing.TB, s string) []byte { return must(base64.StdEncoding.DecodeString(s))(t) }
func toBase64(b []byte) string                 { return base64.StdEncoding.EncodeToString(b) }

type forkVector struct {
	Vector
	Trusted []string      `json:"trusted"` // names of vectors of charters.json
	Fork    Hex           `json:"fork"`
	Party   traffic.Party `json:"party,omitempty"`
	Smaller int64         `json:"smaller,omitempty"`
	Larger  int64         `json:"larger,omitempty"`
	Keys    []forkKey     `json:"keys,omitempty"`
	// Doubtful: one of the two is signed by withdrawn keys alone.
	Doubtful bool `json:"doubtful,omitempty"`
}

type forkKey struct {
	Key       Hex   `json:"key-id"`
	Withdrawn int64 `json:"withdrawn,omitempty"`
}

// readers makes readers who trust the charters that have the given names in charters.json.
func readers(t testing.TB) func(names []string) *evidence.Reader {
	chains := map[string]*party.Chain{}
	for _, v := range generateCharters(t) {
		if v.Refuse == "" && len(v.Charters) == 1 {
			chains[v.Name] = chainOf(t, v.Charters[0])
		}
	}
	return func(names []string) *evidence.Reader {
		r := &evidence.Reader{Registry: key.Standard(), Trusted: map[traffic.Party]*party.Chain{}}
		for _, n := range names {
			r.Trusted[chains[n].Party()] = chains[n]
		}
		return r
	}
}

func TestVectorsForks(t *testing.T) {
	reader := readers(t)
	runVectors(t, "forks.json", generateForks, func(t testing.TB, v forkVector) error {
		c, err := reader(v.Trusted).Fork(v.Fork)
		if err != nil {
			return err
		}
		if c.Party != v.Party || c.Smaller.Size != v.Smaller || c.Larger.Size != v.Larger {
			t.Errorf("convicts %s of %d and %d", c.Party, c.Smaller.Size, c.Larger.Size)
		}
		var keys []forkKey
		for _, k := range c.Keys {
			out := forkKey{Key: unhex(t, k.ID)}
			if !k.Withdrawn.IsZero() {
				out.Withdrawn = k.Withdrawn.Unix()
			}
			keys = append(keys, out)
		}
		if diff := cmp.Diff(v.Keys, keys); diff != "" || c.Doubtful != v.Doubtful {
			t.Errorf("doubtful %t\n%s", c.Doubtful, diff)
		}
		return nil
	})
}

func generateForks(t testing.TB) []forkVector {
	xn := somebody{"xn"}
	charter := xn.founded(t)
	name := feedOf(t, "xn")
	quick, lattice := xn.node(t, "checkpoint"), xn.node(t, "checkpoint-pq")
	// Two histories that part after the fifth entry.
	one, two := letters(13), letters(13)
	two[5] = []byte("another f")
	a, b := logOf(t, one...), logOf(t, two...)
	note := func(l *log, size int64, signers ...fixedSigner) string {
		c := feed.Checkpoint{Feed: name, Size: size, Root: [32]byte(l.root(t, size))}
		lines := ""
		for _, s := range signers {
			lines += must(c.Sign(s, signingTime))(t)
		}
		return c.Note(lines)
	}
	// path is the consistency path of the larger tree, its first hash made explicit.
	path := func(l *log, from, to int64) [][32]byte {
		p := l.consistency(t, from, to)
		if from&(from-1) == 0 {
			p = append([][32]byte{l.root(t, from)}, p...)
		}
		return p
	}
	var list []forkVector
	add := func(refuse, doc, title string, f feed.Fork, trusted ...string) {
		if f.Feed == (traffic.Feed{}) {
			f.Feed = name
		}
		if f.Path == nil {
			f.Path = [][32]byte{}
		}
		if f.Charters == nil {
			f.Charters = [][]byte{}
		}
		v := forkVector{Vector: Vector{title, doc, refuse}, Fork: must(f.Encode())(t)}
		if trusted == nil {
			trusted = []string{"founded"}
		}
		v.Trusted = trusted
		list = append(list, v)
	}
	convicts := func(title, doc string, smaller, larger int64, f feed.Fork, keys ...fixedSigner) *forkVector {
		add("", doc, title, f)
		v := &list[len(list)-1]
		v.Party, v.Smaller, v.Larger = "xn", smaller, larger
		if keys == nil {
			keys = []fixedSigner{quick}
		}
		for _, k := range keys {
			id := k.ID()
			v.Keys = append(v.Keys, forkKey{Key: id[:]})
		}
		return v
	}
	convicts("same-size", "Two roots of one size.", 13, 13, feed.Fork{Smaller: note(a, 13, quick), Larger: note(b, 13, quick)})
	convicts("other-size", "The tree of eleven entries is not a prefix of that of thirteen.", 11, 13,
		feed.Fork{Smaller: note(a, 11, quick), Larger: note(b, 13, quick), Path: path(b, 11, 13)})
	convicts("power-of-two", "The smaller size is a power of two: the path begins with the root that the larger tree has there.", 8, 13,
		feed.Fork{Smaller: note(a, 8, quick), Larger: note(b, 13, quick), Path: path(b, 8, 13)})
	convicts("both-algorithms", "The checkpoints bear ML-DSA-44 too.", 13, 13,
		feed.Fork{Smaller: note(a, 13, quick, lattice), Larger: note(b, 13, quick, lattice)}, quick, lattice)
	fresh := xn.key(t, key.Ed25519, "checkpoint 2")
	successor := func(withdrawn bool) []byte {
		m := xn.next(t, 2, charter)
		m["node"].(map[string]any)["checkpoint"] = wireKey(fresh)
		if id := quick.ID(); withdrawn {
			m["revoked"] = []any{map[string]any{"key": id[:], "since": signingTime.Unix(), "reason": "stolen"}}
		}
		return signCharter(t, m, xn.root(t))
	}
	convicts("other-version", "One is signed by the key of version 1, the other by that of version 2.", 13, 13,
		feed.Fork{Smaller: note(a, 13, quick), Larger: note(b, 13, fresh), Charters: [][]byte{successor(false)}}, quick, fresh)
	v := convicts("withdrawn-key", "One is signed by a key that version 2 withdraws: whoever held it is convicted, perhaps a thief.", 13, 13,
		feed.Fork{Smaller: note(a, 13, quick), Larger: note(b, 13, fresh), Charters: [][]byte{successor(true)}}, quick, fresh)
	v.Keys[0].Withdrawn, v.Doubtful = signingTime.Unix(), true
	v = convicts("withdrawn-key-and-another", "One is signed by a withdrawn key, and by one that is not: the party is convicted.", 13, 13,
		feed.Fork{Smaller: note(a, 13, quick, lattice), Larger: note(b, 13, fresh), Charters: [][]byte{successor(true)}}, quick, lattice, fresh)
	v.Keys[0].Withdrawn = signingTime.Unix()

	add("checkpoint-signature", "The second checkpoint is signed with ML-DSA-44 only.", "lattice-alone",
		feed.Fork{Smaller: note(a, 13, quick), Larger: note(b, 13, lattice)})
	add("no-fork", "A path between two trees of one size.", "path-of-one-size",
		feed.Fork{Smaller: note(a, 13, quick), Larger: note(b, 13, quick), Path: path(b, 11, 13)})
	add("no-fork", "The same checkpoint twice.", "same", feed.Fork{Smaller: note(a, 13, quick), Larger: note(a, 13, quick)})
	add("no-fork", "Two consistent checkpoints.", "consistent", feed.Fork{Smaller: note(a, 11, quick), Larger: note(a, 13, quick), Path: path(a, 11, 13)})
	add("no-fork", "Two checkpoints from before the histories part.", "before-the-fork",
		feed.Fork{Smaller: note(a, 4, quick), Larger: note(b, 13, quick), Path: path(b, 4, 13)})
	add("no-fork", "The path folds to the smaller root and not to the larger one, which anybody can invent.", "path-of-the-smaller",
		feed.Fork{Smaller: note(a, 11, quick), Larger: note(b, 13, quick), Path: path(a, 11, 13)})
	add("no-fork", "The path lacks its last hash.", "path-short",
		feed.Fork{Smaller: note(a, 11, quick), Larger: note(b, 13, quick), Path: path(b, 11, 13)[:3]})
	add("no-fork", "The path has a hash more.", "path-long",
		feed.Fork{Smaller: note(a, 11, quick), Larger: note(b, 13, quick), Path: append(path(b, 11, 13), [32]byte{})})
	add("no-fork", "The path is that of RFC 6962 for a power of two, without the first hash.", "path-rfc6962",
		feed.Fork{Smaller: note(a, 8, quick), Larger: note(b, 13, quick), Path: path(b, 8, 13)[1:]})
	add("no-fork", "The larger checkpoint stands first.", "larger-first", feed.Fork{Smaller: note(b, 13, quick), Larger: note(a, 11, quick), Path: path(b, 11, 13)})
	add("checkpoint-signature", "The second checkpoint is signed by another party's key.", "framed",
		feed.Fork{Smaller: note(a, 13, quick), Larger: note(b, 13, somebody{"xs"}.node(t, "checkpoint"))})
	add("checkpoint-signature", "The second checkpoint's ML-DSA-44 line is that of the first.", "lattice-of-the-other",
		feed.Fork{Smaller: note(a, 13, quick), Larger: note(b, 13, quick) + feed.Lines(note(a, 13, lattice))})
	next := name
	next.Epoch = 1
	add("origin", "The object names another epoch than the checkpoints.", "other-feed",
		feed.Fork{Feed: next, Smaller: note(a, 13, quick), Larger: note(b, 13, quick)})
	add("untrusted", "No charter of the party is trusted; the one that the object brings along does not help.", "untrusted",
		feed.Fork{Smaller: note(a, 13, quick), Larger: note(b, 13, quick), Charters: [][]byte{charter}}, "founded-xs")
	return list
}
