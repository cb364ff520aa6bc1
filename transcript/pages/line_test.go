package pages

import (
	"slices"
	"strings"
	"testing"
)

// The order of pieces on the page, by rule L2 of UAX #9: capitals stand for words from right to left, as in its examples.
func TestThePiecesStandWhereTheyAreRead(t *testing.T) {
	for _, c := range []struct {
		rtl        bool
		text, want string
	}{
		{false, "see ABC DEF there", "see DEF ABC there"},
		{false, "see ABC 12 DEF there", "see DEF 12 ABC there"},
		{false, "12 see ABC 34", "12 see ABC 34"},
		{true, "ABC DEF GHI", "GHI DEF ABC"},
		{true, "ABC one two DEF", "DEF one two ABC"},
		{true, "ABC 12 DEF", "DEF 12 ABC"},
		{true, "one two", "one two"},
	} {
		var line []atom
		for _, w := range strings.Fields(c.text) {
			line = append(line, atom{text: w, rtl: w == strings.ToUpper(w) && w > "9", weak: w < "9"})
		}
		var got []string
		for _, a := range visual(line, c.rtl) {
			got = append(got, a.text)
		}
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %q", c.text, got)
		}
	}
	dir := directions("a (ابج) 12", false)
	if len(dir) == 0 || dir[0] || !dir[3] {
		t.Error(dir)
	}
}
