package detente_test

import (
	"strings"
	"testing"

	"detente/canonical"
	"detente/party"

	"github.com/google/go-cmp/cmp"
)

type channelVector struct {
	Vector
	Channel Hex           `json:"channel"`
	Says    *channelValue `json:"says,omitempty"`
}

type channelValue struct {
	ID         Hex                `json:"id"`
	Kind       string             `json:"kind"`
	Name       string             `json:"name"`
	Members    []string           `json:"members"`
	Genesis    map[string]Hex     `json:"genesis"`
	Posts      []string           `json:"posts,omitempty"`
	Regime     string             `json:"regime"`
	Version    int                `json:"version"`
	RegimeHash Hex                `json:"regime-hash,omitempty"`
	Open       bool               `json:"open"`
	Protected  bool               `json:"protected"`
	Signatures []int64            `json:"signatures"`
	Also       map[string][]int64 `json:"also,omitempty"`
	Nonce      Hex                `json:"nonce,omitempty"`
}

func saysChannel(c *party.Channel) *channelValue {
	id := c.ID()
	v := &channelValue{
		ID: id[:], Kind: c.Kind, Name: c.Name, Genesis: map[string]Hex{}, Regime: c.Regime.ID, Version: c.Regime.Version,
		Open: c.Open, Protected: c.Protected, Nonce: c.Nonce,
	}
	for _, m := range c.Members {
		v.Members = append(v.Members, string(m))
	}
	for p, h := range c.Genesis {
		v.Genesis[string(p)] = h[:]
	}
	for _, p := range c.Posts {
		v.Posts = append(v.Posts, string(p))
	}
	if c.Regime.Hash != [32]byte{} {
		v.RegimeHash = c.Regime.Hash[:]
	}
	for _, a := range c.Signatures {
		v.Signatures = append(v.Signatures, int64(a))
	}
	for form, list := range c.Also {
		if v.Also == nil {
			v.Also = map[string][]int64{}
		}
		for _, a := range list {
			v.Also[form] = append(v.Also[form], int64(a))
		}
	}
	return v
}

func decodeChannel(b []byte) (*party.Channel, error) {
	c, err := party.DecodeChannel(b)
	return c, as("channel", err, party.ErrChannel, party.ErrKind, party.ErrMembers, party.ErrRegime, party.ErrAlgorithms, party.ErrPost, party.ErrText)
}

func TestVectorsChannels(t *testing.T) {
	runVectors(t, "channels.json", generateChannels, func(t testing.TB, v channelVector) error {
		c, err := decodeChannel(v.Channel)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(v.Says, saysChannel(c)); diff != "" {
			t.Error(diff)
		}
		return nil
	})
}

// common is a channel of three, as a map to be changed.
func common(t testing.TB) map[string]any {
	genesis := map[string]any{}
	for _, name := range []string{"xl", "xn", "xs"} {
		genesis[name] = []byte(hashOf(somebody{name}.founded(t)))
	}
	return map[string]any{
		"kind": "common", "name": "cert", "members": []any{"xl", "xn", "xs"}, "genesis": genesis, "posts": []any{"cert", "nrrc"},
		"regime": []any{"communications", 1, []byte(hashOf([]byte("regime")))}, "open": false, "protected": true, "signatures": []any{-19},
		"also": map[string]any{"pledge": []any{-49}}, "nonce": []byte("sixteen bytes ok"),
	}
}

// linkOf is the link channel of two parties.
func linkOf(t testing.TB, a, b string) *party.Channel {
	return party.LinkChannel(chainOf(t, somebody{a}.founded(t)), chainOf(t, somebody{b}.founded(t)))
}

