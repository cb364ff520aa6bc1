package instrument_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"detente/form"
	"detente/instrument"
	"detente/statement"
	"detente/traffic"
)

// haggle makes a random negotiation: few provisions and wordings, so that parties often agree, move, and tie things together.
func haggle(t testing.TB, r *rand.Rand, length int) []instrument.Item {
	parties := []string{"xn", "xs", "xt"}[:2+r.IntN(2)]
	w := begin(t, "treaty", "political", "en ru", parties...)
	provisions := []string{"a", "b", "c", "d", "title"}
	wordings := []map[string]any{texts("en", "One", "ru", "Раз"), texts("en", "Two", "ru", "Два"), texts("en", "Three")}
	orders := []string{"article a\nparagraph b", "article a\nparagraph b\nparagraph c\npoint d"}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	tied := func() string {
		var items []string
		for _, id := range provisions[:4] {
			if r.IntN(2) == 0 {
				d := wordingOf(wordings[r.IntN(2)]).Digest()
				items = append(items, id+" "+hex.EncodeToString(d[:]))
			}
		}
		return strings.Join(items, "\n")
	}
	for _, id := range provisions[:4] {
		for _, m := range wordings[:2] {
			if r.IntN(4) > 0 {
				w.says(parties[0], "position", form.Values{"provision": id, "texts": m})
			}
		}
	}
	w.says(parties[0], "position", form.Values{"provision": "structure", "order": orders[0]})
	var packages []statement.ID
	for len(w.items) < length {
		party, id, m := pick(parties), pick(provisions), wordings[max(0, r.IntN(9)-6)] // mostly the first
		switch r.IntN(20) {
		case 0, 1:
			w.says(party, "position", form.Values{"provision": id, "texts": m})
		case 2, 3, 4, 5, 6, 12, 13, 14, 15:
			w.says(party, "acceptance", accepts(id, m))
		case 7:
			w.says(party, "reservation", with(accepts(id, m), "reason", "scrutiny"))
		case 8:
			w.says(party, "withdrawal", form.Values{"provision": id})
		case 9:
			packages = append(packages, w.says(party, "package", form.Values{"name": "deal", "items": tied()}))
		case 10:
			if len(packages) > 0 {
				w.says(party, "package-withdrawal", form.Values{}, packages[r.IntN(len(packages))])
			}
		case 11, 16, 17, 18, 19:
			w.says(party, "position", form.Values{"provision": "structure", "order": orders[max(0, r.IntN(5)-3)]})
		}
	}
	for i := range w.items { // a few that say the same clock, which ids then put in order
		if r.IntN(4) == 0 && i > 0 {
			w.items[i].Clock = w.items[i-1].Clock
		}
	}
	return w.items
}

// print is all that a fold says, as one digest.
func printed(n *instrument.Negotiation) [32]byte {
	h := sha256.New()
	for i := range n.Entries {
		e := &n.Entries[i]
		fmt.Fprintf(h, "%s %s %v\n", e.ID, e.Why, e.Remarks)
	}
	for _, id := range slices.Sorted(maps.Keys(n.Provisions)) {
		p := n.Provisions[id]
		ok, why := n.Agreed(id)
		fmt.Fprintf(h, "%s %v %s %d %d\n", id, ok, why, p.Reopened, len(p.Wordings))
		for _, party := range n.Opening.Parties {
			s := p.Stands[party]
			fmt.Fprintf(h, " %s %x %s %s %s\n", party, s.Digest, s.Reserved, s.Package, s.Statement)
		}
	}
	if text, err := n.Clean(); err == nil {
		fmt.Fprintf(h, "%x\n", text.Digest())
	}
	return [32]byte(h.Sum(nil))
}

// Ten thousand orders of delivery give one state.
func TestOneStateWhateverTheOrderOfDelivery(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 2026))
	agreed := 0
	for range negotiations {
		items := haggle(t, r, 40)
		first := instrument.Fold(items)
		want := printed(first)
		if _, err := first.Clean(); err == nil {
			agreed++
		}
		for range 100 {
			r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
			if printed(instrument.Fold(items)) != want {
				t.Fatal("another order of delivery gives another state")
			}
		}
	}
	t.Logf("%d orders; of %d negotiations %d end with a clean text", negotiations*100, negotiations, agreed)
}

