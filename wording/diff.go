package wording

import (
	"cmp"
	"slices"
	"strings"
)

// The operations of a Change.
const (
	Same  = '='
	Added = '+'
	Gone  = '-'
)

// Change is a run of words that two texts share, or that only one of them has.
type Change struct {
	Op   byte // Same, Added, Gone
	Text string
}

// Limits on the work for two texts, which strangers may have written to be dear.
const (
	maxEdits = 1024 // words that differ between two anchors; beyond that they are searched for anchors of their own
	maxDepth = 8    // of anchors within anchors; beyond that one run takes the place of the other
)

// Diff tells how b differs from a, word by word: Same and Gone runs put together are a, Same and Added runs are b. Where a run is replaced, what is gone
// stands before what is added. The difference is short, not always the shortest: work and memory are bounded.
func Diff(lang, a, b string) []Change {
	d := &differ{a: Words(lang, a), b: Words(lang, b)}
	d.gone, d.added = make([]bool, len(d.a)), make([]bool, len(d.b))
	d.number()
	d.compare(0, len(d.a), 0, len(d.b), 0)
	return tidy(slide(d.changes()))
}

// differ marks the words of a that are gone and those of b that are added. The others are the same, in their order.
type differ struct {
	a, b        []string
	x, y        []int32 // a number for each word, the same for the same word
	words       int
	gone, added []bool
	v           [2][]int32 // ends of the paths from either side, by diagonal
}

func (d *differ) number() {
	ids := make(map[string]int32)
	id := func(list []string) []int32 {
		out := make([]int32, len(list))
		for i, w := range list {
			n, known := ids[w]
			if !known {
				n = int32(len(ids))
				ids[w] = n
			}
			out[i] = n
		}
		return out
	}
	d.x, d.y = id(d.a), id(d.b)
	d.words = len(ids)
}

// compare marks what differs between a[a0:a1] and b[b0:b1].
func (d *differ) compare(a0, a1, b0, b1, depth int) {
	for a0 < a1 && b0 < b1 && d.x[a0] == d.y[b0] {
		a0, b0 = a0+1, b0+1
	}
	for a0 < a1 && b0 < b1 && d.x[a1-1] == d.y[b1-1] {
		a1, b1 = a1-1, b1-1
	}
	if a0 == a1 || b0 == b1 || depth > maxDepth {
		d.replace(a0, a1, b0, b1)
		return
	}
	if u, v, ok := d.middle(a0, a1, b0, b1); ok && (u > a0 || v > b0) && (u < a1 || v < b1) {
		d.compare(a0, u, b0, v, depth) // no deeper: each half has at most half of the edits
		d.compare(u, a1, v, b1, depth)
		return
	}
	anchors := d.anchors(a0, a1, b0, b1)
	if len(anchors) == 0 {
		d.replace(a0, a1, b0, b1)
		return
	}
	for _, at := range anchors {
		d.compare(a0, at[0], b0, at[1], depth+1)
		a0, b0 = at[0]+1, at[1]+1
	}
	d.compare(a0, a1, b0, b1, depth+1)
}

func (d *differ) replace(a0, a1, b0, b1 int) {
	for i := a0; i < a1; i++ {
		d.gone[i] = true
	}
	for i := b0; i < b1; i++ {
		d.added[i] = true
	}
}

// middle finds a point on a shortest path of edits, about half-way, as Myers did in 1986: from both ends at once, in linear space. false: the path has
// more than maxEdits edits.
func (d *differ) middle(a0, a1, b0, b1 int) (x, y int, ok bool) {
	n, m := a1-a0, b1-b0
	most := min((n+m+1)/2, maxEdits/2)
	width := 2*most + 3
	for i := range d.v {
		if cap(d.v[i]) < width {
			d.v[i] = make([]int32, width)
		}
		d.v[i] = d.v[i][:width]
	}
	forth, back, zero := d.v[0], d.v[1], most+1
	for i := range forth {
		forth[i], back[i] = -1, -1 // no path has come there
	}
	forth[zero+1], back[zero+1] = 0, 0
	delta := n - m
	for e := range most + 1 {
		for k := -e; k <= e; k += 2 {
			i := step(forth, zero, k, e)
			j := i - k
			for i < n && j < m && j >= 0 && d.x[a0+i] == d.y[b0+j] {
				i, j = i+1, j+1
			}
			forth[zero+k] = int32(i)
			if other := delta - k; delta%2 != 0 && other >= -(e-1) && other <= e-1 && back[zero+other] >= 0 && i+int(back[zero+other]) >= n && inside(i, j, n, m) {
				return a0 + i, b0 + j, true
			}
		}
		for k := -e; k <= e; k += 2 {
			i := step(back, zero, k, e)
			j := i - k
			for i < n && j < m && j >= 0 && d.x[a1-1-i] == d.y[b1-1-j] {
				i, j = i+1, j+1
			}
			back[zero+k] = int32(i)
			if other := delta - k; delta%2 == 0 && other >= -e && other <= e && forth[zero+other] >= 0 && i+int(forth[zero+other]) >= n && inside(i, j, n, m) {
				return a1 - i, b1 - j, true
			}
		}
	}
	return 0, 0, false
}

func inside(i, j, n, m int) bool { return i <= n && j >= 0 && j <= m }

