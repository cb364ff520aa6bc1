package detente_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"

	"detente/canonical"
	"detente/feed"
	"detente/key"
	"detente/party"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

type proofVector struct {
	Vector
	Trusted []string    `json:"trusted"` // names of vectors of charters.json
	Proof   Hex         `json:"proof"`
	Says    *proofValue `json:"says,omitempty"`
}

type proofValue struct {
	Level     string         `json:"level"`
	Statement Hex            `json:"statement"` // its id
	Origin    string         `json:"origin"`
	Index     int64          `json:"index"`
	Size      int64          `json:"size"`
	Receipts  []proofReceipt `json:"receipts,omitempty"`
}

type proofReceipt struct {
	Party traffic.Party `json:"party"`
	Time  int64         `json:"time"`
}

// The verdicts are reached without the regime: what only a form can tell is no part of these vectors.
func TestVectorsProofs(t *testing.T) {
	reader := readers(t)
	runVectors(t, "proofs.json", generateProofs, func(t testing.TB, v proofVector) error {
		verdict, err := reader(v.Trusted).Proof(v.Proof)
		if err != nil {
			return err
		}
		got := &proofValue{
			Level: string(verdict.Level), Statement: unhex(t, verdict.Statement.ID), Origin: verdict.Position.Feed,
			Index: verdict.Position.Index, Size: verdict.Position.Size,
		}
		for _, r := range verdict.Receipts {
			got.Receipts = append(got.Receipts, proofReceipt{r.Party, r.At.Unix()})
		}
		if diff := cmp.Diff(v.Says, got); diff != "" {
			t.Error(diff)
		}
		return nil
	})
}

// exhibit is a proof being put together, from a feed of five entries, or more, of which the second is the statement.
type exhibit struct {
	header    statement.Header
	signer    key.Signer
	also      []key.Signer
	payload   []byte
	logged    []byte // instead of the statement
	channel   *party.Channel
	feed      traffic.Feed
	index     int64
	size      int64 // of the tree
	author    fixedSigner
	lines     func(feed.Checkpoint) string // of mirrors
	adoption  *statement.Header            // stands at index 3
	adopter   fixedSigner
	adoptedAt int64
	charters  [][]byte
	trusted   []string
	change    func(map[string]any)
}

func newExhibit(t testing.TB) *exhibit {
	xn := somebody{"xn"}
	link := linkOf(t, "xn", "xs")
	return &exhibit{
		header: statement.Header{
			Issuer: traffic.Address{Party: "xn", Post: "nrrc"}, Audience: "xs", IssuedAt: time.Unix(1795000000, 0), Channel: link.ID(),
			Plane: traffic.Real, Precedence: traffic.Immediate, Form: "inquiry", Version: 1, Clock: 1, Language: "en", Drafter: "duty-officer", Charter: 1,
		},
		signer: xn.post(t), payload: []byte("\xa1\x64text\x65hello"), channel: link, feed: feedOf(t, "xn"), index: 1, size: 5, author: xn.node(t, "checkpoint"),
		lines: func(feed.Checkpoint) string { return "" }, adoptedAt: 3, trusted: []string{"founded"},
	}
}

func (x *exhibit) proof(t testing.TB) (raw []byte, says *proofValue) {
	sign := func(h statement.Header, s ...key.Signer) []byte {
		return must(statement.Sign(h, x.payload, s...))(t).Bytes()
	}
	entries := letters(int(x.size))
	if x.adoption != nil {
		entries[x.adoptedAt] = sign(*x.adoption, x.adopter)
	}
	entries[1] = x.logged
	if x.logged == nil {
		entries[1] = sign(x.header, append([]key.Signer{x.signer}, x.also...)...)
	}
	tree := logOf(t, entries...)
	cp := feed.Checkpoint{Feed: x.feed, Size: x.size, Root: [32]byte(tree.root(t, x.size))}
	p := feed.Proof{
		Channel: x.channel.Bytes(), Feed: x.feed, Index: x.index, Statement: entries[1], Path: tree.inclusion(t, 1, x.size),
		Checkpoint: cp.Note(must(cp.Sign(x.author, signingTime))(t) + x.lines(cp)), Charters: x.charters,
	}
	if x.adoption != nil {
		p.Adoptions = []feed.Adoption{{Index: x.adoptedAt, Statement: entries[x.adoptedAt], Path: tree.inclusion(t, x.adoptedAt, x.size)}}
	}
	raw = must(p.Encode())(t)
	if x.change != nil {
		m := map[string]any{}
		if err := canonical.Unmarshal(raw, &m, len(raw)); err != nil {
			t.Fatal(err)
		}
		x.change(m)
		raw = must(canonical.Marshal(m))(t)
	}
	return raw, &proofValue{Level: "E1", Statement: hashOf(entries[1]), Origin: x.feed.Origin(), Index: 1, Size: x.size}
}

