package detente_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"detente/feed"
	"detente/key"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"
)

// log is a feed's tree in memory, built by package tlog alone.
type log struct{ hashes []tlog.Hash }

func (l *log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = l.hashes[x]
	}
	return out, nil
}

func logOf(t testing.TB, entries ...[]byte) *log {
	l := &log{}
	for i, e := range entries {
		l.hashes = append(l.hashes, must(tlog.StoredHashes(int64(i), e, l))(t)...)
	}
	return l
}

func (l *log) root(t testing.TB, size int64) tlog.Hash { return must(tlog.TreeHash(size, l))(t) }

func (l *log) inclusion(t testing.TB, index, size int64) [][32]byte {
	return feed.Path[[32]byte](must(tlog.ProveRecord(size, index, l))(t))
}

func (l *log) consistency(t testing.TB, from, to int64) [][32]byte {
	return feed.Path[[32]byte](must(tlog.ProveTree(to, from, l))(t))
}

func hexes[H ~[32]byte](list []H) []Hex {
	out := []Hex{}
	for _, h := range list {
		out = append(out, Hex(h[:]))
	}
	return out
}

func unhexes(list []Hex) [][32]byte {
	var out [][32]byte
	for _, h := range list {
		out = append(out, [32]byte(h))
	}
	return out
}

type feedVector struct {
	Vector
	Entries     []Hex       `json:"entries,omitempty"`
	Leaves      []Hex       `json:"leaves,omitempty"`
	Roots       []Hex       `json:"roots,omitempty"` // of sizes 0, 1, …
	Consistency []extension `json:"consistency,omitempty"`
	Inclusion   *inclusion  `json:"inclusion,omitempty"`
}

type inclusion struct {
	Entry Hex   `json:"entry"`
	Index int64 `json:"index"`
	Size  int64 `json:"size"`
	Root  Hex   `json:"root"`
	Path  []Hex `json:"path"`
}

type extension struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
	Path []Hex `json:"path"`
}

func TestVectorsFeeds(t *testing.T) {
	runVectors(t, "feeds.json", generateFeeds, func(t testing.TB, v feedVector) error {
		if p := v.Inclusion; p != nil {
			c := feed.Checkpoint{Size: p.Size, Root: [32]byte(p.Root)}
			return as("not-included", c.Included(p.Index, p.Entry, unhexes(p.Path)), feed.ErrNotIncluded)
		}
		for i, e := range v.Entries {
			if h := tlog.RecordHash(e); string(h[:]) != string(v.Leaves[i]) {
				t.Errorf("leaf %d is %v", i, h)
			}
		}
		for size, want := range v.Roots {
			var held [][]byte
			for _, e := range v.Entries[:size] {
				held = append(held, e)
			}
			if root := new(feed.Head).Foresee(held); string(root[:]) != string(want) {
				t.Errorf("the root of size %d is %x", size, root)
			}
		}
		for _, c := range v.Consistency {
			from, to := tlog.Hash(v.Roots[c.From]), tlog.Hash(v.Roots[c.To])
			if err := tlog.CheckTree(feed.Path[tlog.Hash](unhexes(c.Path)), c.To, to, c.From, from); err != nil {
				t.Errorf("from %d to %d: %v", c.From, c.To, err)
			}
		}
		return nil
	})
}

// letters are entries of a feed: "a", "b", …
func letters(n int) [][]byte {
	var out [][]byte
	for i := range n {
		out = append(out, []byte{'a' + byte(i)})
	}
	return out
}