// step is where the furthest path on diagonal k begins: one word further from a neighbour.
func step(v []int32, zero, k, e int) int {
	if k == -e || k != e && v[zero+k-1] < v[zero+k+1] {
		return int(v[zero+k+1])
	}
	return int(v[zero+k-1]) + 1
}

// anchors are the words that stand once in each of the two runs, in the longest list that is in the order of both.
func (d *differ) anchors(a0, a1, b0, b1 int) [][2]int {
	type seen struct{ inA, inB, a, b int }
	all := make(map[int32]*seen, a1-a0)
	for i := a0; i < a1; i++ {
		s := all[d.x[i]]
		if s == nil {
			s = &seen{}
			all[d.x[i]] = s
		}
		s.inA, s.a = s.inA+1, i
	}
	for j := b0; j < b1; j++ {
		if s := all[d.y[j]]; s != nil {
			s.inB, s.b = s.inB+1, j
		}
	}
	var both [][2]int
	for _, s := range all {
		if s.inA == 1 && s.inB == 1 {
			both = append(both, [2]int{s.a, s.b})
		}
	}
	slices.SortFunc(both, func(a, b [2]int) int { return cmp.Compare(a[0], b[0]) })
	return rising(both)
}

// rising is the longest list of pairs in which the second numbers rise too.
func rising(pairs [][2]int) [][2]int {
	tails := make([]int, 0, len(pairs)) // index of the pair that ends the best list of each length
	before := make([]int, len(pairs))
	for i, p := range pairs {
		at, _ := slices.BinarySearchFunc(tails, p[1], func(t, want int) int { return cmp.Compare(pairs[t][1], want) })
		before[i] = -1
		if at > 0 {
			before[i] = tails[at-1]
		}
		if at == len(tails) {
			tails = append(tails, i)
		} else {
			tails[at] = i
		}
	}
	if len(tails) == 0 {
		return nil
	}
	list := make([][2]int, len(tails))
	for i, at := len(tails)-1, tails[len(tails)-1]; i >= 0; i, at = i-1, before[at] {
		list[i] = pairs[at]
	}
	return list
}

// changes gathers the marks into runs.
func (d *differ) changes() []Change {
	var out []Change
	i, j := 0, 0
	for i < len(d.a) || j < len(d.b) {
		from, upto := i, j
		for i < len(d.a) && d.gone[i] {
			i++
		}
		for j < len(d.b) && d.added[j] {
			j++
		}
		out = push(out, Gone, strings.Join(d.a[from:i], ""))
		out = push(out, Added, strings.Join(d.b[upto:j], ""))
		from = i
		for i < len(d.a) && j < len(d.b) && !d.gone[i] && !d.added[j] {
			i, j = i+1, j+1
		}
		out = push(out, Same, strings.Join(d.a[from:i], ""))
	}
	return out
}

func push(list []Change, op byte, text string) []Change {
	if text == "" {
		return list
	}
	return append(list, Change{op, text})
}

// slide lets what is only added, or only gone, begin with its word rather than with the space before it: "significant " and not " significant".
func slide(list []Change) []Change {
	for i := 1; i < len(list)-1; i++ {
		before, c, next := &list[i-1], &list[i], &list[i+1]
		if before.Op == Same && c.Op != Same && next.Op == Same && len(next.Text) > 1 && c.Text[0] == ' ' && next.Text[0] == ' ' {
			before.Text, c.Text, next.Text = before.Text+" ", c.Text[1:]+" ", next.Text[1:]
		}
	}
	return list
}

// tidy takes shared runs that hold no letter and stand between two changes, such as the space in "without delay" against "within 24 hours", into the
// changes: a reader wants phrases, not crumbs.
func tidy(list []Change) []Change {
	var out []Change
	var gone, added strings.Builder
	flush := func() {
		g, a, after := gone.String(), added.String(), ""
		if strings.HasPrefix(g, " ") && strings.HasPrefix(a, " ") {
			out, g, a = same(out, " "), g[1:], a[1:]
		}
		if strings.HasSuffix(g, " ") && strings.HasSuffix(a, " ") {
			g, a, after = g[:len(g)-1], a[:len(a)-1], " "
		}
		out = same(push(push(out, Gone, g), Added, a), after)
		gone.Reset()
		added.Reset()
	}
	for i, c := range list {
		switch {
		case c.Op == Gone:
			gone.WriteString(c.Text)
		case c.Op == Added:
			added.WriteString(c.Text)
		case i > 0 && i < len(list)-1 && gone.Len() > 0 && added.Len() > 0 && crumb(c.Text):
			gone.WriteString(c.Text)
			added.WriteString(c.Text)
		default:
			flush()
			out = same(out, c.Text)
		}
	}
	flush()
	return out
}

// same adds a shared run, to the one before it if that is shared too.
func same(list []Change, text string) []Change {
	if last := len(list) - 1; last >= 0 && list[last].Op == Same {
		list[last].Text += text
		return list
	}
	return push(list, Same, text)
}

// crumb tells whether a shared run is a single space or mark.
func crumb(text string) bool {
	return len(text) <= 3 && strings.IndexFunc(text, func(r rune) bool { return r != ' ' && r != '\u00a0' && r != ',' && r != '-' }) < 0
}
