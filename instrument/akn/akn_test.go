package akn_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"detente/instrument"
	"detente/instrument/akn"
	"detente/instrument/proposal"
	"detente/instrument/treatytest"
	"detente/traffic"
	"detente/wording"
)

func treaty(t *testing.T) instrument.Text {
	t.Helper()
	text, err := treatytest.Treaty()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// everything is a text with every kind of clause, also in places where one would not look for it, in six languages.
func everything() instrument.Text {
	t := instrument.Text{Title: wording.Texts{}, Languages: []string{"en", "ru", "ar", "zh", "fr", "es"}, Prevailing: "en"}
	words := map[string]string{"en": "word & <word>", "ru": "слово", "ar": "كلمة", "zh": "词", "fr": "«\u00a0mot\u00a0»", "es": "palabra"}
	say := func(what string) wording.Texts {
		texts := wording.Texts{}
		for lang, w := range words {
			texts[lang] = w + " " + what
		}
		return texts
	}
	t.Title, t.Names = say("title"), say("\nxs Southland\nxn:for the Government of Northland")
	add := func(id string, kind instrument.Kind, number string, texts wording.Texts) {
		t.Clauses = append(t.Clauses, instrument.Clause{ID: id, Kind: kind, Number: number, Texts: texts})
	}
	add("preamble.1", instrument.Preamble, "", say("one\ntwo  three\n\nfour"))
	add("preamble.2", instrument.Preamble, "1", say("p"))
	add("chapter.1", instrument.Chapter, "I", say("c"))
	add("art.1", instrument.Article, "1", say("heading\nof two lines"))
	add("art.1.1", instrument.Paragraph, "1", say("before points:"))
	add("art.1.1.a", instrument.Point, "a", say("a:"))
	add("art.1.1.a.i", instrument.Subpoint, "i", say("i"))
	add("art.1.1.a.ii", instrument.Subpoint, "ii", say("ii"))
	add("art.1.1.b", instrument.Point, "b", say("b"))
	add("art.1.1.end", instrument.Passage, "", say("after points"))
	add("art.1.2", instrument.Paragraph, "2", say(" spaces at its ends "))
	add("art.2", instrument.Article, "2", nil)
	add("art.2.1", instrument.Paragraph, "", say("alone"))
	add("chapter.2", instrument.Chapter, "II", nil)
	add("between", instrument.Preamble, "", say("a preamble in the middle"))
	add("art.3", instrument.Article, "3", say("empty"))
	add("done", instrument.Closing, "", say("Done at\nin two originals"))
	add("done.2", instrument.Closing, "", say("each authentic"))
	add("annex.a", instrument.Annex, "A", say("annex"))
	add("annex.a.1", instrument.Paragraph, "1", say("one"))
	add("annex.a.1.x", instrument.Point, "x", say("x"))
	add("annex.a.end", instrument.Closing, "", say("end of the annex"))
	add("annex.b", instrument.Annex, "B", nil)
	return t
}

func document(t instrument.Text) *akn.Document {
	return &akn.Document{
		Text: t, Name: strings.Repeat("ab", 32), Date: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC),
		Parties: []instrument.Named{{Party: "xn", Names: map[string]string{"en": "Northland", "fr": "le Norland"}}, {Party: "xs"}},
		Events: []akn.Event{
			{Date: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), Name: "signature", Type: "generation"},
			{Date: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Name: "entry-into-force", Type: "generation"},
		},
	}
}

