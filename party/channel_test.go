package party_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"detente/canonical"
	"detente/key"
	"detente/party"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var regime = party.RegimeRef{ID: "communications", Version: 1, Hash: [32]byte{1}}

func TestChannelsThatFollowFromPairing(t *testing.T) {
	north, south := found(t, "xn"), found(t, "xs")
	link := party.LinkChannel(south.chain, north.chain)
	if link.ID() != party.LinkChannel(north.chain, south.chain).ID() {
		t.Error("the two sides have different link channels")
	}
	if !slices.Equal(link.Members, []traffic.Party{"xn", "xs"}) || link.Open || !link.Protected {
		t.Errorf("link channel is %+v", link)
	}
	public := party.PublicChannel(north.chain)
	if !public.Open || !public.Member("xn") || public.Member("xs") || public.ID() == party.PublicChannel(south.chain).ID() {
		t.Errorf("public channel is %+v", public)
	}
	for _, c := range []*party.Channel{link, public} {
		got, err := party.DecodeChannel(c.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(party.Channel{})); diff != "" || got.ID() != c.ID() {
			t.Errorf("%s decodes to something else:\n%s", c.Kind, diff)
		}
	}
	// A rotation changes neither: the channel is of the party, not of its keys.
	north.rotate(t, party.Withdrawal{}, "node/mirror")
	if party.PublicChannel(north.chain).ID() != public.ID() {
		t.Error("a rotation moved the public channel")
	}
}

func TestThreePartiesMakeAChannel(t *testing.T) {
	north, south, lake := found(t, "xn"), found(t, "xs"), found(t, "xl")
	draft := party.Channel{
		Name: "incidents", Posts: []traffic.Post{"nrrc"}, Regime: regime,
		Also: map[string][]key.Algorithm{"guarantee": {key.MLDSA65, key.Ed25519}},
	}
	a, err := party.NewChannel(draft, north.chain, south.chain, lake.chain)
	if err != nil {
		t.Fatal(err)
	}
	b, err := party.NewChannel(draft, north.chain, south.chain, lake.chain)
	if err != nil {
		t.Fatal(err)
	}
	if a.ID() == b.ID() {
		t.Error("two channels of the same members are one")
	}
	if !slices.Equal(a.Others("xn"), []traffic.Party{"xl", "xs"}) || !a.Speaks("nrrc") || a.Speaks("cert") {
		t.Errorf("channel is %+v", a)
	}
	if got := a.Demands("guarantee"); !slices.Equal(got, []key.Algorithm{key.Ed25519, key.MLDSA65}) {
		t.Errorf("a guarantee is signed with %v", got)
	}
	if got := a.Demands("inquiry"); !slices.Equal(got, []key.Algorithm{key.Ed25519}) {
		t.Errorf("an inquiry is signed with %v", got)
	}
	known := map[traffic.Party]*party.Chain{"xn": north.chain, "xs": south.chain, "xl": lake.chain}
	find := func(p traffic.Party) *party.Chain { return known[p] }
	if !a.Matches(find) {
		t.Error("the channel does not match its members")
	}
	known["xl"] = found(t, "xl").chain
	if a.Matches(find) {
		t.Error("the channel matches another party of that name")
	}
	delete(known, "xl")
	if a.Matches(find) {
		t.Error("the channel matches without one of its members")
	}
}

