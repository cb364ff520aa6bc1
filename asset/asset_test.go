package asset_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"detente/asset"
	"detente/observable"
)

func entries(t testing.TB, text string) []asset.Entry {
	t.Helper()
	list, err := asset.ParseText([]byte(strings.ReplaceAll(text, ", ", "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func made(t testing.TB, text string) *asset.List {
	t.Helper()
	l, err := asset.Make("xn", 1, entries(t, text), asset.Usual())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const grid = "192.0.2.0/24, 198.51.100.7, 2001:db8:40::/44, grid.example, votes.example, AS64500"

// Northland commits itself to six assets. After an incident it proves one of them, and shows no other.
func TestAnAssetIsProved(t *testing.T) {
	l := made(t, grid)
	head := l.Head()
	want := asset.Totals{Entries: 6, Addresses: 257, Subnets: 1 << 20, Names: 2, Numbers: 1}
	if head.Totals != want || head.Leaves != 256 {
		t.Errorf("head %+v", head)
	}
	secret, err := l.Secret()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := asset.Open(secret)
	if err != nil || kept.Head() != head {
		t.Fatalf("the secret gives %+v, %v", kept.Head(), err)
	}
	hit, err := observable.Guess("hxxps://booth-7[.]votes[.]example/login")
	if err != nil {
		t.Fatal(err)
	}
	e, err := kept.Find(hit)
	if err != nil || e.Value != "votes.example" {
		t.Fatalf("found %v, %v", e, err)
	}
	p, err := kept.Prove(e)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	read, err := asset.ParseProof(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Verify(head); err != nil {
		t.Error(err)
	}
	for _, other := range []string{"grid.example", "192.0.2.0", "AS64500", "64500", "2001:db8:40"} {
		if bytes.Contains(b, []byte(other)) {
			t.Errorf("the proof of one asset shows %s", other)
		}
	}
	if _, err := l.Find(observable.Observable{Kind: observable.Domain, Value: "elections.example"}); !errors.Is(err, asset.ErrAbsent) {
		t.Errorf("found what is not there: %v", err)
	}
}

// Every entry of lists of all sizes is proved, and by no head but its own.
func TestEveryEntryIsProved(t *testing.T) {
	for _, n := range []int{0, 1, 2, 127, 128, 129, 300} {
		var list []asset.Entry
		for i := range n {
			list = append(list, entries(t, fmt.Sprintf("10.0.%d.%d", i/256, i%256))...)
		}
		l, err := asset.Make("xn", 7, list, asset.Usual())
		if err != nil {
			t.Fatal(err)
		}
		again, err := asset.Make("xn", 7, list, asset.Usual())
		if err != nil {
			t.Fatal(err)
		}
		if l.Head().Root == again.Head().Root {
			t.Errorf("%d entries: two lists of the same have one root, so a guess could be tried", n)
		}
		for _, e := range l.Entries() {
			p, err := l.Prove(e)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Verify(l.Head()); err != nil {
				t.Fatalf("%d entries, %s: %v", n, e, err)
			}
			if err := p.Verify(again.Head()); !errors.Is(err, asset.ErrRoot) {
				t.Fatalf("a proof holds for another list: %v", err)
			}
		}
	}
}

// No byte of a proof, and no number of a head, can be changed.
func TestTampering(t *testing.T) {
	l := made(t, grid)
	for _, e := range l.Entries() {
		p, err := l.Prove(e)
		if err != nil {
			t.Fatal(err)
		}
		b, err := p.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		for i := range b {
			for _, mask := range []byte{1, 0x80, 0xff} {
				bad := bytes.Clone(b)
				bad[i] ^= mask
				if p, err := asset.ParseProof(bad); err == nil && p.Verify(l.Head()) == nil {
					t.Fatalf("%s: byte %d of the proof may be changed", e, i)
				}
			}
		}
		for name, change := range map[string]func(*asset.Head){
			"party":   func(h *asset.Head) { h.Party = "xs" },
			"version": func(h *asset.Head) { h.Version++ },
			"root":    func(h *asset.Head) { h.Root[0] ^= 1 },
			"leaves":  func(h *asset.Head) { h.Leaves *= 2 },
			"entries": func(h *asset.Head) { h.Totals.Entries-- },
			"names":   func(h *asset.Head) { h.Totals.Names++ },
			"numbers": func(h *asset.Head) { h.Totals.Numbers = 1 << 60 },
			"none":    func(h *asset.Head) { *h = asset.Head{} },
		} {
			h := l.Head()
			change(&h)
			if p.Verify(h) == nil {
				t.Errorf("the head may be changed: %s", name)
			}
		}
	}
}

// What an agreement allows is held, and what would count twice is refused.
func TestWhatIsRefused(t *testing.T) {
	for text, want := range map[string]error{
		"10.0.0.0/8":                         asset.ErrLimits,
		"10.0.0.0/19":                        asset.ErrLimits,
		"2001::/16":                          asset.ErrLimits,
		"10.0.0.0/20, 10.0.1.0/24":           asset.ErrTwice,
		"10.0.1.5, 10.0.0.0/20":              asset.ErrTwice,
		"grid.example, a.b.grid.example":     asset.ErrTwice,
		"AS64500, AS64500":                   asset.ErrTwice,
		"grid.example, GRID.example.":        asset.ErrTwice,
		"10.0.0.0/20, 10.0.16.0/20":          nil,
		"grid.example, notgrid.example, AS1": nil,
	} {
		_, err := asset.Make("xn", 1, entries(t, text), asset.Usual())
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	var many strings.Builder
	for i := range 17 {
		fmt.Fprintf(&many, "10.%d.0.0/20\n", i)
	}
	if _, err := asset.Make("xn", 1, entries(t, many.String()), asset.Usual()); !errors.Is(err, asset.ErrLimits) {
		t.Errorf("17 networks of 4096 addresses: %v", err)
	}
	for _, text := range []string{"192.0.2.1/24", "example", "d41d8cd98f00b204e9800998ecf8427e", "a@b.example", "https://a.example/", "::/0"} {
		if got, err := asset.ParseText([]byte(text)); !errors.Is(err, asset.ErrEntry) {
			t.Errorf("%s is an asset: %v, %v", text, got, err)
		}
	}
}

func TestCovers(t *testing.T) {
	for text, hits := range map[string]map[string]bool{
		"192.0.2.0/24": {"192.0.2.9": true, "192.0.2.128/25": true, "192.0.0.0/16": false, "192.0.3.1": false, "2001:db8::1": false, "a.example": false},
		"grid.example": {"grid.example": true, "www.grid.example": true, "notgrid.example": false, "AS64500": false},
		"AS64500":      {"AS64500": true, "AS6450": false},
		"2001:db8::1":  {"2001:db8::1": true, "2001:db8::2": false},
	} {
		for hit, want := range hits {
			o, err := observable.Guess(hit)
			if err != nil {
				t.Fatal(err)
			}
			if got := entries(t, text)[0].Covers(o); got != want {
				t.Errorf("%s covers %s: %v", text, hit, got)
			}
		}
	}
}

// Each path shows sums: those beside the leaf are a decoy's, and tell nothing.
func TestTheNeighbourIsADecoy(t *testing.T) {
	var text strings.Builder
	for i := range 128 {
		fmt.Fprintf(&text, "n%d.example\n", i)
	}
	l := made(t, text.String())
	seen := map[uint64]bool{}
	for _, e := range l.Entries() {
		p, err := l.Prove(e)
		if err != nil {
			t.Fatal(err)
		}
		if seen[p.Index/2] {
			t.Fatalf("two entries are neighbours at %d", p.Index)
		}
		seen[p.Index/2] = true
	}
}

// A made-up secret opens as a list or not at all.
func TestSpoiledSecrets(t *testing.T) {
	b, err := made(t, grid).Secret()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		bad := bytes.Clone(b)
		bad[rng.IntN(len(bad))] ^= byte(1 + rng.IntN(255))
		if l, err := asset.Open(bad); err == nil && l.Head().Check() != nil {
			t.Fatal("a list without a head that holds")
		}
	}
}

func FuzzProof(f *testing.F) {
	l := made(f, grid)
	for _, e := range l.Entries() {
		p, err := l.Prove(e)
		if err != nil {
			f.Fatal(err)
		}
		b, err := p.Bytes()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	own := map[asset.Entry]bool{}
	for _, e := range l.Entries() {
		own[e] = true
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := asset.ParseProof(b)
		if err != nil {
			return
		}
		again, err := p.Bytes()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("read and written it is another: %v", err)
		}
		if p.Verify(l.Head()) == nil && !own[p.Entry] {
			t.Fatalf("%s was proved, and is not on the list", p.Entry)
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(grid, ", ", "\n")))
	f.Add([]byte("# nothing\n\n10.0.0.1 # one\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := asset.ParseText(text)
		if err != nil {
			return
		}
		for _, e := range list {
			if again, err := asset.ParseEntry(e.Value); err != nil || again != e {
				t.Fatalf("%s is read as %s, %v", e, again, err)
			}
		}
	})
}

func BenchmarkMake(b *testing.B) {
	var text strings.Builder
	for i := range 4096 {
		fmt.Fprintf(&text, "n%d.example\n", i)
	}
	list := entries(b, text.String())
	for b.Loop() {
		l, err := asset.Make("xn", 1, list, asset.Usual())
		if err != nil {
			b.Fatal(err)
		}
		p, err := l.Prove(list[0])
		if err != nil {
			b.Fatal(err)
		}
		proof, err := p.Bytes()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(proof)), "B/proof")
		b.ReportMetric(float64(l.Head().Leaves), "leaves")
	}
}
