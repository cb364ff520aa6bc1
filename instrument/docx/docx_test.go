package docx_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"detente/instrument"
	"detente/instrument/docx"
	"detente/instrument/proposal"
	"detente/instrument/treatytest"
	"detente/wording"
)

func written(t *testing.T, d *docx.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := docx.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t *testing.T, b []byte, base instrument.Text) *docx.Document {
	t.Helper()
	d, err := docx.Read(bytes.NewReader(b), int64(len(b)), base)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func treaty(t *testing.T) instrument.Text {
	t.Helper()
	text, err := treatytest.Treaty()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// six is a short text in six scripts, with all that may stand in one: several lines, signs of markup, spaces that do not break, a long id.
func six() instrument.Text {
	return instrument.Text{
		Title:     wording.Texts{"en": "Agreement", "ru": "Соглашение", "ar": "اتفاق", "zh": "协定", "fr": "Accord", "es": "Acuerdo"},
		Names:     wording.Texts{"en": "xn Northland\nxs Southland", "ru": "xn Нордландия", "ar": "xn نورثلاند", "zh": "xn 北国", "fr": "xn le Norland", "es": "xn Norlandia"},
		Languages: []string{"en", "ru", "ar", "zh", "fr", "es"},
		Clauses: []instrument.Clause{
			{ID: "art.1", Kind: instrument.Article, Number: "1", Texts: wording.Texts{
				"en": "Notification", "ru": "Уведомление", "ar": "الإخطار", "zh": "通报", "fr": "Notification", "es": "Notificación",
			}},
			{ID: "a-provision-with-a-name-that-is-longer-than-a-bookmark.may-be.1", Kind: instrument.Paragraph, Number: "1", Texts: wording.Texts{
				"en": "Each Party shall notify <the other> Party & others:\nat once.", "ru": "Каждая Сторона «незамедлительно» уведомляет другую Сторону.",
				"ar": "يخطر كل طرف الطرف الآخر دون تأخير (المادة 12).", "zh": "每一方应立即将事件通知另一方。", "fr": "Chaque Partie notifie\u00a0: l’autre\u2011Partie.", "es": "Cada Parte notificará.",
			}},
		},
	}
}

// changes are those of a document, of which every provision must be there.
func changes(t *testing.T, d *docx.Document, base instrument.Text) []proposal.Proposal {
	t.Helper()
	got, missing, err := d.Changes(base)
	if err != nil || len(missing) > 0 {
		t.Fatalf("missing %v: %v", missing, err)
	}
	return got
}

// A whole treaty, and a text in six scripts, go out and come back, and nothing is changed. What is written twice is the same bytes.
func TestNothingChangesOnTheWay(t *testing.T) {
	for _, text := range []instrument.Text{treaty(t), six()} {
		b := written(t, docx.Of(text))
		if !bytes.Equal(b, written(t, docx.Of(text))) {
			t.Error("written twice, the document is other bytes")
		}
		if got := changes(t, read(t, b, text), text); len(got) > 0 {
			t.Errorf("changed: %+v", got)
		}
	}
}

// resaved is a document opened and saved by LibreOffice.
func resaved(t *testing.T, b []byte) []byte {
	t.Helper()
	tool, err := exec.LookPath("soffice")
	if err != nil {
		if os.Getenv("DETENTE_TEST_PG") != "" { // ./test installs it
			t.Fatal("LibreOffice is missing: install libreoffice-writer-nogui")
		}
		t.Skip("LibreOffice is missing: install libreoffice-writer-nogui")
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.docx"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, b, 0o600); err != nil {
		t.Fatal(err)
	}
	// A home of its own: two of them at once would else wait for each other.
	cmd := exec.CommandContext(t.Context(), tool, "-env:UserInstallation=file://"+dir+"/home", "--headless", "--convert-to", "docx:Office Open XML Text", "--outdir", out, in)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	b, err = os.ReadFile(filepath.Join(out, "in.docx"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The whole treaty in two languages, with changes that a party proposes, and a text in six scripts, are opened and saved by LibreOffice: the same texts
// come back, and the same changes by the same authors.
func TestAnotherWordProcessorChangesNothing(t *testing.T) {
	text := treaty(t)
	wanted := map[string]wording.Texts{
		"art.1.1": {"en": text.Clauses[14].Texts["en"] + " This means\nalways.", "fr": text.Clauses[14].Texts["fr"]},
		"art.9.1": {"en": "Nothing of it.", "fr": "Rien\u00a0: «\u00a0non\u00a0»."},
	}
	d := docx.Of(text)
	d.Propose("xn", wanted)
	// One run of LibreOffice for both texts: the six scripts are more rows of the same table.
	small := six()
	all := text
	all.Languages = small.Languages
	all.Clauses = append([]instrument.Clause{}, text.Clauses...)
	for _, c := range small.Clauses {
		c.ID = "six." + c.ID[:min(40, len(c.ID))]
		all.Clauses = append(all.Clauses, c)
	}
	d.Languages = small.Languages
	d.Rows = append(d.Rows, docx.Of(all).Rows[len(text.Clauses)+1:]...)
	got, missing, err := read(t, resaved(t, written(t, d)), all).Changes(all)
	if err != nil || len(missing) > 0 {
		t.Fatalf("missing %v: %v", missing, err)
	}
	var want []proposal.Proposal
	for _, c := range text.Clauses {
		for _, lang := range []string{"en", "fr"} {
			if w, ok := wanted[c.ID]; ok && w[lang] != c.Texts[lang] {
				want = append(want, proposal.Proposal{Provision: c.ID, Lang: lang, Old: c.Texts[lang], New: w[lang], Authors: []string{"XN"}})
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after LibreOffice: %s", diff)
	}
}

// The documents of two word processors, with the bookmark that LibreOffice moved: the same provisions, the same change.
func TestABookmarkThatMovedBindsItsParagraph(t *testing.T) {
	var both []*docx.Document
	for _, name := range []string{"bilingual-tracked.docx", "bilingual-tracked-resaved-by-libreoffice7.4.docx"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, read(t, b, instrument.Text{}))
	}
	if diff := cmp.Diff(both[0], both[1]); diff != "" {
		t.Errorf("the two differ: %s", diff)
	}
	en := both[1].Rows[0].Cells["en-GB"]
	if en.Old() != "The Parties shall notify each other without delay of incidents" || en.New() != "The Parties shall notify each other without delay of [serious] [significant] incidents" ||
		both[1].Rows[0].Provision != "art-1.para-1" || len(both[1].Languages) != 4 {
		t.Errorf("%+v", both[1].Rows[0])
	}
}

// The first column stands where the reader of its language begins, and what is read back is the same.
func TestAReaderFromTheRightHasHisColumnFirst(t *testing.T) {
	for _, languages := range [][]string{{"en", "ar"}, {"ar", "en"}} {
		text := six()
		text.Languages = languages
		b := written(t, docx.Of(text))
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		part, err := z.Open("word/document.xml")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(body, []byte("<w:bidiVisual/>")) != (languages[0] == "ar") {
			t.Errorf("%v: the table begins at the wrong side", languages)
		}
		if d := read(t, b, text); len(d.Rows) != len(docx.Of(text).Rows) {
			t.Errorf("%v: %d rows", languages, len(d.Rows))
		}
	}
}

// Nothing in the file tells of a person, a program or a time.
func TestNoTraceOfPersons(t *testing.T) {
	d := docx.Of(six())
	d.Propose("xn", map[string]wording.Texts{"art.1": {"en": "Notice"}})
	b := written(t, d)
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"docProps", "rsid", "w:date", "creator", "lastModifiedBy", "Application"} {
			if bytes.Contains(text, []byte(word)) && !(word == "Application" && f.Name == "[Content_Types].xml") {
				t.Errorf("%s has %s", f.Name, word)
			}
		}
	}
}

const (
	ns   = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"`
	mark = `<w:bookmarkStart w:id="1" w:name="art__1__en"/>`
)

// made is a document with a body, as if some word processor had made it.
func made(t *testing.T, body string, more ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	parts := append([]string{
		"_rels/.rels", `<Relationships><Relationship Id="a" Type="http://x/officeDocument" Target="word/document.xml"/></Relationships>`,
		"word/document.xml", `<w:document ` + ns + `><w:body>` + body + `</w:body></w:document>`,
	}, more...)
	for i := 0; i < len(parts); i += 2 {
		f, err := z.Create(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, parts[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func cellOf(content string) string {
	return `<w:tbl><w:tr><w:tc><w:p>` + mark + content + `</w:p></w:tc></w:tr></w:tbl>`
}

func words(s string) string { return `<w:r><w:t xml:space="preserve">` + s + `</w:t></w:r>` }

// What Word makes of a paragraph in which a person worked: words in many runs, marks of the spelling check, a bookmark of its own, a paragraph that was
// parted and one that was joined.
func TestWhatWordMakesOfIt(t *testing.T) {
	b := made(t, `<w:tbl><w:tr w:rsidR="00A77B3E"><w:tc><w:p w:rsidR="00A77B3E"><w:pPr><w:rPr><w:ins w:id="9" w:author="A. Clerk" w:date="2026-11-22T10:00:00Z"/></w:rPr></w:pPr>`+
		`<w:bookmarkStart w:id="0" w:name="_GoBack"/>`+mark+`<w:bookmarkEnd w:id="0"/><w:proofErr w:type="spellStart"/>`+words("Each ")+`<w:r w:rsidR="00B"><w:rPr><w:b/><w:strike w:val="0"/></w:rPr><w:t>Party</w:t></w:r>`+
		`<w:del w:id="5" w:author="A. Clerk"><w:r><w:delText xml:space="preserve"> will</w:delText></w:r></w:del><w:ins w:id="6" w:author="B. Clerk"><w:r><w:t xml:space="preserve"> shall</w:t><w:noBreakHyphen/></w:r></w:ins></w:p>`+
		`<w:p>`+words("notify.")+`</w:p><w:p/></w:tc></w:tr></w:tbl><w:p/><w:sectPr/>`)
	c := read(t, b, instrument.Text{}).Rows[0].Cells["en"]
	if c.New() != "Each Party shall\u2011\nnotify." || c.Old() != "Each Party willnotify." || fmt.Sprint(c.Authors()) != "[A. Clerk B. Clerk]" {
		t.Errorf("old %q new %q by %q", c.Old(), c.New(), c.Authors())
	}
}

// What cannot be understood is refused with its place; nothing is left out in silence.
func TestWhatCannotBeUnderstoodIsRefusedWithItsPlace(t *testing.T) {
	for what, body := range map[string]string{
		"a move":                   cellOf(`<w:moveFrom w:id="1" w:author="x">` + words("a") + `</w:moveFrom>`),
		"an object":                cellOf(`<w:r><w:object/></w:r>`),
		"a picture":                cellOf(`<w:r><w:drawing/></w:r>`),
		"another file":             `<w:altChunk r:id="x" xmlns:r="y"/>`,
		"words outside":            `<w:p>` + words("also") + `</w:p>` + cellOf(words("a")),
		"words in a free cell":     `<w:tbl><w:tr><w:tc><w:p>` + words("free") + `</w:p></w:tc></w:tr></w:tbl>`,
		"words between":            cellOf(words("a")) + `loose`,
		"a change in a change":     cellOf(`<w:ins w:author="x"><w:del w:author="y"><w:r><w:delText>a</w:delText></w:r></w:del></w:ins>`),
		"deleted words in none":    cellOf(`<w:r><w:delText>a</w:delText></w:r>`),
		"words in a deletion":      cellOf(`<w:del w:author="x">` + words("a") + `</w:del>`),
		"a link":                   cellOf(`<w:hyperlink>` + words("a") + `</w:hyperlink>`),
		"a field":                  cellOf(`<w:r><w:fldChar w:fldCharType="begin"/></w:r>`),
		"a footnote":               cellOf(`<w:r><w:footnoteReference w:id="2"/></w:r>`),
		"a comment":                cellOf(`<w:commentRangeStart w:id="0"/>`),
		"hidden words":             cellOf(`<w:r><w:rPr><w:vanish/></w:rPr><w:t>not</w:t></w:r>`),
		"struck words":             cellOf(`<w:r><w:rPr><w:strike/></w:rPr><w:t>not</w:t></w:r>`),
		"an own number":            cellOf(`<w:pPr/>`) + `<w:tbl><w:tr><w:tc><w:p><w:pPr><w:numPr/></w:pPr></w:p></w:tc></w:tr></w:tbl>`,
		"a tabulator":              cellOf(`<w:r><w:tab/></w:r>`),
		"a page break":             cellOf(`<w:r><w:br w:type="page"/></w:r>`),
		"a sign":                   cellOf(`<w:r><w:sym w:font="Wingdings" w:char="F0E0"/></w:r>`),
		"a content control":        `<w:sdt><w:sdtContent>` + cellOf(words("a")) + `</w:sdtContent></w:sdt>`,
		"a header":                 cellOf(words("a")) + `<w:sectPr><w:headerReference/></w:sectPr>`,
		"a table in a table":       `<w:tbl><w:tr><w:tc><w:tbl/></w:tc></w:tr></w:tbl>`,
		"merged cells":             `<w:tbl><w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc></w:tr></w:tbl>`,
		"an added row":             `<w:tbl><w:tr><w:trPr><w:ins w:author="x"/></w:trPr><w:tc><w:p/></w:tc></w:tr></w:tbl>`,
		"twice the same":           cellOf(words("a")) + cellOf(words("b")),
		"two in one":               cellOf(`<w:bookmarkStart w:id="2" w:name="art__2__en"/>`),
		"two in one row":           `<w:tbl><w:tr><w:tc><w:p>` + mark + `</w:p></w:tc><w:tc><w:p><w:bookmarkStart w:name="art__2__fr"/></w:p></w:tc></w:tr></w:tbl>`,
		"an unknown bookmark":      `<w:tbl><w:tr><w:tc><w:p><w:bookmarkStart w:name="h_abcdefghijklmnopqrstuvwxyz"/>` + words("a") + `</w:p></w:tc></w:tr></w:tbl>`,
		"a changed number":         `<w:tbl><w:tr><w:tc><w:p><w:bookmarkStart w:name="art__1__zxx"/><w:ins w:author="x">` + words("2") + `</w:ins></w:p></w:tc></w:tr></w:tbl>`,
		"a name space":             cellOf(`<v:shape xmlns:v="urn:v"/>`),
		"an element within words":  cellOf(`<w:r><w:t>a<w:b/></w:t></w:r>`),
		"a bidirectional override": cellOf(words("a\u202eb")),
	} {
		b := made(t, body)
		_, err := docx.Read(bytes.NewReader(b), int64(len(b)), instrument.Text{})
		var r *docx.Refusal
		if !errors.Is(err, docx.ErrRefused) || !errors.As(err, &r) || r.Place == "" || r.What == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What could harm is not read at all.
func TestWhatCouldHarmIsNotRead(t *testing.T) {
	whole := cellOf(words("a"))
	rels := func(inner string) []string { return []string{"word/_rels/document.xml.rels", inner} }
	for what, b := range map[string][]byte{
		"a bomb":           made(t, cellOf(words(strings.Repeat(" ", docx.MaxPart+1)))),
		"a declared type":  made(t, whole, "word/_rels/a.rels", `<!DOCTYPE a [<!ENTITY b "c">]><a/>`),
		"a link out":       made(t, whole, rels(`<R><Relationship Type="t/attachedTemplate" Target="file://host/share" TargetMode="External"/></R>`)...),
		"an embedded file": made(t, whole, rels(`<R><Relationship Type="t/aFChunk" Target="a.html"/></R>`)...),
		"a macro":          made(t, whole, "word/vbaProject.bin", "x"),
		"a macro by type":  made(t, whole, "[Content_Types].xml", `<T ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>`),
		"two texts":        made(t, whole, "word/Document.xml", "x"),
		"many parts": made(t, whole, func() (p []string) {
			for i := range 300 {
				p = append(p, fmt.Sprint("p", i), "")
			}
			return p
		}()...),
		"elements in elements": made(t, strings.Repeat("<w:tbl><w:tr><w:tc>", 3000)),
		"an old file":          append([]byte{0xd0, 0xcf, 0x11, 0xe0}, make([]byte, 600)...),
		"no file":              []byte("hello"),
		"half a file":          made(t, whole)[:200],
		"an entity":            made(t, cellOf(words("&lol;"))),
		"too large":            make([]byte, docx.MaxFile+1),
	} {
		if _, err := docx.Read(bytes.NewReader(b), int64(len(b)), instrument.Text{}); !errors.Is(err, docx.ErrFormat) && !errors.Is(err, docx.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	b := made(t, whole) // encrypted, by its flag
	for i := 0; i+4 < len(b); i++ {
		if string(b[i:i+4]) == "PK\x01\x02" {
			b[i+8] |= 1
		}
	}
	if _, err := docx.Read(bytes.NewReader(b), int64(len(b)), instrument.Text{}); !errors.Is(err, docx.ErrFormat) {
		t.Errorf("encrypted: %v", err)
	}
}

// What a text does not have is not proposed to be changed: provisions, languages, numbers, order.
func TestChangesOfWhatTheTextDoesNotHave(t *testing.T) {
	text := six()
	swapped := docx.Of(text)
	swapped.Rows[2], swapped.Rows[3] = swapped.Rows[3], swapped.Rows[2]
	numbered := docx.Of(text)
	numbered.Rows[2].Number = "2"
	strange := docx.Of(text)
	strange.Rows[2].Provision = "art.7"
	for what, d := range map[string]*docx.Document{"order": swapped, "number": numbered, "provision": strange} {
		if _, _, err := d.Changes(text); !errors.Is(err, proposal.ErrMisfit) {
			t.Errorf("%s: %v", what, err)
		}
	}
	less := docx.Of(text)
	less.Rows = less.Rows[:3]
	if got, missing, err := less.Changes(text); err != nil || len(got) > 0 || len(missing) != 1 {
		t.Errorf("%v %v %v", got, missing, err)
	}
	untracked := docx.Of(text)
	untracked.Rows[2].Cells["en"] = docx.Plain("Notice")
	if got := changes(t, untracked, text); len(got) != 1 || !got[0].Untracked || got[0].New != "Notice" || len(got[0].Authors) > 0 {
		t.Errorf("%+v", got)
	}
	if err := docx.Write(io.Discard, &docx.Document{Languages: make([]string, 7)}); !errors.Is(err, docx.ErrText) {
		t.Error(err)
	}
	bad := docx.Of(text)
	bad.Rows[2].Cells["en"] = docx.Plain("\x01")
	if err := docx.Write(io.Discard, bad); !errors.Is(err, docx.ErrText) {
		t.Error(err)
	}
}

// Whatever a stranger sends, it is refused with one of the two errors, or it can be written and read again as the same.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"bilingual-tracked.docx", "bilingual-tracked-resaved-by-libreoffice7.4.docx"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			f.Fatal(err)
		}
		r, err := z.Open("word/document.xml")
		if err != nil {
			f.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, false)
		f.Add(b, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, whole bool) {
		if !whole { // the text itself, which a change of a byte would else hardly ever reach through the packing
			var packed bytes.Buffer
			z := zip.NewWriter(&packed)
			for _, p := range [][2]string{{"_rels/.rels", `<R><Relationship Type="x/officeDocument" Target="d.xml"/></R>`}, {"d.xml", string(b)}} {
				w, err := z.CreateHeader(&zip.FileHeader{Name: p[0], Method: zip.Store})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(w, p[1]); err != nil {
					t.Fatal(err)
				}
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			b = packed.Bytes()
		}
		d, err := docx.Read(bytes.NewReader(b), int64(len(b)), instrument.Text{})
		if err != nil {
			if !errors.Is(err, docx.ErrFormat) && !errors.Is(err, docx.ErrRefused) {
				t.Errorf("another error: %v", err)
			}
			return
		}
		if len(d.Languages) == 0 {
			return
		}
		var out bytes.Buffer
		if err := docx.Write(&out, d); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := docx.Read(bytes.NewReader(out.Bytes()), int64(out.Len()), instrument.Text{})
		if err != nil && !errors.Is(err, docx.ErrRefused) {
			t.Fatal(err)
		}
		if err == nil && len(again.Rows) != len(d.Rows) {
			t.Errorf("%d rows became %d", len(d.Rows), len(again.Rows))
		}
	})
}