func generateFeeds(t testing.TB) []feedVector {
	const n = 13
	entries := letters(n)
	l := logOf(t, entries...)
	tree := feedVector{Vector: Vector{"tree", "A feed of thirteen entries: leaf hashes, the roots of sizes 0 to 13, consistency paths (RFC 6962).", ""}}
	tree.Roots = append(tree.Roots, hashOf(nil))
	for i, e := range entries {
		leaf, root := tlog.RecordHash(e), l.root(t, int64(i+1))
		tree.Entries, tree.Leaves, tree.Roots = append(tree.Entries, e), append(tree.Leaves, leaf[:]), append(tree.Roots, root[:])
	}
	for _, c := range [][2]int64{{1, 2}, {1, 13}, {2, 3}, {3, 7}, {4, 8}, {6, 8}, {7, 13}, {8, 13}, {12, 13}, {13, 13}} {
		tree.Consistency = append(tree.Consistency, extension{c[0], c[1], hexes(l.consistency(t, c[0], c[1]))})
	}
	list := []feedVector{tree}

	add := func(refuse, name, doc string, index, size int64, change func(*inclusion)) {
		root := l.root(t, size)
		p := &inclusion{entries[index], index, size, root[:], hexes(l.inclusion(t, index, size))}
		if change != nil {
			change(p)
		}
		list = append(list, feedVector{Vector: Vector{name, doc, refuse}, Inclusion: p})
	}
	add("", "only", "The only entry: the path is empty and the root is the leaf's hash.", 0, 1, nil)
	add("", "first", "The first of thirteen.", 0, 13, nil)
	add("", "last", "The last of thirteen, whose path is short.", 12, 13, nil)
	add("", "middle", "The seventh of eleven.", 6, 11, nil)
	add("", "perfect", "The fifth of eight.", 4, 8, nil)
	refused := func(name, doc string, index, size int64, change func(*inclusion)) {
		add("not-included", name, doc, index, size, change)
	}
	refused("other-entry", "Another entry.", 6, 11, func(p *inclusion) { p.Entry = Hex("x") })
	refused("other-index", "The index of the neighbour.", 6, 11, func(p *inclusion) { p.Index = 7 })
	refused("other-root", "The root of another size.", 6, 11, func(p *inclusion) { r := l.root(t, 12); p.Root = r[:] })
	refused("other-size", "A size in which the path would be longer, with the root of eleven.", 10, 11, func(p *inclusion) { p.Size = 13 })
	refused("index-is-size", "An index that is the size.", 6, 11, func(p *inclusion) { p.Index = 11 })
	refused("size-zero", "The first of an empty feed.", 0, 1, func(p *inclusion) { p.Size = 0 })
	refused("path-short", "The path lacks its last hash.", 6, 11, func(p *inclusion) { p.Path = p.Path[:len(p.Path)-1] })
	refused("path-long", "The path has a hash more.", 6, 11, func(p *inclusion) { p.Path = append(p.Path, p.Path[0]) })
	refused("path-reversed", "The path is the wrong way round.", 6, 11, func(p *inclusion) { slices.Reverse(p.Path) })
	refused("node-as-entry", "An inner node, its two hashes shown as an entry: leaves and nodes are hashed differently.", 0, 2, func(p *inclusion) {
		a, b := tlog.RecordHash(entries[0]), tlog.RecordHash(entries[1])
		p.Entry, p.Size, p.Path = append(a[:], b[:]...), 1, nil
	})
	return list
}

type checkpointVector struct {
	Vector
	Origin string      `json:"origin"`
	Keys   []PublicKey `json:"keys"`
	Note   string      `json:"note"`
	Size   int64       `json:"size,omitempty"`
	Root   Hex         `json:"root,omitempty"`
	Signed []signed    `json:"signed,omitempty"`
}

type signed struct {
	Algorithm key.Algorithm `json:"alg"`
	Key       Hex           `json:"key-id"`
	Time      int64         `json:"time,omitempty"`
}

func saysSigned(list []feed.Signed) []signed {
	var out []signed
	for _, s := range list {
		v := signed{Algorithm: s.Algorithm, Key: s.Key[:]}
		if !s.At.IsZero() {
			v.Time = s.At.Unix()
		}
		out = append(out, v)
	}
	return out
}

func candidates(t testing.TB, mirror traffic.Party, keys []PublicKey) []feed.Candidate {
	var out []feed.Candidate
	for _, k := range keys {
		v := must(key.Standard().Verifier(key.Public{Algorithm: k.Algorithm, Bytes: k.Public}))(t)
		out = append(out, feed.Candidate{Mirror: mirror, Key: v})
	}
	return out
}

func TestVectorsCheckpoints(t *testing.T) {
	runVectors(t, "checkpoints.json", generateCheckpoints, func(t testing.TB, v checkpointVector) error {
		c, by, err := feed.OpenCheckpoint(v.Note, candidates(t, "", v.Keys)...)
		if err != nil {
			return as("checkpoint-signature", as("note", err, feed.ErrNote), feed.ErrUnsigned)
		}
		if c.Feed.Origin() != v.Origin {
			return refused{"origin", feed.ErrOrigin}
		}
		if !slices.ContainsFunc(by, func(s feed.Signed) bool { return s.Algorithm == key.Ed25519 }) {
			return refused{"checkpoint-signature", feed.ErrUnsigned}
		}
		want := checkpointVector{Size: v.Size, Root: v.Root, Signed: v.Signed}
		if diff := cmp.Diff(want, checkpointVector{Size: c.Size, Root: c.Root[:], Signed: saysSigned(by)}); diff != "" {
			t.Error(diff)
		}
		return nil
	})
}