func TestMalformedChannelsAreRefused(t *testing.T) {
	hash, nonce := bytes.Repeat([]byte{1}, 32), make([]byte, 16)
	common := func(change func(object)) []byte {
		m := object{
			"kind": "common", "name": "incidents", "members": []string{"xn", "xs"}, "genesis": object{"xn": hash, "xs": hash},
			"posts": []string{}, "regime": []any{"communications", 1, hash}, "open": false, "protected": false,
			"signatures": []int{-19}, "nonce": nonce,
		}
		change(m)
		b, err := canonical.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	link := func(change func(object)) []byte {
		return common(func(m object) {
			m["kind"], m["name"], m["protected"], m["regime"] = "link", "link", true, []any{"link", 1}
			delete(m, "nonce")
			change(m)
		})
	}
	set := func(name string, value any) func(object) { return func(m object) { m[name] = value } }
	crowd, geneses := []string{}, object{}
	for i := range 65 {
		crowd = append(crowd, fmt.Sprintf("p%02d", i))
		geneses[crowd[i]] = hash
	}
	for name, c := range map[string]struct {
		bytes []byte
		want  error
	}{
		"common":                 {common(func(object) {}), nil},
		"link":                   {link(func(object) {}), nil},
		"unknown kind":           {common(set("kind", "secret")), party.ErrKind},
		"unknown field":          {common(set("more", 1)), party.ErrChannel},
		"missing field":          {common(func(m object) { delete(m, "open") }), party.ErrChannel},
		"empty also":             {common(set("also", object{})), party.ErrChannel},
		"no name":                {common(set("name", "")), party.ErrText},
		"name with a line end":   {common(set("name", "a\nb")), party.ErrText},
		"members out of order":   {common(set("members", []string{"xs", "xn"})), party.ErrMembers},
		"member twice":           {common(set("members", []string{"xn", "xn"})), party.ErrMembers},
		"no members":             {common(set("members", []string{})), party.ErrMembers},
		"genesis of a stranger":  {common(set("genesis", object{"xn": hash, "xl": hash})), party.ErrMembers},
		"genesis short":          {common(set("genesis", object{"xn": hash, "xs": hash[:31]})), party.ErrMembers},
		"a crowd":                {common(func(m object) { m["members"], m["genesis"] = crowd, geneses }), party.ErrMembers},
		"post twice":             {common(set("posts", []string{"nrrc", "nrrc"})), party.ErrPost},
		"post with a slash":      {common(set("posts", []string{"a/b"})), party.ErrPost},
		"regime without version": {common(set("regime", []any{"communications"})), party.ErrRegime},
		"regime version 0":       {common(set("regime", []any{"communications", 0, hash})), party.ErrRegime},
		"regime zero hash":       {common(set("regime", []any{"communications", 1, make([]byte, 32)})), party.ErrRegime},
		"regime short hash":      {common(set("regime", []any{"communications", 1, hash[:31]})), party.ErrRegime},
		"regime not pinned":      {common(set("regime", []any{"communications", 1})), party.ErrKind},
		"nothing signed":         {common(set("signatures", []int{})), party.ErrAlgorithms},
		"no Ed25519":             {common(set("signatures", []int{-49})), party.ErrAlgorithms},
		"algorithm twice":        {common(set("signatures", []int{-19, -19})), party.ErrAlgorithms},
		"form without algorithm": {common(set("also", object{"guarantee": []int{}})), party.ErrAlgorithms},
		"no nonce":               {common(func(m object) { delete(m, "nonce") }), party.ErrKind},
		"short nonce":            {common(set("nonce", nonce[:15])), party.ErrKind},
		"alone": {common(func(m object) {
			m["members"], m["genesis"] = []string{"xn"}, object{"xn": hash}
		}), party.ErrKind},
		"link with a nonce":       {link(set("nonce", nonce)), party.ErrKind},
		"link that is open":       {link(set("open", true)), party.ErrKind},
		"link without protection": {link(set("protected", false)), party.ErrKind},
		"link by another name":    {link(set("name", "line")), party.ErrKind},
		"link under a regime":     {link(set("regime", []any{"communications", 1})), party.ErrKind},
		"link for some posts":     {link(set("posts", []string{"nrrc"})), party.ErrKind},
		"link with more signing":  {link(set("signatures", []int{-19, -49})), party.ErrKind},
		"public channel of two":   {link(func(m object) { m["kind"], m["name"], m["open"] = "public", "public", true }), party.ErrKind},
		"oversize":                {common(set("name", strings.Repeat("x", party.MaxChannel))), canonical.ErrTooLarge},
		"another structure":       {[]byte{0x80}, party.ErrChannel},
		"bytes after it":          {append(common(func(object) {}), 0), canonical.ErrTrailing},
	} {
		if _, err := party.DecodeChannel(c.bytes); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func FuzzChannel(f *testing.F) {
	north, south := found(f, "xn"), found(f, "xs")
	common, err := party.NewChannel(party.Channel{Name: "incidents", Regime: regime}, north.chain, south.chain)
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range []*party.Channel{common, party.LinkChannel(north.chain, south.chain), party.PublicChannel(north.chain)} {
		f.Add(c.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := party.DecodeChannel(b)
		if err == nil && !bytes.Equal(c.Bytes(), b) {
			t.Error("a channel was accepted in two spellings")
		}
	})
}