// private signs with an algorithm that nobody else knows.
type private struct{}

func (private) Public() key.Public            { return key.Public{Algorithm: -70000, Bytes: []byte{1}} }
func (p private) ID() key.ID                  { return p.Public().ID() }
func (private) Sign(m []byte) ([]byte, error) { return hashOf(m), nil }

func generateProofs(t testing.TB) []proofVector {
	xn, xs := somebody{"xn"}, somebody{"xs"}
	first := xn.founded(t)
	var list []proofVector
	add := func(refuse, name, doc string, change func(x *exhibit)) *proofVector {
		x := newExhibit(t)
		change(x)
		v := proofVector{Vector: Vector{name, doc, refuse}}
		v.Proof, v.Says = x.proof(t)
		if refuse != "" {
			v.Says = nil
		}
		v.Trusted = x.trusted
		list = append(list, v)
		return &list[len(list)-1]
	}
	cosign := func(use string, at time.Time) func(feed.Checkpoint) string {
		return func(c feed.Checkpoint) string { return must(c.Cosign("xs", xs.node(t, use), at))(t) }
	}
	both := []string{"founded", "founded-xs"}
	held := []proofReceipt{{"xs", signingTime.Unix()}}

	add("", "logged", "Signed and in the issuer's feed, cosigned by nobody.", func(*exhibit) {})
	v := add("", "held", "Cosigned by the addressee.", func(x *exhibit) { x.trusted, x.lines = both, cosign("mirror", signingTime) })
	v.Says.Level, v.Says.Receipts = "E2", held
	v = add("", "held-twice", "Cosigned by the addressee with Ed25519, and with ML-DSA-44 a second later, the checkpoint too: the earlier time counts.", func(x *exhibit) {
		x.trusted = both
		x.lines = func(c feed.Checkpoint) string {
			own := must(c.Sign(xn.node(t, "checkpoint-pq"), signingTime))(t)
			return own + cosign("mirror", signingTime)(c) + cosign("mirror-pq", signingTime.Add(time.Second))(c)
		}
	})
	v.Says.Level, v.Says.Receipts = "E2", held
	add("", "cosigner-untrusted", "Cosigned by the addressee, of whom no charter is trusted: not counted.", func(x *exhibit) { x.lines = cosign("mirror", signingTime) })
	add("", "cosignature-of-another-size", "The addressee's line does not verify: not counted, and no harm to the rest.", func(x *exhibit) {
		x.trusted = both
		x.lines = func(c feed.Checkpoint) string { c.Size = 4; return cosign("mirror", signingTime)(c) }
	})
	gone := xs.next(t, 2, xs.founded(t))
	withdrawn := xs.node(t, "mirror").ID()
	gone["node"].(map[string]any)["mirror"] = wireKey(xs.key(t, key.Ed25519, "mirror 2"))
	gone["revoked"] = []any{map[string]any{"key": withdrawn[:], "since": signingTime.Unix(), "reason": "machine lost"}}
	add("", "cosignature-by-a-withdrawn-key", "The addressee's mirror key was withdrawn since the second of its cosignature: not counted.", func(x *exhibit) {
		x.trusted, x.charters, x.lines = both, [][]byte{signCharter(t, gone, xs.root(t))}, cosign("mirror", signingTime)
	})

	// Version 2 of the issuer's charter has another key at the post.
	second := xn.key(t, key.Ed25519, "nrrc real 2")
	changed := xn.next(t, 2, first)
	changed["posts"].([]any)[0].(map[string]any)["keys"] = []any{[]any{"real", wireKey(second)}}
	newer := signCharter(t, changed, xn.root(t))
	adopt := func(at int64, charter int, s fixedSigner) func(x *exhibit) {
		return func(x *exhibit) {
			h := x.header
			h.Charter, h.Clock = charter, 2
			x.charters, x.adoption, x.adopter, x.adoptedAt = [][]byte{newer}, &h, s, at
		}
	}
	add("", "adopted", "The key that signed was withdrawn; a later entry of the feed names the newer charter, so the statement is older.", adopt(3, 2, second))
	add("", "new-key", "Signed by the new key under version 2 of the charter, which the proof brings along.", func(x *exhibit) {
		x.header.Charter, x.signer, x.charters = 2, second, [][]byte{newer}
	})
	add("withdrawn", "withdrawn", "The key that signed was withdrawn, and nothing shows that the statement is older.", func(x *exhibit) { x.charters = [][]byte{newer} })
	add("withdrawn", "adopted-before", "The entry that names the newer charter stands before the statement.", adopt(0, 2, second))
	add("withdrawn", "adopted-by-the-old-key", "The later entry names the newer charter and is signed by the key that it lacks.", adopt(3, 2, xn.post(t)))
	add("withdrawn", "adopted-not", "The later entry names the old charter still.", adopt(3, 1, xn.post(t)))

	// Version 3 withdraws the old checkpoint keys; another version 2 does so at once.
	fresh, fresh44 := xn.key(t, key.Ed25519, "checkpoint 2"), xn.key(t, key.MLDSA44, "checkpoint-pq 2")
	oldCheckpoint := xn.node(t, "checkpoint").ID()
	rekeyed := func(m map[string]any) []byte {
		m["posts"] = changed["posts"]
		m["node"] = maps.Clone(m["node"].(map[string]any))
		m["node"].(map[string]any)["checkpoint"], m["node"].(map[string]any)["checkpoint-pq"] = wireKey(fresh), wireKey(fresh44)
		return signCharter(t, m, xn.root(t))
	}
	third := xn.next(t, 3, newer)
	third["revoked"] = []any{map[string]any{"key": oldCheckpoint[:], "since": signingTime.Unix(), "reason": "stolen"}}
	atOnce, later := rekeyed(xn.next(t, 2, first)), rekeyed(third)
	add("", "adopted-under-the-new-checkpoint-key", "Post and checkpoint keys were replaced; the later entry names the new version, and its key signs the checkpoint.", func(x *exhibit) {
		adopt(3, 2, second)(x)
		x.charters, x.author = [][]byte{atOnce}, fresh
	})
	add("withdrawn", "thief", "Who has the withdrawn keys of post and checkpoint logs a statement of his own, and behind it a copy of a genuine entry under the "+
		"new version; the checkpoint is signed by the old key.", func(x *exhibit) {
		adopt(3, 2, second)(x)
		x.charters = [][]byte{atOnce}
	})
	add("withdrawn", "thief-of-a-key-in-force", "As before, but the checkpoint key was withdrawn only by version 3, so that the version which the copied entry names "+
		"holds it still.", func(x *exhibit) {
		adopt(3, 2, second)(x)
		x.charters = [][]byte{newer, later}
	})
	add("", "stolen-checkpoint-key", "The checkpoint is signed by a key that was withdrawn since, the post's key was not: it was said, though perhaps not at this place.", func(x *exhibit) {
		m := xn.next(t, 2, first)
		m["revoked"] = third["revoked"]
		m["node"] = maps.Clone(m["node"].(map[string]any))
		m["node"].(map[string]any)["checkpoint"] = wireKey(fresh)
		x.charters = [][]byte{signCharter(t, m, xn.root(t))}
	})
	add("withdrawn", "adopted-elsewhere", "The entry that names the newer charter is not where the proof says.", func(x *exhibit) {
		adopt(3, 2, second)(x)
		x.change = func(m map[string]any) { m["adoptions"].([]any)[0].(map[any]any)["index"] = 4 }
	})
	add("", "new-checkpoint-key", "Another entry stands at the end of the tree: the checkpoint may be signed under a newer charter than the statement's.", func(x *exhibit) {
		m := xn.next(t, 2, first)
		m["node"] = maps.Clone(m["node"].(map[string]any))
		m["node"].(map[string]any)["checkpoint"] = wireKey(fresh)
		x.charters, x.author = [][]byte{signCharter(t, m, xn.root(t))}, fresh
	})
	add("checkpoint-signature", "newer-checkpoint-key-at-the-end", "The statement is the last entry: its own version judges the checkpoint, not a newer one.", func(x *exhibit) {
		m := xn.next(t, 2, first)
		m["node"] = maps.Clone(m["node"].(map[string]any))
		m["node"].(map[string]any)["checkpoint"] = wireKey(fresh)
		x.charters, x.author, x.size = [][]byte{signCharter(t, m, xn.root(t))}, fresh, 2
	})
	add("checkpoint-signature", "older-checkpoint-key", "The statement names version 2, and the checkpoint is signed by the key of version 1.", func(x *exhibit) {
		x.header.Charter, x.signer, x.charters = 2, second, [][]byte{atOnce}
	})
	add("", "last", "The statement is the last entry.", func(x *exhibit) { x.size = 2 })
	add("", "passed-over", "A charter in the file continues none that is trusted: it is passed over.", func(x *exhibit) {
		x.charters = [][]byte{signCharter(t, xn.next(t, 2, newer), xn.root(t))}
	})
	add("", "payload-no-map", "The payload is no map; only the form could say so.", func(x *exhibit) { x.payload = []byte{1} })
	v = add("", "to-itself", "Addressed to the issuer's own party: held by the other, and not proved to be held by whom it is addressed to.", func(x *exhibit) {
		x.header.Audience, x.trusted, x.lines = "xn", both, cosign("mirror", signingTime)
	})
	v.Says.Receipts = held
	v = add("", "to-everyone", "Addressed to all members, who are the issuer and one other.", func(x *exhibit) {
		x.header.Audience, x.trusted, x.lines = "*", both, cosign("mirror", signingTime)
	})
	v.Says.Level, v.Says.Receipts = "E2", held

	refuse := func(code, name, doc string, change func(x *exhibit)) { add(code, name, doc, change) }
	refuse("not-included", "other-index", "The statement stands at another index.", func(x *exhibit) { x.index = 2 })
	refuse("not-included", "path-short", "The path lacks its last hash.", func(x *exhibit) {
		x.change = func(m map[string]any) { p := m["path"].([]any); m["path"] = p[:len(p)-1] }
	})
	refuse("untrusted", "untrusted", "No charter of the issuer is trusted; the one in the proof does not help.", func(x *exhibit) {
		x.trusted, x.charters = []string{}, [][]byte{first}
	})
	refuse("untrusted", "other-genesis", "The channel's member of that name began with another charter than the one trusted.", func(x *exhibit) {
		x.trusted = []string{"founded-again"}
	})
	refuse("wrong-feed", "other-channel", "The channel's charter is not that of the feed's channel.", func(x *exhibit) { x.channel = linkOf(t, "xl", "xn") })
	refuse("wrong-feed", "other-plane", "The statement is of the exercise and logged in the real feed.", func(x *exhibit) { x.header.Plane = traffic.Exercise })
	refuse("wrong-feed", "other-precedence", "The statement is FLASH and logged in the IMMEDIATE feed.", func(x *exhibit) { x.header.Precedence = traffic.Flash })
	refuse("not-issuer", "other-issuer", "The issuer is another party than the feed's.", func(x *exhibit) {
		x.header.Issuer.Party, x.header.Audience, x.signer = "xs", "xn", xs.post(t)
	})
	refuse("charter-unknown", "charter-unknown", "The statement is to be judged by a version that nobody shows.", func(x *exhibit) { x.header.Charter = 2 })
	refuse("unknown-key", "other-key", "Signed by a key that the post does not hold.", func(x *exhibit) { x.signer = second })
	refuse("unknown-key", "other-post", "The issuer is a post that does not hold the key.", func(x *exhibit) { x.header.Issuer.Post = "cert" })
	refuse("bad-signature", "forged", "The statement was changed after it was signed, and then logged.", func(x *exhibit) {
		s := must(statement.Sign(x.header, []byte("\xa1\x64text\x65hello"), x.signer))(t).Bytes()
		x.logged = bytes.Replace(s, []byte("hello"), []byte("jello"), 1)
	})
	refuse("shape", "not-a-statement", "What is logged is no statement.", func(x *exhibit) { x.logged = []byte("hello") })
	onCommon := func(field string, value any) func(x *exhibit) {
		return func(x *exhibit) {
			m := common(t)
			m[field] = value
			x.channel = must(party.DecodeChannel(must(canonical.Marshal(m))(t)))(t)
			x.header.Channel, x.feed.Channel = x.channel.ID(), x.channel.ID()
		}
	}
	add("", "common", "On a common channel: the post may speak on it, and the signatures that it demands are there.", onCommon("protected", true))
	refuse("signatures-missing", "signatures-missing", "The channel demands ML-DSA-65 as well.", onCommon("signatures", []any{key.Ed25519, key.MLDSA65}))
	refuse("signatures-missing", "signatures-missing-on-the-form", "The channel demands ML-DSA-65 as well, on this form.", onCommon("also", map[string]any{"inquiry": []any{key.MLDSA65}}))
	refuse("not-allowed-post", "not-allowed-post", "Only other posts may speak on the channel.", onCommon("posts", []any{"cert", "mfa"}))
	refuse("unknown-key", "algorithm-unknown", "Signed by a post's key of a private algorithm as well, which the reader does not know.", func(x *exhibit) {
		m := xn.next(t, 2, first)
		m["posts"] = []any{map[string]any{"post": "nrrc", "may": []any{}, "keys": []any{
			[]any{"real", []any{key.Ed25519, xn.post(t).Public().Bytes}}, []any{"real", []any{-70000, []byte{1}}},
		}}}
		x.also = []key.Signer{private{}}
		x.header.Charter, x.charters = 2, [][]byte{signCharter(t, m, xn.root(t))}
	})
	refuse("wrong-audience", "audience", "Addressed to a party that is no member.", func(x *exhibit) { x.header.Audience = "xl" })
	refuse("origin", "other-epoch", "The checkpoint is of another epoch than the feed named.", func(x *exhibit) {
		x.change = func(m map[string]any) { m["feed"].([]any)[4] = 1 }
	})
	refuse("checkpoint-signature", "checkpoint-forged", "The checkpoint is signed by the other party.", func(x *exhibit) { x.author = xs.node(t, "checkpoint") })
	refuse("note", "not-a-note", "The checkpoint is no note.", func(x *exhibit) { x.change = func(m map[string]any) { m["checkpoint"] = "x" } })
	refuse("channel", "not-a-channel", "The channel's charter is no such thing.", func(x *exhibit) { x.change = func(m map[string]any) { m["channel"] = []byte{0xa0} } })
	for _, s := range []struct {
		name, doc, field string
		value            any
	}{
		{"field-missing", "The path is not there.", "path", nil},
		{"field-unknown", "A field that is not in the document.", "comment", "x"},
		{"type-other", "Another version of the format.", "type", "detente-proof.v2"},
		{"path-hash-short", "A hash of 31 bytes.", "path", []any{make([]byte, 31)}},
		{"path-65", "A path of 65 hashes.", "path", slices.Repeat([]any{make([]byte, 32)}, 65)},
		{"index-negative", "An index of -1.", "index", -1},
		{"adoptions-two", "Two adoptions.", "adoptions", slices.Repeat([]any{map[string]any{"index": 3, "statement": []byte{}, "path": []any{}}}, 2)},
		{"adoptions-empty", "adoptions is there and empty.", "adoptions", []any{}},
	} {
		refuse("proof-shape", s.name, s.doc, func(x *exhibit) {
			x.change = func(m map[string]any) {
				if m[s.field] = s.value; s.value == nil {
					delete(m, s.field)
				}
			}
		})
	}
	return list
}