// feedOf is the feed of a party on the link channel of xn and xs.
func feedOf(t testing.TB, party traffic.Party) traffic.Feed {
	return traffic.Feed{Channel: linkOf(t, "xn", "xs").ID(), Party: party, Plane: traffic.Real, Precedence: traffic.Immediate}
}

var signingTime = time.Unix(1795000100, 0)

func generateCheckpoints(t testing.TB) []checkpointVector {
	xn := somebody{"xn"}
	quick, lattice := xn.node(t, "checkpoint"), xn.node(t, "checkpoint-pq")
	both := []PublicKey{quick.published(), lattice.published()}
	cp := feed.Checkpoint{Feed: feedOf(t, "xn"), Size: 13, Root: [32]byte(logOf(t, letters(13)...).root(t, 13))}
	own := func(c feed.Checkpoint, s key.Signer) string { return must(c.Sign(s, signingTime))(t) }
	line, line44 := own(cp, quick), own(cp, lattice)

	var list []checkpointVector
	add := func(refuse, name, doc, note string) *checkpointVector {
		list = append(list, checkpointVector{Vector: Vector{name, doc, refuse}, Origin: cp.Feed.Origin(), Keys: both[:1], Note: note})
		return &list[len(list)-1]
	}
	accept := func(name, doc, note string, by ...fixedSigner) {
		v := add("", name, doc, note)
		v.Size, v.Root, v.Keys = cp.Size, cp.Root[:], both[:len(by)]
		for _, s := range by {
			id := s.ID()
			one := signed{Algorithm: s.Public().Algorithm, Key: id[:]}
			if one.Algorithm != key.Ed25519 {
				one.Time = signingTime.Unix()
			}
			v.Signed = append(v.Signed, one)
		}
	}
	accept("at-once", "Signed with Ed25519.", cp.Note(line), quick)
	accept("within-a-second", "Signed with Ed25519 and ML-DSA-44.", cp.Note(line+line44), quick, lattice)
	mirror := must(cp.Cosign("xs", somebody{"xs"}.node(t, "mirror"), signingTime))(t)
	accept("others-ignored", "Lines of unknown keys and of a mirror stand among the party's.", cp.Note("— example.org/witness AAAAAAAAAAA=\n"+mirror+line), quick)
	smaller := feed.Checkpoint{Feed: cp.Feed, Size: 12, Root: cp.Root}
	accept("first-of-two", "The key has a second line, which does not verify and does not count.", cp.Note(line+own(smaller, quick)), quick)
	accept("large", "A note over 32 KiB: strangers have cosigned.", cp.Note(line+strings.Repeat("— example.org/witness "+strings.Repeat("AAAA", 811)+"\n", 11)), quick)
	empty := feed.Checkpoint{Feed: cp.Feed, Root: [32]byte(hashOf(nil))}
	v := add("", "empty", "The checkpoint of an empty feed.", empty.Note(own(empty, quick)))
	id := quick.ID()
	v.Root, v.Signed = empty.Root[:], []signed{{Algorithm: key.Ed25519, Key: id[:]}}

	other := cp
	other.Feed.Epoch = 1
	add("origin", "other-epoch", "A checkpoint of the feed's next epoch.", other.Note(own(other, quick)))
	other = cp
	other.Feed.Party = "xs"
	add("origin", "other-party", "A checkpoint of another party's feed, signed by this party's key.", other.Note(own(other, quick)))

	for _, s := range []struct{ name, doc, note string }{
		{"unsigned", "Only a mirror has cosigned.", cp.Note(mirror)},
		{"lattice-alone", "Signed with ML-DSA-44 only.", cp.Note(line44)},
		{"stranger", "Signed by a key that is not the party's.", cp.Note(own(cp, somebody{"xs"}.node(t, "checkpoint")))},
		{"other-size", "The size is another than the one signed.", strings.Replace(cp.Note(line), "\n13\n", "\n12\n", 1)},
		{"other-size-lattice", "Ed25519 signs this size, ML-DSA-44 another.", cp.Note(line + own(smaller, lattice))},
		{"second-of-two", "The key's first line does not verify; that its second one does is of no account.", cp.Note(own(smaller, quick) + line)},
		{"time-zero-lattice", "The ML-DSA-44 line has the time 0.", cp.Note(line + must(cp.Sign(lattice, time.Unix(0, 0)))(t))},
		{"mirror-key", "The party's checkpoint key has cosigned as a mirror instead.", cp.Note(must(cp.Cosign("xn", quick, signingTime))(t))},
	} {
		v := add("checkpoint-signature", s.name, s.doc, s.note)
		if strings.Contains(s.name, "lattice") {
			v.Keys = both
		}
	}

	text := cp.Text()
	lines := strings.SplitAfter(text, "\n")
	for _, s := range []struct{ name, doc, note string }{
		{"no-signatures", "No blank line and no signatures.", text},
		{"no-lines", "A blank line and no signatures.", text + "\n"},
		{"extension-line", "A fourth line: extensions are not signed by ML-DSA-44.", text + "more\n\n" + line},
		{"two-lines", "No root.", lines[0] + lines[1] + "\n" + line},
		{"size-plus", "The size has a sign.", lines[0] + "+13\n" + lines[2] + "\n" + line},
		{"size-zero-first", "The size has a leading zero.", lines[0] + "013\n" + lines[2] + "\n" + line},
		{"size-negative", "A negative size.", lines[0] + "-1\n" + lines[2] + "\n" + line},
		{"size-2^63", "A size beyond 63 bits.", lines[0] + "9223372036854775808\n" + lines[2] + "\n" + line},
		{"root-short", "A root of 31 bytes.", lines[0] + lines[1] + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n\n" + line},
		{"root-stray-bits", "A root whose last base64 digit has bits that belong to no byte.", lines[0] + lines[1] + strings.Repeat("A", 42) + "B=\n\n" + line},
		{"root-unpadded", "A root without padding.", lines[0] + lines[1] + strings.Repeat("A", 43) + "\n\n" + line},
		{"origin-upper-case", "The origin's channel id is in upper case.", lines[0][:11] + strings.ToUpper(lines[0][11:75]) + lines[0][75:] + lines[1] + lines[2] + "\n" + line},
		{"origin-precedence", "The origin names a precedence that there is not.", strings.Replace(text, "/O/", "/X/", 1) + "\n" + line},
		{"origin-epoch", "The origin's epoch has a leading zero.", strings.Replace(text, "/0\n", "/00\n", 1) + "\n" + line},
		{"line-without-dash", "A signature line does not begin with the em dash.", text + "\n" + strings.Replace(line, "— ", "- ", 1)},
		{"line-not-base64", "A signature that is not base64.", text + "\n" + strings.TrimSuffix(line, "\n") + "*\n"},
		{"line-stray-bits", "A stranger's line whose last base64 digit has bits that belong to no byte.", cp.Note(line + "— example.org/witness AAAAAAB=\n")},
		{"line-short", "A stranger's line with a key id and no signature.", cp.Note(line + "— example.org/witness AAAAAA==\n")},
		{"line-name-plus", "A stranger's name with a plus sign.", cp.Note(line + "— example.org+witness AAAAAAAA\n")},
		{"no-newline", "The last line has no end.", text + "\n" + strings.TrimSuffix(line, "\n")},
		{"carriage-returns", "Lines end with carriage returns.", strings.ReplaceAll(cp.Note(line), "\n", "\r\n")},
	} {
		add("note", s.name, s.doc, s.note)
	}
	return list
}

type cosignatureVector struct {
	Vector
	Mirror traffic.Party `json:"mirror"`
	Keys   []PublicKey   `json:"keys"`
	Note   string        `json:"note"`
	Signed []signed      `json:"signed,omitempty"`
}

func TestVectorsCosignatures(t *testing.T) {
	runVectors(t, "cosignatures.json", generateCosignatures, func(t testing.TB, v cosignatureVector) error {
		_, by, err := feed.OpenCheckpoint(v.Note, candidates(t, v.Mirror, v.Keys)...)
		if err != nil {
			return as("cosignature", err, feed.ErrUnsigned, feed.ErrCosignature)
		}
		if diff := cmp.Diff(v.Signed, saysSigned(by)); diff != "" {
			t.Error(diff)
		}
		return nil
	})
}

func generateCosignatures(t testing.TB) []cosignatureVector {
	xs := somebody{"xs"}
	quick, lattice := xs.node(t, "mirror"), xs.node(t, "mirror-pq")
	both := []PublicKey{quick.published(), lattice.published()}
	cp := feed.Checkpoint{Feed: feedOf(t, "xn"), Size: 13, Root: [32]byte(logOf(t, letters(13)...).root(t, 13))}
	own := must(cp.Sign(somebody{"xn"}.node(t, "checkpoint"), signingTime))(t)
	mirror := func(c feed.Checkpoint, s key.Signer, at time.Time) string { return must(c.Cosign("xs", s, at))(t) }
	line, line44 := mirror(cp, quick, signingTime), mirror(cp, lattice, signingTime.Add(time.Second))
	id, id44 := quick.ID(), lattice.ID()
	signed1 := signed{key.Ed25519, id[:], signingTime.Unix()}
	signed44 := signed{key.MLDSA44, id44[:], signingTime.Unix() + 1}

	var list []cosignatureVector
	add := func(refuse, name, doc, lines string, signed ...signed) {
		keys := both[:1]
		if strings.Contains(doc, "ML-DSA-44") || len(signed) > 1 {
			keys = both
		}
		list = append(list, cosignatureVector{Vector{name, doc, refuse}, "xs", keys, cp.Note(own + lines), signed})
	}
	add("", "ed25519", "Cosigned with Ed25519 (type 0x04).", line, signed1)
	add("", "ml-dsa-44", "Cosigned with ML-DSA-44 (type 0x06), one second later.", line44, signed44)
	add("", "both", "Cosigned with both.", line+line44, signed1, signed44)
	add("", "first-of-two", "The key has cosigned twice: the first line counts.", line+mirror(cp, quick, signingTime.Add(time.Hour)), signed1)
	smaller := feed.Checkpoint{Feed: cp.Feed, Size: 12, Root: cp.Root}
	add("", "one-of-two", "The ML-DSA-44 line is of another size and does not count; the other one does.", line+mirror(smaller, lattice, signingTime), signed1)

	// Two keys whose 32-bit ids under this name are the same, found by trying names.
	one, two := xs.key(t, key.Ed25519, "mirror of one id 31048"), xs.key(t, key.Ed25519, "mirror of one id 35199")
	for _, s := range []fixedSigner{one, two} {
		id := s.ID()
		add("", "same-id-"+id.String()[:4], "Two mirror keys have one id in notes: the line is by the one under which it verifies.",
			mirror(cp, s, signingTime), signed{key.Ed25519, id[:], signingTime.Unix()})
		list[len(list)-1].Keys = []PublicKey{one.published(), two.published()}
	}

	add("cosignature", "none", "Nobody has cosigned.", "")
	add("cosignature", "other-size", "A cosignature of another size.", mirror(smaller, quick, signingTime))
	other := cp
	other.Feed.Plane = traffic.Exercise
	add("cosignature", "other-plane", "A cosignature of the same tree on another plane.", mirror(other, quick, signingTime))
	add("cosignature", "other-mirror", "Cosigned by another party's mirror key under this party's name.", mirror(cp, somebody{"xl"}.node(t, "mirror"), signingTime))
	add("cosignature", "other-name", "Cosigned by this key under another party's name.", must(cp.Cosign("xl", quick, signingTime))(t))
	add("cosignature", "checkpoint-key", "Signed by the cosigner's checkpoint key.", mirror(cp, xs.node(t, "checkpoint"), signingTime))
	add("cosignature", "as-log", "The mirror key has signed as a log signs its own checkpoint (type 0x01).", must(cp.Sign(quick, signingTime))(t))
	add("cosignature", "second-of-two", "The key's first line does not verify; that its second one does is of no account.", mirror(smaller, quick, signingTime)+line)
	add("cosignature", "time-zero", "The time is 0.", mirror(cp, quick, time.Unix(0, 0)))
	add("cosignature", "time-10000", "A time after the year 9999.", mirror(cp, quick, time.Unix(253402300800, 0)))
	add("cosignature", "time-2^63", "A time beyond 63 bits.", mirror(cp, quick, time.Unix(-1<<63, 0)))
	add("cosignature", "time-moved", "The time is another than the one signed.", moved(t, line))
	return list
}

// moved changes the time of a cosignature line by a second.
func moved(t testing.TB, line string) string {
	later := fromBase64(t, line[strings.LastIndex(line, " ")+1:len(line)-1])
	later[11]++
	return line[:strings.LastIndex(line, " ")+1] + toBase64(later) + "\n"
}