func written(t *testing.T, d *akn.Document, lang string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := akn.Write(&b, d, lang); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// valid holds documents against the schema of OASIS.
func valid(t *testing.T, docs map[string][]byte) {
	t.Helper()
	tool, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("DETENTE_TEST_PG") != "" { // ./test installs it
			t.Fatal("xmllint is missing: install libxml2-utils")
		}
		t.Skip("xmllint is missing: install libxml2-utils")
	}
	dir := t.TempDir()
	args := []string{"--nonet", "--noout", "--schema", filepath.Join("testdata", "akomantoso30.xsd")}
	for name, b := range docs {
		file := filepath.Join(dir, name+".xml")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// A whole treaty, and a text with every kind of clause in six languages, go out and come back as the same text.
func TestNothingChangesOnTheWay(t *testing.T) {
	for _, text := range []instrument.Text{treaty(t), everything()} {
		var all []*akn.Expression
		for _, lang := range text.Languages {
			d := document(text)
			b := written(t, d, lang)
			if !bytes.Equal(b, written(t, d, lang)) {
				t.Error("written twice, the document is other bytes")
			}
			e, err := akn.Read(bytes.NewReader(b))
			if err != nil {
				t.Fatalf("%s: %v", lang, err)
			}
			if got, missing, err := e.Changes(text); err != nil || len(got) > 0 || len(missing) > 0 {
				t.Errorf("%s: changed %+v, missing %v: %v", lang, got, missing, err)
			}
			if e.Digest != text.Digest() || len(e.Events) != 2 || e.Events[1] != d.Events[1] || fmt.Sprint(e.Parties) != "[xn xs]" {
				t.Errorf("%s: %+v", lang, e)
			}
			all = append(all, e)
		}
		got, err := akn.Join(all...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text, got); diff != "" {
			t.Errorf("read again: %s", diff)
		}
	}
}

// What is written is valid against the schema of OASIS: whole texts, drafts with brackets, and texts that are hardly one.
func TestTheSchemaOfOASISHolds(t *testing.T) {
	docs := make(map[string][]byte)
	for _, lang := range []string{"en", "fr"} {
		docs["treaty-"+lang] = written(t, document(treaty(t)), lang)
	}
	for _, lang := range everything().Languages {
		docs["everything-"+lang] = written(t, document(everything()), lang)
	}
	docs["draft"] = written(t, draft(), "en")
	one := instrument.Text{Languages: []string{"zh-Hans"}, Clauses: []instrument.Clause{{ID: "a", Kind: instrument.Point}}}
	docs["least"] = written(t, &akn.Document{Text: one}, "zh-Hans")
	twice := instrument.Text{Languages: []string{"en"}, Clauses: []instrument.Clause{{ID: "a", Kind: instrument.Article, Number: "1"}, {ID: "b", Kind: instrument.Article, Number: "1"}}}
	docs["one-number-twice"] = written(t, &akn.Document{Text: twice}, "en")
	valid(t, docs)
}

// draft is a text of which two provisions are in brackets.
func draft() *akn.Document {
	d := document(everything())
	d.Brackets = map[string]map[string][]wording.Piece{
		"art.1.2": {"en": {{Text: "Each Party notifies the other "}, {Text: "without delay", Parties: []traffic.Party{"xn"}}, {Text: "within 24 hours", Parties: []traffic.Party{"xs"}}, {Text: "."}}},
		"art.3":   {"en": {{Text: "Notice", Parties: []traffic.Party{"xn", "xs"}}}},
	}
	return d
}

// Brackets are shown with the parties that want them, and are no wording that could be proposed.
func TestBracketsAreNoProposal(t *testing.T) {
	b := written(t, draft(), "en")
	if !bytes.Contains(b, []byte(`<span class="bracket" refersTo="#xs" d:parties="xs">[within 24 hours]</span>`)) {
		t.Errorf("%s", b)
	}
	e, err := akn.Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := akn.Join(e); !errors.Is(err, akn.ErrJoin) {
		t.Error(err)
	}
	if got, missing, err := e.Changes(everything()); err != nil || len(got) > 0 || len(missing) != 2 {
		t.Errorf("%v %v %v", got, missing, err)
	}
}

// A changed word is a proposal in that language.
func TestAChangedWordIsAProposal(t *testing.T) {
	text := everything()
	b := bytes.Replace(written(t, document(text), "ru"), []byte("слово alone"), []byte("слова  alone"), 1)
	e, err := akn.Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	got, missing, err := e.Changes(text)
	want := []proposal.Proposal{{Provision: "art.2.1", Lang: "ru", Old: "слово alone", New: "слова  alone", Untracked: true}}
	if diff := cmp.Diff(want, got); diff != "" || len(missing) > 0 || err != nil {
		t.Errorf("%s %v %v", diff, missing, err)
	}
	pretty := bytes.ReplaceAll(written(t, document(text), "ru"), []byte("слово alone"), []byte("\n      слово\n      alone\n   "))
	if e, err = akn.Read(bytes.NewReader(pretty)); err != nil {
		t.Fatal(err)
	}
	if got, _, err := e.Changes(text); err != nil || len(got) > 0 {
		t.Errorf("made to look well, it is changed: %+v %v", got, err)
	}
}

const head = `<akomaNtoso xmlns="http://docs.oasis-open.org/legaldocml/ns/akn/3.0"><act name="x"><meta><identification source="#x"><FRBRExpression><FRBRlanguage language="eng"/></FRBRExpression></identification></meta>`

func of(body string) string { return head + "<body>" + body + "</body></act></akomaNtoso>" }

// Documents of others are read too: ids are made of their places, words of an article are a paragraph, parts are chapters, formats are passed over.
func TestDocumentsOfOthersAreRead(t *testing.T) {
	e, err := akn.Read(strings.NewReader(head + `<preface><p><docTitle>A  <b>title</b></docTitle></p></preface><preamble><p>The States,</p></preamble><body>
		<part eId="part_I"><num>I</num><heading>Of all</heading>
			<article eId="part_I__art_1"><num>Article 1</num><content><p>Each Party <i>shall</i>
				notify <ref href="#x">the others</ref>.</p></content></article>
			<article eId="part_I__art_2"><num>2</num><paragraph eId="part_I__art_2__para_1"><intro><p>These:</p></intro>
				<list eId="l"><point eId="p"><num>(a)</num><content><p>one</p></content></point><point eId="p"><num>(b)</num><content><p>two</p></content></point></list>
				<wrapUp><p>and all others.</p></wrapUp></paragraph></article></part></body><conclusions><p>Done</p></conclusions></act></akomaNtoso>`))
	if err != nil {
		t.Fatal(err)
	}
	want := []akn.Clause{
		{ID: "preamble", Kind: instrument.Preamble, Text: "The States,"},
		{ID: "part-i", Kind: instrument.Chapter, Number: "I", Text: "Of all"},
		{ID: "part-i.art-1", Kind: instrument.Article, Number: "Article 1"},
		{ID: "part-i.art-1.content", Kind: instrument.Paragraph, Text: "Each Party shall notify the others."},
		{ID: "part-i.art-2", Kind: instrument.Article, Number: "2"},
		{ID: "part-i.art-2.para-1", Kind: instrument.Paragraph, Text: "These:"},
		{ID: "p", Kind: instrument.Point, Number: "(a)", Text: "one"},
		{ID: "p-2", Kind: instrument.Point, Number: "(b)", Text: "two"},
		{ID: "part-i.art-2.para-1.end", Kind: instrument.Passage, Text: "and all others."},
		{ID: "closing", Kind: instrument.Closing, Text: "Done"},
	}
	if diff := cmp.Diff(want, e.Clauses); diff != "" || e.Title != "A title" || e.Lang != "en" {
		t.Errorf("%s %q %q", diff, e.Title, e.Lang)
	}
}

// What cannot be understood is refused with its place; a draft of another tool with an alternative is one of them.
func TestWhatCannotBeUnderstoodIsRefusedWithItsPlace(t *testing.T) {
	sample, err := os.ReadFile(filepath.Join("testdata", "sample.xml"))
	if err != nil {
		t.Fatal(err)
	}
	p := func(inner string) string {
		return of(`<paragraph eId="a"><content><p>` + inner + `</p></content></paragraph>`)
	}
	for what, text := range map[string]string{
		"an alternative":       string(sample),
		"inserted words":       p("<ins>a</ins>"),
		"a note":               p("a<noteRef href=\"#n\"/>"),
		"a picture":            p(`<img src="x"/>`),
		"a table":              of(`<paragraph><content><table/></content></paragraph>`),
		"a modification":       p("<mod>x</mod>"),
		"words outside":        of("words"),
		"another name space":   p(`<x xmlns="urn:x"/>`),
		"the same twice":       of(`<paragraph wId="a"/><paragraph wId="a"/>`),
		"a reserved name":      of(`<paragraph wId="structure"/>`),
		"words in two places":  of(`<paragraph><content><p>a</p></content><content><p>b</p></content></paragraph>`),
		"a heading of none":    of(`<point><heading>a</heading></point>`),
		"an unknown container": of(`<hcontainer name="x"/>`),
		"no language":          `<akomaNtoso xmlns="http://docs.oasis-open.org/legaldocml/ns/akn/3.0"><act><body/></act></akomaNtoso>`,
		"a judgment":           `<akomaNtoso xmlns="http://docs.oasis-open.org/legaldocml/ns/akn/3.0"><judgment/></akomaNtoso>`,
		"a turned direction":   p("a\u202eb"),
		"too long":             p(strings.Repeat("a", 70_000)),
		"too many":             of(strings.Repeat("<paragraph/>", 5001)),
	} {
		_, err := akn.Read(strings.NewReader(text))
		var r *akn.Refusal
		if !errors.Is(err, akn.ErrRefused) || !errors.As(err, &r) || r.Place == "" || r.What == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What could harm is not read at all.
func TestWhatCouldHarmIsNotRead(t *testing.T) {
	for what, text := range map[string]string{
		"a declared type":      `<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]>` + of(""),
		"an entity":            of(`<paragraph><content><p>&xxe;</p></content></paragraph>`),
		"elements in elements": of(strings.Repeat("<point>", 100_000)),
		"too large":            of(strings.Repeat(" ", akn.MaxFile)),
		"too many elements":    of(strings.Repeat("<p/>", 300_000)),
		"half":                 of("")[:100],
		"nothing":              "",
		"another language":     "<html/>",
		"an old version":       strings.ReplaceAll(of(""), "akn/3.0", "akn/3.0/CSD02"),
	} {
		if _, err := akn.Read(strings.NewReader(text)); !errors.Is(err, akn.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, d := range map[string]*akn.Document{
		"a control": {Text: instrument.Text{Languages: []string{"en"}, Clauses: []instrument.Clause{{ID: "a", Kind: instrument.Point, Texts: wording.Texts{"en": "\x01"}}}}},
		"nothing":   {Text: instrument.Text{Languages: []string{"en"}}},
	} {
		if err := akn.Write(io.Discard, d, "en"); !errors.Is(err, akn.ErrText) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Whatever a stranger sends, it is refused with one of the two errors, or what was read can be written and is read again as the same.
func FuzzRead(f *testing.F) {
	for _, lang := range []string{"en", "ar"} {
		var b bytes.Buffer
		if err := akn.Write(&b, document(everything()), lang); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte(of(`<article eId="a"><num>1</num><content><p>a<eol/>b</p></content></article>`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := akn.Read(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, akn.ErrFormat) && !errors.Is(err, akn.ErrRefused) {
				t.Errorf("another error: %v", err)
			}
			return
		}
		text, err := akn.Join(e)
		if err != nil || len(text.Clauses) == 0 {
			return
		}
		var out bytes.Buffer
		if err := akn.Write(&out, &akn.Document{Text: text, Date: time.Unix(0, 0)}, e.Lang); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := akn.Read(bytes.NewReader(out.Bytes()))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, out.Bytes())
		}
		if diff := cmp.Diff(e.Clauses, again.Clauses); diff != "" {
			t.Errorf("read again: %s\n%s", diff, out.Bytes())
		}
	})
}
