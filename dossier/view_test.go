package dossier_test

import (
	"errors"
	"strings"
	"testing"

	"detente/dossier"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

func view(open int, seen ...dossier.Seen) dossier.View {
	return dossier.View{Channel: [32]byte{7}, Party: "xn", Plane: traffic.Real, Open: open, Root: [32]byte{byte(open)}, Basis: [32]byte{1}, Listed: seen}
}

func seen(id, digest byte) dossier.Seen {
	return dossier.Seen{ID: statement.ID{id}, Digest: [32]byte{digest}}
}

func TestViewsAreComparedByWhatBothList(t *testing.T) {
	cut := func(root byte, seen ...dossier.Seen) dossier.View {
		v := view(9, seen...)
		v.Root = [32]byte{root}
		return v
	}
	other := func(v dossier.View) dossier.View { v.Basis = [32]byte{2}; return v }
	for _, c := range []struct {
		name       string
		mine, they dossier.View
		want       []dossier.Difference
		not        bool
	}{
		{name: "the same", mine: view(1, seen(1, 1)), they: view(1, seen(1, 1))},
		{name: "of other feeds", mine: view(1, seen(1, 1)), they: other(view(2, seen(1, 2), seen(2, 2))), not: true},
		{name: "one more there", mine: view(1, seen(1, 1)), they: view(2, seen(1, 1), seen(2, 2)), want: []dossier.Difference{{ID: statement.ID{2}, Other: [32]byte{2}}}},
		{name: "one more here", mine: view(2, seen(1, 1), seen(2, 2)), they: view(1, seen(2, 2)), want: []dossier.Difference{{ID: statement.ID{1}, Mine: [32]byte{1}}}},
		{name: "otherwise", mine: cut(1, seen(1, 1)), they: cut(2, seen(1, 3)), want: []dossier.Difference{{ID: statement.ID{1}, Mine: [32]byte{1}, Other: [32]byte{3}}}},
		{name: "behind the list", mine: cut(1, seen(1, 1)), they: cut(2, seen(1, 1), seen(2, 2)), want: []dossier.Difference{{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, comparable := c.mine.Compare(c.they)
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(dossier.Seen{})); comparable == c.not || diff != "" {
				t.Error(comparable, diff)
			}
		})
	}
}

func FuzzParseView(f *testing.F) {
	good := view(0).Text()
	f.Add(good)
	f.Add(strings.Replace(good, "\n0\n", "\n1\n", 1))
	f.Add("detente.v1/view/")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := dossier.ParseView(text)
		if err != nil {
			if !errors.Is(err, dossier.ErrView) {
				t.Fatal(err)
			}
			return
		}
		if v.Text() != text {
			t.Errorf("%q is read as %q", text, v.Text())
		}
	})
}
