package instrument_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"detente/form"
	"detente/instrument"
	"detente/instrument/treatytest"
	"detente/sealing"
	"detente/statement"
	"detente/traffic"
)

var update = flag.Bool("update", false, "write golden texts and the document anew")

// A whole treaty as a negotiation: what comes out clean is what went in, with the numbers that it has in print.
func TestAWholeTreatyIsNegotiated(t *testing.T) {
	want, err := treatytest.Treaty()
	if err != nil {
		t.Fatal(err)
	}
	w := begin(t, "treaty", "legal", strings.Join(want.Languages, " "), "xn", "xs")
	var order []string
	for i, c := range want.Clauses {
		order = append(order, string(c.Kind)+" "+c.ID)
		if len(c.Texts) == 0 {
			continue // an article without a heading: nobody need say so
		}
		by := []string{"xn", "xs"}[i%2]
		other := []string{"xs", "xn"}[i%2]
		m := map[string]any{}
		for lang, text := range c.Texts {
			m[lang] = text
		}
		w.says(by, "position", form.Values{"provision": c.ID, "texts": m})
		w.says(other, "acceptance", accepts(c.ID, m))
	}
	title := map[string]any{}
	for lang, text := range want.Title {
		title[lang] = text
	}
	w.says("xs", "position", form.Values{"provision": "title", "texts": title})
	w.says("xs", "position", form.Values{"provision": "structure", "order": strings.Join(order, "\n")})
	d, err := instrument.OrderDigest(strings.Join(order, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	w.says("xn", "acceptance", form.Values{"provision": "structure", "digest": d[:]})
	_, err = w.fold().Clean()
	if !errors.Is(err, instrument.ErrOpen) || !strings.Contains(err.Error(), "title: silent") {
		t.Errorf("with its title open: %v", err)
	}
	w.says("xn", "acceptance", accepts("title", title))
	n := w.fold()
	for i := range n.Entries {
		if e := &n.Entries[i]; e.Why != "" {
			t.Fatalf("%s of %v: %s", e.Form, e.Values["provision"], e.Why)
		}
	}
	got, err := n.Clean()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Digest() != want.Digest() || len(n.Open()) != 0 {
		t.Error("another digest, or something is open")
	}
}

func TestNumbersFollowFromTheStructure(t *testing.T) {
	order := `preamble p
chapter c1
article a1
paragraph a1.1
paragraph a1.2
point a1.2.a
subpoint a1.2.a.i
subpoint a1.2.a.ii
point a1.2.b
subpoint a1.2.b.i
passage a1.2.end
paragraph a1.3
point a1.3.a
chapter c2
article a2
paragraph a2.1
annex n1
article n1a1
paragraph n1a1.1
paragraph n1a1.2
annex n2
paragraph n2.1
closing end`
	var text instrument.Text
	for l := range strings.SplitSeq(order, "\n") {
		kind, id, _ := strings.Cut(l, " ")
		text.Clauses = append(text.Clauses, instrument.Clause{ID: id, Kind: instrument.Kind(kind)})
	}
	text.Renumber()
	var got []string
	for _, c := range text.Clauses {
		got = append(got, c.ID+"="+c.Number)
	}
	want := strings.Fields("p= c1=I a1=1 a1.1=1 a1.2=2 a1.2.a=a a1.2.a.i=i a1.2.a.ii=ii a1.2.b=b a1.2.b.i=i a1.2.end= a1.3=3 a1.3.a=a c2=II a2=2 a2.1= n1=1 n1a1=1 n1a1.1=1 n1a1.2=2 n2=2 n2.1= end=")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The same treaty as each of two parties keeps it, in six languages: own name first, own signature first, obligations where they were.
func TestOriginalsInTheirAlternat(t *testing.T) {
	w := begin(t, "treaty", "political", "ar en es fr ru zh", "xn", "xs")
	w.order("preamble p\narticle a1\nparagraph a1.1\narticle a2\nparagraph a2.1\npoint a2.1.a\npoint a2.1.b\nparagraph a2.2\nclosing end", "xn", "xs")
	w.agree("names", texts(
		"ar", "xn الشمالية\nxs الجنوبية",
		"en", "xn Northland\nxn:for the Government of Northland\nxs Southland",
		"es", "xn Nortelandia\nxs Isla del Sur",
		"fr", "xn le Nordland\nxs le Sudland\nxs:gen du Sudland",
		"ru", "xn Северная Страна\nxn:gen Северной Страны\nxn:for Северную Страну\nxn:ins Северной Страной\nxs Южная Страна\nxs:gen Южной Страны\nxs:for Южную Страну\nxs:ins Южной Страной",
		"zh", "xn 北国\nxs 南国"), "xn", "xs")
	w.agree("title", texts("ar", "اتفاق", "en", "Agreement between {parties}", "es", "Acuerdo entre {parties}", "fr", "Accord entre {parties}", "ru", "Соглашение между {parties:ins}", "zh", "{parties}协定"), "xn", "xs")
	w.agree("p", texts("ar", "إن {parties}،", "en", "{parties},", "es", "{parties},", "fr", "{parties},", "ru", "{parties},", "zh", "{parties}："), "xn", "xs")
	w.agree("a1", texts("ar", "التعاريف", "en", "Definitions", "es", "Definiciones", "fr", "Définitions", "ru", "Определения", "zh", "定义"), "xn", "xs")
	w.agree("a1.1", texts("ar", "نص", "en", "“Parties” means {parties}.", "es", "Texto.", "fr", "Texte.", "ru", "Текст.", "zh", "本协定。"), "xs", "xn")
	w.agree("a2.1", texts("ar", "تقوم:", "en", "The following notify:", "es", "Notifican:", "fr", "Notifient :", "ru", "Уведомляют:", "zh", "通报："), "xs", "xn")
	w.agree("a2.1.a", texts("ar", "{party:1}؛", "en", "{party:1} of launches;", "es", "{party:1};", "fr", "{party:1} ;", "ru", "{party:1} о пусках;", "zh", "{party:1}；"), "xs", "xn")
	w.agree("a2.1.b", texts("ar", "{party:2}.", "en", "{party:2} of exercises.", "es", "{party:2}.", "fr", "le gouvernement {party:2:gen}.", "ru", "Правительство {party:2:gen}.", "zh", "{party:2}。"), "xs", "xn")
	w.agree("a2.2", texts("ar", "نص {party:3}", "en", "{party:3} is nobody, and {other} no token.", "es", "Texto.", "fr", "Texte.", "ru", "Текст.", "zh", "本条。"), "xs", "xn")
	w.agree("end", texts("ar", "حرر", "en", "Done by {side:1} and {side:2}.", "es", "Hecho.", "fr", "Fait.", "ru", "Совершено.", "zh", "订于"), "xs", "xn")
	n := w.fold()
	text, err := n.Clean()
	if err != nil {
		t.Fatal(err)
	}
	named, all := text.Named(n.Opening.Parties)
	if !all {
		t.Fatal("a party has no name in some language")
	}
	var b strings.Builder
	for _, lang := range text.Columns([]string{"ru", "de"}) {
		for _, p := range n.Opening.Parties {
			o := text.Render(lang, named, p)
			b.WriteString("== " + lang + ", the original of " + string(p) + " ==\n" + o.String() + "\n")
		}
	}
	golden(t, filepath.Join("testdata", "originals.txt"), b.String())

	// A manifest has the digests of just these; one with another is of no use.
	wrong := w.terms(func(m *sealing.Manifest) { m.Texts[3].Digest[0]++ })
	w.refused(instrument.Incomplete, "xn", "manifest", form.Values{"manifest": wrong})
	w.tables(nil)
	if m := w.fold().Manifests[1]; m.Unchecked {
		t.Error("the originals could be computed and were not")
	}
}

func golden(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), want); diff != "" {
		t.Errorf("%s: run with -update and look at the difference: %s", path, diff)
	}
}

// What a stranger states to be dear or to confuse stays without effect, and takes nobody else's.
func TestHostileStatementsHaveNoEffect(t *testing.T) {
	w := treaty(t, "political")
	before := printed(w.fold())
	long := strings.Repeat("a", 65)
	yes := texts("en", "Yes", "ru", "Да")
	for _, test := range []struct {
		why, from, form string
		v               form.Values
	}{
		{instrument.Malformed, "xs", "position", form.Values{"provision": long, "texts": yes}},
		{instrument.Malformed, "xs", "position", form.Values{"provision": "Ünique", "texts": yes}},
		{instrument.Malformed, "xs", "position", form.Values{"provision": "", "texts": yes}},
		{instrument.Malformed, "xs", "position", form.Values{"provision": "new", "texts": texts("en", "\u202e")}},
		{instrument.Malformed, "xs", "position", form.Values{"provision": "new"}},
		{instrument.Malformed, "xs", "position", form.Values{"provision": "new", "texts": yes, "order": "article a"}},
		{instrument.OtherLanguage, "xs", "position", form.Values{"provision": "new", "texts": texts("de", "Ja")}},
		{instrument.NotParty, "xt", "position", form.Values{"provision": "new", "texts": yes}},
		{instrument.OpenedAlready, "xs", "negotiation", form.Values{"title": yes}},
		{instrument.NotTabled, "xs", "acceptance", accepts("a1p", texts("en", "what nobody has tabled"))},
		{instrument.Unknown, "xs", "acceptance", accepts("new", yes)},
		{instrument.Malformed, "xs", "acceptance", form.Values{"provision": "a1p", "digest": []byte("short")}},
		{instrument.Malformed, "xs", "position", form.Values{"provision": "structure", "order": "article a1\narticle a1"}},
		{instrument.Malformed, "xs", "position", form.Values{"provision": "structure", "order": "article structure"}},
		{instrument.Malformed, "xs", "position", form.Values{"provision": "structure", "order": "verse a1"}},
		{instrument.Malformed, "xs", "position", form.Values{"provision": "structure", "order": "\n"}},
		{instrument.Malformed, "xs", "position", form.Values{"provision": "structure", "texts": yes}},
		{instrument.Malformed, "xs", "package", form.Values{"name": "n", "items": "a1p zz"}},
		{instrument.Malformed, "xs", "package", form.Values{"name": "n", "items": ""}},
		{instrument.Unknown, "xs", "package", form.Values{"name": "n", "items": "new " + strings.Repeat("0", 64)}},
		{instrument.NotTabled, "xs", "package", form.Values{"name": "n", "items": "a1p " + strings.Repeat("0", 64)}},
		{instrument.Unknown, "xs", "package-withdrawal", form.Values{}},
		{instrument.Unknown, "xs", "withdrawal", form.Values{"provision": "new"}},
		{instrument.Malformed, "xs", "manifest", form.Values{"manifest": []byte{0xa0}}},
		{instrument.NoManifest, "xs", "signature", form.Values{"manifest": make([]byte, 32), "manner": "definitive"}},
		{instrument.NoManifest, "xs", "certificate", form.Values{"round": make([]byte, 32), "evidence": []byte{}}},
		{instrument.NoManifest, "xs", "termination-notice", form.Values{"manifest": make([]byte, 32)}},
		{instrument.NotHere, "xs", "note", form.Values{"order": "first", "texts": yes}},
		{instrument.Incomplete, "xs", "conformity", form.Values{"text": make([]byte, 32), "languages": "en ru"}},
		{instrument.Malformed, "xs", "position", nil},
	} {
		w.refused(test.why, test.from, test.form, test.v)
	}
	w.items = append(w.items, instrument.Item{ID: [32]byte{1}, Form: "withdrawal", Issuer: traffic.Address{Party: "xs"}, Clock: 99, Void: "invalid", Values: form.Values{"provision": "a1p"}})
	n := w.fold()
	n.Entries = slices.DeleteFunc(n.Entries, func(e instrument.Entry) bool { return e.Why != "" })
	if printed(n) != before {
		t.Error("something of it had an effect")
	}
	other := treaty(t, "political").terms(func(m *sealing.Manifest) { m.Instrument[0]++ })
	w.refused(instrument.Incomplete, "xs", "manifest", form.Values{"manifest": other})
}

// Packages may form a ring; what is bound together is agreed together.
func TestPackagesInARing(t *testing.T) {
	w := begin(t, "treaty", "political", "en", "xn", "xs")
	one, two := texts("en", "One"), texts("en", "Two")
	for _, id := range []string{"a", "b", "c"} {
		w.does("xn", "position", form.Values{"provision": id, "texts": one})
	}
	item := func(id string, m map[string]any) string {
		d := accepts(id, m)["digest"].([]byte)
		return id + " " + hexOf(d)
	}
	ab := w.does("xs", "package", form.Values{"name": "a for b", "items": item("a", one) + "\n" + item("b", one)})
	w.does("xn", "package", form.Values{"name": "b for c", "items": item("b", one) + "\n" + item("c", one)})
	w.does("xn", "package", form.Values{"name": "c for a", "items": item("c", one) + "\n" + item("a", one)})
	if ok, why := w.fold().Agreed("a"); ok || why != instrument.Tied {
		t.Errorf("a is tied to c, on which xs does not stand: %v %s", ok, why)
	}
	w.does("xs", "acceptance", accepts("c", one))
	for _, id := range []string{"a", "b", "c"} {
		if ok, why := w.fold().Agreed(id); !ok {
			t.Errorf("%s: %s", id, why)
		}
	}
	w.does("xn", "position", form.Values{"provision": "c", "texts": two})
	n := w.fold()
	if n.Provisions["a"].Reopened != 2 || n.Provisions["c"].Reopened != 1 { // a was agreed before it was tied to c
		t.Error("who moves on c re-opens what is tied to it")
	}
	w.does("xs", "package-withdrawal", form.Values{}, ab)
	if s, ok := w.fold().Provisions["a"].Stands["xs"]; ok {
		t.Errorf("what was accepted on a condition stands without it: %v", s)
	}
	w.refused(instrument.Already, "xs", "package-withdrawal", form.Values{}, ab)
}

// Two put their wordings on the table at once: each commits itself, then shows.
func TestSimultaneousTabling(t *testing.T) {
	w := begin(t, "treaty", "political", "en", "xn", "xs")
	mine, yours := texts("en", "Sixty days."), texts("en", "Ninety days.")
	salt := []byte("sixteen bytes at least")
	committed := func(m map[string]any) form.Values {
		d := instrument.CommitmentDigest(salt, wordingOf(m).Digest())
		return form.Values{"provision": "term", "digest": d[:], "with": []any{"xn", "xs"}}
	}
	shows := func(id [32]byte, m map[string]any, salt []byte) form.Values {
		return form.Values{"provision": "term", "texts": m, "reveals": id[:], "salt": salt}
	}
	a := w.does("xn", "commitment", committed(mine))
	b := w.does("xs", "commitment", committed(yours))
	w.refused(instrument.RevealDiffers, "xs", "position", shows(b, texts("en", "Sixty-one days."), salt))
	w.refused(instrument.RevealDiffers, "xs", "position", shows(b, yours, []byte("another salt, long enough")))
	w.refused(instrument.Unknown, "xs", "position", shows(a, yours, salt))
	w.does("xn", "position", shows(a, mine, salt))
	w.does("xs", "position", shows(b, yours, salt))
	w.refused(instrument.Already, "xs", "position", shows(b, yours, salt))
	n := w.fold()
	p := n.Provisions["term"]
	if !p.Complete(p.Commitments[0]) || p.Commitments[0].Revealed == ([32]byte{}) {
		t.Error("both have committed themselves and shown")
	}
	c := w.does("xn", "commitment", with(committed(mine), "provision", "other"))
	early := w.does("xn", "position", with(shows(c, mine, salt), "provision", "other"))
	if e, _ := w.fold().Find(early); !slices.Equal(e.Remarks, []string{instrument.Early}) {
		t.Errorf("shown before the other had committed itself: %v", e.Remarks)
	}
	w.does("xs", "commitment", with(committed(mine), "provision", "third"))
	passes := w.does("xs", "position", form.Values{"provision": "third", "texts": yours})
	if e, _ := w.fold().Find(passes); !slices.Equal(e.Remarks, []string{instrument.Passes}) {
		t.Errorf("another position than the one committed to: %v", e.Remarks)
	}
}

func TestRollingTextShowsWhoStandsWhere(t *testing.T) {
	w := begin(t, "treaty", "political", "en ru", "xn", "xs")
	w.does("xs", "position", form.Values{"provision": "structure", "order": "article a1\nparagraph p1\nparagraph p2"})
	w.does("xn", "position", form.Values{"provision": "p1", "texts": texts("en", "Each Party shall notify without delay.", "ru", "Уведомляет незамедлительно.")})
	w.does("xs", "position", form.Values{"provision": "p1", "texts": texts("en", "Each Party shall notify within 24 hours.", "ru", "Уведомляет в течение суток.")})
	w.does("xs", "position", form.Values{"provision": "p2", "texts": texts("en", "New.")})
	w.does("xn", "position", form.Values{"provision": "homeless", "texts": texts("en", "In no structure.")})
	r := w.fold().Rolling()
	var got []string
	for _, c := range r.Clauses {
		got = append(got, strings.TrimSpace(string(c.Kind)+" "+c.Number+" "+c.Why+" "+line(c.Brackets["en"])+" | "+line(c.Brackets["ru"])))
	}
	want := []string{
		"article 1   |",
		"paragraph 1 differs Each Party shall notify [XN: without delay] [XS: within 24 hours]. | Уведомляет [XN: незамедлительно] [XS: в течение суток].",
		"paragraph 2 silent [XS: New.] |",
		"silent [XN: In no structure.] |",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r.Structure || r.Order != "xs" || !r.Clauses[3].Outside || !r.Clauses[0].Agreed {
		t.Errorf("%+v", r)
	}
}

// What one party may use up it cannot use up for others.
func TestLimitsAreForEachParty(t *testing.T) {
	w := begin(t, "treaty", "political", "en", "xn", "xs")
	m := texts("en", "One")
	for i := range 2048 {
		w.says("xs", "position", form.Values{"provision": fmt.Sprint("p", i), "texts": m})
	}
	w.refused(instrument.Limit, "xs", "position", form.Values{"provision": "one-more", "texts": m})
	w.does("xn", "position", form.Values{"provision": "one-more", "texts": m})
	w.does("xs", "acceptance", accepts("one-more", m))
	d := accepts("p0", m)["digest"]
	for range 16 {
		w.says("xs", "commitment", form.Values{"provision": "p0", "digest": d})
	}
	w.refused(instrument.Limit, "xs", "commitment", form.Values{"provision": "p0", "digest": d})
	w.does("xn", "commitment", form.Values{"provision": "p0", "digest": d})
	deal := form.Values{"name": "n", "items": "p0 " + hexOf(d.([]byte))}
	var last statement.ID
	for range 256 {
		last = w.says("xs", "package", deal)
	}
	w.refused(instrument.Limit, "xs", "package", deal)
	w.does("xn", "package", deal)
	w.does("xs", "package-withdrawal", form.Values{}, last)
	w.does("xs", "package", deal)
}

// Many moves of a hostile party cost what they must and no more: this took minutes while each looked at the whole text.
func TestManyMovesCostLittle(t *testing.T) {
	w := begin(t, "treaty", "political", "en", "xn", "xs")
	var order, items []string
	m := texts("en", "One")
	for i := range 400 {
		id := "p" + strings.Repeat("x", i%7) + time.Duration(i).String()
		order = append(order, "paragraph "+id)
		w.says("xn", "position", form.Values{"provision": id, "texts": m})
		w.says("xs", "acceptance", accepts(id, m))
		items = append(items, id+" "+hexOf(accepts(id, m)["digest"].([]byte)))
	}
	d, _ := instrument.OrderDigest(strings.Join(order, "\n"))
	w.says("xn", "position", form.Values{"provision": "structure", "order": strings.Join(order, "\n")})
	w.says("xs", "acceptance", form.Values{"provision": "structure", "digest": d[:]})
	w.says("xs", "package", form.Values{"name": "all", "items": strings.Join(items, "\n")})
	id := strings.Fields(order[0])[1]
	for range moves {
		w.says("xs", "withdrawal", form.Values{"provision": id})
		w.says("xs", "acceptance", accepts(id, m))
	}
	n := w.fold()
	if _, err := n.Clean(); err != nil || n.Provisions[id].Reopened != moves {
		t.Errorf("%v, re-opened %d times", err, n.Provisions[id].Reopened)
	}
}
