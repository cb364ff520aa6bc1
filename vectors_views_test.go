package detente_test

import (
	"bytes"
	"strings"
	"testing"

	"detente/dossier"
	"detente/feed"
	"detente/traffic"
)

type viewVector struct {
	Vector
	Note  string        `json:"note"`
	Keys  []PublicKey   `json:"keys"` // checkpoint keys of the party
	Party traffic.Party `json:"party,omitempty"`
	Plane traffic.Plane `json:"plane,omitempty"`
	Open  int           `json:"open"`
	Root  Hex           `json:"root,omitempty"`
	Basis Hex           `json:"basis,omitempty"`
}

func TestVectorsViews(t *testing.T) {
	runVectors(t, "views.json", generateViews, func(t testing.TB, v viewVector) error {
		body, _, _ := strings.Cut(v.Note, "\n\n")
		view, err := dossier.ParseView(body + "\n")
		if err != nil {
			return as("view", err, dossier.ErrView)
		}
		if _, _, err := feed.OpenText(v.Note, candidates(t, "", v.Keys)...); err != nil {
			return as("view", err, feed.ErrWord)
		}
		if view.Party != v.Party || view.Plane != v.Plane || view.Open != v.Open || !bytes.Equal(view.Root[:], v.Root) || !bytes.Equal(view.Basis[:], v.Basis) {
			t.Errorf("%+v", view)
		}
		return nil
	})
}

func generateViews(t testing.TB) []viewVector {
	xn := somebody{"xn"}
	signer := xn.node(t, "checkpoint")
	var list []viewVector
	add := func(refuse, name, doc string, v dossier.View, change func(text string) string) {
		text := v.Text()
		if change != nil {
			text = change(text)
		}
		x := viewVector{Vector: Vector{name, doc, refuse}, Note: must(feed.SignText(text, signer))(t), Keys: []PublicKey{signer.published()}}
		if refuse == "" {
			x.Party, x.Plane, x.Open, x.Root, x.Basis = v.Party, v.Plane, v.Open, v.Root[:], v.Basis[:]
		}
		list = append(list, x)
	}
	none := dossier.View{Channel: linkOf(t, "xn", "xs").ID(), Party: "xn", Plane: traffic.Real, Basis: [32]byte(hashOf([]byte("basis")))}
	none.Root = dossier.RootOf(nil)
	two := none
	two.Open = 2
	two.Listed = []dossier.Seen{{ID: [32]byte{1}, Digest: [32]byte{7}}, {ID: [32]byte{2}, Digest: [32]byte{8}}}
	two.Root = dossier.RootOf(two.Listed)
	replace := func(from, to string) func(string) string {
		return func(text string) string { return strings.Replace(text, from, to, 1) }
	}
	add("", "nothing-open", "Nothing is open.", none, nil)
	add("", "two-open", "Two dossiers are open.", two, nil)
	add("view", "too-few-lines", "Of two open dossiers one is listed.", two, func(text string) string { return text[:strings.LastIndex(strings.TrimSuffix(text, "\n"), "\n")+1] })
	add("view", "another-root", "The root is not over the dossiers that are listed.", func() dossier.View { v := two; v.Root[0] ^= 1; return v }(), nil)
	add("view", "out-of-order", "The dossiers do not ascend.", func() dossier.View {
		v := two
		v.Listed = []dossier.Seen{two.Listed[1], two.Listed[0]}
		return v
	}(), nil)
	add("view", "another-spelling", "The number of open dossiers has a zero in front.", none, replace("\n0\n", "\n00\n"))
	add("view", "no-such-plane", "There is no such plane.", none, replace("/real\n", "/war\n"))
	add("", "signed-by-another-key", "Signed by a key that is not the party's.", none, nil)
	last := &list[len(list)-1]
	last.Refuse, last.Keys, last.Party, last.Plane, last.Root, last.Basis = "view", []PublicKey{somebody{"xs"}.node(t, "checkpoint").published()}, "", "", nil, nil
	return list
}
