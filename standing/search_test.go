package standing

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/statement"
	"detente/traffic"
)

// many are n statements of usual length, as the index has them.
func many(n int) []indexed {
	words := strings.Fields("traffic against the grid operator was observed from three addresses in the network of the university since noon and continues at a low rate")
	all := make([]indexed, n)
	for i := range all {
		var b strings.Builder
		fmt.Fprintf(&b, "xn/nrrc-r-%04d xn/nrrc xs/nrrc %08x\n", i+1, i)
		for w := range 60 {
			b.WriteString(words[(i*7+w*13)%len(words)] + " ")
		}
		all[i] = indexed{id: statement.ID{byte(i), byte(i >> 8), byte(i >> 16)}, held: time.Unix(int64(i), 0), plane: traffic.Real, form: "notice", text: b.String(), parts: sift(b.String())}
	}
	return all
}

func TestTheNewestAreFoundFirst(t *testing.T) {
	all := many(5000)
	found := find(all, []string{"grid", "xn/nrrc"}, Query{Limit: 3}, func(e *indexed) string { return e.form })
	if len(found) != 3 || found[0].id != all[4999].id || found[2].id != all[4997].id {
		t.Errorf("%+v", found)
	}
	if found := find(all, []string{"grid"}, Query{Limit: 3, Plane: traffic.Exercise}, func(e *indexed) string { return e.form }); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

// What is added late stands where it belongs, and is found by any word that it holds.
func TestLateEntriesAreFoundInTheirOrder(t *testing.T) {
	all := many(100)
	x := &index{words: append(all[50:100:100], all[:50]...), late: true}
	for _, w := range []string{"xn/nrrc-r-0001", "r-0077", "grid", "g", "университет", "oper"} {
		var want []statement.ID
		for i := len(all) - 1; i >= 0; i-- {
			if strings.Contains(all[i].text, w) {
				want = append(want, all[i].id)
			}
		}
		var got []statement.ID
		for _, e := range find(x.ordered(), []string{w}, Query{Limit: 100}, func(*indexed) string { return "" }) {
			got = append(got, e.id)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %d found, want %d", w, len(got), len(want))
		}
	}
}

// What a search costs among 100,000 statements: go test ./standing -run - -bench Search
func BenchmarkSearch(b *testing.B) {
	all := many(100_000)
	title := func(e *indexed) string { return e.form }
	for name, words := range map[string][]string{"nothing": {"earthquake"}, "one": {"xn/nrrc-r-50000"}, "all": {"grid", "notice"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				find(all, words, Query{Limit: 50}, title)
			}
		})
	}
}
