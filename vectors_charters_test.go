package detente_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"detente/canonical"
	"detente/envelope"
	"detente/key"
	"detente/party"

	"github.com/google/go-cmp/cmp"
)

type charterVector struct {
	Vector
	Charters []Hex         `json:"charters"`
	Says     *charterValue `json:"says,omitempty"` // of the last
}

type charterValue struct {
	Party       string              `json:"party"`
	Version     int                 `json:"version"`
	Hash        Hex                 `json:"hash"`
	Fingerprint Hex                 `json:"fingerprint"`
	Genesis     Hex                 `json:"genesis"`
	Issued      int64               `json:"issued"`
	Need        int                 `json:"need"`
	Roots       int                 `json:"roots"`
	Posts       map[string][]string `json:"posts"` // key ids by "post/plane", in order
	Revoked     []Hex               `json:"revoked,omitempty"`
}

func saysCharter(ch *party.Chain) *charterValue {
	c := ch.Latest()
	hash, print, genesis := c.Hash(), c.Fingerprint(), ch.Genesis()
	v := &charterValue{
		Party: string(c.Party), Version: c.Version, Hash: hash[:], Fingerprint: print[:], Genesis: genesis[:], Issued: c.Issued.Unix(),
		Need: c.Need, Roots: len(c.Roots), Posts: map[string][]string{},
	}
	for _, p := range c.Posts {
		for _, k := range p.Keys {
			at := string(p.Name) + "/" + string(k.Plane)
			v.Posts[at] = append(v.Posts[at], k.Key.ID().String())
		}
	}
	for _, r := range c.Revoked {
		v.Revoked = append(v.Revoked, r.Key[:])
	}
	return v
}

func TestVectorsCharters(t *testing.T) {
	runVectors(t, "charters.json", generateCharters, func(t testing.TB, v charterVector) error {
		var charters [][]byte
		for _, c := range v.Charters {
			charters = append(charters, c)
		}
		ch, err := linkCharters(charters)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(v.Says, saysCharter(ch)); diff != "" {
			t.Error(diff)
		}
		return nil
	})
}

