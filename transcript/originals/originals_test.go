package originals_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/unicode/norm"

	"detente/instrument"
	"detente/instrument/treatytest"
	"detente/traffic"
	"detente/transcript/originals"
	"detente/transcript/pages"
	"detente/wording"
)

// found are the fonts of this machine, read once.
var found = sync.OnceValues(func() (*pages.Fonts, error) { return pages.FindFonts(pages.Places()...) })

func fonts(t *testing.T) *pages.Fonts {
	t.Helper()
	f, err := found()
	if err == nil && len(f.Missing("每يд")) > 0 || errors.Is(err, pages.ErrFonts) {
		t.Skip("no font for a script on this machine: install fonts-noto-core and fonts-droid-fallback")
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// agreement is a short text in six languages with two parties.
func agreement() (instrument.Text, []instrument.Named) {
	t := instrument.Text{
		Title: wording.Texts{
			"en": "Agreement between {parties} on Incidents", "ru": "Соглашение между {parties:ins} об инцидентах", "ar": "اتفاق بين {parties} بشأن الحوادث",
			"zh": "{parties}关于事件的协定", "fr": "Accord entre {parties} relatif aux incidents", "es": "Acuerdo entre {parties} sobre incidentes",
		},
		Languages: []string{"en", "ru", "ar", "zh", "fr", "es"},
		Clauses: []instrument.Clause{
			{ID: "preamble", Kind: instrument.Preamble, Texts: wording.Texts{
				"en": "{parties}, hereinafter the Parties,", "ru": "{parties}, далее именуемые Сторонами,", "ar": "إن {parties}، المشار إليهما فيما يلي بالطرفين،", "zh": "{parties}，以下简称双方，",
				"fr": "{parties}, ci-après les Parties,", "es": "{parties}, en adelante las Partes,",
			}},
			{ID: "art.1", Kind: instrument.Article, Number: "1", Texts: wording.Texts{"en": "Notice", "ru": "Уведомление", "ar": "الإخطار", "zh": "通报", "fr": "Notification", "es": "Notificación"}},
			{ID: "art.1.1", Kind: instrument.Paragraph, Number: "1", Texts: wording.Texts{
				"en": "Each Party shall notify the other Party without delay of:", "ru": "Каждая Сторона незамедлительно уведомляет другую Сторону:", "ar": "يخطر كل طرف الطرف الآخر دون تأخير بما يلي:",
				"zh": "每一方应立即通知另一方：", "fr": "Chaque Partie notifie sans délai à l’autre Partie\u00a0:", "es": "Cada Parte notificará sin demora a la otra Parte:",
			}},
			{ID: "art.1.1.a", Kind: instrument.Point, Number: "a", Texts: wording.Texts{
				"en": "incidents (Article 12);", "ru": "об инцидентах (статья 12);", "ar": "الحوادث (المادة 12)؛", "zh": "事件（第十二条）；", "fr": "les incidents (article 12);", "es": "los incidentes (artículo 12);",
			}},
			{ID: "closing", Kind: instrument.Closing, Texts: wording.Texts{
				"en": "Done in two originals, all texts being equally authentic.", "ru": "Совершено в двух экземплярах, причем все тексты имеют одинаковую силу.", "ar": "حرر من نسختين أصليتين، وجميع النصوص متساوية في الحجية.",
				"zh": "本协定一式两份，各种文本同等作准。", "fr": "Fait en double exemplaire, tous les textes faisant également foi.", "es": "Hecho en dos ejemplares, siendo todos los textos igualmente auténticos.",
			}},
		},
	}
	return t, []instrument.Named{
		{Party: "xn", Languages: []string{"en"}, Names: map[string]string{"en": "Northland", "ru": "Нордландия", "ru:ins": "Нордландией", "ar": "نورثلاند", "zh": "北国", "fr": "le Norland", "es": "Norlandia"}},
		{Party: "xs", Languages: []string{"ar"}, Names: map[string]string{"en": "Southland", "ru": "Саутландия", "ru:ins": "Саутландией", "ar": "ساوثلاند", "zh": "南国", "fr": "le Sudland", "es": "Sudlandia"}},
	}
}

func rendered(t instrument.Text, named []instrument.Named, party traffic.Party, langs ...string) (out []instrument.Original) {
	for _, lang := range langs {
		out = append(out, t.Render(lang, named, party))
	}
	return out
}

func printed(t *testing.T, f *pages.Fonts, all []instrument.Original) []byte {
	t.Helper()
	b, err := originals.PDF(f, all...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read is the words of a file in the order in which another program reads them, without the marks of direction.
func read(t *testing.T, file []byte) string {
	t.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		if os.Getenv("DETENTE_TEST_PG") != "" { // ./test installs it
			t.Fatal("pdftotext is missing: install poppler-utils")
		}
		t.Skip("pdftotext is missing: install poppler-utils")
	}
	name := filepath.Join(t.TempDir(), "original.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, "-enc", "UTF-8", name, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return norm.NFKC.String(string(out))
}

// In each language alone, and in each two of them, the original of each side is printed: the side is named first, signs first, and the digest of the
// words is in the foot. The same original is the same bytes whenever it is printed.
func TestEachSideHasItsOriginal(t *testing.T) {
	f := fonts(t)
	text, named := agreement()
	for _, c := range []struct {
		party  traffic.Party
		langs  []string
		first  string
		second string
	}{
		{"xn", []string{"en", "ru"}, "Northland", "Southland"},
		{"xs", []string{"ru", "en"}, "Southland", "Northland"},
		{"xn", []string{"zh"}, "北国", "南国"},
		{"xs", []string{"zh", "es"}, "南国", "北国"},
		{"xs", []string{"fr"}, "le Sudland", "le Norland"},
		{"xs", []string{"ar", "en"}, "Southland", "Northland"},
		{"xs", []string{"ar"}, "ساوثلاند", "نورثلاند"},
	} {
		all := rendered(text, named, c.party, c.langs...)
		file := printed(t, f, all)
		said := read(t, file)
		one, two := strings.Index(said, c.first), strings.Index(said, c.second)
		if one < 0 || two < one {
			t.Errorf("%s in %v: %s at %d, %s at %d:\n%s", c.party, c.langs, c.first, one, c.second, two, said)
		}
		for _, o := range all {
			digest := o.Digest()
			if !strings.Contains(said, hex.EncodeToString(digest[:])) {
				t.Errorf("the digest of %s is not in the foot", o.Lang)
			}
		}
		if to := os.Getenv("DETENTE_PAGES"); to != "" { // to look at
			if err := os.WriteFile(to+string(c.party)+strings.Join(c.langs, "")+".pdf", file, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestTheSameOriginalIsTheSameBytes(t *testing.T) {
	text, named := agreement()
	all := rendered(text, named, "xs", "ar", "zh")
	synctest.Test(t, func(t *testing.T) {
		first := printed(t, fonts(t), all)
		time.Sleep(24 * time.Hour)
		if !bytes.Equal(first, printed(t, fonts(t), all)) {
			t.Error("a day later the original is other bytes")
		}
	})
}

// A whole treaty in two languages is printed, no word of it missing.
func TestAWholeTreaty(t *testing.T) {
	f := fonts(t)
	text, err := treatytest.Treaty()
	if err != nil {
		t.Fatal(err)
	}
	named := []instrument.Named{{Party: "xn", Names: map[string]string{"en": "Northland", "fr": "le Norland"}}, {Party: "xs", Names: map[string]string{"en": "Southland", "fr": "le Sudland"}}}
	file := printed(t, f, rendered(text, named, "xn", "fr", "en"))
	if to := os.Getenv("DETENTE_PAGES"); to != "" {
		if err := os.WriteFile(to+"treaty.pdf", file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have := make(map[string]int)
	for _, w := range strings.Fields(read(t, file)) {
		have[w]++
	}
	for _, c := range text.Clauses {
		for _, lang := range text.Languages {
			for _, w := range strings.Fields(norm.NFKC.String(c.Texts[lang])) {
				if have[w]--; have[w] < 0 {
					t.Fatalf("%q of %s in %s is not on the pages", w, c.ID, lang)
				}
			}
		}
	}
}

func TestWhatIsNoOriginalIsNotPrinted(t *testing.T) {
	f := fonts(t)
	text, named := agreement()
	all := rendered(text, named, "xn", "en", "ru")
	all[1].Party = "xs"
	if _, err := originals.PDF(f, all...); !errors.Is(err, originals.ErrShape) {
		t.Error(err)
	}
	if _, err := originals.PDF(f); !errors.Is(err, originals.ErrShape) {
		t.Error(err)
	}
	all = rendered(text, named, "xn", "en")
	all[0].Blocks[0].Text += "\U0001F9FF"
	if _, err := originals.PDF(f, all...); !errors.Is(err, originals.ErrFonts) || !strings.Contains(err.Error(), "U+1F9FF") {
		t.Error(err)
	}
}

// A text in negotiation is printed with its brackets, beside each other in languages that run both ways.
func TestADraftIsPrintedWithItsBrackets(t *testing.T) {
	f := fonts(t)
	by := func(party, text string) wording.Piece {
		return wording.Piece{Text: text, Parties: []traffic.Party{traffic.Party(party)}}
	}
	r := instrument.Rolling{Languages: []string{"en", "ar"}, Clauses: []instrument.RollingClause{{
		Clause: instrument.Clause{ID: "p", Kind: instrument.Paragraph, Number: "1"},
		Brackets: map[string][]wording.Piece{
			"en": {{Text: "Each Party shall notify "}, by("xn", "without delay"), by("xs", "within 24 hours")},
			"ar": {{Text: "يخطر كل طرف الطرف الآخر "}, by("xn", "دون تأخير"), by("xs", "في غضون 24 ساعة")},
		},
	}}}
	file, err := originals.Rolling(f, wording.Texts{"en": "Agreement", "ar": "اتفاق"}, r, "draft 1", "en", "ar")
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(strings.Fields(read(t, file)), " ")
	for _, want := range []string{"[XN: without delay]", "[XS: within 24 hours]", "دون تأخير", "draft 1"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in %s", want, said)
		}
	}
	if to := os.Getenv("DETENTE_PAGES"); to != "" {
		if err := os.WriteFile(to+"rolling.pdf", file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := originals.Rolling(f, nil, r, ""); !errors.Is(err, originals.ErrShape) {
		t.Error(err)
	}
}