func generateChannels(t testing.TB) []channelVector {
	var list []channelVector
	add := func(refuse, name, doc string, b []byte) {
		v := channelVector{Vector{name, doc, refuse}, b, nil}
		if refuse == "" {
			v.Says = saysChannel(must(decodeChannel(b))(t))
		}
		list = append(list, v)
	}
	link := linkOf(t, "xs", "xn")
	add("", "link", "The link channel of two parties: everything but members and geneses is prescribed.", link.Bytes())
	add("", "public", "The public channel of a party.", party.PublicChannel(chainOf(t, somebody{"xn"}.founded(t))).Bytes())
	add("", "internal", "The internal channel of a party.", party.InternalChannel(chainOf(t, somebody{"xn"}.founded(t))).Bytes())
	add("", "common", "A channel of three, for two posts, with ML-DSA-65 on one form.", must(canonical.Marshal(common(t)))(t))
	small := common(t)
	delete(small, "also")
	small["posts"] = []any{}
	add("", "common-all-posts", "A channel on which all posts may speak, with the same signatures on every form.", must(canonical.Marshal(small))(t))

	fault := func(name, doc string, m map[string]any, key string, value any) {
		if m[key] = value; value == nil {
			delete(m, key)
		}
		add("channel", name, doc, must(canonical.Marshal(m))(t))
	}
	field := func(name, doc, key string, value any) { fault(name, doc, common(t), key, value) }
	field("kind-unknown", "A kind that there is not.", "kind", "private")
	field("name-empty", "An empty name.", "name", "")
	field("name-long", "A name of 129 bytes.", "name", strings.Repeat("x", 129))
	field("members-unsorted", "Members are not sorted.", "members", []any{"xn", "xl", "xs"})
	field("members-twice", "A member stands twice.", "members", []any{"xl", "xl", "xn", "xs"})
	field("members-without-genesis", "A member has no genesis.", "members", []any{"xa", "xl", "xn", "xs"})
	field("genesis-without-member", "A genesis is of no member.", "members", []any{"xl", "xn"})
	field("genesis-short", "A genesis of 31 bytes.", "genesis", map[string]any{"xl": make([]byte, 31), "xn": make([]byte, 32), "xs": make([]byte, 32)})
	field("post-upper-case", "A post in upper case.", "posts", []any{"CERT"})
	field("regime-without-hash", "A common channel without the regime's hash.", "regime", []any{"communications", 1})
	field("regime-version-zero", "Regime version 0.", "regime", []any{"communications", 0, make([]byte, 32)})
	field("open-missing", "open is not there.", "open", nil)
	field("signatures-empty", "No algorithm is demanded.", "signatures", []any{})
	field("signatures-without-ed25519", "Ed25519 is not among the algorithms demanded.", "signatures", []any{-49})
	field("signatures-twice", "An algorithm stands twice.", "signatures", []any{-19, -19})
	field("also-empty", "also is there and empty.", "also", map[string]any{})
	field("nonce-missing", "A common channel without a nonce.", "nonce", nil)
	field("nonce-short", "A nonce of 15 bytes.", "nonce", make([]byte, 15))
	field("unknown-field", "A field that is not in the document.", "owner", "xn")
	linked := func(name, doc, key string, value any) {
		genesis := map[string]any{}
		for p, h := range link.Genesis {
			genesis[string(p)] = h[:]
		}
		fault(name, doc, map[string]any{
			"kind": "link", "name": "link", "members": []any{"xn", "xs"}, "genesis": genesis, "posts": []any{}, "regime": []any{"link", 1},
			"open": false, "protected": true, "signatures": []any{-19},
		}, key, value)
	}
	linked("link-open", "An open link channel.", "open", true)
	linked("link-unprotected", "A link channel that could be suspended.", "protected", false)
	linked("link-named", "A link channel of another name.", "name", "hotline")
	linked("link-posts", "A link channel for some posts.", "posts", []any{"nrrc"})
	linked("link-regime", "A link channel under another regime.", "regime", []any{"link", 2})
	linked("link-lattice", "A link channel that demands ML-DSA-65 too.", "signatures", []any{-19, -49})
	internal := func(name, doc, key string, value any) {
		own := link.Genesis["xn"]
		genesis := map[string]any{"xn": own[:]}
		fault(name, doc, map[string]any{
			"kind": "internal", "name": "internal", "members": []any{"xn"}, "genesis": genesis, "posts": []any{}, "regime": []any{"internal", 1},
			"open": false, "protected": true, "signatures": []any{-19},
		}, key, value)
	}
	internal("internal-open", "An internal channel that anybody could read.", "open", true)
	internal("internal-regime", "An internal channel under the regime of links.", "regime", []any{"link", 1})
	own := link.Genesis["xn"]
	fault("public-regime", "A public channel under the regime of links.", map[string]any{
		"kind": "public", "name": "public", "members": []any{"xn"}, "genesis": map[string]any{"xn": own[:]}, "posts": []any{}, "regime": []any{"public", 1},
		"open": true, "protected": true, "signatures": []any{-19},
	}, "regime", []any{"link", 1})
	add("trailing", "trailing", "A byte follows.", append(link.Bytes(), 0))
	add("truncated", "truncated", "The last byte is missing.", link.Bytes()[:len(link.Bytes())-1])
	return list
}