func generateCharters(t testing.TB) []charterVector {
	xn := somebody{"xn"}
	root := xn.root(t)
	var list []charterVector
	add := func(refuse, name, doc string, charters ...[]byte) {
		v := charterVector{Vector: Vector{name, doc, refuse}}
		for _, c := range charters {
			v.Charters = append(v.Charters, c)
		}
		if refuse == "" {
			v.Says = saysCharter(chainOf(t, charters...))
		}
		list = append(list, v)
	}
	first := xn.founded(t)
	add("", "founded", "Version 1, approved by its one root of one key.", first)

	add("", "founded-xs", "Version 1 of another party.", somebody{"xs"}.founded(t))
	again := xn.charter(t)
	again["issued"] = foundingTime + 1
	add("", "founded-again", "Another version 1 of the first party, a second later: another genesis.", signCharter(t, again, root))

	// Two of three roots, one of them of two algorithms.
	holder := func(n string, second key.Algorithm) []fixedSigner {
		return []fixedSigner{xn.key(t, key.Ed25519, "root "+n), xn.key(t, second, "second root "+n)}
	}
	a, b, c := holder("a", key.MLDSA65), holder("b", key.Ed25519), holder("c", key.Ed25519)
	wire := func(holders ...[]fixedSigner) map[string]any {
		roots := []any{}
		for _, h := range holders {
			keys := []any{}
			for _, k := range h {
				keys = append(keys, wireKey(k))
			}
			roots = append(roots, keys)
		}
		return map[string]any{"need": 2, "roots": roots}
	}
	many := xn.charter(t)
	many["roots"] = wire(a, b, c)
	add("", "two-of-three", "Three roots of two keys each, one of them with ML-DSA-65; two are needed and have signed.", signCharter(t, many, a[0], a[1], c[0], c[1]))
	add("not-approved", "root-in-part", "Two roots are needed; one has signed with both keys, another with one of its two.", signCharter(t, many, b[0], b[1], c[0]))

	bare := xn.charter(t)
	bare["routes"] = []any{[]any{"pouch", ""}}
	bare["revoked"] = []any{map[string]any{"key": make([]byte, 16), "since": foundingTime, "reason": ""}}
	bare["posts"].([]any)[0].(map[string]any)["keys"] = append(
		bare["posts"].([]any)[0].(map[string]any)["keys"].([]any), []any{"real", []any{-70000, []byte{1}}})
	slices.SortFunc(bare["posts"].([]any)[0].(map[string]any)["keys"].([]any), func(a, b any) int {
		return bytes.Compare(must(canonical.Marshal(a))(t), must(canonical.Marshal(b))(t))
	})
	add("", "lenient", "An empty address, an empty reason, and a post's key of a private algorithm, which is kept.", signCharter(t, bare, root))

	amended := xn.next(t, 2, first)
	amended["posts"].([]any)[0].(map[string]any)["keys"] = []any{[]any{"real", wireKey(xn.key(t, key.Ed25519, "nrrc real 2"))}}
	postID := xn.post(t).ID()
	amended["revoked"] = []any{map[string]any{"key": postID[:], "since": foundingTime, "reason": "key carrier lost"}}
	second := signCharter(t, amended, root)
	add("", "amended", "Version 2 has another key at the post and withdraws the old one.", first, second)
	rerooted := xn.next(t, 2, first)
	rerooted["roots"] = map[string]any{"need": 1, "roots": []any{[]any{wireKey(b[0])}}}
	add("", "new-root", "Version 2 has another root: the old one and the new one approve it.", first, signCharter(t, rerooted, root, b[0]))

	add("not-approved", "new-root-alone", "Version 2 has another root, which alone approves it.", first, signCharter(t, rerooted, b[0]))
	add("not-approved", "old-root-alone", "Version 2 has another root, and only the old one approves it.", first, signCharter(t, rerooted, root))
	add("unknown-key", "stranger-approves-too", "A key that is no root of either version is in the signature set.", first,
		signCharter(t, xn.next(t, 2, first), root, b[0]))
	add("unknown-key", "stranger-approves-founding", "A key that is no root is in the signature set of version 1.", signCharter(t, xn.charter(t), root, b[0]))
	add("unknown-key", "post-approves-too", "Enough roots have signed, and a key of the charter that is no root.", signCharter(t, xn.charter(t), root, xn.post(t)))
	add("not-approved", "stranger-alone", "Signed by nobody but a key that no charter holds: approval is counted first.", signCharter(t, xn.charter(t), b[0]))
	add("not-approved", "post-approves", "Signed by a key of the charter that is no root.", signCharter(t, xn.charter(t), xn.post(t)))
	add("chain", "starts-at-2", "The first charter is version 2.", signCharter(t, xn.next(t, 2, first), root))
	add("chain", "version-skipped", "Version 3 follows version 1.", first, signCharter(t, xn.next(t, 3, first), root))
	add("chain", "previous-other", "Version 2 names another version 1.", first, signCharter(t, xn.next(t, 2, second), root))
	add("chain", "other-party", "Version 2 is of another party.", first, signCharter(t, somebody{"xs"}.next(t, 2, first), somebody{"xs"}.root(t), root))
	add("chain", "withdrawn-used-again", "Version 3 has the key again that version 2 withdrew.", first, second, signCharter(t, xn.next(t, 3, second), root))

	// One fault each, in version 1.
	fault := func(name, doc string, change func(m map[string]any)) {
		m := xn.charter(t)
		change(m)
		add("charter", name, doc, signCharter(t, m, root))
	}
	field := func(name, doc, key string, value any) {
		fault(name, doc, func(m map[string]any) {
			if m[key] = value; value == nil {
				delete(m, key)
			}
		})
	}
	field("party-upper-case", "The party is in upper case.", "party", "XN")
	field("version-2-alone", "Version 2 without the hash of version 1.", "version", 2)
	field("previous-in-1", "Version 1 with the hash of a version before.", "previous", []byte(hashOf(nil)))
	field("name-empty", "The party has no name in any language.", "name", map[string]any{})
	field("name-override", "The name holds a character that turns the direction of the text.", "name", map[string]any{"en": "North\u202eland"})
	field("issued-10000", "Issued after the year 9999.", "issued", 253402300800)
	field("unknown-field", "A field that is not in the document.", "motto", "x")
	field("field-upper-case", "A field's name is in capitals.", "Nonce", "x")
	field("revoked-twice", "A key is withdrawn twice.", "revoked", slices.Repeat([]any{
		map[string]any{"key": make([]byte, 16), "since": foundingTime, "reason": "key carrier lost"},
	}, 2))
	field("revoked-empty", "revoked is there and empty.", "revoked", []any{})
	field("revoked-own", "A key is withdrawn that the charter holds.", "revoked", []any{
		map[string]any{"key": postID[:], "since": foundingTime, "reason": "key carrier lost"},
	})
	roots := func(need int, roots ...any) map[string]any { return map[string]any{"need": need, "roots": roots} }
	field("need-zero", "No root is needed.", "roots", roots(0, []any{wireKey(root)}))
	field("need-2-of-1", "Two of one roots are needed.", "roots", roots(2, []any{wireKey(root)}))
	field("root-twice", "The same key in two roots: one holder would count twice.", "roots", roots(2, []any{wireKey(root)}, []any{wireKey(root)}))
	post := func(name string, may []any, keys ...any) map[string]any {
		return map[string]any{"post": name, "may": may, "keys": keys}
	}
	onPlane := func(plane, use string) []any { return []any{plane, wireKey(xn.key(t, key.Ed25519, use))} }
	field("post-twice", "A post stands twice.", "posts", []any{post("nrrc", []any{}), post("nrrc", []any{})})
	field("posts-order", "Posts are not in the order of their encodings: the shorter comes first.", "posts", []any{post("nrrc", []any{}), post("mfa", []any{})})
	field("may-unknown", "A permission that there is not.", "posts", []any{post("nrrc", []any{"command"})})
	field("plane-unknown", "A plane that there is not.", "posts", []any{post("nrrc", []any{}, onPlane("drill", "drill"))})
	field("planes-order", "The planes of a post are not in the order of their encodings: test before exercise, since it is shorter.", "posts",
		[]any{post("nrrc", []any{}, onPlane("exercise", "e"), onPlane("test", "t"))})
	field("key-weak", "A post's key is a point of small order.", "posts", []any{
		post("nrrc", []any{}, []any{"real", []any{key.Ed25519, unhex(t, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")}}),
	})
	field("key-twice", "A post's key is a root key too.", "posts", []any{post("nrrc", []any{}, []any{"real", wireKey(root)})})
	node := func(name, doc, use string, value any) {
		fault(name, doc, func(m map[string]any) {
			n := maps.Clone(m["node"].(map[string]any))
			if n[use] = value; value == nil {
				delete(n, use)
			}
			m["node"] = n
		})
	}
	node("node-missing", "The node has no transport key.", "transport", nil)
	node("node-algorithm", "The node's checkpoint key is of ML-DSA-44.", "checkpoint", wireKey(xn.key(t, key.MLDSA44, "checkpoint")))
	node("node-same-key", "Checkpoint and mirror have one key.", "mirror", wireKey(xn.node(t, "checkpoint")))
	node("sealing-kem", "A sealing key of another KEM.", "sealing", []any{0x20, xn.sealing(t).PublicKey().Bytes()})

	add("bad-signature", "forged", "One letter of the charter is changed.", bytes.Replace(first, []byte("xn.example"), []byte("xx.example"), 1))
	add("content-type", "content-type", "An envelope of another content type.",
		signContent(t, statementContent, must(canonical.Marshal(xn.charter(t)))(t), root))
	add("trailing", "trailing", "A byte follows the charter.", append(bytes.Clone(first), 0))
	add("forbidden", "payload-null", "The payload is null.", signContent(t, charterContent, []byte{0xf6}, root))
	big := xn.charter(t)
	big["name"] = map[string]any{"en": strings.Repeat("x", 257)}
	add("charter", "name-long", "A name of 257 bytes.", signCharter(t, big, root))
	withClaims := must(envelope.Sign(envelope.Contents{
		ContentType: charterContent, Claims: []byte{0xa0}, Payload: must(canonical.Marshal(xn.charter(t)))(t),
	}, root))(t)
	add("unknown-header", "claims", "The envelope has CWT claims, which only statements have.", withClaims)
	return list
}