// What the fold keeps as it goes is what the definition says of the end.
func TestAgreementIsWhatTheDefinitionSays(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 2026))
	seen := map[string]int{}
	for range 300 {
		items := haggle(t, r, 20+r.IntN(60))
		n := instrument.Fold(items)
		for id := range n.Provisions {
			want := definition(n, id, map[string]bool{})
			got, why := n.Agreed(id)
			if got != want {
				t.Fatalf("%s: agreed %v (%s), the definition says %v", id, got, why, want)
			}
			seen[why]++
		}
		_, err := n.Clean()
		if open := n.Open(); (err == nil) != (len(open) == 0) {
			t.Fatalf("clean: %v, but open: %v", err, open)
		}
		if s := n.Status(day0.AddDate(1, 0, 0)); (err == nil) != (s.Rung == instrument.AgreedText) {
			t.Fatalf("clean: %v, but the rung is %s", err, s.Rung)
		}
	}
	for _, why := range []string{"", instrument.Silent, instrument.Differs, instrument.Reserve, instrument.Partial, instrument.Tied} {
		if seen[why] == 0 {
			t.Errorf("no provision ended as %q: these negotiations try too little", why)
		}
	}
}

// definition is that of protocol.md#positions, word for word and slowly.
func definition(n *instrument.Negotiation, id string, bond map[string]bool) bool {
	bond[id] = true
	p := n.Provisions[id]
	var first *instrument.Stand
	for _, party := range n.Opening.Parties {
		s, ok := p.Stands[party]
		if !ok || s.Reserved != "" || first != nil && s.Digest != first.Digest {
			return false
		}
		if id != instrument.Structure && !s.Texts.Covers(n.Opening.Languages) {
			return false
		}
		first = &s
	}
	for _, deal := range n.Packages {
		if _, on := deal.Items[id]; deal.Withdrawn || !on {
			continue
		}
		for item, d := range deal.Items {
			other := n.Provisions[item]
			for _, party := range n.Opening.Parties {
				if s, ok := other.Stands[party]; !ok || s.Digest != d {
					return false
				}
			}
			if !bond[item] && !definition(n, item, bond) {
				return false
			}
		}
	}
	return true
}

// The negotiation is the same for a party that comes to it late: what it lacks changes nothing of what it has, in its place.
func TestAPrefixFoldsToWhatItWas(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 2026))
	items := haggle(t, r, 80)
	whole := instrument.Fold(items)
	ordered := make([]instrument.Item, len(items))
	for i := range whole.Entries {
		ordered[i] = whole.Entries[i].Item
	}
	for upto := range ordered {
		for i, e := range instrument.Fold(ordered[:upto]).Entries {
			if e.Why != whole.Entries[i].Why {
				t.Fatalf("after %d statements the effect of number %d has changed", upto, i)
			}
		}
	}
}

// FuzzFold has the bytes choose who says what, in the forms of drafting and of the ladder.
func FuzzFold(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef"), "article a\nparagraph b", "a 00")
	f.Add([]byte{0, 0, 0, 1, 0, 2, 9, 9, 9, 3, 200, 100}, "", "")
	forms := []string{"negotiation", "position", "acceptance", "reservation", "withdrawal", "package", "package-withdrawal", "commitment", "comment", "conformity", "manifest",
		"initialling", "signature", "confirmation", "consent", "note", "certificate", "rectification", "rectification-answer", "suspension-notice", "resumption",
		"termination-notice", "notice-revocation", "extension", "full-powers", "full-powers-revocation", "nothing-known"}
	f.Fuzz(func(t *testing.T, choices []byte, order, items string) {
		w := begin(t, "exchange-of-notes", "legal", "en ru", "xn", "xs")
		for i := 0; i+4 < len(choices) && i < 400; i += 4 {
			c := choices[i : i+4]
			v := form.Values{
				"provision": string('a' + rune(c[1]%4)), "order": order, "items": items, "name": "n", "number": "1", "decision": "accept", "manner": "definitive",
				"texts": map[string]any{"en": fmt.Sprint(c[2] % 3), "ru": "да"}, "digest": choices[:min(32, len(choices))], "manifest": []byte(items), "post": "xn/mfa",
				"may": []any{"sign"}, "evidence": choices, "round": choices[:min(32, len(choices))], "effect": int64(c[3]) << c[2] % 32, "title": map[string]any{"en": order},
			}
			if c[2]%2 == 0 {
				delete(v, "order")
			} else if c[1]%2 == 0 {
				delete(v, "texts")
				v["provision"] = "structure"
			}
			var refs []statement.ID
			if n := len(w.items); c[3] > 0 {
				refs = append(refs, w.items[int(c[3])%n].ID)
			}
			w.says([]string{"xn", "xs", "xt"}[c[1]%3], forms[int(c[0])%len(forms)], v, refs...)
		}
		n := w.fold()
		if len(n.Entries) != len(w.items) {
			t.Fatalf("%d statements, %d entries", len(w.items), len(n.Entries))
		}
		n.Status(w.now)
		n.Rolling()
		n.TextOn(w.now)
		if text, err := n.Clean(); err == nil {
			o := text.Render("en", []instrument.Named{{Party: "xn"}, {Party: "xs"}}, traffic.Party("xs"))
			_ = o.Digest()
		}
	})
}