type fingerprintVector struct {
	Vector
	Language    string              `json:"language,omitempty"`
	Even        []string            `json:"even,omitempty"`
	Odd         []string            `json:"odd,omitempty"`
	Fingerprint Hex                 `json:"fingerprint,omitempty"`
	Words       map[string][]string `json:"words,omitempty"`
	Spoken      string              `json:"spoken,omitempty"`
}

func TestVectorsFingerprint(t *testing.T) {
	runVectors(t, "fingerprint.json", generateFingerprints, func(t testing.TB, v fingerprintVector) error {
		if v.Language != "" {
			even, odd, err := party.Lists(v.Language)
			if diff := cmp.Diff([][]string{v.Even, v.Odd}, [][]string{even, odd}); err != nil || diff != "" {
				t.Error(err, diff)
			}
			return nil
		}
		if v.Spoken != "" {
			heard, err := party.ParseWords(v.Spoken)
			if err == nil && string(heard[:]) != string(v.Fingerprint) {
				t.Errorf("heard as %x", heard)
			}
			return as("words", err, party.ErrWords)
		}
		for lang, want := range v.Words {
			got, err := party.Fingerprint(v.Fingerprint).Words(lang)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		}
		return nil
	})
}

func generateFingerprints(t testing.TB) []fingerprintVector {
	var list []fingerprintVector
	for _, lang := range party.Languages() {
		even, odd, err := party.Lists(lang)
		must(even, err)(t)
		list = append(list, fingerprintVector{
			Vector:   Vector{"lists-" + lang, "The 256 words for bytes at even places, and the 256 for those at odd places.", ""},
			Language: lang, Even: even, Odd: odd,
		})
	}
	words := func(f party.Fingerprint) map[string][]string {
		out := map[string][]string{}
		for _, lang := range party.Languages() {
			out[lang] = must(f.Words(lang))(t)
		}
		return out
	}
	var ends party.Fingerprint
	for i := range ends {
		ends[i] = byte(i % 3 * 127)
	}
	xn := chainOf(t, somebody{"xn"}.founded(t)).Latest().Fingerprint()
	list = append(list,
		fingerprintVector{Vector: Vector{"bytes", "The first, the middle and the last word of each list.", ""}, Fingerprint: ends[:], Words: words(ends)},
		fingerprintVector{Vector: Vector{"xn", "The fingerprint of the charter \"founded\" of charters.json.", ""}, Fingerprint: xn[:], Words: words(xn)},
	)
	spoken := func(refuse, name, doc string, words []string) {
		list = append(list, fingerprintVector{Vector: Vector{name, doc, refuse}, Fingerprint: xn[:], Spoken: strings.Join(words, " ")})
	}
	for _, lang := range party.Languages() {
		said := words(xn)[lang]
		change := func(f func(w []string) []string) []string { return f(append([]string(nil), said...)) }
		spoken("", "spoken-"+lang, "The words as they are heard.", said)
		spoken("", "capitals-"+lang, "The words in capitals.", []string{strings.ToUpper(strings.Join(said, " "))})
		spoken("words", "exchanged-"+lang, "Two words are exchanged.", change(func(w []string) []string { w[4], w[5] = w[5], w[4]; return w }))
		spoken("words", "left-out-"+lang, "A word is left out.", change(func(w []string) []string { return append(w[:7], w[8:]...) }))
		spoken("words", "said-twice-"+lang, "A word is said twice.", change(func(w []string) []string { return append(w[:8], w[7:]...) }))
		spoken("words", "unknown-"+lang, "A word that is in no list.", change(func(w []string) []string { w[0] = "xyzzy"; return w }))
	}
	return list
}
